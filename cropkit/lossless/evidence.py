"""What is told of coefficients so that two readings can be held against each other."""

import zlib
from collections.abc import Iterator, Sequence
from importlib import import_module, util
from typing import Any

import numpy as np

from cropkit.lossless import edges
from cropkit.lossless.coefficients import Picture
from cropkit.lossless.edges import Blocks
from cropkit.lossless.windows import Strip, Window

_COEFFICIENTS = 64

_crc32: Any = (import_module("zlib_ng.zlib_ng") if util.find_spec("zlib_ng") else zlib).crc32


def described(picture: Picture, windows: Sequence[Window]) -> dict[str, object]:
    """Describe the coding, and give a CRC-32 for each row of blocks that is carried as it is."""
    return {
        "progressive": picture.progressive,
        "restart_interval": picture.restart_interval,
        "sampling": picture.sampling,
        "tables": [each.table for each in picture.components],
        "rows": [_digests(picture, i, window) for i, window in enumerate(windows)],
        "warnings": picture.warnings,
        "first_warning": picture.library.first_warning,
        "first_place": picture.library.first_place,
    }


def edge(picture: Picture, windows: Sequence[Window]) -> bytes:
    """Return the blocks at the edge of every window: all strips, in order."""
    return b"".join(
        _blocks(picture, i, window, strip).tobytes()
        for i, window in enumerate(windows)
        for strip in window.strips()
    )


def renew_edge(picture: Picture, windows: Sequence[Window]) -> None:
    """Make the blocks at the edge anew from what is visible of them."""
    for i, window in enumerate(windows):
        table = picture.components[i].table
        for strip in window.strips():
            blocks = _blocks(picture, i, window, strip)
            if len(blocks):
                renewed = edges.regenerated(blocks, table, strip.visible)
                _put(picture, i, window, strip, renewed)


def is_clean(picture: Picture) -> bool:
    """Whether the blocks that only fill up the last MCUs hold no pattern (T.81, A.2.4)."""
    return not any(
        np.frombuffer(blocks, np.int16).reshape(-1, _COEFFICIENTS)[:, 1:].any()
        for blocks in _filling(picture)
    )


def _filling(picture: Picture) -> Iterator[memoryview]:
    for i, component in enumerate(picture.components):
        wide = -(-component.columns // component.h) * component.h
        if wide > component.columns:
            for row in range(component.rows):
                yield picture.blocks(i, row, component.columns, wide)
        for row in range(component.rows, len(picture.rows[i])):
            yield picture.blocks(i, row, 0, wide)


def _digests(picture: Picture, index: int, window: Window) -> list[int]:
    first, last = window.left, window.left + window.whole_columns
    rows = range(window.top, window.top + window.whole_rows)
    return [_crc32(picture.blocks(index, row, first, last)) for row in rows]


def _blocks(picture: Picture, index: int, window: Window, strip: Strip) -> Blocks:
    raw = b"".join(_rows(picture, index, window, strip))
    return np.frombuffer(raw, np.int16).reshape(-1, _COEFFICIENTS)


def _put(picture: Picture, index: int, window: Window, strip: Strip, blocks: Blocks) -> None:
    raw, at = blocks.tobytes(), 0
    for row in _rows(picture, index, window, strip):
        row[:] = raw[at : at + len(row)]
        at += len(row)


def _rows(picture: Picture, index: int, window: Window, strip: Strip) -> Iterator[memoryview]:
    """Yield what each row of blocks has of a strip, to read and to edit."""
    first, last = window.left + strip.columns.start, window.left + strip.columns.stop
    for row in strip.rows:
        yield picture.blocks(index, window.top + row, first, last)
