"""The demo's subjects on their backgrounds: each renders a picture and says where its subject is.

A scene takes a `Frame` and a palette and returns the picture and the subject's bounding box (left,
top, right, bottom in units of the frame).
"""

from collections.abc import Callable

import numpy as np

from cropkit.demo.paint import (
    Floats,
    Frame,
    below,
    between,
    disc,
    glow,
    gradient,
    noise,
    over,
    rgb,
    ridge,
    sky,
    solid,
)
from cropkit.demo.props import (
    Box,
    Palette,
    balloon_at,
    clouds,
    firs,
    fruit,
    mirror,
    sail,
    sea,
    shadow,
    stars,
    towers,
    vase_profile,
)

Scene = Callable[[Frame, Palette], tuple[Floats, Box]]


def mountains(frame: Frame, palette: Palette) -> tuple[Floats, Box]:
    """Paint ridges fading into haze, a low sun, a lake that mirrors them."""
    shore = frame.height * 0.72
    picture = sky(frame, shore * 0.9, palette[:3])
    sun = (frame.width * frame.near(0.3, 0.7), shore * 0.55)
    clouds(frame, picture, palette[2])
    over(picture, 0.75 * glow(frame, sun, 0.16), rgb("fff1cf"))
    over(picture, disc(frame, sun, 0.055, 0.006), rgb("fffaf0"))
    tops = [shore * (0.62 + 0.07 * n) for n in range(5)]
    for n, top in enumerate(tops):
        depth = gradient(np.array([[n / 4]]), [palette[2], palette[3], palette[4]])[0, 0]
        relief = 0.2 - 0.025 * n
        line = np.minimum(ridge(frame, top, relief, 2 + n), shore)
        haze = np.clip((frame.y - line) / 0.22, 0, 1)[..., None]
        over(picture, below(frame, line), depth * (1 - 0.35 * haze) + 0.35 * haze * rgb(palette[2]))
    mirror(frame, picture, shore)
    return picture, (sun[0] - 0.24, sun[1] - 0.2, sun[0] + 0.24, shore + 0.16)


def boat(frame: Frame, palette: Palette) -> tuple[Floats, Box]:
    """Paint a sailing boat in the glitter of the sun."""
    horizon = frame.height * 0.52
    picture = sky(frame, horizon, palette[:3])
    sun = (frame.width * frame.near(0.35, 0.65), horizon - 0.1)
    clouds(frame, picture, palette[2])
    over(picture, 0.8 * glow(frame, sun, 0.2), rgb("ffe9c0"))
    over(picture, disc(frame, sun, 0.05, 0.006), rgb("fffdf4"))
    sea(frame, picture, horizon, sun[0], palette)
    x = sun[0] + frame.near(-0.22, 0.22)
    foot = horizon + 0.16
    sail(frame, picture, (x + 0.008, foot - 0.035), (0.15, 0.38), rgb("f7efe2"))
    sail(frame, picture, (x - 0.008, foot - 0.04), (-0.11, 0.33), rgb("e6d9c6"))
    hull = between(frame.y, foot - 0.03, foot + 0.022, frame.unit) * between(
        frame.x, x - 0.15 + (frame.y - foot) * 0.7, x + 0.17 - (frame.y - foot) * 1.2, frame.unit
    )
    over(picture, hull, rgb(palette[4]))
    wake = np.exp(-(((frame.x - x) / 0.16) ** 2) - ((frame.y - foot - 0.04) / 0.03) ** 2)
    over(picture, (0.6 * wake).astype(np.float64), rgb(palette[4]))
    return picture, (x - 0.24, foot - 0.46, x + 0.26, foot + 0.13)


def lighthouse(frame: Frame, palette: Palette) -> tuple[Floats, Box]:
    """Paint a lighthouse on its rock, lamp lit."""
    horizon = frame.height * 0.68
    picture = sky(frame, horizon, palette[:3])
    clouds(frame, picture, palette[1])
    sea(frame, picture, horizon, frame.width * 0.5, palette)
    x = frame.width * frame.near(0.34, 0.66)
    rock = horizon + 0.02 + ((frame.x - x) / 0.6) ** 2 * 0.35 + ridge(frame, 0, 0.03, 9)
    stone = (0.55 + 0.45 * noise(frame, (9, 12), 5))[..., None] * rgb(palette[4])
    over(picture, below(frame, rock), stone.astype(np.float64))
    foot, top = horizon + 0.04, horizon - 0.46
    tower, lit, _ = solid(frame, x, (top, foot), lambda t: 0.05 + 0.032 * t**1.5)
    bands = between(((frame.y - top) / (foot - top) * 2.5) % 1, 0.5, 2, frame.unit / 5)
    paint = gradient(bands, ["f6f1e7", "b23a30"])
    over(picture, tower, paint * lit[..., None])
    for low, high, half, colour in (
        (top - 0.012, top + 0.012, 0.075, "2b2d33"),
        (top - 0.075, top - 0.012, 0.04, "ffe7a3"),
        (top - 0.09, top - 0.072, 0.055, "2b2d33"),
    ):
        block = between(frame.y, low, high, frame.unit) * between(
            frame.x, x - half, x + half, frame.unit
        )
        over(picture, block, rgb(colour))
    over(
        picture, disc(frame, (x, top - 0.09), 0.04) * (1 - below(frame, top - 0.085)), rgb("8f2f28")
    )
    over(picture, 0.85 * glow(frame, (x, top - 0.043), 0.07), rgb("fff0bf"))
    return picture, (x - 0.2, top - 0.2, x + 0.2, foot + 0.1)


def city(frame: Frame, palette: Palette) -> tuple[Floats, Box]:
    """Paint a skyline at night above its reflection."""
    shore = frame.height * 0.7
    picture = sky(frame, shore, palette[:3])
    moon = (frame.width * frame.near(0.15, 0.85), frame.height * 0.16)
    over(picture, 0.5 * glow(frame, moon, 0.1), rgb("dfe6f5"))
    over(picture, disc(frame, moon, 0.04), rgb("f4f1e4"))
    tallest = frame.width * frame.near(0.35, 0.65)
    for row in range(3):
        towers(frame, picture, shore, tallest, (row, palette[3 + (row > 0)]))
    mirror(frame, picture, shore)
    return picture, (tallest - 0.26, shore - 0.66, tallest + 0.26, shore + 0.14)


def still_life(frame: Frame, palette: Palette) -> tuple[Floats, Box]:
    """Paint a vase and fruit on a table, by window light from the left."""
    table = frame.height * 0.66
    wall = 0.86 + 0.14 * noise(frame, (5, 6), 5) - 0.4 * (frame.x / frame.width - 0.25) ** 2
    picture = sky(frame, table, [palette[0], palette[1], palette[1]]) * wall[..., None]
    board = (0.72 + 0.28 * noise(frame, (2, 60), 3))[..., None] * rgb(palette[2])
    over(picture, below(frame, table), board.astype(np.float64))
    x, foot = frame.width * frame.near(0.4, 0.6), table + 0.13
    shadow(frame, picture, (x + 0.07, foot), 0.2)
    vase, lit, shine = solid(frame, x, (foot - 0.52, foot), vase_profile)
    glaze = 0.85 + 0.15 * noise(frame, (4, 20), 4)
    over(picture, vase, (lit * glaze)[..., None] * rgb(palette[3]) + 0.5 * shine[..., None])
    for dx, radius, colour in ((-0.23, 0.085, palette[4]), (0.21, 0.095, palette[5])):
        fruit(frame, picture, (x + dx, foot + 0.035 - radius), radius, colour)
    fruit(frame, picture, (x + 0.09, foot - 0.0), 0.07, palette[4])
    return picture, (x - 0.34, foot - 0.56, x + 0.33, foot + 0.11)


def balloons(frame: Frame, palette: Palette) -> tuple[Floats, Box]:
    """Paint hot-air balloons over misty hills."""
    horizon = frame.height * 0.8
    picture = sky(frame, horizon, palette[:3])
    clouds(frame, picture, "ffffff")
    for n in range(4):
        tint = gradient(np.array([[n / 3]]), [palette[2], palette[3]])[0, 0]
        line = ridge(frame, horizon + 0.06 * n - 0.06, 0.05, 2 + n)
        over(picture, below(frame, line), tint)
    x, y = frame.width * frame.near(0.35, 0.65), frame.height * frame.near(0.3, 0.4)
    for far, side in ((0.28, -1), (0.4, 1)):
        at = (x + side * frame.near(0.27, 0.4), frame.height * frame.near(0.42, 0.66))
        balloon_at(frame, picture, at, (0.2 * far, palette[4:6]))
    balloon_at(frame, picture, (x, y), (0.2, palette[4:]))
    return picture, (x - 0.25, y - 0.28, x + 0.25, y + 0.36)


def flower(frame: Frame, palette: Palette) -> tuple[Floats, Box]:
    """Paint a flower close up before a blurred meadow."""
    soft = noise(frame, (3, 4), 2)
    picture = gradient(soft, palette[:3])
    for _ in range(26):
        at = (frame.near(0, frame.width), frame.near(0, frame.height))
        ring = disc(frame, at, frame.near(0.02, 0.09), 0.012)
        over(picture, frame.near(0.05, 0.25) * ring, rgb(palette[int(frame.near(2, 4.99))]))
    x, y = frame.width * frame.near(0.4, 0.6), frame.height * frame.near(0.36, 0.46)
    bend = x + 0.07 * np.sin((frame.y - y) * 2.2)
    stem = between(frame.x - bend, -0.011, 0.011, frame.unit) * below(frame, y)
    over(picture, stem, rgb("3f6b35"))
    away, angle = np.hypot(frame.x - x, frame.y - y), np.arctan2(frame.y - y, frame.x - x)
    for petals, reach, turn in ((11, 0.27, 0.0), (11, 0.23, 0.29), (9, 0.16, 0.1)):
        wave = np.abs(np.cos((angle + turn) * petals / 2))
        mask = np.clip((reach * wave**0.45 - away) * frame.unit * 0.6 + 0.5, 0, 1)
        shade = 0.5 + 0.5 * wave**0.7 * np.clip(away / reach + 0.25, 0, 1)
        over(picture, mask, shade[..., None] * rgb(palette[4]))
    core = np.clip((0.07 - away) * frame.unit + 0.5, 0, 1)
    speck = 0.6 + 0.5 * noise(frame, (90, 120), 2)
    over(picture, core, (speck * (1.1 - 4 * away))[..., None] * rgb("f2b632"))
    return picture, (x - 0.31, y - 0.31, x + 0.31, y + 0.33)


def night(frame: Frame, palette: Palette) -> tuple[Floats, Box]:
    """Paint the Milky Way above firs, a lit tent beneath."""
    ground = frame.height * 0.82
    picture = sky(frame, ground, palette[:3])
    cloud = noise(frame, (4, 5), 6)
    lane = np.exp(-(((frame.x - frame.width * 0.55 + (frame.y - 0.5) * 0.35) / 0.2) ** 2))
    over(picture, (0.55 * lane * cloud**1.5).astype(np.float64), rgb("cfd3ea"))
    stars(frame, picture, ground)
    x = frame.width * frame.near(0.35, 0.65)
    for n in range(2):
        firs(frame, picture, ground + 0.02 + 0.03 * n, (x, palette[3 + n]))
    over(picture, below(frame, ridge(frame, ground + 0.06, 0.02, 6)), rgb(palette[4]))
    foot = ground + 0.085
    over(picture, 0.6 * glow(frame, (x, foot - 0.05), 0.09), rgb("ffb454"))
    rise = (foot - frame.y) / 0.15
    tent = between(rise, 0, 1, frame.unit * 0.15) * between(
        frame.x, x - 0.14 * (1 - rise), x + 0.14 * (1 - rise), frame.unit
    )
    warm = np.clip(1.15 - np.hypot((frame.x - x) / 0.17, (foot - 0.02 - frame.y) / 0.2), 0.35, 1)
    over(picture, tent, warm[..., None] * rgb("ffb95c"))
    return picture, (x - 0.3, foot - 0.44, x + 0.3, foot + 0.07)
