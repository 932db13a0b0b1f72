"""Brushes for rendered pictures: light, masks, noise and turned solids, vectorised; pure.

Coordinates are in units of the shorter side, origin top left, so that circles are round. A picture
is (H, W, 3) float64 in 0..1; a mask is (H, W) in 0..1 and soft over one pixel, so that edges look
photographed and not cut out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from cropkit.geometry import Size

Floats = NDArray[np.floating[Any]]
Colour = tuple[float, float, float]
Edge = float | Floats

_MIDDLE = 16  # grain is stored around it, as an 8-bit picture has no negative values


@dataclass(frozen=True)
class Frame:
    """Coordinates of every pixel of a picture, and the chance that varies it."""

    size: Size
    rng: np.random.Generator

    @property
    def unit(self) -> int:
        """Pixels per unit."""
        return min(self.size.width, self.size.height)

    @property
    def width(self) -> float:
        """Width in units."""
        return self.size.width / self.unit

    @property
    def height(self) -> float:
        """Height in units."""
        return self.size.height / self.unit

    @cached_property
    def x(self) -> Floats:
        """(1, W)."""
        return ((np.arange(self.size.width, dtype=np.float64) + 0.5) / self.unit)[None, :]

    @cached_property
    def y(self) -> Floats:
        """(H, 1)."""
        return ((np.arange(self.size.height, dtype=np.float64) + 0.5) / self.unit)[:, None]

    def near(self, low: float, high: float) -> float:
        """Draw a number between two."""
        return float(self.rng.uniform(low, high))


def rgb(text: str) -> Colour:
    """Read a colour such as ``"f4a259"``."""
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


def gradient(position: Floats, colours: Sequence[str]) -> Floats:
    """Blend evenly spaced colours along a position in 0..1."""
    stops = np.linspace(0, 1, len(colours))
    channels = np.array([rgb(colour) for colour in colours]).T
    return np.stack([np.interp(position, stops, c) for c in channels], axis=-1).astype(np.float64)


def sky(frame: Frame, horizon: float, colours: Sequence[str]) -> Floats:
    """Return a picture filled from the top to the horizon, and on with the last colour."""
    column = gradient(np.clip(frame.y / horizon, 0, 1), colours)
    return np.repeat(column, frame.size.width, axis=1)


def over(picture: Floats, mask: Floats, colour: Colour | Floats) -> None:
    """Paint a colour, or another picture, through a mask."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return
    touched = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    paint = np.broadcast_to(np.asarray(colour, dtype=np.float64), picture.shape)[touched]
    part = picture[touched]
    part += mask[touched].astype(np.float64)[..., None] * (paint - part)


def glow(frame: Frame, at: tuple[float, float], reach: float) -> Floats:
    """Light that falls off around a point."""
    square = (frame.x - at[0]) ** 2 + (frame.y - at[1]) ** 2
    return np.asarray(1 / (1 + square / reach**2) ** 1.5)


def disc(frame: Frame, at: tuple[float, float], radius: float, soft: float = 0) -> Floats:
    """Mask of a disc, blurred over `soft` units at its edge."""
    distance = np.hypot(frame.x - at[0], frame.y - at[1])
    return np.asarray(np.clip((radius - distance) / max(soft, 1 / frame.unit) + 0.5, 0, 1))


def below(frame: Frame, line: Floats | float) -> Floats:
    """Mask of what lies beneath a line, one height for each column."""
    mask = np.clip((frame.y - line) * frame.unit + 0.5, 0, 1)
    return np.asarray(mask * np.ones_like(frame.x))


def between(values: Floats, low: Edge, high: Edge, sharpness: float) -> Floats:
    """Mask of the values between two bounds."""
    edge = np.minimum(values - low, high - values)
    return np.asarray(np.clip(edge * sharpness + 0.5, 0, 1))


def noise(frame: Frame, cells: tuple[int, int], octaves: int = 4) -> Floats:
    """Fractal value noise in 0..1 (Perlin 1985's sum of octaves), `cells` across and down."""
    total = np.zeros((frame.size.height, frame.size.width), np.float64)
    for octave in range(octaves):
        across, down = (max(2, n << octave) for n in cells)
        grid = Image.fromarray(frame.rng.random((down, across), dtype=np.float32))
        # only the coarse grids are large enough on the screen for creases to be seen
        smooth = Image.Resampling.BICUBIC if octave < 2 else Image.Resampling.BILINEAR  # noqa: PLR2004  (the two coarsest)
        resized = grid.resize((frame.size.width, frame.size.height), smooth)
        total += np.asarray(resized) / 2**octave
    return np.asarray(np.clip(total / (2 - 2 ** (1 - octaves)), 0, 1))


def ridge(frame: Frame, level: float, relief: float, cells: int = 3) -> Floats:
    """Height of a mountain ridge over each column, (1, W)."""
    line = np.zeros(frame.size.width, np.float64)
    for octave in range(7):
        count = (cells << octave) + 2
        knots = np.linspace(0, frame.size.width, count)
        line += (
            np.interp(np.arange(frame.size.width), knots, frame.rng.uniform(-1, 1, count)).astype(
                np.float64
            )
            / 2.1**octave
        )
    return (level + relief * 0.6 * line)[None, :]


def solid(
    frame: Frame,
    axis: float,
    span: tuple[float, float],
    profile: Callable[[Floats], Floats],
    light: tuple[float, float, float] = (-0.55, -0.5, 0.67),
) -> tuple[Floats, Floats, Floats]:
    """Shade a solid that was turned on a lathe.

    Parameters
    ----------
    axis : its x
    span : its top and bottom
    profile : radius in units along 0..1 from top to bottom

    Returns
    -------
    mask, light that it scatters (0..1), and its highlight (0..1)
    """
    along = (frame.y - span[0]) / (span[1] - span[0])
    radius = np.where((along >= 0) & (along <= 1), profile(np.clip(along, 0, 1)), 0)
    slope = -np.gradient(radius[:, 0], 1 / frame.unit)[:, None].clip(-4, 4)
    side = (frame.x - axis) / np.maximum(radius, 1e-6)
    mask = np.clip((radius - np.abs(frame.x - axis)) * frame.unit + 0.5, 0, 1) * (radius > 0)
    facing = np.sqrt(np.clip(1 - side**2, 0, 1))
    length = np.sqrt(1 + slope**2)
    lit = (side * light[0] + slope * light[1] + facing * light[2]) / length
    scattered = 0.22 + 0.78 * np.clip(lit, 0, 1)
    # Blinn 1977: the normal against the bisector of the light and the viewer
    half = np.add(light, (0, 0, 1))
    half /= np.linalg.norm(half)
    shine = (side * half[0] + slope * half[1] + facing * half[2]) / length
    return mask, scattered, np.clip(shine, 0, 1) ** 60


def developed(frame: Frame, picture: Floats, size: Size) -> Image.Image:
    """Enlarge a picture and add what a lens and a sensor add: darker corners, and grain."""
    across = (frame.x / frame.width - 0.5) ** 2 + (frame.y / frame.height - 0.5) ** 2
    exposed = (picture * (1 - 0.55 * across)[..., None]).clip(0, 1) * 255 + 0.5
    small = Image.fromarray(exposed.astype(np.uint8))
    large = small.resize((size.width, size.height), Image.Resampling.BICUBIC)
    tile = np.rint(frame.rng.normal(_MIDDLE, 1.2, (512, 512)).clip(0, 255)).astype(np.uint8)
    repeats = (size.height // 512 + 1, size.width // 512 + 1)
    grain = Image.fromarray(np.tile(tile, repeats)[: size.height, : size.width])
    return ImageChops.add(large, Image.merge("RGB", (grain, grain, grain)), offset=-_MIDDLE)
