"""What this person keeps outside of every collection and can be made anew: nobody misses it.

It lies in `$XDG_CACHE_HOME/cropkit` (`~/.cache/cropkit`), and is believed as their own state is: it
is theirs, and nobody else may write to it. It is not synced. So a file begins with the digest of
what follows, and tells of what a power cut, or anything else, has left.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cropkit.errors import PersonalStateUnusable
from cropkit.system import disk_space, personal_state

LARGEST = 256 << 20  # bytes of one file: of some six million names
LIMIT = 512 << 20  # bytes of all of them
_DIGEST = hashlib.sha256().digest_size


def name_for(kind: str, which: str) -> str:
    """Name what is kept of one of many things."""
    digest = hashlib.sha256(which.encode("utf-8", "surrogateescape"))
    return f"{kind}-{digest.hexdigest()[:32]}"


def read(name: str, environment: Mapping[str, str] | None = None) -> bytes | None:
    """Return what was written last under this name; None where there is nothing.

    Raises
    ------
    PersonalStateUnusable
        It cannot be believed: a link, somebody else's, writable by others, too large, damaged.
    """
    place = personal_state.cache_folder(environment)
    if place is None:
        return None
    try:
        with personal_state.opened(place) as fd:
            return _read(place / name, fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PersonalStateUnusable(place, error.strerror or error) from error


def write(name: str, data: bytes, environment: Mapping[str, str] | None = None) -> None:
    """Replace a file whole, and remove the oldest ones where all are too large together.

    Raises
    ------
    PersonalStateUnusable
        It cannot be written, or this user has no home: what was there stands.
    """
    place = personal_state.cache_folder(environment)
    if place is None:
        raise PersonalStateUnusable("~/.cache/cropkit", "this user has no home")
    if len(data) + _DIGEST > LARGEST:
        raise PersonalStateUnusable(place / name, f"larger than {LARGEST} bytes")
    with personal_state.translated(place):
        personal_state.make(place)
    with personal_state.translated(place), personal_state.opened(place) as fd:
        digest = hashlib.sha256(data).digest()
        personal_state.put(name, fd, digest + data, durable=False)
        disk_space.keep_within(LIMIT, fd, OSError)  # those that somebody was killed over, too


def remove(name: str, environment: Mapping[str, str] | None = None) -> None:
    """Forget what was written under this name; where that cannot be, it stays."""
    place = personal_state.cache_folder(environment)
    if place is not None:
        with suppress(OSError, PersonalStateUnusable), personal_state.opened(place) as fd:
            os.unlink(name, dir_fd=fd)


def _read(path: Path, folder_fd: int) -> bytes:
    with personal_state.opened_file(path, folder_fd, LARGEST) as file:
        digest, data = file.read(_DIGEST), file.read(LARGEST)
    if hashlib.sha256(data).digest() != digest:
        raise PersonalStateUnusable(path, "it is not as it was written")
    return data
