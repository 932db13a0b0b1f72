"""Small documents that this person keeps outside of every collection: what they approved.

They lie in `$XDG_STATE_HOME/cropkit` (`~/.local/state/cropkit`), one JSON object for each name,
beside secrets that nobody else may even read. A collection may come from an enemy; what is here was
said by the person, and nobody else may write.
"""

import errno
import json
import os
import pwd
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

from cropkit.errors import PersonalStateUnusable
from cropkit.system.files import write_all
from cropkit.system.locks import LockHeld, wait_for

LARGEST = 1_000_000  # bytes of one document
_PATIENCE = 5.0  # seconds that another program's change is waited for
_LOCK = "lock"
_LOCKED = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe that nobody writes to would wait for ever
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NO_HOME = ("~/.local/state/cropkit", "this user has no home")
Document = dict[str, Any]


def home(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return the person's home; None for a user without one, as containers have."""
    env = os.environ if environment is None else environment
    stated = env.get("HOME", "")
    if os.path.isabs(stated):  # noqa: PTH117  (a text, which may be empty)
        return Path(stated)
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return None


def folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return where this person's documents lie, or would; None for a user without a home.

    Raises
    ------
    PersonalStateUnusable
        The environment names a place that is relative to wherever one stands.
    """
    return _folder("XDG_STATE_HOME", ".local/state", environment)


def configuration_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return where this person's own settings lie; None for a user without a home.

    Raises
    ------
    PersonalStateUnusable
        As `folder`.
    """
    return _folder("XDG_CONFIG_HOME", ".config", environment)


def cache_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return where lies what can be made anew; None for a user without a home.

    Raises
    ------
    PersonalStateUnusable
        As `folder`.
    """
    return _folder("XDG_CACHE_HOME", ".cache", environment)


def _folder(name: str, usual: str, environment: Mapping[str, str] | None) -> Path | None:
    env = os.environ if environment is None else environment
    stated = env.get(name, "")
    if stated:
        if not os.path.isabs(stated):  # noqa: PTH117  (as above)
            raise PersonalStateUnusable(stated, f"{name} is no absolute path")
        return Path(stated) / "cropkit"
    above = home(env)
    return above / usual / "cropkit" if above else None


def read(name: str, environment: Mapping[str, str] | None = None) -> Document:
    """Return a document; an empty one where nothing was ever written under this name.

    Raises
    ------
    PersonalStateUnusable
        It cannot be believed: a link, somebody else's, writable by others, too large, no JSON.
    """
    place = folder(environment)
    if place is None:
        return {}
    try:
        with opened(place) as fd:
            return _read(place, name, fd)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise PersonalStateUnusable(place, error.strerror or error) from error


@contextmanager
def changing(name: str, environment: Mapping[str, str] | None = None) -> Iterator[Document]:
    """Give a document out to be changed; at the end of the block it is replaced whole, durably.

    Programs that change it at once wait for each other. After an exception nothing is changed.

    Raises
    ------
    PersonalStateUnusable
        As `read`, or it cannot be written: what was there stands.
    """
    place = folder(environment)
    if place is None:
        raise PersonalStateUnusable(*_NO_HOME)
    with translated(place):
        make(place)
    with _alone(place) as fd:
        try:
            document = _read(place, name, fd)
        except FileNotFoundError:
            document = {}
        yield document
        _write_document(place, name, fd, document)


def secret(name: str, size: int, environment: Mapping[str, str] | None = None) -> bytes | None:
    """Return random bytes that are this person's alone; None where they were never made.

    Raises
    ------
    PersonalStateUnusable
        As `read`, or others may read them, or they are of another size.
    """
    place = folder(environment)
    if place is None:
        return None
    try:
        with opened(place) as fd:
            return _read_secret(place / name, fd, size)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PersonalStateUnusable(place, error.strerror or error) from error


def made_secret(name: str, size: int, environment: Mapping[str, str] | None = None) -> bytes:
    """Return random bytes that are this person's alone, made durably when there are none.

    Raises
    ------
    PersonalStateUnusable
        As `secret`, or they cannot be made.
    """
    known = secret(name, size, environment)
    place = folder(environment)
    if known is not None:
        return known
    if place is None:
        raise PersonalStateUnusable(*_NO_HOME)
    with translated(place):
        make(place)
    with _alone(place) as fd:
        try:
            return _read_secret(place / name, fd, size)  # a rival's
        except FileNotFoundError:
            put(name, fd, secrets.token_bytes(size))
        return _read_secret(place / name, fd, size)


@contextmanager
def _alone(place: Path) -> Iterator[int]:
    """Open the folder and keep all others of ours from changing anything in it.

    It is a file that is locked: a home may lie on NFS, which excludes other machines by locks of
    files alone.
    """
    with translated(place), opened(place) as folder:
        fd = os.open(_LOCK, _LOCKED, 0o600, dir_fd=folder)
        try:
            wait_for(fd, place, _PATIENCE)
            yield folder
        finally:
            os.close(fd)


@contextmanager
def translated(place: Path) -> Iterator[None]:
    """Turn what the system refuses into `PersonalStateUnusable`."""
    try:
        yield
    except LockHeld as error:
        raise PersonalStateUnusable(place, "another program is changing it") from error
    except OSError as error:
        raise PersonalStateUnusable(place, error.strerror or error) from error


def make(place: Path) -> None:
    """Make the folder for this person alone; not, as the administrator, in another's home."""
    above = next(each for each in place.parents if each.exists())
    if not place.exists() and above.stat().st_uid not in (os.geteuid(), 0):
        raise PersonalStateUnusable(place, f"{above} belongs to user {above.stat().st_uid}")
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        place.mkdir(mode=0o700)


@contextmanager
def opened(place: Path) -> Iterator[int]:
    """Hold a folder of this person's open.

    Raises
    ------
    PersonalStateUnusable
        It is a link or a file, or others may write to it.
    """
    try:
        fd = os.open(place, _FOLDER)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise PersonalStateUnusable(place, "a link or a file, no folder") from None
        raise
    try:
        _check_owner(place, os.fstat(fd))
        yield fd
    finally:
        os.close(fd)


def _read(place: Path, name: str, folder_fd: int) -> Document:
    path = place / f"{name}.json"
    with opened_file(path, folder_fd) as file:
        return _parsed(path, file.read(LARGEST + 1))


def _read_secret(path: Path, folder_fd: int, size: int) -> bytes:
    with opened_file(path, folder_fd) as file:
        if os.fstat(file.fileno()).st_mode & _TO_OTHERS:
            raise PersonalStateUnusable(path, "others may read it")
        data = file.read(size + 1)
    if len(data) != size:
        raise PersonalStateUnusable(path, f"not {size} bytes long")
    return data


@contextmanager
def opened_file(
    path: Path, folder_fd: int, largest: int = LARGEST
) -> "Iterator[BufferedReader[FileIO]]":
    """Open a file in a folder of this person's, which is held open.

    Raises
    ------
    FileNotFoundError
        There is none.
    PersonalStateUnusable
        It is a link, somebody else's, writable by others, or too large.
    """
    try:
        fd = os.open(path.name, _FILE, dir_fd=folder_fd)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PersonalStateUnusable(path, error.strerror or error) from error
    with BufferedReader(FileIO(fd)) as file:
        _check_file(path, os.fstat(fd), largest)
        yield file


def _parsed(path: Path, data: bytes) -> Document:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PersonalStateUnusable(path, f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise PersonalStateUnusable(path, "not one JSON object")
    return value


def _check_file(path: Path, status: os.stat_result, largest: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PersonalStateUnusable(path, "a folder, pipe or device, where a file belongs")
    if status.st_size > largest:
        raise PersonalStateUnusable(path, f"larger than {largest} bytes")
    _check_owner(path, status)


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        raise PersonalStateUnusable(path, f"it belongs to user {status.st_uid}")
    if status.st_mode & _BY_OTHERS:
        raise PersonalStateUnusable(path, "others may write to it")


def _write_document(place: Path, name: str, folder_fd: int, document: Document) -> None:
    data = _written(document)
    if len(data) > LARGEST:
        raise PersonalStateUnusable(place / f"{name}.json", f"larger than {LARGEST} bytes")
    put(f"{name}.json", folder_fd, data)


def _written(document: Document) -> bytes:
    """Return a document, each of its entries in a line.

    To indent all of it takes ten times as long, and it is written whenever a collection is closed.
    """
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in document.items())
    return "".join(("{\n", ",\n".join(lines), "\n}\n")).encode()


def put(name: str, folder_fd: int, data: bytes, *, durable: bool = True) -> None:
    """Give a name other content: a reader sees the old one whole or the new one whole.

    Parameters
    ----------
    durable : also after a power cut
    """
    new = f".{name}.{secrets.token_hex(8)}"
    fd = os.open(new, _NEW, 0o600, dir_fd=folder_fd)
    try:
        with _removed_at_failure(new, folder_fd):
            write_all(os, fd, data)
            if durable:
                os.fsync(fd)
            os.replace(new, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
            if durable:
                os.fsync(folder_fd)
    finally:
        os.close(fd)


@contextmanager
def _removed_at_failure(name: str, folder_fd: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder_fd)
        raise
