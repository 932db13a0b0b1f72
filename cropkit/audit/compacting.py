"""How much a collection's trail takes on the disk, and what compacting it did."""

from dataclasses import dataclass
from pathlib import Path

from cropkit.audit import segments
from cropkit.audit.rotating import Moved
from cropkit.system import disk_space
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME, log_of, segment

COMPACTED = "compacted"  # the event that says who did it, and what there was before


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of the database with its log, and of the export with its segments."""

    database: int
    export: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """What compacting did.

    Parameters
    ----------
    left : why the database is as it was; None: it is not
    """

    before: Sizes
    after: Sizes
    moved: Moved
    left: str | None


def sizes(folder: Path) -> Sizes:
    """Return what the trail of a collection takes now.

    Raises
    ------
    ForeignState, OSError
        One may not look.
    """
    closed = [segment(number) for number in segments.numbers(folder / HOME)]
    return Sizes(_bytes(folder, DATABASE, log_of(DATABASE)), _bytes(folder, EXPORT, *closed))


def lacking(root: Root) -> str | None:
    """Say how much room SQLite lacks to write the database anew; None where it lacks none.

    It writes all of it into the log first; what it needs elsewhere, in its folder for temporary
    files, is told by its own error.
    """
    needed = sizes(root.path).database + disk_space.ENOUGH
    free = root.free_bytes()
    if free >= needed:
        return None
    return f"to write it anew takes {needed:,} bytes beside it, and {free:,} are free"


def _bytes(folder: Path, *names: str) -> int:
    return sum(disk_space.taken(folder / name) for name in names)
