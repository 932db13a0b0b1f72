"""A label hides no handle and leaves no image; a verdict's word is whole in its chip."""

import re
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import sizes_with_boxes

from cropkit.geometry import PixelBox, Size
from cropkit.review.canvas.paint import _around, _dim, _readout
from cropkit.review.canvas.pen import Pen
from cropkit.review.canvas.snapshot import PillowCanvas
from cropkit.review.model.box_editing import HANDLES
from cropkit.review.view.captions import (
    _LETTER,
    _SHORTER,
    _TIGHT_LETTER,
    KEPT_WHOLE,
    LATER,
    OUTCOMES,
    STALE,
    VERDICTS,
    _chip_width,
    chip_words,
)
from cropkit.review.view.layout import CHIP, CHIP_SMALL, CHIP_WIDE, PageLayout
from cropkit.review.view.viewport import Rect, Viewport, grip_point

stages = st.builds(Rect, st.just(16.0), st.just(50.0), st.floats(40, 1400), st.floats(40, 900))
lines = st.sampled_from(
    [
        ("706 x 882 · 0.80",),
        ("706 x 882 · 0.80", "lossless: 709 x 893"),
        ("4096 x 2048 · 12 % cut · x4.10: 3096 px short",),
    ]
)


def label(stage: Rect, size: Size, box: PixelBox, words: tuple[str, ...]) -> Rect | None:
    return _readout(Pen(PillowCanvas(1, 1), 1), Viewport(stage, size), box, (words, "#fff"))


@given(stages, sizes_with_boxes(), lines)
def test_a_label_lies_on_no_handle_whatever_the_box_and_the_cell(
    stage: Rect, pair: tuple[Size, PixelBox], words: tuple[str, ...]
) -> None:
    size, box = pair
    place = label(stage, size, box, words)
    if place is None:
        return
    view = Viewport(stage, size)
    assert place.is_inside(stage.inset(-1e-6))
    for grip in HANDLES:
        assert not place.meets(_around(grip_point(view, box, grip)))


@given(
    st.builds(Rect, st.just(0.0), st.just(0.0), st.floats(230, 1400), st.floats(170, 900)),
    sizes_with_boxes(),
)
def test_a_cell_of_a_page_has_room_for_a_label(stage: Rect, pair: tuple[Size, PixelBox]) -> None:
    assert label(stage, *pair, ("706 x 882 · 0.80",)) is not None


class Recorded:
    """A canvas that keeps where rectangles are filled."""

    fill_style = ""

    def __init__(self) -> None:
        self.filled: list[tuple[float, ...]] = []

    def fill_rect(self, *rect: float) -> None:
        self.filled.append(rect)


@given(stages, sizes_with_boxes(), st.sampled_from((0.75, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)))
def test_what_is_dimmed_round_a_box_meets_between_two_rows_of_pixels(
    stage: Rect, pair: tuple[Size, PixelBox], scale: float
) -> None:
    """Else a bright line is seen from side to side of the picture, at most scales."""
    canvas, (size, box) = Recorded(), pair
    _dim(Pen(cast("Any", canvas), scale), Viewport(stage, size), box, "#000")
    above, below, left, right = canvas.filled
    for top, height in {(beside[1], beside[3]) for beside in (left, right)}:
        assert top == pytest.approx(round(top), abs=0.011)
        assert above[1] + above[3] == pytest.approx(top, abs=0.021)
        assert below[1] == pytest.approx(top + height, abs=0.021)


@pytest.mark.parametrize("side", [1, 2, 3])
def test_a_box_of_a_few_pixels_is_labelled_beside_it(side: int) -> None:
    box = PixelBox.from_xywh(150, 100, side, side)
    place = label(Rect(0, 0, 600, 400), Size(600, 400), box, ("706 x 882 · 0.80",))
    assert place is not None
    assert not place.holds(150, 100)


_WORDS = sorted(
    {word for _, _, word in (*VERDICTS.values(), *OUTCOMES.values(), KEPT_WHOLE, STALE, LATER)}
    | {"no crop", "restoring", "loading"}
)


@pytest.mark.parametrize("word", _WORDS)
@pytest.mark.parametrize("room", [CHIP_SMALL, CHIP, CHIP_WIDE])
def test_a_verdict_has_room_in_its_chip_as_a_whole_word(word: str, room: int) -> None:
    layout = PageLayout(9, tight=room == CHIP_SMALL)
    size = _TIGHT_LETTER if layout.tight else _LETTER
    sign, shown = re.findall(">([^<]+)<", chip_words(word, ("⚠ ✓", "⚠"), room, layout))
    assert _chip_width(sign, shown, size) <= room
    assert shown == word or shown == _SHORTER[word]
    if room == CHIP_WIDE:
        assert shown == word
