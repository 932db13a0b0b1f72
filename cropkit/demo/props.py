"""Things that several scenes put into their pictures."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from cropkit.demo.paint import Floats, Frame, below, between, gradient, noise, over, rgb, solid

Box = tuple[float, float, float, float]
Palette = Sequence[str]

_BRIGHT = 0.5  # stars over this shine over more than one pixel
_WIDEST = 0.43  # where a balloon's envelope is widest, from its top


def clouds(frame: Frame, picture: Floats, colour: str) -> None:
    """Paint a veil of high clouds."""
    veil = np.clip(noise(frame, (2, 9), 5) * 2.6 - 1.25, 0, 1)
    over(picture, 0.5 * veil, rgb(colour))


def mirror(frame: Frame, picture: Floats, shore: float) -> None:
    """Reflect what stands above the shore, rippled and darker."""
    line = round(shore * frame.unit)
    rows = frame.size.height - line
    depth = np.arange(rows) / max(rows, 1)
    source = np.clip(line - 1 - (np.arange(rows) * 1.6).astype(int), 0, line - 1)
    swing = (np.sin(depth**0.6 * 90) * depth * 0.02 * frame.unit).astype(int)
    columns = (np.arange(frame.size.width)[None, :] + swing[:, None]).clip(0, frame.size.width - 1)
    water = picture[source[:, None], columns] * 0.62
    ripple = noise(frame, (6, 160), 2)[line:, :, None]
    picture[line:] = water + 0.07 * ripple * water.mean(axis=(0, 1)) + 0.02


def sea(frame: Frame, picture: Floats, horizon: float, sun: float, palette: Palette) -> None:
    """Paint water below the horizon, and the sun's glitter on it."""
    depth = np.clip((frame.y - horizon) / (frame.height - horizon), 0, 1)
    waves = noise(frame, (7, 110), 4)
    water = gradient(depth, [palette[2], palette[3], palette[4]]) * (0.72 + 0.5 * waves)[..., None]
    over(picture, below(frame, horizon), water.astype(np.float64))
    path = np.exp(-(((frame.x - sun) / (0.05 + 0.3 * depth)) ** 2)) * (frame.y > horizon)
    glitter = path * np.clip(waves * 5 - 2.6, 0, 1) * (1 - 0.6 * depth)
    over(picture, (0.85 * glitter).astype(np.float64), rgb("fff2d4"))


def sail(
    frame: Frame,
    picture: Floats,
    foot: tuple[float, float],
    reach: tuple[float, float],
    colour: tuple[float, float, float],
) -> None:
    """Paint a triangle that leans `reach` out from the mast, bellied by the wind."""
    rise = (foot[1] - frame.y) / reach[1]
    belly = reach[0] * (1 - rise) * (1 + 0.5 * np.clip(rise, 0, 1))
    low, high = (foot[0], foot[0] + belly) if reach[0] > 0 else (foot[0] + belly, foot[0])
    mask = between(rise, 0, 1, frame.unit * reach[1]) * between(frame.x, low, high, frame.unit)
    shade = 0.8 + 0.2 * np.clip((frame.x - foot[0]) / reach[0], 0, 1)
    over(picture, mask, shade[..., None] * colour)


def towers(
    frame: Frame, picture: Floats, shore: float, tallest: float, style: tuple[int, str]
) -> None:
    """Paint one row of buildings, highest around one place."""
    row, colour = style
    edges = np.cumsum(frame.rng.uniform(0.05, 0.13, 60)) - 0.1
    for left, right in pairwise(edges):
        if left > frame.width:
            break
        middle = (left + right) / 2
        rise = 0.1 + 0.4 * np.exp(-(((middle - tallest) / 0.16) ** 2)) + frame.near(0, 0.16)
        _tower(frame, picture, (left, shore - rise * (1.15 - 0.3 * row), right, shore), colour)


def _tower(frame: Frame, picture: Floats, box: Box, colour: str) -> None:
    left, top, right, bottom = (max(0, round(edge * frame.unit)) for edge in box)
    part = picture[top:bottom, left : right - 1]
    if not part.size:
        return
    part[:] = rgb(colour)
    pitch = max(4, frame.unit // 90)
    rows, columns = part.shape[0] // pitch + 1, part.shape[1] // pitch + 1
    lit = frame.rng.random((rows, columns)) < frame.near(0.15, 0.5)
    warm = gradient(frame.rng.random((rows, columns)), ["ffd68a", "fff3d6", "ffb566"])
    cells = np.repeat(np.repeat(warm * lit[..., None], pitch, 0), pitch, 1)
    y, x = np.mgrid[0 : part.shape[0], 0 : part.shape[1]] % pitch
    pane = ((x > pitch * 0.35) & (y > pitch * 0.45)).astype(np.float64)
    part += 0.8 * pane[..., None] * cells[: part.shape[0], : part.shape[1]]


def vase_profile(t: Floats) -> Floats:
    """Return a vase's radius along its height."""
    heights = [0, 0.04, 0.12, 0.2, 0.4, 0.6, 0.85, 0.97, 1]
    radii = [0.075, 0.07, 0.045, 0.05, 0.115, 0.148, 0.105, 0.08, 0.082]
    curve = np.polynomial.Polynomial.fit(heights, radii, 7)
    return np.asarray(curve(t), dtype=np.float64)


def shadow(frame: Frame, picture: Floats, at: tuple[float, float], reach: float) -> None:
    """Paint a soft shadow on the table."""
    square = ((frame.x - at[0]) / reach) ** 2 + ((frame.y - at[1]) / (reach * 0.22)) ** 2
    over(picture, (0.7 * np.exp(-square)).astype(np.float64), rgb("1c130d"))


def fruit(
    frame: Frame, picture: Floats, at: tuple[float, float], radius: float, colour: str
) -> None:
    """Paint a round fruit and its shadow."""
    x, y = at
    shadow(frame, picture, (x + radius * 0.5, y + radius * 0.95), radius * 1.25)
    mask, lit, shine = solid(
        frame,
        x,
        (y - radius, y + radius),
        lambda t: radius * np.sqrt(np.clip(1 - (2 * t - 1) ** 2, 0, 1)),
    )
    skin = 0.8 + 0.25 * noise(frame, (14, 18), 4)
    over(picture, mask, (lit * skin)[..., None] * rgb(colour) + 0.6 * shine[..., None])


def balloon_at(
    frame: Frame, picture: Floats, at: tuple[float, float], style: tuple[float, Palette]
) -> None:
    """Paint a hot-air balloon with its basket."""
    radius, colours = style
    x, y = at
    span = (y - radius, y + radius * 1.35)

    def profile(t: Floats) -> Floats:
        drop = np.clip((t - _WIDEST) / (1 - _WIDEST), 0, 1)
        dome = np.sqrt(np.clip(1 - ((_WIDEST - np.minimum(t, _WIDEST)) / _WIDEST) ** 2, 0, 1))
        return radius * np.where(t < _WIDEST, dome, 1 - 0.86 * drop**1.6)

    mask, lit, _ = solid(frame, x, span, profile)
    width = np.maximum(profile(np.clip((frame.y - span[0]) / (span[1] - span[0]), 0, 1)), 1e-3)
    gore = np.arcsin(np.clip((frame.x - x) / width, -1, 1)) / np.pi * 9 + 9
    choice = gore.astype(int) % len(colours)
    seams = 1 - 0.25 * np.abs(gore % 1 - 0.5) ** 3 * 8
    cloth = np.array([rgb(colour) for colour in colours], np.float64)[choice]
    over(picture, mask, cloth * (lit * seams)[..., None] * 1.1)
    basket = between(frame.x - x, -0.11 * radius, 0.11 * radius, frame.unit) * between(
        frame.y - y, 1.55 * radius, 1.75 * radius, frame.unit
    )
    lines = between(np.abs(frame.x - x), 0.085 * radius, 0.105 * radius, frame.unit) * between(
        frame.y - y, 1.3 * radius, 1.6 * radius, frame.unit
    )
    over(picture, np.maximum(basket, lines), rgb("4a2f1f"))


def stars(frame: Frame, picture: Floats, ground: float) -> None:
    """Paint stars, few of them bright."""
    count = 900
    rows = (frame.rng.random(count) * ground * frame.unit).astype(int)
    columns = (frame.rng.random(count) * (frame.size.width - 1)).astype(int)
    power = (frame.rng.random(count) ** 6 * 0.9 + 0.1).astype(np.float64)[:, None]
    picture[rows, columns] += power
    bright = power[:, 0] > _BRIGHT
    for down, right in ((0, 1), (1, 0), (1, 1)):
        picture[(rows + down)[bright], (columns + right)[bright]] += power[bright] * 0.8


def firs(frame: Frame, picture: Floats, ground: float, style: tuple[float, str]) -> None:
    """Paint a row of firs that is lower around a clearing."""
    clearing, colour = style
    edge = np.full(frame.size.width, ground, np.float64)
    x = frame.x[0]
    for _ in range(46):
        at, tall = frame.near(0, frame.width), frame.near(0.1, 0.3)
        tall *= min(1.0, abs(at - clearing) / 0.25)
        steps = np.abs(x - at) / (0.24 * tall + 1e-6)
        jag = steps + 0.12 * np.abs((steps * 7) % 1 - 0.5)
        edge = np.minimum(edge, ground - tall * (1 - jag))
    over(picture, below(frame, edge[None, :]), rgb(colour))
