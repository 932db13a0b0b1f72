"""Which tests a run takes, in which order and on which worker, and how long its parts took.

A worker takes a file at a time; the browser's files go to one worker, where they share a Chromium
and a JupyterLab. Long ones begin first, so that no worker is left alone with one at the end.
"""

import os
import tempfile
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import settings

TEMPORARY = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest makes temporary folders: its own variable."""

MEMORY = Path("/dev/shm")  # noqa: S108  (pytest makes a folder of the user's own in it)
LEAST_ROOM = 4 << 30  # bytes; a run takes a third of that

TOGETHER = ("tests/browser",)
FEW_CASES = 20  # of a property
# Left out by --fast; the text of `cropkit test --help` names it by kinds.
SLOW = (
    "docs",
    "notebooks",
    "tests/audit/test_moving_trail.py",
    "tests/audit/test_replay.py",
    "tests/audit/test_rotating.py",
    "tests/audit/test_run.py",
    "tests/audit/test_segments.py",
    "tests/batch",
    "tests/bootstrap",
    "tests/browser",
    "tests/cli/test_cli.py",
    "tests/cli/test_long_work.py",
    "tests/cli/test_names_given.py",
    "tests/cli/test_start_up.py",
    "tests/crash",
    "tests/demo",
    "tests/engine/test_companions_beside.py",
    "tests/engine/test_merged_homes.py",
    "tests/engine/test_proven.py",
    "tests/engine/test_recut.py",
    "tests/exports/test_hostile_exports.py",
    "tests/exports/test_plug_ins.py",
    "tests/exports/test_round_trips.py",
    "tests/exports/test_training.py",
    "tests/formats/test_formats_copies.py",
    "tests/formats/test_formats_exiftool.py",
    "tests/formats/test_formats_fuzz.py",
    "tests/formats/test_formats_glimpse.py",
    "tests/formats/test_formats_heic.py",
    "tests/formats/test_formats_hidden.py",
    "tests/formats/test_formats_jpeg_lossless.py",
    "tests/formats/test_formats_jpeg_turned.py",
    "tests/formats/test_formats_regions.py",
    "tests/formats/test_formats_regular_expressions.py",
    "tests/formats/test_formats_spelt.py",
    "tests/formats/test_formats_tiff.py",
    "tests/formats/test_formats_turned.py",
    "tests/hostile",
    "tests/jupyter",
    "tests/labels/test_imported.py",
    "tests/lossless",
    "tests/monitor/test_looking_in_turn.py",
    "tests/mutants",
    "tests/review/test_live_drag.py",
    "tests/review/test_model_growth.py",
    "tests/review/test_model_kept.py",
    "tests/review/test_model_streamed.py",
    "tests/review/test_plan_watch.py",
    "tests/review/test_review_access.py",
    "tests/review/test_review_credentials.py",
    "tests/review/test_review_doubled.py",
    "tests/review/test_review_elsewhere.py",
    "tests/review/test_review_exact_keys.py",
    "tests/review/test_review_first_minute.py",
    "tests/review/test_review_hard_days.py",
    "tests/review/test_review_learning.py",
    "tests/review/test_review_leased.py",
    "tests/review/test_review_looked.py",
    "tests/review/test_review_mishaps.py",
    "tests/review/test_review_noted.py",
    "tests/review/test_review_only.py",
    "tests/review/test_review_picks.py",
    "tests/review/test_review_pressed.py",
    "tests/review/test_review_recording.py",
    "tests/review/test_review_remembered.py",
    "tests/review/test_review_seeing.py",
    "tests/review/test_review_selected.py",
    "tests/review/test_review_sight.py",
    "tests/review/test_review_slots.py",
    "tests/review/test_review_still.py",
    "tests/review/test_review_streamed.py",
    "tests/review/test_review_targets.py",
    "tests/review/test_review_turned.py",
    "tests/review/test_review_widget.py",
    "tests/taste/test_docs_learning.py",
    "tests/taste/test_evaluation.py",
    "tests/taste/test_house.py",
    "tests/taste/test_portfolio.py",
    "tests/taste/test_promise.py",
    "tests/taste/test_vision.py",
    "tests/verification/test_verification_any.py",
    "tests/verification/test_verification_elsewhere.py",
    "tests/verification/test_verification_formats.py",
    "tests/verification/test_verification_heic.py",
    "tests/verification/test_verification_falsified.py",
    "tests/verification/test_verification_hostile.py",
    "tests/verification/test_verification_places.py",
    "tests/verification/test_verification_proofs.py",
    "tests/workers",
    "tests/test_benchmarks.py",
    "tests/test_collection.py",
    "tests/test_compact.py",
    "tests/test_docs_how_to.py",
    "tests/test_docs_models.py",
    "tests/test_docs_site.py",
    "tests/test_framing.py",
    "tests/test_levelling.py",
    "tests/test_straightening.py",
    "tests/test_targets.py",
    "tests/test_merge.py",
    "tests/test_names.py",
    "tests/test_notebooks.py",
    "tests/test_notebooks_again.py",
    "tests/test_notebooks_parameters.py",
    "tests/test_notebooks_wrong_types.py",
    "tests/test_part.py",
    "tests/test_postgres.py",
    "tests/test_readme.py",
    "tests/test_runbook.py",
    "tests/test_safety.py",
    "tests/test_sharing.py",
    "tests/test_sharing_programs.py",
    "tests/test_state_elsewhere.py",
    "tests/test_style.py",
    "tests/test_wheel.py",
)
# Seconds of what takes more than a few, measured on two cores; all else is taken for 1.
SECONDS: dict[str, int] = {
    "tests/browser": 230,
    "tests/crash/test_crash.py": 150,
    "tests/batch/test_unattended.py": 120,
    "tests/batch/test_dask.py": 110,
    "tests/bootstrap/test_setup.py": 100,
    "tests/jupyter/test_left_alone.py": 60,
    "tests/test_notebooks_parameters.py": 60,
    "tests/hostile/test_hostile_names.py": 50,
    "tests/test_style.py": 45,
    "tests/test_notebooks.py": 40,
    "tests/test_notebooks_again.py": 40,
    "tests/batch/test_resume.py": 40,
    "tests/test_sharing_programs.py": 40,
    "tests/test_readme.py": 35,
    "tests/test_runbook.py": 35,
    "tests/audit/test_moving_trail.py": 35,
    "tests/test_benchmarks.py": 30,
    "notebooks/1_review.ipynb": 30,
    "tests/formats/test_formats_fuzz.py": 25,
    "tests/batch/test_values.py": 25,
    "tests/hostile/test_unreadable_decisions.py": 20,
    "tests/hostile/test_unsettled.py": 20,
    "tests/review/test_review_widget.py": 20,
    "tests/review/test_review_pressed.py": 20,
    "tests/workers/test_applier.py": 20,
    "tests/test_sharing.py": 20,
    "tests/formats/test_formats_hidden.py": 17,
    "tests/crash/test_crash_leases.py": 45,
    "tests/crash/test_crash_server.py": 45,
    "tests/crash/test_crash_merge_rivals.py": 17,
    "tests/review/test_review_mishaps.py": 16,
    "tests/test_merge.py": 16,
    "tests/review/test_model_growth.py": 15,
    "tests/review/test_model_kept.py": 15,
    "tests/lossless/test_lossless_process.py": 15,
    "tests/mutants/test_mutants.py": 15,
    "tests/crash/test_crash_mutants.py": 15,
    "tests/crash/test_crash_race.py": 15,
    "tests/jupyter/test_launch.py": 15,
    "tests/hostile/test_state_fuzz.py": 15,
    "tests/formats/test_formats_copies.py": 14,
    "tests/hostile/test_unvouched.py": 12,
    "tests/hostile/test_cells.py": 12,
    "tests/monitor/test_looking_in_turn.py": 12,
    "tests/hostile/test_unreadable.py": 10,
    "tests/hostile/test_decisions_told.py": 10,
    "tests/hostile/test_bad_days.py": 10,
    "tests/review/test_review_sight.py": 10,
    "tests/hostile/test_forged_rows.py": 9,
    "tests/demo/test_demo.py": 9,
    "tests/hostile/test_terminal.py": 9,
    "tests/test_postgres.py": 7,
    "tests/lossless/test_lossless_or_not.py": 7,
    "tests/test_state_elsewhere.py": 7,
    "tests/hostile/test_shared_state.py": 7,
    "tests/hostile/test_paths_in_rows.py": 7,
    "tests/test_part.py": 7,
    "tests/cli/test_start_up.py": 6,
    "tests/hostile/test_trail_signed.py": 6,
    "tests/hostile/test_limits_of_input.py": 6,
    "tests/formats/test_formats_tiff.py": 6,
    "tests/formats/test_formats_regions.py": 6,
    "tests/hostile/test_whose_trail.py": 6,
    "tests/audit/test_run.py": 6,
    "tests/hostile/test_disk_full.py": 6,
    "tests/engine/test_copies.py": 5,
    "tests/test_collection.py": 5,
    "tests/formats/test_formats_exiftool.py": 5,
    "tests/hostile/test_merge_of_a_forged_trail.py": 5,
    "tests/audit/test_segments.py": 5,
}


def keep_in_memory() -> None:
    """Let temporary folders be in memory, where there is room: on a disk a run waits for syncs.

    Whoever names a place (`--basetemp`, or pytest's variable) has it there.
    """
    if _is_fit(MEMORY):
        os.environ.setdefault(TEMPORARY, str(MEMORY))


def _is_fit(folder: Path) -> bool:
    """Whether there is room, files keep what is said of them, and programs may lie there."""
    try:
        room = os.statvfs(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.setxattr(file.fileno(), "user.note", b"kept")
    except OSError:
        return False
    runs_programs = not room.f_flag & os.ST_NOEXEC
    return runs_programs and room.f_bavail * room.f_frsize >= LEAST_ROOM


def scope_of(nodeid: str) -> str:
    """Return what goes to one worker in one piece: a file, or a folder of files that share."""
    path = PurePosixPath(nodeid.partition("::")[0])
    folders = [str(folder) for folder in path.parents]
    return next((folder for folder in TOGETHER if folder in folders), str(path))


def add_options(parser: pytest.Parser) -> None:
    """Register what a run can be asked for."""
    group = parser.getgroup("cropkit")
    group.addoption("--fast", action="store_true", help="what takes long is left out")
    group.addoption("--soak", action="store_true", help="500 pages in a browser instead of 60")
    group.addoption("--film", action="store_true", help="try to make the README's pictures")


class Fast:
    """What `--fast` changes; of all folders, which a hook of a conftest.py is not asked about."""

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        """Do not even read what takes long: at the end it is said what that is."""
        path = collection_path.relative_to(config.rootpath)
        return any(str(each) in SLOW for each in (path, *path.parents)) or None


def be_fast(config: pytest.Config) -> None:
    """Leave out what takes long, and try fewer cases of properties that name no number."""
    if config.getoption("--fast"):
        config.pluginmanager.register(Fast())
        settings.register_profile("fast", settings(), max_examples=FEW_CASES)
        settings.load_profile("fast")


def put_long_ones_first(items: list[pytest.Item]) -> None:
    """Sort by what a piece takes; within a piece the order stays."""
    items.sort(key=lambda item: -SECONDS.get(scope_of(item.nodeid), 1))


def scheduler(config: pytest.Config, log: object) -> object:
    """Return the scheduler for `--dist loadfile`; xdist's own, by None, for all others."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  (only workers need it)

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # (xdist ships no types)
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # longest first, not most tests first
    return ByFile(config, log)


def tell_parts(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what each folder of tests took, summed over the workers, and what was left out."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    timed = [report for report in reports if isinstance(report, pytest.TestReport)]
    seconds, tests = Counter[str](), Counter[str]()
    for report in timed:
        part = part_of(report.nodeid)
        seconds[part] += report.duration  # type: ignore[assignment]  # a Counter adds floats too
        tests[part] += report.when == "call"
    if len(seconds) > 1:
        terminalreporter.section("seconds of each part, over all workers")
        for part, took in seconds.most_common():
            terminalreporter.write_line(f"{took:7.1f} s  {tests[part]:5} tests  {part}")
    if terminalreporter.config.getoption("--fast"):
        terminalreporter.write_line(f"left out by --fast: {', '.join(SLOW)}")


def part_of(nodeid: str) -> str:
    """Return the folder of a test, or its file where that lies in no folder of its own."""
    path = PurePosixPath(nodeid.partition("::")[0])
    return str(path) if len(path.parts) == 2 and path.parts[0] == "tests" else str(path.parent)
