"""Where the record of a run is kept: a folder of its own, named by the time in UTC."""

from itertools import count
from pathlib import Path

from cropkit import clock
from cropkit.system import state_folder
from cropkit.system.home import HOME, RUNS

RECORD = "run.json"
REPORT = "report.html"
PROGRESS = "progress"
_STAMP = "%Y%m%dT%H%M%SZ"


def new_folder(path: Path) -> Path:
    """Make the folder of a new run in a collection; two runs never share one.

    Raises
    ------
    ForeignState
        Somebody else made its state; nothing was written.
    """
    state_folder.check(path)
    runs = path / RUNS
    (path / HOME).mkdir(0o700, exist_ok=True)
    state_folder.make_folder(runs)
    folder = made(runs / f"{clock.now():{_STAMP}}")
    state_folder.make_folder(folder)  # it is there: for those who share the collection, too
    return folder


def make_file(path: Path) -> Path:
    """Make an empty file of a run, or none where it is; those who share the collection may read it.

    Raises
    ------
    ForeignState
        It is no file of one's own.
    """
    return state_folder.make_file(path, 0o666)


def given_folder(wanted: Path) -> Path:
    """Take a folder that was named for a run; one that holds a record gets a neighbour."""
    if wanted.is_dir() and not (wanted / RECORD).exists():
        return wanted
    return made(wanted)


def made(wanted: Path) -> Path:
    """Make a folder, or one beside it with a number when the name is taken."""
    for number in count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            folder.mkdir(0o700, parents=True)
        except FileExistsError:
            continue
        break
    return folder
