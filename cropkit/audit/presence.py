"""Who is at work on a collection, told by locks that the kernel lets go of at any death."""

import getpass
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from cropkit import clock
from cropkit.audit.store_reader import unavailable
from cropkit.audit.tally import Tally
from cropkit.errors import AuditLocked, AuditUnavailable, ForeignState
from cropkit.system.home import OPEN_AND_REMOVED, OWNERS, RECOVER_LOCK
from cropkit.system.locks import LockHeld, exclusive, hold, is_free, said_by_holder
from cropkit.system.mounts import file_system_type, is_network

_LONGEST_NAME = 1_000  # bytes of a session's name: ours have 27


class Presence:
    """A process at work on a collection: its session, who decides, what it has done so far.

    Its owner file is locked as long as the process lives; the kernel lets go of it at any death,
    which is how recovery tells an operation that is under way from one that was cut off.

    Raises
    ------
    AuditUnavailable
        The owner file cannot be made.
    """

    def __init__(self, folder: Path, reviewer: str | None = None) -> None:
        self.owner = uuid4().hex
        self.session = clock.session_name(clock.now())
        self.reviewer = reviewer or whoami()
        self.tally = Tally()
        self.moved_at = clock.now()
        self._process = os.getpid()
        self._counting, self._saying = threading.Lock(), threading.Lock()
        self._file = folder / OWNERS / self.owner
        self._is_shared = is_network(file_system_type(folder))
        try:
            self._held = hold(self._file, self.session, is_synced=self._is_shared)
        except OSError as error:
            raise unavailable(folder, error.strerror or error) from error

    def count(self, change: Callable[[Tally], Tally]) -> None:
        """Count something that this session did."""
        with self._counting:
            self.tally = change(self.tally)
        self.move()

    def move(self) -> None:
        """Say that the work goes on: a beat alone shows no more than that a thread lives."""
        self.moved_at = clock.now()

    @property
    def is_here(self) -> bool:
        """Whether this is the process at work: a forked child has a copy, and who left is not."""
        return os.getpid() == self._process

    def say(self, line: bytes) -> None:
        """Have the owner file say something after the name of the session, in place of before.

        Who reads it meanwhile may see a part of either: what is said proves itself (`leases`).

        Raises
        ------
        OSError
            It says anything, or nothing.
        """
        if not self.is_here:
            return
        with self._saying:
            if not self._process:  # it has left
                return
            first = f"{self.session}\n".encode()
            os.pwrite(self._held, first + line, 0)
            os.ftruncate(self._held, len(first) + len(line))
            if self._is_shared:  # other machines read it, and this one would keep it for a while
                os.fsync(self._held)

    def leave(self) -> None:
        """Be at work no more."""
        with suppress(OSError):  # the next recovery finds that nobody holds it
            self._file.unlink()
        self.die()

    def die(self) -> None:
        """Be at work no more, and leave the trace of a death: what was left is looked for."""
        with self._saying:
            self._process = 0
            os.close(self._held)


def whoami() -> str:
    """Name the user of this process."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return f"uid {os.getuid()}"


@contextmanager
def recovering(folder: Path, deadline: float) -> Iterator[None]:
    """Settle what others left, one at a time; a second one waits and then finds nothing to do."""
    try:
        with exclusive(folder / RECOVER_LOCK, deadline):
            yield
    except LockHeld:
        raise AuditLocked(folder, deadline) from None
    except OSError as error:
        raise unavailable(folder, error.strerror or error) from error


@contextmanager
def alone(folder: Path, deadline: float) -> Iterator[None]:
    """Keep recovery, and so each opening, away; refuse while somebody has the collection open.

    Raises
    ------
    AuditUnavailable, AuditLocked
        Somebody is at work on it.
    """
    with recovering(folder, deadline):
        if living(folder):
            raise AuditUnavailable(folder, "somebody is at work on it: end that first")
        yield


def living(folder: Path) -> list[str]:
    """Name the owners that are alive.

    Raises
    ------
    ForeignState
        An entry is no file of one's own. Whoever may write there can have made one of the file of
        somebody alive: who is about to settle or remove something must not take it for a dead one.
    """
    owners = folder / OWNERS
    if not owners.is_dir():
        return []
    there = (path for path in owners.iterdir() if not path.name.startswith(OPEN_AND_REMOVED))
    return [path.name for path in there if not is_free(path)]


def sessions_there(folder: Path, foreign: list[ForeignState] | None = None) -> set[str]:
    """Name the sessions that are alive.

    Parameters
    ----------
    foreign : takes what is wrong with entries that are passed over, for who only tells of others;
        None: they are raised, as by `living`
    """
    owners = folder / OWNERS
    sessions = set()
    for owner in sorted(owners.iterdir()) if owners.is_dir() else ():
        try:
            said = said_by_holder(owner, _LONGEST_NAME)
        except PermissionError:  # another user's
            continue
        except ForeignState as error:
            if foreign is None:
                raise
            foreign.append(error)
        else:
            if said is not None:
                sessions.add(said.partition(b"\n")[0].decode(errors="replace"))
    return sessions
