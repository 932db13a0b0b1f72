"""`cropkit batch` as a person or a timer runs it: in processes of its own, judged by the trail.

A kernel costs seconds: what needs none is shown without.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from faults import contents
from patience import patient
from queueing import HOSTILE, collection, decide_all, decision, troubled
from stolen_port import PORTS, stolen

from cropkit.batch import Batch, outcome
from cropkit.batch.notebook_run import NotebookEnded, run_notebook, settled
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import (
    BadParameter,
    CropkitError,
    MissingFile,
    RunIncomplete,
    VerificationFailed,
)
from cropkit.jupyter import notebooks
from cropkit.runs import record

ROOT = Path(__file__).parent.parent.parent
NOTEBOOK = notebooks.notebook("2_batch")
ODD = "photos {2024} {} {0} ü 灯台 '\"$(x) 007"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(autouse=True)
def _our_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run `cropkit batch …`: exit code, stdout, stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["batch", *map(str, arguments)])
        return code, *capfd.readouterr()

    return run


def runs(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / ".cropkit" / "runs").iterdir() if path.is_dir())


def test_a_batch_leaves_crops_and_a_record_of_the_run(tmp_path: Path) -> None:
    folder = collection(tmp_path / ODD, 4)
    decide_all(folder)
    command = [sys.executable, "-m", "cropkit", "batch", str(folder), "--json", "--workers", "2"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["ok"], said["cropped"], said["state"]) == (True, 4, "finished")
    (run,) = runs(folder)
    assert said["folder"] == str(run)
    assert {path.name for path in run.iterdir()} == {"2_batch.ipynb", "report.html", "run.json"}
    assert run.stat().st_mode & 0o077 == 0
    executed = nbformat.read(run / "2_batch.ipynb", 4)
    assert executed.metadata.papermill.parameters.folder == str(folder)
    for shown in ((run / "2_batch.ipynb").read_text("utf-8"), done.stderr):
        assert "%|" not in shown, "no bar where output is kept, or no terminal is"
    with Collection(folder) as kit:
        assert kit.fsck() == []
        assert sum(e["event"] == "cropped" for e in kit.trail.events()) == 4


def test_papermill_by_hand_gives_the_same_result(tmp_path: Path, shell: Shell) -> None:
    """Also a bad one: items fail, the others go on, and both end with exit code 1."""
    by_shell, by_hand = (troubled(tmp_path / name) for name in ("shell", "hand"))
    code, said, _ = shell(by_shell)
    assert code == 1
    assert said.startswith("3 cropped, 1 refused, 2 stale\n")
    assert f"stale       {HOSTILE}" in said
    assert "no such file" in said
    command = [*(sys.executable, "-m", "papermill"), str(NOTEBOOK), str(tmp_path / "out.ipynb")]
    done = subprocess.run(
        [*command, "-p", "folder", str(by_hand), "-k", "python3"],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 1
    assert "RunIncomplete: " in done.stderr
    assert "3 cropped, 1 refused, 2 stale" in done.stderr
    assert contents(by_hand) == contents(by_shell)
    told = [_told(runs(folder)[0]) for folder in (by_shell, by_hand)]
    assert told[0] == told[1]
    assert {path.name for path in runs(by_hand)[0].iterdir()} >= {"report.html", "run.json"}
    for folder in (by_shell, by_hand):
        with Collection(folder) as kit:
            assert kit.fsck() == []


def _told(run: Path) -> Any:
    said = json.loads((run / "run.json").read_text("utf-8"))
    kept = ("path", "status", "code", "box", "sha256_before", "sha256_after")
    return said["ok"], said["counts"], [[e[name] for name in kept] for e in said["entries"]]


def batch(folder: Path, **parameters: Any) -> dict[str, Any]:
    with Batch(folder, **parameters) as one:
        one.apply()
        return one.result()


def test_a_repeated_run_changes_nothing_and_says_so(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 3, sidecars=True)
    assert batch(folder, source="suggestions")["cropped"] == 3
    before = contents(folder)
    with Collection(folder) as kit:
        decided = kit.trail.decisions.table()
    again = batch(folder, source="suggestions")
    assert (again["ok"], again["planned"], again["passed_over"]) == (True, 0, 3)
    assert record.read(runs(folder)[-1]).verdict() == "nothing to do"  # type: ignore[union-attr]  # (it is there)
    assert contents(folder) == before
    with Collection(folder) as kit:
        assert kit.trail.decisions.table() == decided


def test_suggestions_are_decided_by_the_batch_and_say_so(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 3, sidecars=True)
    batch(folder, source="suggestions", destination=tmp_path / "2024")
    assert len(list((tmp_path / "2024").glob("*.png"))) == 2
    with Collection(folder) as kit:
        made = kit.trail.decisions.table()
    assert {row["reviewer"].partition(" of ")[0] for row in made} == {"batch"}
    assert {row["suggestion_source"] for row in made} == {"decision-sidecar"}
    assert {row["verdict"] for row in made} == {"accept"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-p", "sauce", "1"], "BadParameter"),
        (["-p", "folder", "/"], "BadParameter"),
        (["-p", "run", "/tmp"], "BadParameter"),  # noqa: S108  (a name, nothing is written)
        (["-p", "workers", "two"], "BadParameterValue"),
        (["-p", "source", "oracle"], "BadParameterValue"),
        (["-f", "none.yaml"], "BadParameterFile"),
        (["--notebook", "none.ipynb"], "MissingFile"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    tmp_path: Path, shell: Shell, arguments: list[str], code: str
) -> None:
    folder = collection(tmp_path / "c", 1)
    ended, said, _ = shell(folder, *arguments, "--dry-run", "--json")
    assert ended == 1
    assert json.loads(said)["code"] == code
    assert not (folder / ".cropkit").exists()


def test_a_dry_run_prints_the_plan_and_its_exit_code_is_that_of_the_run(
    tmp_path: Path, shell: Shell
) -> None:
    folder = troubled(tmp_path / "c")
    code, said, _ = shell(folder, "--dry-run")
    assert code == 1
    assert "would do: 3 crop\nwould refuse: 3; would leave alone: 0\n" in said
    assert "no such file" in said
    told = json.loads(shell(folder, "--dry-run", "--json")[1])
    assert [len(told[name]) for name in ("ready", "refused", "left_alone")] == [3, 3, 0]
    assert not (folder / ".cropkit" / "runs").exists()
    assert shell(collection(tmp_path / "d", 2), "--dry-run")[0] == 0


def test_a_file_of_parameters_counts_less_than_the_command_line(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection(tmp_path / "c", 2, sidecars=True)
    given = tmp_path / "params.yaml"
    given.write_text("source: queue\ndestination: 2024\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    said = shell(folder, "-f", given, "-p", "source", "suggestions", "--dry-run", "--json")[1]
    assert json.loads(said)["source"] == "suggestions"
    assert json.loads(said)["destinations"] == [str(tmp_path / "2024")]


# -- what no notebook can make good --------------------------------------------------------------


def notebook(path: Path, *cells: str) -> Path:
    """The batch notebook, with cells of somebody's before the crops are made."""
    book = notebooks.read(NOTEBOOK)
    place = [cell.get("id") for cell in book.cells].index("apply")
    more = [nbformat.v4.new_code_cell(cell) for cell in cells]
    book.cells = book.cells[:place] + more + book.cells[place:]
    notebooks.write(book, path)
    return path


KILLS = """
import os, signal
finish = batch.collection.trail.finish
def killed(done, **more):
    finish(done, **more)
    os.kill(os.getpid(), signal.SIGKILL)
batch.collection.trail.finish = killed
"""


def test_a_killed_kernel_is_seen_and_the_next_run_finishes(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 12)
    decide_all(folder)
    before = contents(folder)
    ended = run_notebook(folder, {"workers": 1}, notebook(tmp_path / "kills.ipynb", KILLS))
    assert not ended.ok
    assert ended.run is not None
    assert ended.run.state == record.STOPPED
    assert "kernel died" in str(ended.run.reason)
    counts = ended.run.counts
    assert 0 < counts["cropped"] < 12
    assert counts["cropped"] + counts["unfinished"] == 12
    assert "The run stopped before its end" in (ended.folder / "report.html").read_text("utf-8")
    again = run_notebook(folder, {})
    assert again.ok
    assert again.run is not None
    assert again.run.counts["cropped"] == counts["unfinished"]
    with Collection(folder) as kit:
        assert sum(e["event"] == "cropped" for e in kit.trail.events()) == 12
        assert kit.fsck() == []
    assert not set(contents(folder).values()) & set(before.values())


@pytest.mark.parametrize("late", [1, 2])
def test_a_kernel_whose_ports_another_took_is_started_anew(
    tmp_path: Path, late: int, caplog: pytest.LogCaptureFixture
) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    with stolen(late) as chosen:
        ended = run_notebook(folder, {})
    assert len(chosen) == PORTS * (late + 1)
    assert ended.ok
    told = [each.getMessage() for each in caplog.records if each.name == "cropkit"]
    assert [text for text in told if "did not start" in text] == [
        f"the kernel did not start: Kernel died before replying to kernel_info ({n} of 3 tries)"
        for n in range(1, late + 1)
    ]


def test_a_kernel_that_never_comes_up_is_told_and_nothing_is_done(
    tmp_path: Path, shell: Shell
) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    before = contents(folder)
    with stolen(100):
        code, said, _ = shell(folder)
    assert code == 1
    assert "the kernel did not start: Kernel died before replying to kernel_info" in said
    assert contents(folder) == before


def test_a_notebook_that_leaves_early_with_exit_code_0_is_no_success(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    ended = run_notebook(folder, {}, notebook(tmp_path / "exit.ipynb", "raise SystemExit(0)"))
    assert not ended.ok
    assert "left no record" in ended.said


def ended_of(folder: Path, one: Batch) -> NotebookEnded:
    """Judge a run as after a notebook of which papermill saw nothing wrong."""
    one.close()
    return settled(folder, one.folder, None)


def test_a_notebook_that_does_nothing_is_no_success(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    assert not ended_of(folder, Batch(folder)).ok


def test_a_notebook_that_swallows_the_failure_is_no_success(tmp_path: Path) -> None:
    folder = troubled(tmp_path / "c")
    one = Batch(folder)
    with suppress(CropkitError):
        one.apply()
    ended = ended_of(folder, one)
    assert not ended.ok
    assert ended.run is not None
    assert ended.run.counts["stale"] == 2


def test_a_record_that_claims_more_than_the_trail_says_is_overruled(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    one = Batch(folder)
    claimed = outcome.begun(one.plan, one.collection.session, {})
    entries = tuple(replace(entry, status="cropped") for entry in claimed.entries)
    record.write(record.ended(replace(claimed, entries=entries), record.FINISHED), one.folder)
    assert record.read(one.folder).ok  # type: ignore[union-attr]  # (it is there)
    ended = ended_of(folder, one)
    assert not ended.ok
    assert ended.run is not None
    assert ended.run.counts["unfinished"] == 2
    assert json.loads((ended.folder / "run.json").read_text("utf-8"))["ok"] is False


def test_judging_again_changes_no_verdict(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    with Batch(folder) as one:
        one.apply()
    assert settled(folder, one.folder, None).run == one.run
    assert one.run.ok


def test_a_notebook_that_failed_after_the_crops_is_no_success(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    with Batch(folder) as one:
        one.apply()
    ended = settled(folder, one.folder, "ZeroDivisionError: division by zero")
    assert not ended.ok
    assert "ZeroDivisionError" in ended.said
    assert "2 cropped" in ended.said


def test_another_notebook_has_to_be_one_of_this_kind(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    with pytest.raises(BadParameter, match="run"):
        run_notebook(folder, {}, notebooks.notebook("1_review"))
    with pytest.raises(MissingFile):
        run_notebook(tmp_path / "nowhere", {})
    assert not (folder / ".cropkit").exists()


SLOW = "batch.folder.joinpath('here').touch()\nimport time\ntime.sleep(60)"


def test_a_termination_signal_ends_a_batch_in_order(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 4)
    decide_all(folder)
    slow = notebook(tmp_path / "slow.ipynb", SLOW)
    process = subprocess.Popen(
        [sys.executable, "-m", "cropkit", "batch", str(folder), "--notebook", str(slow)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    until = time.monotonic() + patient(60)
    while not list(folder.glob(".cropkit/runs/*/here")):
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said, told = process.communicate(timeout=patient(30))
    assert process.returncode == 128 + signal.SIGTERM
    assert "interrupted" in said + told


def test_a_person_who_decides_meanwhile_is_not_overruled(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 3, sidecars=True)
    with Batch(folder, source="suggestions") as one, Collection(folder, reviewer="ann") as ann:
        assert len(one.plan.ready) == 3
        made = decision(ann, "0001.png")
        ann.decide([made])
        one.apply()
        assert ann.apply(made.id).ok
        assert one.result()["overtaken"] == 1
        assert ann.trail.decisions.standing_by_path()["0001.png"].reviewer == "ann"
        crops = [e["path"] for e in ann.trail.events() if e["event"] == "cropped"]
    assert sorted(crops) == ["0000.png", "0001.png", "0002.jpg"]


def test_an_image_that_no_header_can_be_read_of_fails_the_run_every_time(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2, sidecars=True)
    (folder / "0000.png").write_bytes(b"no image")
    for _ in range(2):
        with pytest.raises(RunIncomplete, match="1 refused"):
            batch(folder, source="suggestions")
    log = (folder / ".cropkit" / "cropkit.log").read_text("utf-8")
    assert "0000.png" in log


def test_a_failure_is_told_as_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    before = contents(folder)

    def verify(_written: bytes, candidate: object, name: str) -> object:
        if name == "0001.png":
            raise VerificationFailed(name, "a pixel differs")
        return candidate

    monkeypatch.setattr("cropkit.engine.apply.formats.verify", verify)
    one = Batch(folder)
    one.apply()
    ended = ended_of(folder, one)
    assert not ended.ok
    assert ended.said == "1 cropped, 1 failed"
    assert ended.run is not None
    (unwell,) = ended.run.unwell
    assert (unwell.path, unwell.status, unwell.code) == ("0001.png", "failed", "VerificationFailed")
    assert contents(folder)["0001.png"] == before["0001.png"]


def test_what_is_said_to_be_done_and_no_operation_proves_is_unfinished(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2)
    decide_all(folder)
    with Batch(folder) as one:
        one.apply()
    assert one.run.ok
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db")) as database, database:
        database.execute("UPDATE queue SET operation = NULL WHERE path = '0000.png'")
    ended = settled(folder, one.folder, None)
    assert not ended.ok
    assert ended.said == "1 cropped, 1 unfinished"


def test_what_was_never_recorded_is_unfinished_unless_somebody_else_decided(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 2, sidecars=True)
    one = Batch(folder, source="suggestions")
    record.write(outcome.begun(one.plan, one.collection.session, {}), one.folder)
    with Collection(folder, reviewer="ann") as kit:
        kit.decide([decision(kit, "0000.png")])
    ended = ended_of(folder, one)
    assert ended.run is not None
    assert {entry.path: entry.status for entry in ended.run.entries} == {
        "0000.png": "overtaken",
        "0001.png": "unfinished",
    }


def test_what_a_person_has_superseded_while_it_waited_is_overtaken(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", 1)
    decide_all(folder)
    one = Batch(folder)
    record.write(outcome.begun(one.plan, one.collection.session, {}), one.folder)
    with Collection(folder, reviewer="ann") as kit:
        kit.decide([decision(kit, "0000.png")])
    ended = ended_of(folder, one)
    assert ended.run is not None
    assert [entry.status for entry in ended.run.entries] == ["overtaken"]


def test_a_destination_is_taken_from_where_the_person_is(
    tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection(tmp_path / "c", 1)
    decide_all(folder)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    code, _, _ = shell(folder, "-p", "destination", "crops")
    assert code == 0
    assert (tmp_path / "here" / "crops" / "0000.png").is_file()
