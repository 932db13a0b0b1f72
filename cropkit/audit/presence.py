"""Who is at work on a collection, told by locks that the kernel lets go of at any death."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cropkit.errors import AuditLocked, AuditUnavailable
from cropkit.system.home import OWNERS, RECOVER_LOCK
from cropkit.system.locks import LockHeld, exclusive, is_free


@contextmanager
def recovering(folder: Path, deadline: float) -> Iterator[None]:
    """Settle what others left, one at a time; a second one waits and then finds nothing to do."""
    try:
        with exclusive(folder / RECOVER_LOCK, deadline):
            yield
    except LockHeld:
        raise AuditLocked(folder, deadline) from None
    except OSError as error:
        raise AuditUnavailable(folder, error.strerror or error) from error


def living(folder: Path) -> list[str]:
    """Name the owners that are alive."""
    owners = folder / OWNERS
    return [path.name for path in owners.iterdir() if not is_free(path)] if owners.is_dir() else []


def sessions_there(folder: Path) -> set[str]:
    """Name the sessions that are alive."""
    found = set()
    for owner in living(folder):
        with suppress(FileNotFoundError):  # it has just ended
            found.add((folder / OWNERS / owner).read_text())
    return found
