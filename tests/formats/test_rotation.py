"""Samples of a turned box are those of the paper's kernel, one by one; nothing bleeds or moves."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cropkit import straightening
from cropkit.formats.rotation import rotated
from cropkit.formats.turning import turned
from cropkit.geometry import PixelBox, Size, Turn

Grid = npt.NDArray[Any]


def keys(distance: float) -> float:
    """Return the weight at a distance: Keys 1981, equation 4 with a = -1/2."""
    s, a = abs(distance), -0.5
    if s < 1:
        return (a + 2) * s**3 - (a + 3) * s**2 + 1
    return a * s**3 - 5 * a * s**2 + 8 * a * s - 4 * a if s < 2 else 0.0


def sample(values: Grid, x: float, y: float) -> float:
    height, width = values.shape
    total = 0.0
    for row in range(math.floor(y) - 1, math.floor(y) + 3):
        for column in range(math.floor(x) - 1, math.floor(x) + 3):
            inside = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
            total += float(values[inside]) * keys(x - column) * keys(y - row)
    return total


def one_by_one(values: Grid, box: PixelBox, degrees: float) -> Grid:
    """Turn each pixel's middle back about the box's middle, and ask the kernel."""
    back = complex(math.cos(math.radians(degrees)), -math.sin(math.radians(degrees)))
    middle = complex(box.left + box.right, box.top + box.bottom) / 2
    after = np.zeros((box.size.height, box.size.width))
    for row, column in np.ndindex(after.shape):
        seen = complex(box.left + column + 0.5, box.top + row + 0.5)
        at = middle + (seen - middle) * back
        after[row, column] = sample(values, at.real - 0.5, at.imag - 0.5)
    return after


def noise(*shape: int, kind: type = np.uint8, seed: int = 0) -> Grid:
    most = int(np.iinfo(kind).max)
    return np.random.default_rng(seed).integers(0, most, shape, kind, endpoint=True)


@settings(max_examples=25)
@given(
    st.integers(-4500, 4500).filter(bool),
    st.builds(Size, st.integers(4, 24), st.integers(4, 24)),
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(0, 9),
)
def test_each_sample_is_what_the_kernel_says(
    hundredths: int, size: Size, kind: type, seed: int
) -> None:
    values = noise(size.height, size.width, 1, kind=kind, seed=seed)
    box = straightening.largest(size, Turn(1, hundredths))
    meant = one_by_one(values[..., 0], box, hundredths / 100).clip(0, np.iinfo(kind).max)
    after = rotated(values, box, hundredths)
    assert after.dtype == kind
    assert np.abs(after[..., 0] - meant).max() <= 0.5 + 1e-5 * np.iinfo(kind).max


def test_blocks_meet_without_a_seam() -> None:
    values, box = noise(600, 700, 1), PixelBox(60, 60, 640, 540)
    whole = rotated(values, box, 321)
    part = PixelBox(60 + 250, 60 + 190, 640 - 250, 540 - 190)  # about the same middle
    inner = rotated(values, part, 321)
    assert np.array_equal(whole[190:-190, 250:-250], inner)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_quarter_is_the_quarter_turn(channels: int) -> None:
    values, box = noise(40, 50, channels), PixelBox(7, 3, 37, 33)
    held = values[3:33, 7:37]
    assert np.array_equal(rotated(values, box, 9000), turned(held, 6))
    assert np.array_equal(rotated(values, box, -9000), turned(held, 8))
    assert np.array_equal(rotated(values, box, 0), held)


def test_an_even_slope_stays_one() -> None:
    x, y = np.meshgrid(np.arange(300), np.arange(200))
    values = (100 * x + 150 * y).astype(np.uint16)[..., None]
    box = PixelBox(60, 60, 240, 140)
    after = rotated(values, box, 130).astype(float)
    angle = math.radians(1.3)
    across = 100 * math.cos(angle) - 150 * math.sin(angle)
    down = 100 * math.sin(angle) + 150 * math.cos(angle)
    assert np.abs(np.diff(after[..., 0], axis=1) - across).max() <= 1
    assert np.abs(np.diff(after[..., 0], axis=0) - down).max() <= 1


@pytest.mark.parametrize("level", [0, 1, 200, 255])
def test_what_is_flat_stays_so_up_to_the_edge(level: int) -> None:
    values = np.full((60, 80, 3), level, np.uint8)
    box = straightening.largest(Size(80, 60), Turn(1, -730))
    assert (rotated(values, box, -730) == level).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_no_colour_bleeds_out_of_what_is_transparent(kind: type) -> None:
    most = np.iinfo(kind).max
    values: Grid = np.zeros((60, 60, 4), kind)
    values[..., 1] = most  # green, and nothing is seen of it
    values[20:40, 20:40] = (most, 0, 0, most)
    after = rotated(values, PixelBox(10, 10, 50, 50), 1500, has_alpha=True)
    seen = after[..., 3] > most // 50
    assert 350 < seen.sum() < 480
    assert (after[seen][:, 1] == 0).all()
    assert (after[seen][:, 0] >= most - 1).all()
    assert (after[after[..., 3] == 0][:, :3] == 0).all()


def test_a_horizon_whose_left_end_is_lower_is_level_by_a_positive_angle() -> None:
    x, y = np.meshgrid(np.arange(400), np.arange(300))
    below = y - 150 > -(x - 200) * math.tan(math.radians(2))
    values = np.where(below, 40, 220).astype(np.uint8)[..., None]
    after = rotated(values, PixelBox(60, 60, 340, 240), 200)[..., 0]
    horizon = (after > 130).sum(axis=0)
    assert horizon.max() - horizon.min() <= 1
