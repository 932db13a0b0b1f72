"""The list of all runs of a collection, with its trend: one page beside their folders.

It is made anew after each run, from the records that are there.
"""

from dataclasses import dataclass
from pathlib import Path

from cropkit.errors import CropkitError
from cropkit.runs import record, statistics
from cropkit.runs.run_folder import RECORD, REPORT, make_file
from cropkit.runs.templates import template
from cropkit.system.home import RUNS

INDEX = "index.html"
LARGEST = 4 << 20  # bytes of a record that is read for the list: some 4,000 images
MOST = 200  # runs, the latest
_LONGEST = 500  # letters of how one ended
_PAGE = "index_page.html"


@dataclass(frozen=True, slots=True)
class Listed:
    """One run, as the list has it; without figures where its record is too large, or none of ours.

    Parameters
    ----------
    name : of its folder, the time when it began
    pace : images a second
    """

    name: str
    told: str
    ok: bool | None = None
    cropped: int = 0
    unwell: int = 0
    pace: float = 0.0
    has_report: bool = False


def are_in(folder: Path) -> bool:
    """Whether a folder is the one that a collection's runs are in."""
    return folder.parts[-2:] == Path(RUNS).parts


def write(runs: Path) -> Path:
    """Write the list of the runs in a folder."""
    path = make_file(runs / INDEX)
    path.write_text(page(listed(runs)), encoding="utf-8", errors="backslashreplace")
    return path


def listed(runs: Path) -> list[Listed]:
    """Return the latest runs in a folder, newest first."""
    folders = (each for each in runs.iterdir() if each.is_dir() and not each.is_symlink())
    return [_listed(folder) for folder in sorted(folders, reverse=True)[:MOST]]


def _listed(folder: Path) -> Listed:
    """Return a run; whatever an enemy has put in its folder is a line without figures."""
    try:
        return _read(folder)
    except (CropkitError, OSError, *record.NOT_OURS):
        return Listed(folder.name, "left no record")


def _read(folder: Path) -> Listed:
    has_report = (folder / REPORT).is_file()
    record_of = folder / RECORD
    if record_of.exists() and record_of.stat().st_size > LARGEST:
        return Listed(folder.name, "a large run: its report tells", has_report=has_report)
    run = record.read(folder)
    if run is None:
        return Listed(folder.name, "left no record", has_report=has_report)
    return Listed(
        folder.name,
        run.verdict()[:_LONGEST],
        run.ok,
        len(statistics.cropped(run)),
        len(run.unwell),
        statistics.throughput(run).images_per_second,
        has_report,
    )


def page(runs: list[Listed]) -> str:
    """Return the list as one page of HTML, without script."""
    told = [run for run in reversed(runs) if run.ok is not None]
    most = max((run.cropped + run.unwell for run in told), default=0) or 1
    fastest = max((run.pace for run in told), default=0.0) or 1.0
    return template(_PAGE).render(runs=runs, told=told, most=most, fastest=fastest, report=REPORT)
