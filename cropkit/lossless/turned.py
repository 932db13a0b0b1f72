"""Coefficients turned by quarters and mirrored: other places and signs, and no other number.

A cosine transform of samples in the opposite order has the same coefficients, those of odd
frequencies with the opposite sign; one of rows that are columns has them the other way round. So
whole blocks are turned without a loss. What is read backwards has to be made of whole blocks: what
fills up the last ones would come to stand before the first pixel.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cropkit.lossless.coefficients import Component, Picture
from cropkit.lossless.windows import Box, Way, Window, transposed

_SIDE = 8

_Blocks = npt.NDArray[np.int16]


class TurnedPicture(Picture):
    """The window of a picture, turned: it stands in memory of its own.

    Parameters
    ----------
    box : stored pixels of the window
    """

    def __init__(self, source: Picture, box: Box, windows: Sequence[Window], way: Way) -> None:
        self.library, self.coded_bytes, self.info = source.library, source.coded_bytes, source.info
        self.turned = [_turned(_read(source, i, w), way) for i, w in enumerate(windows)]
        pairs = zip(source.components, self.turned, strict=True)
        self.components = [_component(each, blocks, way) for each, blocks in pairs]
        sides = (box[2] - box[0], box[3] - box[1])
        self.width, self.height = sides[::-1] if way[0] else sides

    def blocks(self, component: int, row: int, first: int, last: int) -> memoryview:
        """Return the coefficients of the blocks first..last of a block row, as bytes to edit."""
        return self.turned[component][row, first:last].reshape(-1).view(np.uint8).data


def _read(source: Picture, index: int, window: Window) -> _Blocks:
    """Return the blocks of a window, (rows, columns, 8, 8): vertical, then horizontal frequency."""
    first, last = window.left, window.left + window.columns
    rows = range(window.top, window.top + window.rows)
    read = [np.frombuffer(source.blocks(index, row, first, last), np.int16) for row in rows]
    return np.stack(read).reshape(window.rows, window.columns, _SIDE, _SIDE)


def _turned(blocks: _Blocks, way: Way) -> _Blocks:
    swap, x_backwards, y_backwards = way
    after = blocks.copy()
    if x_backwards:
        after = after[:, ::-1]
        after[..., 1::2] *= -1
    if y_backwards:
        after = after[::-1]
        after[..., 1::2, :] *= -1
    return np.ascontiguousarray(after.transpose(1, 0, 3, 2) if swap else after)


def _component(before: Component, blocks: _Blocks, way: Way) -> Component:
    rows, columns = blocks.shape[:2]
    turned = replace(before, columns=columns, rows=rows)
    if not way[0]:
        return turned
    return replace(turned, h=before.v, v=before.h, table=transposed(before.table))
