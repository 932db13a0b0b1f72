"""The figures of a report: what is drawn is where its numbers say, and has names at its axes."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropkit.monitor import figures

LEFT, TOP, RIGHT, BOTTOM = 34, 6, 248, 107
NUMBERS = st.floats(0, 1)
TIMES = st.lists(st.floats(0, 1e6), min_size=2, max_size=20).map(sorted)


def drawn(svg: str) -> tuple[list[str], list[str]]:
    """Return the filled or accented paths, and the words."""
    whole = ET.fromstring(svg)  # noqa: S314  (our own)
    paths = [each.attrib["d"] for each in whole.iter("path") if "accent" in each.attrib["style"]]
    return paths, [each.text or "" for each in whole.iter("text")]


def bars(svg: str) -> list[tuple[float, float, float]]:
    """Return the left and right edge, and the height, of each bar."""
    each = re.findall(r"M([\d.]+),107V([\d.]+)H([\d.]+)V107Z", drawn(svg)[0][0])
    return [(float(left), float(right), BOTTOM - float(top)) for left, top, right in each]


def test_each_value_is_in_the_bar_over_its_place() -> None:
    """Two values of a quarter, one of the end: of 24 bars the seventh and the last."""
    svg = figures.histogram([0.26, 0.26, 1.0], "IoU", (0.0, 1.0))
    width = (RIGHT - LEFT) / 24
    (left, right, tall), (_, end, half) = bars(svg)
    assert (left, right) == pytest.approx((LEFT + 6 * width, LEFT + 7 * width), abs=0.01)
    assert (end, tall, half) == pytest.approx((RIGHT, BOTTOM - TOP, (BOTTOM - TOP) / 2), abs=0.01)


@given(st.lists(NUMBERS, max_size=60))
def test_the_bars_are_as_tall_as_their_counts(values: list[float]) -> None:
    heights = [height for _, _, height in bars(figures.histogram(values, "share", (0.0, 1.0)))]
    tallest = max(
        (sum(n <= 24 * each < n + 1 or n == 23 < 24 * each for each in values) for n in range(24)),
        default=0,
    )
    assert sum(heights) * tallest == pytest.approx(len(values) * (BOTTOM - TOP), abs=1)


@given(TIMES)
def test_the_curve_comes_to_the_last_count_at_the_last_moment(seconds: list[float]) -> None:
    area, line = drawn(figures.curve(seconds, range(1, len(seconds) + 1)))[0]
    points = re.findall(r"H([\d.]+)V([\d.]+)", line)
    assert len(points) == len(seconds)
    assert all(float(a) <= float(b) for (a, _), (b, _) in pairwise(points))
    assert float(points[-1][1]) == TOP
    assert seconds[-1] - seconds[0] < 1 or float(points[-1][0]) == RIGHT
    assert area == f"{line}V{BOTTOM}H{LEFT}Z"


@pytest.mark.parametrize(
    ("bounds", "names"),
    [
        ((0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ((0.5, 2.0), ["0.5", "1", "1.5", "2"]),
        ((0.3, 2.0), ["0.5", "1", "1.5", "2"]),
        ((0.01, 60.0), ["20", "40", "60"]),
    ],
)
def test_an_axis_is_named_in_short_steps(bounds: tuple[float, float], names: list[str]) -> None:
    words = drawn(figures.histogram([1.0], "width / height", bounds))[1]
    assert words == [*names, "width / height", "0", "1", "images"]


def test_images_are_counted_in_whole_numbers() -> None:
    words = drawn(figures.curve([0, 1, 2], [1, 2, 3]))[1]
    assert words[-5:] == ["0", "1", "2", "3", "images done"]


@given(st.floats(1e-6, 1e9), st.floats(0, 1e6))
def test_an_axis_has_a_few_names_that_lie_on_it(span: float, low: float) -> None:
    svg = figures.histogram([], "x", (low, low + span))
    inside = re.findall(r'<path d="M([\d.]+),107v3"', svg)
    assert 1 <= len(inside) <= 6
    assert all(LEFT - 0.01 <= float(at) <= RIGHT + 0.01 for at in inside)


def test_it_takes_its_colours_from_the_page() -> None:
    svg = figures.histogram([0.5], "IoU", (0.0, 1.0)) + figures.curve([0, 1, 2], [1, 2, 3])
    assert set(re.findall(r"(?:fill|stroke):([^;\"]+)", svg)) == {"currentColor", "var(--accent)"}
    assert not re.search(r"#[0-9a-f]{3}|rgb|http|<script|<style", svg)
