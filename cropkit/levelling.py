"""By which angle an image is level, told from its straight lines; or None, where they do not say.

Horizons, walls and tables stand level or upright in a picture of a camera that was held straight.
Lines are found by the generalised Hough transform in which each edge votes only for lines of its
own direction (D. Ballard, "Generalizing the Hough Transform to Detect Arbitrary Shapes", Pattern
Recognition 13, 1981), the longest first; each is fitted to its edges by least squares. An angle is
offered where lines that are long enough together agree on it, and few do not: lines that run away
from the camera have any angle, and so has what grows.

It looks at a preview of bounded size, so that time and memory are bounded, whatever the image.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from cropkit.geometry import Turn

Plane = npt.NDArray[np.float32]
Whole = npt.NDArray[np.intp]

_SIDE = 768  # pixels of the preview's longer side
_SMALLEST = 64  # of the shorter side: in fewer pixels a line is a few of them
_MOST = 15  # degrees: who holds a camera more askew means to
_STEP = 0.2  # degrees from one direction of lines to the next
_DOUBT = 3.0  # degrees by which an edge's direction may be off its line's
_DIRECTIONS = round(2 * (_MOST + _DOUBT) / _STEP) + 1
_SIGMA = 1.2  # pixels of the blur before edges are looked for
_AROUND = 2.5  # pixels of the blur of gradients by which an edge's direction is told
_FAINTEST = 1.5  # levels of 255 a pixel: below it, it is grain
_EDGES = 20000  # the strongest, each way
_LINES = 24  # looked at, each way
_SHORTEST = 0.1  # of the longer side: what a line has at least, without what hides it
_PIECE = 0.05  # of the longer side: what counts of a line that is hidden here and there
_GAP = 0.015  # of the longer side: from one edge of a piece to the next at most
_DENSEST = 0.7  # of a line's columns that have an edge of it
_NEAR = 1.5  # pixels off a line
_ALIKE = 0.5  # degrees: lines that agree
_APART = 0.05  # of the longer side: from one thing to the next
_ENOUGH = 0.7  # of the longer side: the length, together, of which nobody doubts
_UNLIKELY = 30.0  # degrees: the more askew a camera was, the more has to say so
_SURE = 0.5


@dataclass(frozen=True, slots=True)
class Level:
    """What levels an image.

    Parameters
    ----------
    turn : by which the image is level
    confidence : 0 to 1: how long the lines are that say so, and how few say otherwise
    lines : how many agree, of which both edges of a beam or a stem are one
    """

    turn: Turn
    confidence: float
    lines: int


class _Line(NamedTuple):
    """A straight edge: by which angle it would be level, or upright.

    Parameters
    ----------
    length : of the picture's longer side
    at : how far below the top, or right of the left, its middle is; of that side, too
    """

    angle: float
    length: float
    at: float
    is_upright: bool


class _Edges(NamedTuple):
    """Places of edges that run across, and the tangent of their angles, downwards to the right."""

    x: Plane
    y: Plane
    slope: Plane

    def kept(self, where: "npt.NDArray[np.bool_] | Whole") -> "_Edges":
        return _Edges(*(values[where] for values in self))


def level(pixels: npt.NDArray[np.uint8]) -> Level | None:
    """Return the angle by which an image is level; None where its lines do not say.

    Parameters
    ----------
    pixels : (height, width, 3) or (height, width), RGB or grey, upright
    """
    grey = preview(pixels)
    if min(grey.shape) < _SMALLEST:
        return None
    across, down = _lines(grey), _lines(np.ascontiguousarray(grey.T))
    level_by = (each._replace(angle=-each.angle, is_upright=False) for each in across)
    return _agreed([*level_by, *down])


def _agreed(lines: list[_Line]) -> Level | None:
    """Return the angle that most of the lines agree on, each by the square of its length."""
    if not lines:
        return None
    angles = np.array([line.angle for line in lines])
    lengths = np.array([line.length for line in lines])
    weights = lengths**2
    alike = np.abs(angles[:, None] - angles) <= _ALIKE
    best = alike[int((alike * weights).sum(axis=1).argmax())]
    agreement = weights[best].sum() / weights.sum()
    apart = _apart([line for line, agrees in zip(lines, best, strict=True) if agrees])
    angle = float((angles * weights)[best].sum() / weights[best].sum())
    length = sum(line.length for line in apart) * (1 - abs(angle) / _UNLIKELY)
    confidence = float(agreement * min(1.0, length / _ENOUGH))
    if confidence < _SURE or abs(angle) > _MOST:
        return None
    return Level(Turn(1, round(100 * angle)), round(confidence, 3), len(apart))


def _apart(lines: list[_Line]) -> list[_Line]:
    """Return the longest lines of which none is beside another: the edges of one thing are one."""
    apart = list[_Line]()
    for line in sorted(lines, key=lambda each: -each.length):
        alike = (each for each in apart if each.is_upright is line.is_upright)
        if all(abs(each.at - line.at) > _APART for each in alike):
            apart.append(line)
    return apart


def preview(pixels: npt.NDArray[np.uint8]) -> Plane:
    """Return what is looked at of an image: 768 pixels at most, each way, in grey."""
    picture = Image.fromarray(pixels).convert("L")
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(picture).astype(np.float32)


def _lines(grey: Plane) -> list[_Line]:
    """Return the lines that run across a picture, the longest first."""
    edges, side = _edges(grey), max(grey.shape)
    heights = math.ceil(math.hypot(*grey.shape)) * 2 + 4
    votes = np.zeros(_DIRECTIONS * heights, np.int32)
    _vote(votes, edges, heights, 1)
    lines = []
    for _ in range(_LINES):
        peak = int((votes[1:] + votes[:-1]).argmax())
        if votes[peak : peak + 2].sum() < _SHORTEST * side * _DENSEST:
            break
        slope = math.tan(math.radians((peak // heights) * _STEP - _MOST - _DOUBT))
        height = peak % heights + 1 - heights / 2
        taken, line = _along(edges, slope, height, side)
        _vote(votes, edges.kept(taken), heights, -1)
        edges = edges.kept(~taken)
        lines += [] if line is None else [line]
    return lines


def _edges(grey: Plane) -> _Edges:
    """Return where it becomes lighter or darker downwards most."""
    across, down = _gradient(grey)
    strength = np.abs(down)
    here, above, below = strength[1:-1], strength[:-2], strength[2:]
    slopes = _slopes(across, down)[1:-1]
    steepest = math.tan(math.radians(_MOST + _DOUBT))
    edge = (here > above) & (here >= below) & (here > _FAINTEST) & (np.abs(slopes) < steepest)
    if edge.sum() > _EDGES:
        edge &= here >= np.partition(here[edge], -_EDGES)[-_EDGES]
    y, x = np.nonzero(edge)
    return _Edges(x.astype(np.float32), (y + 1).astype(np.float32), slopes[edge])


def _slopes(across: Plane, down: Plane) -> Plane:
    """Return how steep edges are, by the gradients around each: grain alone has no direction."""
    blur = _gaussian(_AROUND)
    both, alone = (_filtered(_filtered(p, blur).T, blur).T for p in (across * down, down * down))
    return np.asarray(-both / np.maximum(alone, 1e-6), np.float32)


def _gradient(grey: Plane) -> tuple[Plane, Plane]:
    """Return the slopes of light across and down, of the picture blurred by a Gaussian."""
    blur = _gaussian(_SIGMA)
    slope = np.arange(len(blur), dtype=np.float32) - len(blur) // 2
    slope *= blur / np.float32(_SIGMA**2)
    return _filtered(_filtered(grey, blur).T, slope).T, _filtered(_filtered(grey.T, blur).T, slope)


def _gaussian(sigma: float) -> Plane:
    reach = math.ceil(3 * sigma)
    weights = np.exp(-(np.arange(-reach, reach + 1, dtype=np.float32) ** 2) / (2 * sigma**2))
    return np.asarray(weights / weights.sum(), np.float32)


def _filtered(grey: Plane, weights: Plane) -> Plane:
    """Weigh the rows above and below each row."""
    reach, height = len(weights) // 2, len(grey)
    padded = np.pad(grey, ((reach, reach), (0, 0)), mode="edge")
    rows = (padded[n : n + height] * weight for n, weight in enumerate(weights))
    return np.asarray(sum(rows), np.float32)


def _vote(votes: npt.NDArray[np.int32], edges: _Edges, heights: int, by: int) -> None:
    """Let each edge vote for the lines through it that have about its direction."""
    for direction, height in _through(edges, heights):
        places = direction * heights + height
        votes += by * np.bincount(places, minlength=len(votes)).astype(np.int32)


def _through(edges: _Edges, heights: int) -> Iterator[tuple[Whole, Whole]]:
    """Yield for each edge a line through it at a time: which direction, and its height at x = 0."""
    own = np.round((np.degrees(np.arctan(edges.slope)) + _MOST + _DOUBT) / _STEP).astype(np.intp)
    reach = round(_DOUBT / _STEP)
    for off in range(-reach, reach + 1):
        direction = own + off
        near = (direction >= 0) & (direction < _DIRECTIONS)
        slopes = np.tan(np.radians(direction * _STEP - _MOST - _DOUBT))
        height = np.floor(edges.y - edges.x * slopes + heights / 2).astype(np.intp)
        yield direction[near], height[near].clip(0, heights - 1)


def _along(
    edges: _Edges, slope: float, height: float, side: int
) -> tuple[npt.NDArray[np.bool_], _Line | None]:
    """Return which edges lie along a line, and the line that they are where it is one."""
    doubt = math.tan(math.radians(2 * _DOUBT))
    off = np.abs(edges.y - edges.x * slope - height)
    taken = (off <= _NEAR) & (np.abs(edges.slope - slope) <= doubt)
    kept = edges.kept(taken)
    pieces = [kept.kept(piece) for piece in _pieces(kept.x, side)]
    lengths = [float(np.ptp(piece.x)) for piece in pieces]
    if max(lengths, default=0.0) < _SHORTEST * side:
        return taken, None
    x, y = (
        np.concatenate(v).astype(np.float64) for v in zip(*(p[:2] for p in pieces), strict=True)
    )
    fitted = np.polyfit(x, y, 1)
    at = float(np.polyval(fitted, side / 2)) / side
    angle = math.degrees(math.atan(fitted[0]))
    return taken, _Line(angle, sum(lengths) / side, at, is_upright=True)


def _pieces(x: Plane, side: int) -> Iterator[Whole]:
    """Yield the numbers of those edges of a line that follow each other closely, and far enough."""
    order = np.argsort(x, kind="stable")
    ends = np.flatnonzero(np.diff(x[order]) > max(_GAP * side, 2)) + 1
    for piece in np.split(order, ends):
        columns = np.unique(x[piece])
        is_long = len(columns) > 1 and np.ptp(columns) >= _PIECE * side
        if is_long and len(columns) >= _DENSEST * np.ptp(columns):
            yield piece
