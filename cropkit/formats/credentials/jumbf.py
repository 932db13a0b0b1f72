"""Where a manifest lies in a JPEG or PNG, and what is in it: boxes of JUMBF (ISO 19566-5).

A walk of its own, in few lines: it proves what a library has written. C2PA 2.2, 11 and A.3.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cropkit.errors import CorruptImage

_MOST_BOXES = 10_000
_DEEPEST = 8
_HEAD = 8
_PNG_HEAD, _CHUNK = 8, 12
_SOI, _SOS, _APP11 = b"\xff\xd8", 0xDA, 0xEB
_CI, _PART = b"JP", 8  # of a segment: identifier, box number, its place; the box begins behind them
_LABELLED = 2  # toggle of a description: it has a label
_UUID = 16
SUPERBOX, _DESCRIPTION = b"jumb", b"jumd"


@dataclass(frozen=True, slots=True)
class Box:
    """A box with what is in it.

    Parameters
    ----------
    label : of a superbox, '' where it has none
    content : what is behind its head
    boxes, description : of a superbox
    """

    kind: bytes
    content: bytes
    label: str = ""
    boxes: tuple["Box", ...] = ()
    description: bytes = b""


def parsed(store: bytes, name: str) -> tuple[Box, ...]:
    """Take a store of manifests apart.

    Raises
    ------
    CorruptImage
        It is none, too deep, or of too many boxes.
    """
    counted = [0]
    try:
        return _boxes(store, name, counted, 0)
    except (struct.error, ValueError, IndexError) as error:
        raise CorruptImage(name, f"content credentials: {error}") from error


def _boxes(data: bytes, name: str, counted: list[int], depth: int) -> tuple[Box, ...]:
    at, boxes = 0, []
    while at < len(data):
        counted[0] += 1
        (length,) = struct.unpack_from(">I", data, at)
        whole = length or len(data) - at
        if counted[0] > _MOST_BOXES or depth > _DEEPEST or not _HEAD <= whole <= len(data) - at:
            raise CorruptImage(name, "content credentials: boxes that do not fit")
        kind, content = data[at + 4 : at + _HEAD], data[at + _HEAD : at + whole]
        boxes.append(_box(kind, content, name, counted, depth))
        at += whole
    return tuple(boxes)


def _box(kind: bytes, content: bytes, name: str, counted: list[int], depth: int) -> Box:
    if kind != SUPERBOX:
        return Box(kind, content)
    first, *others = _boxes(content, name, counted, depth + 1)
    if first.kind != _DESCRIPTION:
        raise CorruptImage(name, "content credentials: a box without a description")
    return Box(kind, content, _label(first.content), tuple(others), first.content)


def _label(description: bytes) -> str:
    if not description[_UUID] & _LABELLED:
        return ""
    return description[_UUID + 1 :].split(b"\0", 1)[0].decode()


def store(data: bytes, form: str, name: str) -> bytes:
    """Return the store of manifests that a file holds, b"" where it holds none."""
    return b"".join(_FORMATS[form](data, name)[1])


def without(data: bytes, form: str, name: str) -> bytes:
    """Return the bytes of a file without what holds manifests.

    Raises
    ------
    CorruptImage
        It cannot be taken apart.
    """
    return b"".join(_FORMATS[form](data, name)[0])


_Parts = tuple[list[bytes], list[bytes]]


def _of_png(data: bytes, name: str) -> _Parts:
    rest, stores, at = [data[:_PNG_HEAD]], list[bytes](), _PNG_HEAD
    while at < len(data):
        whole = int.from_bytes(data[at : at + 4]) + _CHUNK
        if at + whole > len(data):
            raise CorruptImage(name, "a chunk that is cut off")
        if data[at + 4 : at + 8] == b"caBX":
            stores.append(data[at + 8 : at + whole - 4])
        else:
            rest.append(data[at : at + whole])
        at += whole
    return rest, stores


def _of_jpeg(data: bytes, name: str) -> _Parts:
    """Part the segments before the first scan; all behind them is one piece."""
    rest, stores = [data[:2]], list[bytes]()
    seen = set[bytes]()
    for whole in _segments(data, name):
        body = whole[4:]
        if whole[1] != _APP11 or not body.startswith(_CI):
            rest.append(whole)
            continue
        # each part of a box repeats its head
        stores.append(body[_PART:] if body[2:4] not in seen else body[_PART + _HEAD :])
        seen.add(body[2:4])
    return rest, stores


def _segments(data: bytes, name: str) -> Iterator[bytes]:
    at = len(_SOI)
    while True:
        head = data[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF:  # noqa: PLR2004  (marker and length)
            raise CorruptImage(name, "segments that do not fit")
        if head[1] == _SOS:
            yield data[at:]
            return
        yield data[at : at + 2 + int.from_bytes(head[2:])]
        at += 2 + int.from_bytes(head[2:])


_FORMATS: Mapping[str, Callable[[bytes, str], _Parts]] = {"jpeg": _of_jpeg, "png": _of_png}
FORMATS: Mapping[str, str] = {"jpeg": "image/jpeg", "png": "image/png"}
