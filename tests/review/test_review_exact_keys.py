"""Keys whose repeats the browser tells: each press counts, and none that nobody made."""

from collections.abc import Callable
from typing import Any

import pytest
from desktop import Browser, ManualLoop, entries, standing

from cropkit.records import Status
from cropkit.review.model import Mark, Open
from cropkit.review.runtime.prefetch import Arrival

Started = Callable[..., Browser]


def test_a_held_enter_decides_one_page_whatever_the_pauses(
    browser: Browser, loop: ManualLoop
) -> None:
    browser.press("Enter")
    for pause in (0.9, 0.3, 1.2, *[0.03] * 20, 5.0):
        browser.shown()
        loop.sleep(pause)
        browser.press("Enter", repeat=True)
    loop.sleep(2)
    assert "page 2/2" in browser.status
    assert len(standing(browser)) == 3


@pytest.mark.parametrize("between", [0.0, 0.1, 0.2, 0.4])
def test_each_press_of_a_deciding_key_counts(
    browser: Browser, loop: ManualLoop, between: float
) -> None:
    for _ in range(3):
        browser.press(" ")
        loop.sleep(between)
    assert len(standing(browser)) == 3


@pytest.mark.parametrize("between", [0.0, 0.15, 0.5])
def test_each_press_of_undo_is_one_step_back(
    browser: Browser, loop: ManualLoop, between: float
) -> None:
    widths = []
    for _ in range(9):
        widths.append(entries(browser)[0].box)
        browser.press("ArrowLeft", ctrl=True)
    assert len(set(widths)) == 9
    for box in widths[::-1]:
        browser.press("z")
        loop.sleep(between)
        assert entries(browser)[0].box == box


def test_a_held_key_is_one_step_back(browser: Browser) -> None:
    before = entries(browser)[0].box
    browser.press("ArrowLeft", shift=True)
    for _ in range(5):
        browser.press("ArrowLeft", shift=True, repeat=True)
    assert entries(browser)[0].box != before
    browser.press("z", ctrl=True)
    assert entries(browser)[0].box == before


def test_an_arrow_that_moves_a_box_nobody_had_touched_says_what_it_did(browser: Browser) -> None:
    before = entries(browser)[0].box
    browser.press("ArrowRight")
    assert browser.messages.note == "Arrows move the box. Tab is the next image; Z takes it back"
    browser.press("ArrowRight")
    assert browser.messages.note == "", "whoever goes on means it"
    browser.press("z")
    browser.press("z")
    assert entries(browser)[0].box == before
    browser.press("ArrowRight", ctrl=True)
    assert browser.messages.note == ""


def test_undo_and_redo_have_the_keys_of_any_editor(browser: Browser) -> None:
    browser.press("x")
    for undo, redo in (
        ({"ctrl": True}, {"ctrl": True, "shift": True}),
        ({"meta": True}, {"meta": True, "shift": True}),
        ({}, {"ctrl": True, "shift": True}),
    ):
        browser.press("z", **undo)
        assert entries(browser)[0].mark is Mark.KEEP
        browser.press("Z" if "ctrl" in redo else "z", **redo)
        assert entries(browser)[0].mark is Mark.REJECT
    browser.press("z")
    browser.press("y", ctrl=True)
    assert entries(browser)[0].mark is Mark.REJECT


def test_one_enter_waits_for_the_page_that_is_being_drawn(browser: Browser) -> None:
    browser.press("Enter")
    assert not browser.controller.screen.acknowledged
    browser.press("Enter")
    assert "waits for the page" in browser.messages.note
    assert len(standing(browser)) == 3
    browser.press("Enter")
    assert "one Enter waits" in browser.messages.note
    browser.until(lambda: len(standing(browser)) == len(browser.controller.session.listing))
    assert browser.controller.session.ended


def test_an_enter_that_waits_is_dropped_where_another_page_comes(browser: Browser) -> None:
    browser.press("Enter")
    browser.press("Enter")
    browser.press("z")  # the first page comes back
    browser.until(lambda: "dropped" in browser.messages.note)
    browser.written()
    assert standing(browser) == {}


def test_no_enter_waits_for_a_page_that_has_just_been_loaded_again(browser: Browser) -> None:
    browser.press("Enter")
    browser.shown()
    browser.open()
    browser.press("Enter")
    assert "Not taken" in browser.messages.note
    browser.shown()
    assert len(standing(browser)) == 3
    browser.press("Enter")
    assert len(standing(browser)) > 3


def test_an_enter_that_waited_when_the_page_was_loaded_again_is_dropped(browser: Browser) -> None:
    browser.press("Enter")
    browser.press("Enter")
    browser.open()
    browser.until(lambda: "dropped" in browser.messages.note)
    assert len(standing(browser)) == 3


def test_undo_waits_for_no_page(browser: Browser) -> None:
    browser.press("Enter")
    browser.press("z")
    assert "Taken back" in browser.messages.note
    browser.written()
    browser.shown()
    assert standing(browser) == {}
    assert all(isinstance(entry, Open) for entry in entries(browser))


def test_a_decided_image_is_reopened_and_its_file_is_back(browser: Browser) -> None:
    first = entries(browser)[0]
    path = browser.review.collection.root / first.path
    before = path.read_bytes()
    browser.press("ArrowRight", ctrl=True, shift=True)
    browser.press("Enter")
    browser.shown()
    browser.written()
    assert path.read_bytes() != before
    browser.press("Backspace")
    browser.shown()
    browser.press("1")
    browser.press("u")
    assert first.path in browser.messages.note
    browser.written()
    browser.shown()
    assert path.read_bytes() == before
    assert isinstance(entries(browser)[0], Open)
    assert len(standing(browser)) == 2


def test_rejected_images_are_seen_where_they_are_and_reopened(browser: Browser) -> None:
    """A4, A5: an empty grey rectangle was all that one saw of them."""
    first = entries(browser)[0].path
    browser.press("x")
    assert "move it to .cropkit/rejected" in browser.words
    browser.press(" ")
    browser.written()
    assert standing(browser)[first] is Status.REJECTED
    while browser.controller.session.filter != "rejected":
        browser.press("i")
        browser.shown()
    assert "moved to .cropkit/rejected" in browser.words
    assert "ck-reject" in browser.words
    prefetch = browser.controller.prefetch
    browser.until(lambda: prefetch.get(first) is not None)
    assert isinstance(prefetch.get(first), Arrival)
    browser.press("u")
    browser.written()
    browser.shown()
    assert (browser.review.collection.root / first).is_file()


def test_the_end_says_where_rejected_images_are_and_offers_skipped_ones_again(
    browser: Browser,
) -> None:
    browser.press("x")
    browser.press("2")
    browser.press("s")
    assert "comes again at the end" in browser.words
    while not browser.controller.session.ended:
        browser.shown()
        browser.press("Enter")
        browser.written()
    assert "1 moved to .cropkit/rejected" in browser.words
    assert "1 skipped" in browser.words
    browser.press("n")
    browser.written()
    browser.shown()
    assert [type(each) for each in entries(browser)][1] is Open
    browser.press("Enter")
    browser.written()
    assert browser.controller.session.ended
    assert "skipped: " not in browser.words


def test_what_an_older_page_announced_does_not_count_for_the_newer_one(
    browser: Browser, loop: ManualLoop
) -> None:
    """A18: drawn on canvases that were not there, the page stayed empty for good."""
    screen = browser.controller.screen
    widget: Any = screen.live_drag_widget
    widget._handle_custom_msg({"present": True}, [])
    loop.sleep(20)
    browser.shown()
    every = [*browser.canvases, screen.canvases.sharp_buffer.canvas]
    assert {canvas.model_id for canvas in every} <= set(widget.canvases)
    for canvas in every:  # half of them by a page that is gone, half by the one that came
        canvas._handle_frontend_event(canvas, {"event": "client_ready"}, [])
    loop.sleep(5)
    assert browser.controller.screen.opening
    widget._handle_custom_msg({"present": True}, [])
    loop.run()
    loop.sleep(0.1)
    assert not screen.opening
    browser.shown()
