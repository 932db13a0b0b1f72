"""How exports come to the disk: whole or not at all, and never over what is there already.

Names in texts are written by `names.escaped`, so that every text is UTF-8; how a format quotes them
is its own.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any
from uuid import uuid4

from cropkit.errors import NameTaken
from cropkit.names import all_escaped

_ODD_PARTS = frozenset(("", ".", ".."))


@contextmanager
def new_file(out: Path) -> Iterator[IO[str]]:
    """Give out a file to write text into; it has its name, durably, when the block ends well.

    Raises
    ------
    NameTaken
        There is such a file already: it stands as it is, and nothing is left of the new one.
    """
    check_is_free(out)
    part = _part_of(out)
    try:
        with part.open("x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name_file(part, out)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give out a folder to write into; it has its name, durably, when the block ends well.

    Raises
    ------
    NameTaken
        There is something of that name: it stands as it is, and nothing is left of the new folder.
    """
    check_is_free(out)
    part = _part_of(out)
    part.mkdir()
    try:
        yield part
        _sync_file_system(part)
        _name_folder(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_is_free(out: Path) -> None:
    """Refuse a name that something has, whatever it is.

    Raises
    ------
    NameTaken
    """
    if os.path.lexists(out):
        raise NameTaken(out.name, str(out))


def mirrored(path: str, suffix: str) -> PurePosixPath | None:
    """Return the name of what describes an image, in folders as the collection's.

    A path is a row's, and may be anybody's: None is one that would lead out of the new folder.
    """
    image = PurePosixPath(path)
    leads_out = path.startswith("/") or not _ODD_PARTS.isdisjoint(path.split("/"))
    return None if leads_out or "\0" in path else image.with_suffix(suffix)


def opened_new(file: Path) -> IO[str]:
    """Open a file of a new folder for text; `FileExistsError` where another has its name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.open("x", encoding="utf-8", newline="")


def written_new(file: Path, text: str) -> bool:
    """Write a file of a new folder; False where another has its name, which stands."""
    try:
        with opened_new(file) as opened:
            opened.write(text)
    except FileExistsError:
        return False
    return True


def as_json(value: Any) -> str:  # noqa: ANN401  (whatever JSON holds)
    """Return a value as JSON in one line, each name in it escaped."""
    return json.dumps(all_escaped(value), ensure_ascii=False)


def write_list(file: IO[str], each: Iterable[Any]) -> None:
    """Write a list as JSON, an item a line, as the items come."""
    file.write("[")
    between = "\n"
    for item in each:
        file.write(between + as_json(item))
        between = ",\n"
    file.write("\n]")


def _part_of(out: Path) -> Path:
    return out.with_name(f".cropkit-{uuid4().hex}.part")


def _name_file(part: Path, out: Path) -> None:
    """Give a whole file its name; where it cannot have two, the name is taken before it moves."""
    try:
        try:
            os.link(part, out)
        except FileExistsError:
            raise
        except OSError:
            out.touch(exist_ok=False)
            part.rename(out)
    except FileExistsError:
        raise NameTaken(out.name, str(out)) from None
    _sync_folder(out.parent)


def _name_folder(part: Path, out: Path) -> None:
    """Give a whole folder its name, which an empty one takes first: that alone gives way."""
    try:
        out.mkdir()
        part.rename(out)
    except OSError as error:
        if os.path.lexists(out):
            raise NameTaken(out.name, str(out)) from error
        raise
    _sync_folder(out.parent)


def _sync_file_system(folder: Path) -> None:
    """Sync all that a folder holds at once: one by one, a hundred thousand files take minutes.

    `syncfs` of Linux (syncfs(2)) syncs this file system, and waits for no other one.
    """
    import ctypes  # noqa: PLC0415  (for folders alone)

    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(opened):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(opened)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some file systems sync no folders
            os.fsync(opened)
    finally:
        os.close(opened)
