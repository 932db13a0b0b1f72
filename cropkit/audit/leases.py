"""Which images a review has before it, so that others pass them over: a line of its owner's file.

A lease is what one is at, for three minutes, and again as long as it is renewed. It lies behind the
name of the session in the file whose lock says that its process lives: whoever dies has none from
that moment on, and `until` bounds what one that hangs has. Nothing depends on it. What is decided
is compared with what stands, whoever had the lease: it spares people work, and keeps nobody from
any.

Where several machines share `.cropkit`, each has its own clock, and a lease may end early for the
others. Where a clock is set back, it ends by how long it has been seen unchanged.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import accumulate, islice
from pathlib import Path
from typing import NamedTuple

from cropkit import clock
from cropkit.audit.presence import Presence
from cropkit.errors import ForeignState
from cropkit.names import unescaped, write_json
from cropkit.records import Problem, ProblemKind
from cropkit.system.home import LEASES_LOCK, OWNERS
from cropkit.system.locks import LockHeld, exclusive, said_by_holder
from cropkit.system.state_folder import opened_folder

LEASE = timedelta(minutes=3)
RENEWED = 30.0  # seconds: so often a lease that stays is written anew
MOST_OWNERS, MOST_CROPS = 64, 80  # that are looked at; of one lease: two pages of forty
MOST_BYTES, MOST_IN_ALL = 32 << 10, 512 << 10  # of an owner's file; of all files at one look
_LONGEST_NAME = 200  # of a reviewer
_PATIENCE = 0.5  # seconds for the lock, which is held for less than a thousandth
_TRIES = 3  # of a line that is being written while it is read
_PROOF = 16  # hexadecimal digits of its hash
_NOT_ALONE = "somebody holds the lock of leases: two reviews may have leased one page"
_TOO_MANY = f"there are more than {MOST_OWNERS} files: whose page is whose is not known of all"
_TOO_LONG = f"they say more than {MOST_IN_ALL:,} bytes: whose page is whose is not known of all"
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class BadLease(ValueError):
    """(reason): nobody of ours wrote the line, or it is written just now."""


class Lease(NamedTuple):
    """What a review has before it.

    Parameters
    ----------
    crops : paths of images, and of crops as `review/model/slots.py` writes them
    """

    reviewer: str
    until: datetime
    crops: tuple[str, ...]


def line(lease: Lease) -> bytes:
    """Write a lease: a proof of the text, and the text; as many crops as the bound has room for."""
    some = lease.crops[:MOST_CROPS]
    ends = accumulate(len(_json(crop)) + 1 for crop in some)
    crops = [crop for crop, end in zip(some, ends, strict=True) if end <= MOST_BYTES // 2]
    text = _json({"reviewer": lease.reviewer, "until": clock.written(lease.until), "crops": crops})
    return b"%s %s\n" % (_proof(text), text)


def read_line(written: bytes) -> Lease:
    """Read what `line` wrote.

    Raises
    ------
    BadLease
        It is anything else.
    """
    proof, _, text = written.removesuffix(b"\n").partition(b" ")
    if not written.endswith(b"\n") or proof != _proof(text):
        raise BadLease("it does not prove itself")
    try:
        facts = json.loads(text.decode("ascii"))
        until = clock.read(facts["until"])
        named, crops = facts["reviewer"], facts["crops"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise BadLease("it is none of ours") from error
    is_list = isinstance(crops, list) and len(crops) <= MOST_CROPS
    if not is_list or not all(isinstance(crop, str) for crop in crops):
        raise BadLease("it does not name images")
    reviewer = unescaped(named) if isinstance(named, str) else ""
    if not 0 < len(reviewer) <= _LONGEST_NAME:
        raise BadLease("it names nobody")
    return Lease(reviewer, until, tuple(map(unescaped, crops)))


def _second_line(said: bytes) -> bytes:
    """Return it with its end; what follows is of a longer one that was there before."""
    line, end, _ = said.partition(b"\n")[2].partition(b"\n")
    return line + end


def _json(value: object) -> bytes:
    return write_json(value, _ENCODER.encode).encode("ascii")


def _proof(text: bytes) -> bytes:
    return sha256(text).hexdigest()[:_PROOF].encode()


class _Seen(NamedTuple):
    """What the file of an owner says behind its first line, and since when it does.

    Parameters
    ----------
    wrong : why it is no lease, where it says anything; '' where it is one
    """

    written: bytes = b""
    since: float = 0.0
    lease: Lease | None = None
    wrong: str = ""


class Leases:
    """Takes leases for one session, and knows those of all others; for one thread at a time.

    A look costs what the owners cost who are there, whatever the collection holds, and no more than
    the bounds above; what says the same as before is not taken apart again.

    Parameters
    ----------
    report : told of what cannot be read, once for each owner
    own_failed : told why the own lease could not be written, once
    now, ticks : the clock that `until` is of, and seconds that nobody sets back
    """

    def __init__(
        self,
        folder: Path,
        presence: Presence,
        report: Callable[[Problem], object],
        own_failed: Callable[[Problem], object],
        *,
        now: Callable[[], datetime] = clock.now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._presence = folder / OWNERS, presence
        self._lock = folder / LEASES_LOCK
        self._report, self._own_failed, self._now, self._ticks = report, own_failed, now, ticks
        self._told: set[str] = set()
        self._seen: dict[str, _Seen] = {}  # by owner
        self._read = 0  # bytes at this look
        self._mine: tuple[tuple[str, ...], float] = ((), float("-inf"))

    def claim(self, wanted: Callable[[tuple[Lease, ...]], Sequence[str]]) -> tuple[Lease, ...]:
        """Lease what is wanted in view of what others have; return what that is.

        Nobody else does so meanwhile: two reviews that go on at once go to different pages.
        """
        with ExitStack() as held:
            self._keep_others_off(held)
            others = self.others()
            self._lease(tuple(wanted(others)))
        return others

    def let_go(self) -> None:
        """Lease nothing any more."""
        self._lease(())

    def others(self) -> tuple[Lease, ...]:
        """Return the leases of other sessions that hold."""
        owners = self._owners()
        self._seen = {owner: self._seen[owner] for owner in owners if owner in self._seen}
        self._read = 0
        return tuple(filter(None, map(self._of, owners)))

    def _owners(self) -> list[str]:
        try:
            with opened_folder(self._folder) as folder, os.scandir(folder) as entries:
                names = [entry.name for entry in islice(entries, MOST_OWNERS + 1)]
        except (OSError, ForeignState) as error:
            self._tell("", str(error))
            return []
        if len(names) > MOST_OWNERS:
            self._tell("", _TOO_MANY)
        return [name for name in names[:MOST_OWNERS] if name != self._presence.owner]

    def _of(self, owner: str) -> Lease | None:
        """Return the lease of an owner, None where there is none that holds."""
        if self._read >= MOST_IN_ALL:
            self._tell("", _TOO_LONG)
            return None
        try:
            seen = self._look_at(owner)
        except (OSError, ForeignState) as error:
            self._tell(owner, str(error))
            return None
        if seen.wrong:
            words = f"what it says of the page of its review cannot be read: {seen.wrong}"
            self._tell(owner, words)
        return seen.lease if seen.lease is not None and self._holds(seen, seen.lease) else None

    def _look_at(self, owner: str) -> _Seen:
        """Read what an owner says, and again where it is being written; the same bytes once."""
        seen = self._seen.get(owner, _Seen())
        for _ in range(_TRIES):
            said = said_by_holder(self._folder / owner, MOST_BYTES) or b""
            self._read += len(said)
            written = _second_line(said)
            if written == seen.written:
                break
            seen = self._seen[owner] = self._taken_apart(written)
            if not seen.wrong:
                break
        return seen

    def _taken_apart(self, written: bytes) -> _Seen:
        try:
            lease = read_line(written) if written else None
        except BadLease as error:
            return _Seen(written, self._ticks(), wrong=str(error))
        return _Seen(written, self._ticks(), lease)

    def _holds(self, seen: _Seen, lease: Lease) -> bool:
        """Whether a lease has not ended, by the clock and by how long it has been seen."""
        is_new = self._ticks() - seen.since < LEASE.total_seconds()
        return bool(lease.crops) and is_new and self._now() < lease.until

    def _lease(self, crops: tuple[str, ...]) -> None:
        before, at = self._mine
        if crops == before and (not crops or self._ticks() - at < RENEWED):
            return
        lease = Lease(self._presence.reviewer[:_LONGEST_NAME], self._now() + LEASE, crops)
        try:
            self._presence.say(line(lease) if crops else b"")
        except OSError as error:
            if "own" not in self._told:
                self._told.add("own")
                words = f"others are not told which images are on this page: {error.strerror}"
                self._own_failed(Problem(ProblemKind.LEASE, OWNERS, words))
            return
        self._mine = crops, self._ticks()

    def _keep_others_off(self, held: ExitStack) -> None:
        """Keep other reviews from leasing meanwhile; where one hangs in that, go on without."""
        try:
            held.enter_context(exclusive(self._lock, _PATIENCE))
        except LockHeld:
            self._tell("", _NOT_ALONE)
        except (OSError, ForeignState) as error:
            self._tell("", str(error))

    def _tell(self, owner: str, words: str) -> None:
        name = f"{OWNERS}/{owner}" if owner else OWNERS
        if name not in self._told and len(self._told) <= MOST_OWNERS:
            self._told.add(name)
            self._report(Problem(ProblemKind.LEASE, name, words))


def of_others(leases: Iterable[Lease], reviewer: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return who has which crops: '' for the same person, in another review."""
    by: dict[str, frozenset[str]] = {}
    for lease in leases:
        who = "" if lease.reviewer == reviewer else lease.reviewer
        by[who] = by.get(who, frozenset()) | frozenset(lease.crops)
    return tuple(sorted(by.items()))
