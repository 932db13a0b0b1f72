"""The report of a run of a collection, made anew."""

import os
from pathlib import Path

from cropkit.engine.locations import Locations
from cropkit.errors import RunIncomplete
from cropkit.runs import record, report
from cropkit.runs.run_folder import RECORD
from cropkit.runs.thumbnails import Thumbnails
from cropkit.system import state_folder
from cropkit.system.home import RUNS


def report_of(locations: Locations, state: Path, run: str | os.PathLike[str] | None) -> Path:
    """Write the report of a run, and return its path.

    Raises
    ------
    RunIncomplete
        There is no such run, or it left no record of one: no report was written over.
    ForeignState
        Somebody else made the state; nothing was written.
    """
    state_folder.check(state)
    folder = _latest(state / RUNS) if run is None else _named(state / RUNS, Path(run))
    known = record.read(folder)
    if known is None:
        raise RunIncomplete(folder, "it left no record")
    pictures = Thumbnails(locations)
    try:
        return report.write(known, folder, pictures, pictures.files)
    except record.NOT_OURS as error:
        raise RunIncomplete(folder, f"its record is none of a run: {error}") from error


def _latest(runs: Path) -> Path:
    names = sorted(path.parent for path in runs.glob(f"*/{RECORD}"))
    if not names:
        raise RunIncomplete(runs, "there is no run with a record")
    return names[-1]


def _named(runs: Path, run: Path) -> Path:
    return runs / run if len(run.parts) == 1 and (runs / run).is_dir() else run
