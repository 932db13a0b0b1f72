"""Figures of reports and notebooks, as SVG that takes its colours from the page; no name is in one.

They are bars or one line between two axes. A library for plots takes half a second to import and a
tenth for each figure, in the notebook's kernel and again in the process that judges the run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

import numpy as np

_BINS = 24
_TICKS = 5  # steps of an axis at most
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)  # of which each has a short name, times a power of ten
_WIDTH, _HEIGHT = 260.0, 137.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 34.0, 6.0, 248.0, 107.0  # edges between which the values lie
_TICK, _FONT = 3.0, 8.0
_TEXT = f'font-size="{_FONT:g}" style="fill:currentColor"'
_LINE = 'fill="none" stroke-width="0.6" style="stroke:currentColor"'


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where a number lies: between two values, which lie between two edges."""

    low: float
    high: float
    start: float
    end: float
    whole: bool = False

    def at(self, value: float) -> float:
        """Return where a value is drawn."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the values that are named: multiples of a short step."""
        step = _step(self.high - self.low, least=1.0 if self.whole else 0.0)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def histogram(values: Sequence[float], unit: str, bounds: tuple[float, float]) -> str:
    """Draw how often each value occurs."""
    counts, edges = np.histogram(values, bins=_BINS, range=bounds)
    across = _Axis(*bounds, _LEFT, _RIGHT)
    up = _Axis(0, max(1, *counts), _BOTTOM, _TOP, whole=True)
    bars = (
        f"M{across.at(float(left)):.2f},{_BOTTOM:g}V{up.at(count):.2f}H{across.at(right):.2f}V{_BOTTOM:g}Z"
        for count, (left, right) in zip(counts, pairwise(edges), strict=True)
        if count
    )
    return _drawn(across, up, (unit, "images"), f'<path d="{"".join(bars)}" {_filled(1)}/>')


def curve(seconds: Sequence[float], done: Sequence[int]) -> str:
    """Draw how many images were done by when."""
    across = _Axis(min(seconds), max(*seconds, min(seconds) + 1e-3), _LEFT, _RIGHT)
    up = _Axis(0, max(1, *done), _BOTTOM, _TOP, whole=True)
    steps = "".join(
        f"H{across.at(when):.2f}V{up.at(count):.2f}"
        for when, count in zip(seconds, done, strict=True)
    )
    line = f"M{_LEFT:g},{up.at(done[0]):.2f}{steps}"
    area = f"{line}V{_BOTTOM:g}H{_LEFT:g}Z"
    shapes = (
        f'<path d="{area}" {_filled(0.15)}/>',
        f'<path d="{line}" fill="none" stroke-width="1.6" style="stroke:var(--accent)"/>',
    )
    return _drawn(across, up, ("seconds", "images done"), "".join(shapes))


def _step(span: float, *, least: float) -> float:
    """Return the smallest short step of which a span has a few."""
    power = 10.0 ** floor(log10(span / _TICKS))
    enough = (step * power for step in _STEPS if _TICKS * step * power >= span * (1 - 1e-9))
    return next((step for step in enough if step >= least), least)


def _filled(opacity: float) -> str:
    return f'fill-opacity="{opacity:g}" style="fill:var(--accent)"'


def _drawn(across: _Axis, up: _Axis, units: tuple[str, str], shapes: str) -> str:
    axes = "".join((*_below(across, units[0]), *_beside(up, units[1])))
    corner = f'<path d="M{_LEFT:g},{_TOP:g}V{_BOTTOM:g}H{_RIGHT:g}" {_LINE}/>'
    return f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img">{shapes}{corner}{axes}</svg>'


def _below(axis: _Axis, unit: str) -> Iterator[str]:
    for tick in axis.ticks():
        at = axis.at(tick)
        yield f'<path d="M{at:.2f},{_BOTTOM:g}v{_TICK:g}" {_LINE}/>'
        yield _text(at, _BOTTOM + _TICK + _FONT, f"{tick:g}")
    yield _text((_LEFT + _RIGHT) / 2, _HEIGHT - _TICK, unit)


def _beside(axis: _Axis, unit: str) -> Iterator[str]:
    for tick in axis.ticks():
        at = axis.at(tick)
        yield f'<path d="M{_LEFT:g},{at:.2f}h-{_TICK:g}" {_LINE}/>'
        yield _text(_LEFT - _TICK - 1, at + _FONT / 3, f"{tick:g}", "end")
    middle = (_TOP + _BOTTOM) / 2
    yield f'<g transform="translate({_FONT:g} {middle:g}) rotate(-90)">{_text(0, 0, unit)}</g>'


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}" {_TEXT}>{words}</text>'
