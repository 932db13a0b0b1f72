"""Whether this person signs the crops of a collection, and with which files.

Both are the person's own, and not the collection's. Whoever made a collection could else have
whatever is cropped in it signed in the person's name.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from cropkit.errors import PersonalStateUnusable
from cropkit.system import personal_state, toml_text

CERTIFICATE, KEY = "CROPKIT_SIGN_CERTIFICATE", "CROPKIT_SIGN_KEY"
PASSWORD = "CROPKIT_SIGN_PASSWORD"  # noqa: S105  (the name of a variable)
LARGEST = 100_000  # bytes of a chain of certificates, or of a key
_DOCUMENT = "signing"
_FILE = "signing.toml"
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class SigningFiles:
    """A chain of certificates, the signer's own first, and the key of that; both PEM."""

    certificate: Path
    key: Path


def is_wanted(collection: Path) -> bool:
    """Whether this person has said that crops of a collection are to be signed.

    Raises
    ------
    PersonalStateUnusable
        The person's own state cannot be believed.
    """
    return personal_state.read(_DOCUMENT).get(str(collection)) is True


def want(collection: Path, *, wanted: bool) -> None:
    """Keep that crops of a collection are to be signed by this person, or not.

    Raises
    ------
    PersonalStateUnusable
        It is not kept.
    """
    if is_wanted(collection) is wanted:
        return
    with personal_state.changing(_DOCUMENT) as document:
        document[str(collection)] = wanted


def configured(environment: Mapping[str, str] | None = None) -> SigningFiles | None:
    """Return the files that the environment names, or else `signing.toml`; None: neither does.

    Raises
    ------
    PersonalStateUnusable
        What names them cannot be believed, or makes no sense.
    """
    env = os.environ if environment is None else environment
    stated = {name: env.get(name, "") for name in (CERTIFICATE, KEY)}
    if any(stated.values()):
        return _files(stated[CERTIFICATE], stated[KEY], f"{CERTIFICATE} and {KEY}")
    folder = personal_state.configuration_folder(env)
    table = None if folder is None else _table(folder)
    if table is None or folder is None:
        return None
    unknown = sorted(table.keys() - {"certificate", "key"})
    if unknown:
        raise PersonalStateUnusable(folder / _FILE, f"there is no setting {unknown[0]!r}")
    return _files(table.get("certificate"), table.get("key"), folder / _FILE)


def _table(folder: Path) -> dict[str, Any] | None:
    """Read the person's own file, None where there is none."""
    path = folder / _FILE
    try:
        with (
            personal_state.opened(folder) as fd,
            personal_state.opened_file(path, fd, toml_text.LARGEST) as file,
        ):
            return toml_text.parsed(file.read(toml_text.LARGEST + 1))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PersonalStateUnusable(path, error) from error


def _files(certificate: object, key: object, where: object) -> SigningFiles:
    paths = [Path(each).expanduser() for each in (certificate, key) if isinstance(each, str)]
    if len(paths) != 2 or not all(path.is_absolute() for path in paths):  # noqa: PLR2004  (both)
        raise PersonalStateUnusable(where, "names no certificate and key, by absolute paths")
    return SigningFiles(*paths)


def read(path: Path, *, secret: bool) -> bytes:
    """Return what a file of the person's holds.

    Parameters
    ----------
    secret : nobody else may even read it

    Raises
    ------
    PersonalStateUnusable
        Others may, it is none of the person's, or it cannot be read.
    """
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever
        with FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)) as file:
            _check(path, os.fstat(file.fileno()), secret=secret)
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise PersonalStateUnusable(path, error.strerror or error) from error
    if len(data) > LARGEST:
        raise PersonalStateUnusable(path, f"larger than {LARGEST} bytes")
    return data


def _check(path: Path, status: os.stat_result, *, secret: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PersonalStateUnusable(path, "a folder, pipe or device, where a file belongs")
    if status.st_uid not in (os.geteuid(), 0):
        raise PersonalStateUnusable(path, f"it belongs to user {status.st_uid}")
    if status.st_mode & _BY_OTHERS:
        raise PersonalStateUnusable(path, "others may write to it")
    if secret and status.st_mode & _TO_OTHERS:
        raise PersonalStateUnusable(path, f"others may read it: `chmod 600 {path}`")
