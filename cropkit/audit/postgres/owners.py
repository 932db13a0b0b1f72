"""Who lives, by the clock of the server: an owner has a lease, and renews it as long as it works.

A lock tells of a death at once, and of nothing else, but only on the machine that it is on. So a
trail on a server has both: of an owner of this machine the lock tells, of any other its lease,
though it may be stopped for an hour and go on. Who is taken for dead may be taken over: that is
written in one transaction, and every transaction of an owner asks whether it was. So whoever comes
back late can tell the trail nothing more; what it may still do to a name is in
`engine/publish.py` (`fence`).
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.exc import SQLAlchemyError

from cropkit.audit.dialects import ask
from cropkit.audit.heartbeat import Heartbeat
from cropkit.audit.operation import ID
from cropkit.audit.postgres import server
from cropkit.errors import AuditError, TakenOver

if TYPE_CHECKING:
    from cropkit.audit.postgres.store import ServerStore

LONGEST = 60.0  # seconds of silence, after which an owner may be taken over
OWNER = "owner"
COLUMNS = frozenset(
    {
        ("id", "text", True, "C", "", ""),
        ("host", "text", True, "C", "", ""),
        ("until", "timestamp with time zone", True, "", "", ""),
        ("taken_by", "text", False, "C", "", ""),  # the owner who settles what this one has begun
    }
)
MADE = f"""CREATE TABLE {OWNER} (id text COLLATE "C" PRIMARY KEY, host text COLLATE "C" NOT NULL,
until timestamptz NOT NULL, taken_by text COLLATE "C")"""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_UNTIL = "clock_timestamp() + make_interval(secs => ?)"
_ANNOUNCE = f"INSERT INTO {OWNER} VALUES (?, ?, {_UNTIL}, NULL)"  # noqa: S608  (names of ours)
_RENEW = f"UPDATE {OWNER} SET until = {_UNTIL} WHERE id = ? AND taken_by IS NULL"  # noqa: S608  (names of ours)
_LEAVE = f"DELETE FROM {OWNER} WHERE id = ?"  # noqa: S608  (names of ours)
_HOLDS = f"SELECT taken_by IS NULL FROM {OWNER} WHERE id = ?"  # noqa: S608  (names of ours)
_RUNS = f"""SELECT taken_by IS NULL AND until > clock_timestamp() + make_interval(secs => ?)
FROM {OWNER} WHERE id = ?"""  # noqa: S608  (as above)
# one that ends later than any is made to was made before the server's clock was set back
_LASTS = f"""(until > clock_timestamp()
AND until < clock_timestamp() + interval '{2 * LONGEST:.0f} seconds')"""
_LIVES = f"""SELECT host, taken_by, {_LASTS} AS runs
FROM {OWNER} WHERE id = ?"""  # noqa: S608  (names of ours)
_ELSEWHERE = f"""SELECT EXISTS (SELECT FROM {OWNER}
WHERE host <> ? AND taken_by IS NULL AND {_LASTS})"""  # noqa: S608  (as above)
_AT_WORK = f"SELECT EXISTS (SELECT FROM {OWNER} WHERE taken_by IS NULL AND {_LASTS})"  # noqa: S608  (as above)
_TAKER = f"SELECT taken_by FROM {OWNER} WHERE id = ?"  # noqa: S608  (names of ours)
_TAKE = f"""UPDATE {OWNER} SET taken_by = ?
WHERE id = ? AND (taken_by IS NOT NULL OR CASE host WHEN ? THEN ? ELSE NOT {_LASTS} END)"""  # noqa: S608  (names of ours)
_FORGET = f"DELETE FROM {OWNER} WHERE until < clock_timestamp() - interval '30 days'"  # noqa: S608  (names of ours)
_RENEWALS = 6  # in a lease
_EARLY = 0.25  # of a lease: so much before its end nobody relies on it any more

_log = logging.getLogger("cropkit.audit.trail")


@cache
def host() -> str:
    """Name the machine since it was started; '' where that cannot be told: it is no other's."""
    with suppress(OSError):
        return _BOOT.read_text(encoding="ascii").strip()
    return ""


class Lease:
    """That the owner of an open collection lives; renewed by a thread and a line of its own.

    Raises
    ------
    DBAPIError
        It is not on the server.
    """

    def __init__(self, store: "ServerStore", owner: str) -> None:
        self._store, self.owner = store, owner
        self._seconds = LONGEST
        self._line: Connection | None = None
        self._is_told = False
        self._asking = threading.Lock()
        with store.transaction(durable=False) as db:
            ask(db, _FORGET)
            ask(db, _ANNOUNCE, (owner, host(), self._seconds))
        self._beat = Heartbeat(self.renew, self._missed, self._seconds / _RENEWALS, "cropkit-lease")

    def hold(self, db: Connection) -> None:
        """Ask in a transaction whether it was taken over meanwhile.

        Raises
        ------
        TakenOver
            Nothing of the transaction may be.
        """
        if ask(db, _HOLDS, (self.owner,)).scalar_one_or_none() is not True:
            raise self._taken()

    def check(self) -> None:
        """Make sure that nobody has taken over, nor may for some time: the server is asked.

        This machine's own clock tells nothing: all of them stand while a virtual machine is paused.

        Raises
        ------
        TakenOver, AuditUnavailable
            Somebody has, or nobody can tell.
        """
        runs = self._asked(_RUNS, (_EARLY * self._seconds, self.owner)).scalar_one_or_none()
        if runs is not True:
            self.renew()

    def renew(self) -> None:
        """Have it from now on anew.

        Raises
        ------
        TakenOver, AuditUnavailable
            As `check`.
        """
        if not self._asked(_RENEW, (self._seconds, self.owner)).rowcount:
            raise self._taken()

    def give_back(self) -> None:
        """Live no more; where the server cannot be told, it finds that out by its clock."""
        self._beat.stop()
        try:
            with self._store.transaction(durable=False) as db:
                ask(db, _LEAVE, (self.owner,))
        except AuditError as error:
            _log.warning("the lease of this session runs out by itself: %s", error)
        with self._asking:
            self._let_go_of_line()

    def _asked(self, statement: str, values: Sequence[object]) -> CursorResult[Any]:
        """Ask by a line of its own; where it was lost since the last question, by another one."""
        with self._asking, self._store.translated():
            if self._line is not None:
                with suppress(SQLAlchemyError):
                    return ask(self._line, statement, values)
                self._let_go_of_line()
            self._line = server.connected(self._store.place, self._store.deadline)
            try:
                return ask(self._line, statement, values)
            except SQLAlchemyError:
                self._let_go_of_line()
                raise

    def _let_go_of_line(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(SQLAlchemyError):
                line.close()

    def _missed(self, error: AuditError) -> None:
        if not self._is_told:
            _log.warning("the lease of this session was not renewed: %s", error)
        self._is_told = isinstance(error, TakenOver)  # for good

    def _taken(self) -> TakenOver:
        return TakenOver(self._store.folder, self._seconds)


def lives(db: Connection, owner: str, *, is_locked: bool) -> bool:
    """Whether an owner is at work, wherever that is.

    Parameters
    ----------
    is_locked : its lock is held, as far as this machine can tell
    """
    row = ask(db, _LIVES, (owner,)).one_or_none()
    if row is None:  # about to announce itself, or gone
        return is_locked
    return row.taken_by is None and (is_locked if _is_here(row.host) else bool(row.runs))


def are_elsewhere(db: Connection) -> bool:
    """Whether an owner is at work on another machine, as far as its lease tells."""
    return bool(ask(db, _ELSEWHERE, (host(),)).scalar_one())


def are_at_work(db: Connection) -> bool:
    """Whether an owner is at work on any machine, as far as leases tell: one that died has its."""
    return bool(ask(db, _AT_WORK).scalar_one())


def take(db: Connection, owner: str, by: str, is_locked: Callable[[str], bool]) -> bool:
    """Take over what an owner has begun, in this transaction; return whether nobody else may go on.

    Who had taken it over before, and has not ended, is taken over as well: else they would go on to
    settle it when they come back. Where they live it stays theirs.

    Parameters
    ----------
    by : the owner who settles it from now on
    is_locked : says of an owner what `lives` asks
    """
    owners = [owner]
    while True:
        taker: str | None = ask(db, _TAKER, (owners[-1],)).scalar_one_or_none()
        if taker is None or taker in (by, *owners):
            break
        if not ID.fullmatch(taker):
            return False  # whose it is nobody can tell
        owners.append(taker)
    return all(_take(db, each, by, is_locked=is_locked(each)) for each in reversed(owners))


def _take(db: Connection, owner: str, by: str, *, is_locked: bool) -> bool:
    ask(db, _TAKE, (by, owner, host() or "nowhere", not is_locked))
    holds = ask(db, _HOLDS, (owner,)).scalar_one_or_none()
    return not is_locked if holds is None else not holds


def _is_here(name: str) -> bool:
    """Whether an owner is on this machine; one that nobody could name is on another."""
    return bool(name) and name == host()
