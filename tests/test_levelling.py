"""The angle of plain lines is told to a part of a degree; where there are none, nothing is."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

import cropkit
from cropkit import levelling
from cropkit.formats.rotation import rotated
from cropkit.geometry import PixelBox
from cropkit.levelling import Level, level

Picture = npt.NDArray[np.uint8]
WIDTH, HEIGHT = 600, 400


def clouds(rng: np.random.Generator, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """Return noise that has the spectrum of photographs: its amplitude falls with frequency."""
    away = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    away[0, 0] = 1
    waves = rng.normal(size=(2, 3, *away.shape)) / away**1.5
    light = np.fft.irfft2(waves[0] + 1j * waves[1], (height, width))
    light = light / light.std(axis=(1, 2), keepdims=True)
    values: Picture = np.moveaxis(120 + 25 * light, 0, 2).clip(0, 255).astype(np.uint8)
    return values


def tilted(scene: Image.Image, degrees: float) -> Picture:
    """Turn a large scene clockwise, cut the middle of it out, and add grain."""
    values = np.asarray(scene)
    left, top = (values.shape[1] - WIDTH) // 2, (values.shape[0] - HEIGHT) // 2
    box = PixelBox(left, top, left + WIDTH, top + HEIGHT)
    after = rotated(values, box, round(100 * degrees)).astype(float)
    return (
        (after + np.random.default_rng(1).normal(0, 5, after.shape)).clip(0, 255).astype(np.uint8)
    )


def canvas(seed: int) -> tuple[Image.Image, ImageDraw.ImageDraw, np.random.Generator]:
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(clouds(rng, 900, 700))
    return picture, ImageDraw.Draw(picture), rng


def colour(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(value) for value in rng.integers(0, 70, 3))


def sea(seed: int) -> Image.Image:
    """Return a horizon before which a few things stand."""
    picture, draw, rng = canvas(seed)
    draw.rectangle((0, 370, 900, 700), fill=colour(rng))
    for x in rng.uniform(200, 700, 3):
        draw.ellipse((x - 25, 340, x + 25, 400), fill=(200, 190, 60))
    return picture


def street(seed: int) -> Image.Image:
    """Return houses that stand upright."""
    picture, draw, rng = canvas(seed)
    for x in range(160, 740, 110):
        draw.rectangle((x, rng.uniform(190, 300), x + rng.uniform(40, 90), 700), fill=colour(rng))
    return picture


def bubbles(seed: int) -> Image.Image:
    picture, draw, rng = canvas(seed)
    for _ in range(25):
        (x, y), (a, b) = rng.uniform(100, 650, 2), rng.uniform(8, 120, 2)
        draw.ellipse((x - a, y - b, x + a, y + b), fill=colour(rng))
    return picture


def stem(seed: int) -> Image.Image:
    """Return a plant: both edges of its stem are one line, and too short a one."""
    picture, draw, rng = canvas(seed)
    draw.polygon([(440, 300), (452, 300), (455, 445), (443, 445)], fill=colour(rng))
    draw.ellipse((405, 230, 490, 310), fill=(230, 60, 90))
    return picture


@pytest.mark.parametrize("degrees", [-12.0, -3.37, -0.2, 0.0, 1.55, 6.0])
@pytest.mark.parametrize("scene", [sea, street])
def test_the_angle_that_was_drawn_is_told(scene: Any, degrees: float) -> None:
    for seed in range(2):
        offered = level(tilted(scene(seed), degrees))
        assert offered is not None
        assert abs(offered.turn.angle + degrees) < 0.15
        assert offered.turn.quarters.is_none
        assert 0.5 <= offered.confidence <= 1
        assert offered.lines >= 1


@pytest.mark.parametrize("scene", [bubbles, stem])
def test_what_is_round_or_short_says_nothing(scene: Any) -> None:
    assert [level(tilted(scene(seed), 4)) for seed in range(4)] == [None] * 4


def test_clouds_and_grain_say_nothing() -> None:
    rng = np.random.default_rng(3)
    assert [level(clouds(rng)) for _ in range(6)] == [None] * 6
    assert level(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)) is None


def test_lines_that_do_not_agree_say_nothing() -> None:
    picture, draw, rng = canvas(5)
    for degrees, x in zip(range(-14, 15, 4), range(200, 720, 65), strict=True):
        away = 300 * np.tan(np.radians(degrees))
        draw.line((x - away, 50, x + away, 650), fill=colour(rng), width=6)
    assert level(tilted(picture, 0)) is None


def test_grey_is_as_good_and_nothing_is_written_into_the_picture() -> None:
    grey = np.asarray(Image.fromarray(tilted(street(1), 2)).convert("L"))
    before = grey.copy()
    offered = level(grey)
    assert offered is not None
    assert abs(offered.turn.angle + 2) < 0.15
    assert np.array_equal(grey, before)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 2), (63, 800), (64, 64), (200, 64, 3)])
def test_pictures_of_any_shape_are_looked_at(shape: tuple[int, ...]) -> None:
    for value in (0, 128, 255):
        assert level(np.full(shape, value, np.uint8)) is None


def test_of_a_few_pixels_nothing_is_said() -> None:
    values = np.zeros((120, 160), np.uint8)
    values[70:] = 200
    assert level(values) is not None
    assert level(values[40:100]) is None


def test_no_more_is_looked_at_than_a_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = np.asarray(Image.fromarray(tilted(sea(2), -5)).resize((4000, 2667)))
    assert levelling.preview(scene).shape == (512, 768)
    votes, counted = list[int](), np.bincount

    def counting(places: Any, minlength: int) -> Any:
        votes.append(len(places))
        return counted(places, minlength=minlength)

    monkeypatch.setattr(np, "bincount", counting)
    noise = np.random.default_rng(0).integers(0, 256, (2000, 3000), np.uint8)
    assert level(noise) is None
    assert 0 < max(votes) <= 20000
    assert len(votes) <= 2 * (1 + 24) * 31
    offered = level(scene)
    assert offered is not None
    assert abs(offered.turn.angle - 5) < 0.15


def test_what_is_offered_makes_the_picture_level(tmp_path: Any) -> None:
    tilt = tilted(sea(4), -3.3)
    offered = level(tilt)
    assert isinstance(offered, Level)
    size = cropkit.Size(WIDTH, HEIGHT)
    box = cropkit.straightening.largest(size, offered.turn, 1.5)
    Image.fromarray(tilt).save(tmp_path / "a.png")
    with cropkit.open(tmp_path, copy_to=tmp_path / "out") as collection:
        collection.crop("a.png", box, turn=offered.turn)
    with Image.open(tmp_path / "out" / "a.png") as copy:
        again = level(np.asarray(copy))
    assert again is not None
    assert abs(again.turn.angle) < 0.1
