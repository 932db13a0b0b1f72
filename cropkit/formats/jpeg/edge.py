"""The blocks that the right and bottom edge of a crop cut: as they were, and made anew; pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cropkit.formats.jpeg.segments import Component
from cropkit.geometry import Size
from cropkit.lossless import edges
from cropkit.lossless.edges import Blocks, Visible
from cropkit.lossless.windows import windows

_COEFFICIENTS = 64
_BYTES = 2 * _COEFFICIENTS
_PEAK = 255


@dataclass(frozen=True, slots=True)
class Strip:
    """Blocks of one component of which the same part can be seen."""

    table: tuple[int, ...]
    visible: Visible
    before: Blocks
    after: Blocks

    @property
    def apart(self) -> edges.Samples:
        """How far each visible sample moved, in levels."""
        return edges.apart(self.before, self.after, self.table, self.visible)

    @property
    def excess(self) -> float:
        """How much of its limit the worst block uses; over 1, it is not from rounding alone."""
        worst = float(np.sqrt(np.square(self.apart).sum(axis=1)).max(initial=0))
        return worst / edges.limit(self.table)


def strips(
    components: Sequence[Component],
    size: Size,
    beyond: tuple[bool, bool],
    edge: tuple[bytes, bytes],
) -> Iterator[Strip]:
    """Yield the strips of a crop of that size, from their blocks before and after."""
    sampling = [(each.h, each.v) for each in components]
    cut = windows(sampling, (0, 0, size.width, size.height), beyond)
    at = 0
    for component, window in zip(components, cut, strict=True):
        for strip in window.strips():
            end = at + _BYTES * strip.count
            yield Strip(component.table, strip.visible, *(_blocks(b[at:end]) for b in edge))
            at = end


def described(renewed: Sequence[Strip]) -> str | None:
    """Say what making the edge anew did to what can be seen; None when there was none to make."""
    blocks = sum(len(strip.before) for strip in renewed)
    if not blocks:
        return None
    apart = np.concatenate([strip.apart.reshape(-1) for strip in renewed])
    squares = float(np.square(apart).mean())
    cost = f"{10 * math.log10(_PEAK**2 / squares):.1f} dB there" if squares else "not a level there"
    most = int(np.abs(apart).max())
    return (
        f"{blocks} blocks at the edge: what they hid is made anew ({cost}, {most} levels at most)"
    )


def _blocks(raw: bytes) -> Blocks:
    return np.frombuffer(raw, np.int16).reshape(-1, _COEFFICIENTS)
