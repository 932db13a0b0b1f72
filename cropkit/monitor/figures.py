"""Figures of reports and notebooks, as SVG that takes its colours from the page; no name is in one.

They are bars, lines or intervals between two axes. A library for plots takes half a second to
import and a tenth for each figure, in the notebook's kernel and again in the process that judges
the run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import NamedTuple

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


class Interval(NamedTuple):
    """A value, and where it may be: what of a line is drawn at one place."""

    at: float
    low: float
    value: float
    high: float


def trends(
    lines: Sequence[Sequence[Interval]], units: tuple[str, str], *, logarithmic: bool = False
) -> str:
    """Draw lines with their intervals, the first one in colour, the others dashed.

    Parameters
    ----------
    units : along the axis below, and beside
    logarithmic : whether places below are to the power of ten
    """
    every = [each for line in lines for each in line]
    across = _around([each.at for each in every], _LEFT, _RIGHT)
    up = _around([edge for each in every for edge in (each.low, each.high)], _BOTTOM, _TOP)
    shapes = "".join(_trend(line, across, up, number) for number, line in enumerate(lines))
    return _drawn(across, up, units, shapes, logarithmic=logarithmic)


def _trend(line: Sequence[Interval], across: _Axis, up: _Axis, number: int) -> str:
    points = [(across.at(each.at), each) for each in line]
    path = "L".join(f"{at:.2f},{up.at(each.value):.2f}" for at, each in points)
    bars = "".join(f"M{at:.2f},{up.at(each.low):.2f}V{up.at(each.high):.2f}" for at, each in points)
    colour = "currentColor" if number else "var(--accent)"
    dashed = ' stroke-dasharray="3 2"' if number else ""
    drawn = f'fill="none" style="stroke:{colour}"'
    return (
        f'<path d="M{path}" stroke-width="1.4" {drawn}{dashed}/>'
        f'<path d="{bars}" stroke-width="0.7" {drawn}/>'
    )


def intervals(rows: Sequence[tuple[str, Interval]], unit: str) -> str:
    """Draw a value and its interval for each of some words of ours, beside nought."""
    edges = [edge for _, each in rows for edge in (each.low, each.high)]
    across = _around([0.0, *edges], _LEFT, _RIGHT)
    step = (_BOTTOM - _TOP) / max(1, len(rows))
    shapes = f'<path d="M{across.at(0):.2f},{_TOP:g}V{_BOTTOM:g}" stroke-dasharray="2 2" {_LINE}/>'
    for number, (word, each) in enumerate(rows):
        at = _TOP + (number + 0.5) * step
        line = f"M{across.at(each.low):.2f},{at:.2f}H{across.at(each.high):.2f}"
        shapes += f'<path d="{line}" stroke-width="1.4" style="stroke:var(--accent)"/>'
        shapes += f'<circle cx="{across.at(each.value):.2f}" cy="{at:.2f}" r="2.4" {_filled(1)}/>'
        shapes += _text(_LEFT - 2, at + _FONT / 3, word, "end")
    corner = f'<path d="M{_LEFT:g},{_BOTTOM:g}H{_RIGHT:g}" {_LINE}/>'
    axis = "".join(_below(across, unit))
    return f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img">{shapes}{corner}{axis}</svg>'


def _around(values: Sequence[float], start: float, end: float) -> _Axis:
    low, high = min(values), max(values)
    spare = 0.05 * (high - low) or 0.5
    return _Axis(low - spare, high + spare, start, end)


def _step(span: float, *, least: float) -> float:
    """Return the smallest short step of which a span has a few."""
    power = 10.0 ** floor(log10(span / _TICKS))
    enough = (step * power for step in _STEPS if _TICKS * step * power >= span * (1 - 1e-9))
    return next((step for step in enough if step >= least), least)


def _filled(opacity: float) -> str:
    return f'fill-opacity="{opacity:g}" style="fill:var(--accent)"'


def _drawn(
    across: _Axis, up: _Axis, units: tuple[str, str], shapes: str, *, logarithmic: bool = False
) -> str:
    below = _below(across, units[0], logarithmic=logarithmic)
    axes = "".join((*below, *_beside(up, units[1])))
    corner = f'<path d="M{_LEFT:g},{_TOP:g}V{_BOTTOM:g}H{_RIGHT:g}" {_LINE}/>'
    return f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img">{shapes}{corner}{axes}</svg>'


def _below(axis: _Axis, unit: str, *, logarithmic: bool = False) -> Iterator[str]:
    for tick in axis.ticks():
        if logarithmic and tick % 1:
            continue
        at = axis.at(tick)
        yield f'<path d="M{at:.2f},{_BOTTOM:g}v{_TICK:g}" {_LINE}/>'
        yield _text(at, _BOTTOM + _TICK + _FONT, f"{10**tick if logarithmic else tick:g}")
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
