"""Previews, made once: decoded at display size, kept by content, made in processes of their own.

A codec that a hostile or broken image brings down takes its process with it, not the review; and
decoding never holds the interpreter that draws.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol, TypeVar

from cropkit import bounded
from cropkit.bounds import Bounds, ended_by_time, enforced
from cropkit.errors import ForeignState, ReaderDied, Refused, TooCostly
from cropkit.formats import Header
from cropkit.formats.glimpse import card, glimpse
from cropkit.formats.headers import Headers
from cropkit.formats.preview import preview, thumbnail
from cropkit.geometry import Size
from cropkit.system import disk_space
from cropkit.system.files import Content, Identity, Root
from cropkit.system.home import PREVIEWS
from cropkit.system.scope import Scope
from cropkit.system.state_folder import make_folder, open_file, opened_folder, reader
from cropkit.workers.child import ChildDied, ChildProcess

Made = TypeVar("Made")
PLAIN = Headers()
THUMB = Size(160, 104)
LIMIT = 256 << 20  # bytes on disk, some 1,500 previews
_MAKING = 1  # what was made by another way of making is made anew
_DIGEST = hashlib.sha256().digest_size
_COUNTED_EVERY = 64
_ATTEMPTS = 2
_log = logging.getLogger("cropkit.workers.previews")
_Question = tuple[str, Size, Headers]


@dataclass(frozen=True, slots=True)
class Preview:
    """What is needed of an image to show it: its header, and a `jpeg` no larger than asked.

    Parameters
    ----------
    size : upright; where nothing could be decoded, of the card that is shown instead
    header : None where it cannot be cropped
    hindrance : why it cannot be cropped, and what can be done; '' where it can
    code : name of the error that the hindrance is
    """

    sha256: str
    size: Size
    header: Header | None
    jpeg: bytes
    thumb: bytes
    hindrance: str = ""
    code: str = ""


class Cache:
    """Small pictures in a folder, by name; safe to delete, and never trusted blindly.

    Each file begins with the SHA-256 of what follows. It is written beside and renamed, so that
    who reads it meanwhile sees all of it or nothing; it is not synced, as it can be made again.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder, self._limit = folder, limit
        self._puts = 0

    def get(self, name: str) -> bytes | None:
        """Return what was put, None when it is not there or not whole."""
        try:
            with reader(self._folder / name) as file:
                content = file.read()
                os.utime(file.fileno())
        except (OSError, ForeignState):
            return None
        digest, jpeg = content[:_DIGEST], content[_DIGEST:]
        return jpeg if hashlib.sha256(jpeg).digest() == digest else None

    def put(self, name: str, jpeg: bytes) -> None:
        """Keep a picture if that is possible: who asked for it has it either way."""
        beside = f".{name}.{os.getpid()}"
        try:
            make_folder(self._folder)
            with opened_folder(self._folder) as folder:
                with suppress(FileNotFoundError):  # from a try that was cut off
                    os.unlink(beside, dir_fd=folder)
                fd = open_file(self._folder / beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                with FileIO(fd, "wb") as file:
                    file.write(hashlib.sha256(jpeg).digest() + jpeg)
                os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
                if self._puts % _COUNTED_EVERY == 0:
                    disk_space.keep_within(self._limit, folder)
        except (OSError, ForeignState) as error:
            _log.warning("preview not kept: %s", error)
        self._puts += 1


class Maker(Protocol):
    """Calls a function of the formats with an image, where its cost is bounded."""

    def __call__(
        self, function: Callable[[bytes, str, Size], Made], data: bytes, name: str, fit: Size, /
    ) -> Made:
        """Return what `function` returns."""


def previewed(
    root: Root,
    path: str,
    fit: Size,
    cache: Cache,
    headers: Headers = PLAIN,
    *,
    make: Maker = bounded.done,
    glance: Maker = bounded.apart,
) -> Preview:
    """Read an image and make its preview, or take the one that was made of the same content.

    What cannot be cropped is shown as far as it can be decoded, with the reason.

    Parameters
    ----------
    make, glance : who calls `preview`, and `glimpse`, which nothing may be decoded beside

    Raises
    ------
    Refused
        The file cannot be read: missing, no regular file, larger than memory may be.
    TooCostly
        To show it costs more than one file may.
    """
    content = root.read(path, Bounds.from_environment())
    header = None
    try:
        header = headers.read(content.data, path)
        jpeg = _kept(content, path, fit, cache, make)
    except TooCostly:
        raise
    except Refused as refused:
        jpeg, size = glance(glimpse, content.data, path, fit)
        thumb = thumbnail(jpeg, THUMB)
        if header and headers.options.salvage:  # it is cropped by what can be read of it
            return Preview(content.sha256, header.size, header, jpeg, thumb)
        return Preview(content.sha256, size, None, jpeg, thumb, str(refused), refused.code)
    return Preview(content.sha256, header.size, header, jpeg, thumbnail(jpeg, THUMB))


def _kept(content: Content, path: str, fit: Size, cache: Cache, make: Maker) -> bytes:
    name = f"{content.sha256}-{fit.width}x{fit.height}-{_MAKING}"
    jpeg = cache.get(name)
    if jpeg is None:
        jpeg = make(preview, content.data, path, fit)
        cache.put(name, jpeg)
    return jpeg


def unseen(root: Root, path: str, error: Refused) -> Preview:
    """Return a card for an image that cannot be shown, so that it can be put aside.

    Raises
    ------
    Refused
        It cannot be read, or is larger than memory may be: then not even its content is known.
    """
    file, sha256 = root.identity(path), None
    if file is not None and file.size <= Bounds.from_environment().memory:
        sha256 = root.digest(path)
    if file is None or sha256 is None:
        raise error
    jpeg, size = card("not decoded", file.size)
    return Preview(sha256, size, None, jpeg, thumbnail(jpeg, THUMB), str(error), error.code)


class PreviewReader(Protocol):
    """Makes previews for one collection; safe to call from several threads.

    Parameters
    ----------
    headers : how an image is read for the crop that is meant; it may be changed
    """

    headers: Headers

    def start(self) -> None:
        """Be ready before the first image."""

    def read(self, path: str, fit: Size) -> Preview:
        """Return what `previewed` returns, or raise what it raises."""

    def close(self) -> None:
        """Read nothing more."""


class PreviewReaderInThread:
    """Reads in the thread that asks, and what may be costly elsewhere.

    Parameters
    ----------
    headers : how an image is read for the crop that is meant
    """

    def __init__(self, scope: Scope, headers: Headers = PLAIN) -> None:
        self._root, self._cache = Root(scope.root), Cache(scope.state / PREVIEWS)
        self.headers = headers

    def start(self) -> None:
        """Need no preparation."""

    def read(self, path: str, fit: Size) -> Preview:
        """Return what `previewed` returns, or raise what it raises."""
        try:
            return previewed(self._root, path, fit, self._cache, self.headers)
        except (TooCostly, ReaderDied) as error:
            return unseen(self._root, path, error)

    def close(self) -> None:
        """Hold nothing."""


class PreviewProcesses:
    """Reads in processes of their own, one for each thread that asks."""

    def __init__(self, scope: Scope, count: int, headers: Headers = PLAIN) -> None:
        self.processes = [
            ChildProcess[_Question, Preview](f"cropkit-read-{n}", 0, _opened, scope)
            for n in range(count)
        ]
        self.headers = headers
        self._free: SimpleQueue[ChildProcess[_Question, Preview]] = SimpleQueue()
        self._root = Root(scope.root)
        self._costly: dict[str, tuple[Identity | None, Preview]] = {}
        for process in self.processes:
            self._free.put(process)

    def start(self) -> None:
        """Start the processes; they get ready while the caller goes on."""
        for process in self.processes:
            process.start()

    def read(self, path: str, fit: Size) -> Preview:
        """Return what `previewed` returns, or raise what it raises.

        One that is at a bound, or brings two processes down, is a card; the first is known from
        then on, so that it costs that once.
        """
        file, costly = self._costly.get(path, (None, None))
        if costly is not None and file == self._root.identity(path):
            return costly
        try:
            return self._read(path, fit)
        except (TooCostly, ReaderDied) as error:
            seen = unseen(self._root, path, error)
            if isinstance(error, TooCostly):
                self._costly[path] = (self._root.identity(path), seen)
            return seen

    def _read(self, path: str, fit: Size) -> Preview:
        process = self._free.get()
        try:
            for _ in range(_ATTEMPTS):
                try:
                    return process.ask((path, fit, self.headers))
                except ChildDied as died:
                    _log.warning("%s: the process that reads images ended: %s", path, died)
                    code = died.args[0]
                if ended_by_time(code):
                    raise Bounds.from_environment().too_long(path)
        finally:
            self._free.put(process)
        raise ReaderDied(path, code)

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.close()


@contextmanager
def _opened(scope: Scope) -> Iterator[Callable[[_Question], Preview]]:
    root, cache = Root(scope.root), Cache(scope.state / PREVIEWS)

    def read(question: _Question) -> Preview:
        path, fit, headers = question
        bounds = Bounds.from_environment()
        try:
            with enforced(bounds):
                here: Maker = partial(bounded.here, bounds)
                return previewed(root, path, fit, cache, headers, make=here, glance=here)
        except MemoryError as error:
            raise bounds.too_much_memory(path) from error

    yield read
