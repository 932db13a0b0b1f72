"""What an `fsck` that was cut off has read already, so that the next one need not read it again.

To read a hundred thousand images takes hours; to compare the trail with its tables takes a minute.
So only the reading of files is resumed: an image or an original that was read, and held what the
trail says, is known by a digest of its name, that content, and the file's inode, size and time.
What the trail says otherwise by now, what was not right, and a file that was changed or replaced
since, is read again, whatever was kept.

It is kept in the person's own cache, where nobody who writes the collection can write, under the
folder that is looked at and the trail that was seen in it. A look that comes to its end leaves
nothing. What was read longer ago than `AGE` is not taken for read.
"""

import hashlib
import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cropkit import clock
from cropkit.errors import PersonalStateUnusable
from cropkit.system import personal_cache
from cropkit.system.files import Identity

AGE = timedelta(days=7)
KEPT_EACH = 30.0  # seconds: what a kill can cost
_FORM = 2
_SIZE = 16  # bytes of a digest
_BETWEEN = b"\n"


class Proven:
    """The files that were read and are right: by a look that was cut off, and by this one.

    As a context it keeps them when this look is cut off, and forgets them at its end.

    Parameters
    ----------
    folder : the one that is meant: the collection's, or a part of it
    trail : the hash of its first event, which tells it from another one in the same folder
    resume : do not read again what the look that was cut off has read
    """

    def __init__(self, folder: Path, trail: str, *, resume: bool = False) -> None:
        which = json.dumps([str(folder.resolve()), trail])
        self._name = personal_cache.name_for("fsck", which)
        self._digests: set[bytes] = set()
        self._began_at = clock.now()
        self._kept_at = time.monotonic()
        self._is_kept = False
        self.resumed = 0
        self.notices: list[str] = []
        self._begin(*self._earlier(), resume=resume)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is not None:
            self._keep()
            if self._is_kept:
                self.notices.append("cut off: with --resume it goes on where it was")
        elif self._is_kept:
            personal_cache.remove(self._name)

    def holds(self, name: str, sha256: str, file: Identity | None) -> bool:
        """Whether this very file was read, and held this content."""
        return file is not None and _digest(name, sha256, file) in self._digests

    def add(self, name: str, sha256: str, file: Identity | None) -> None:
        """Say that a file was read, and holds this content."""
        if file is None:  # it came between the look and the reading
            return
        self._digests.add(_digest(name, sha256, file))
        if time.monotonic() - self._kept_at >= KEPT_EACH:
            self._keep()

    def _begin(self, began_at: datetime, digests: set[bytes], *, resume: bool) -> None:
        if not digests:
            return
        self._is_kept = True
        when = f"{began_at:%Y-%m-%d %H:%M} UTC"
        if resume:
            self._digests, self._began_at, self.resumed = digests, began_at, len(digests)
            read = f"{len(digests)} files that an fsck begun at {when} has read are not read again"
            self.notices.append(read)
        else:
            cut_off = f"an fsck begun at {when} was cut off when it had read {len(digests)} files"
            self.notices.append(f"{cut_off}: with --resume they are not read again")

    def _earlier(self) -> tuple[datetime, set[bytes]]:
        """Return when a look began that was cut off, and what it has read; nothing: no digests."""
        nothing: tuple[datetime, set[bytes]] = (self._began_at, set())
        try:
            data = personal_cache.read(self._name)
            began_at, digests = _read(data) if data is not None else nothing
        except (PersonalStateUnusable, ValueError) as error:
            self.notices.append(f"what an earlier fsck has read is not known: {error}")
            return nothing
        is_recent = began_at <= self._began_at < began_at + AGE  # a clock may have stepped back
        return (began_at, digests) if is_recent else nothing

    def _keep(self) -> None:
        self._kept_at = time.monotonic()
        if not self._digests:
            return
        try:
            personal_cache.write(self._name, _written(self._began_at, self._digests))
            self._is_kept = True
        except PersonalStateUnusable as error:
            notice = f"if this fsck is cut off, it cannot be resumed: {error}"
            if notice not in self.notices:
                self.notices.append(notice)


def _digest(name: str, sha256: str, file: Identity) -> bytes:
    # no device: its number may be another one after the next start
    stamp = f"{file.inode} {file.size} {file.mtime_ns}"
    which = f"{name}\0{sha256}\0{stamp}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(which, digest_size=_SIZE).digest()


def _written(began_at: datetime, digests: set[bytes]) -> bytes:
    head = {"form": _FORM, "began_at": clock.written(began_at)}
    return json.dumps(head).encode() + _BETWEEN + b"".join(sorted(digests))


def _read(data: bytes) -> tuple[datetime, set[bytes]]:
    """Read what `_written` wrote.

    Raises
    ------
    ValueError
        It is nothing of the kind.
    """
    head, _, rest = data.partition(_BETWEEN)
    try:
        stated = json.loads(head)
        form, began_at = stated["form"], clock.read(stated["began_at"])
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(type(error).__name__) from error
    if form != _FORM or len(rest) % _SIZE:
        msg = "it is in another form"
        raise ValueError(msg)
    return began_at, {rest[at : at + _SIZE] for at in range(0, len(rest), _SIZE)}
