"""The key that this person seals trails with: of their own, or of the file that they name.

Their own one is made when a collection is first opened to write, and lies in their own state, never
in a collection. `CROPKIT_KEY` names another file, for those who share one key or have no home.
"""

import hashlib
import hmac
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cropkit.errors import KeyUnusable, PersonalStateUnusable
from cropkit.system import personal_state

VARIABLE = "CROPKIT_KEY"
SIZE = 32  # bytes of a key that is made here
LARGEST = 4096  # bytes of a key that somebody else made
NOBODY = "unsigned"
"""The key id of events that were written without a key."""

_NAME = "key"
_LABEL = b"cropkit key 1\0"
_FOLDED = re.compile(r"[0-9a-f]{16}")
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Key:
    """What a trail is sealed with; one without secret seals nothing, and says why.

    Parameters
    ----------
    secret : at least 32 bytes; none at all: there is no key
    lack : why there is none
    comes : one is made as soon as a collection is opened to write
    """

    secret: bytes = b""
    lack: str = ""
    comes: bool = False

    def __repr__(self) -> str:
        return f"Key({self.id})"

    @property
    def id(self) -> str:
        """How rows name it: nothing of the secret can be learned from it."""
        return hashlib.sha256(_LABEL + self.secret).hexdigest()[:16] if self.secret else NOBODY

    @property
    def tells_apart(self) -> bool:
        """Whether what is this person's is told from what is another's: not without any key."""
        return bool(self.secret) or self.comes

    def mac(self, seq: int, head: str) -> str:
        """Vouch for the trail up to an event; nothing where there is no key."""
        text = json.dumps({"hash": head, "seq": seq}, sort_keys=True, separators=(",", ":"))
        return self.mac_of(text.encode())

    def mac_of(self, text: bytes) -> str:
        """Vouch for a text, which begins as none of another purpose does; as above."""
        return hmac.digest(self.secret, text, "sha256").hex() if self.secret else ""


def is_id(text: str) -> bool:
    """Whether a text can be the id of a key."""
    return text == NOBODY or _FOLDED.fullmatch(text) is not None


def of_person(environment: Mapping[str, str] | None = None, *, make: bool = False) -> Key:
    """Return the key of whoever runs this; one without secret where there can be none.

    Parameters
    ----------
    make : make one when there is none yet

    Raises
    ------
    KeyUnusable
        `CROPKIT_KEY` names what no key can be read of.
    """
    env = os.environ if environment is None else environment
    if named := env.get(VARIABLE, ""):
        return Key(_of_file(Path(named)))
    try:
        if personal_state.folder(env) is None:
            return Key(lack="this user has no home; CROPKIT_KEY could name a key")
        if make:
            return Key(personal_state.made_secret(_NAME, SIZE, env))
        secret = personal_state.secret(_NAME, SIZE, env)
    except PersonalStateUnusable as error:
        return Key(lack=str(error))
    return Key(secret) if secret else Key(lack="you have no key yet", comes=True)


def _of_file(path: Path) -> bytes:
    if not path.is_absolute():
        raise KeyUnusable(path, "no absolute path")
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _check(path, os.fstat(fd))
            secret = os.read(fd, LARGEST + 1)
        finally:
            os.close(fd)
    except OSError as error:
        raise KeyUnusable(path, error.strerror or error) from error
    if not SIZE <= len(secret) <= LARGEST:
        raise KeyUnusable(path, f"not {SIZE} to {LARGEST} bytes long")
    return secret


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyUnusable(path, "a folder, pipe or device, where a file belongs")
    if status.st_uid not in (os.geteuid(), 0):
        raise KeyUnusable(path, f"it belongs to user {status.st_uid}")
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise KeyUnusable(path, "others may write to it")
    if status.st_mode & stat.S_IRWXO:
        raise KeyUnusable(path, "everybody may read it")
