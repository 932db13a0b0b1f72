"""Several suggestions for an image: they are seen with their numbers, and a digit takes one."""

from pathlib import Path

import pytest
from conftest import Started  # type: ignore[attr-defined]  # (several conftest.py)
from desktop import Browser, entries
from PIL import Image

from cropkit.errors import IllegalMove
from cropkit.geometry import PixelBox
from cropkit.records import Verdict
from cropkit.review.canvas.cells import cell_states
from cropkit.review.model import Mark, TakeCandidate, advance

BOXES = [[10, 12, 60, 70], [20, 22, 80, 78], [5, 6, 50, 48]]


def three(image: Image.Image) -> list[list[int]]:
    del image
    return BOXES


@pytest.fixture
def browser(start: Started, folder: Path) -> Browser:
    browser: Browser = start(folder, suggest=three)
    browser.open()
    browser.shown()
    return browser


def ghosts(browser: Browser, position: int = 0) -> list[tuple[str, list[int]]]:
    screen = browser.controller.screen
    shown = cell_states(browser.controller.session, screen.view_state, lambda _, cut: cut.box)
    return [(other.names, list(other.box.xyxy)) for other in shown[position].others]


def test_the_chosen_image_shows_its_other_suggestions_with_their_numbers(browser: Browser) -> None:
    assert ghosts(browser) == [("2", BOXES[1]), ("3", BOXES[2])]
    assert ghosts(browser, 1) == []
    assert {"2", "3"} <= {command[1][0] for command in browser.named("fillText")}
    browser.key("c")
    assert ghosts(browser) == [("1", BOXES[0]), ("3", BOXES[2])]
    browser.key("x")
    assert ghosts(browser) == []


def test_a_digit_takes_one_where_the_image_is_alone_and_chooses_an_image_on_a_page(
    browser: Browser,
) -> None:
    browser.key("3")
    assert browser.controller.session.chosen == 2
    browser.key("m")
    browser.shown()
    browser.key("3")
    (alone,) = entries(browser)
    assert (alone.box, alone.candidate) == (PixelBox(*BOXES[2]), 2)
    assert (alone.verdict, alone.mark) == (Verdict.ACCEPT, Mark.KEEP)
    browser.key("7")
    assert "no suggestion 7: there are 3" in browser.messages.note
    browser.key("z")
    assert entries(browser)[0].candidate == 0


def test_a_preset_whose_digits_reject_does_so_where_the_image_is_alone_too(
    start: Started, folder: Path
) -> None:
    browser = start(folder, suggest=three, keys="classic")
    browser.open()
    browser.shown()
    browser.key("F2")
    browser.shown()
    browser.key("1")
    assert entries(browser)[0].mark is Mark.REJECT


def test_there_is_no_suggestion_before_the_first(browser: Browser) -> None:
    for number in (-1, 3):
        with pytest.raises(IllegalMove):
            advance(browser.controller.session, TakeCandidate(number))
