"""The keys of a review: pressed, held and typed as a browser tells of them."""

from collections.abc import Callable
from html import escape

import pytest
from desktop import Browser, ManualLoop, entries, standing

from cropkit.geometry import Size
from cropkit.review.keys.actions import Command
from cropkit.review.keys.keymap import Binding, preset, shortened
from cropkit.review.model import Mark
from cropkit.review.model.box_editing import Grip
from cropkit.review.view.layout import ClickTarget
from cropkit.review.view.viewport import Zoom

Started = Callable[..., Browser]
DEFAULT = preset("default")
KEYS, grouped = DEFAULT.bindings, DEFAULT.grouped
ON_VIEW = set(Command) - {Command.RELEASE}


def label(binding: Binding) -> str:
    return binding.label


@pytest.mark.parametrize("binding", [b for b in KEYS if b.does not in ON_VIEW], ids=label)
def test_every_key_of_the_table_reaches_the_review(
    same_browser: Browser, binding: Binding, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[object] = []
    controller = same_browser.controller
    monkeypatch.setattr(controller, "take", lambda move, **_: taken.append(move))
    canvas = controller.screen.canvases.canvas
    monkeypatch.setattr(canvas, "blur", lambda: taken.append(Command.RELEASE), raising=False)
    same_browser.key(binding.key, shift=binding.shift, ctrl=binding.ctrl)
    assert taken == [binding.does]


@pytest.mark.parametrize("binding", [b for b in KEYS if b.does in ON_VIEW], ids=label)
def test_every_key_of_the_view_changes_it(browser: Browser, binding: Binding) -> None:
    if binding.does is Command.ACKNOWLEDGE:
        browser.controller.guard.problem("something", "a.png")
    view_state, path = browser.controller.screen.view_state, entries(browser)[0].path
    view_state.zoom_to(path, Zoom(1.5))

    def seen() -> tuple[object, ...]:
        view = view_state.view(0, path, Size(90, 90))
        return browser.words, view, view_state.loupe_stays

    before = seen()
    browser.key(binding.key, shift=binding.shift, ctrl=binding.ctrl)
    assert seen() != before


@pytest.mark.parametrize("modifier", ["ctrl", "meta"])
def test_letters_with_ctrl_or_the_command_key_are_not_taken(
    browser: Browser, modifier: str
) -> None:
    for key in ("x", "s", "r", "f", "l", "Enter", "Backspace"):
        before = browser.controller.session
        browser.key(key, **{modifier: True})
        assert browser.controller.session == before


def test_caps_lock_does_no_harm(browser: Browser) -> None:
    browser.key("X", shift=True)
    assert entries(browser)[0].mark is Mark.REJECT


@pytest.mark.parametrize(("delay", "every"), [(0.25, 0.015), (0.5, 0.033), (0.7, 0.1)])
def test_a_held_enter_submits_once(
    browser: Browser, loop: ManualLoop, delay: float, every: float
) -> None:
    browser.strike("Enter")
    loop.sleep(delay)
    for _ in range(40):
        browser.shown()
        browser.strike("Enter")
        loop.sleep(every)
    loop.sleep(1)
    assert "page 2/2" in browser.status
    assert len(standing(browser)) == 3


def test_a_second_enter_soon_after_the_first_is_taken_a_moment_later(browser: Browser) -> None:
    browser.strike("Enter")
    browser.shown()
    browser.loop.sleep(0.6)
    browser.strike("Enter")
    browser.loop.sleep(0.3)
    assert "end" in browser.status


def test_a_burst_of_enters_from_a_busy_kernel_is_one(browser: Browser) -> None:
    for _ in range(4):
        browser.strike("Enter")
    assert len(standing(browser)) == 3


def test_a_key_before_the_page_is_acknowledged_is_not_taken(start: Started) -> None:
    browser = start()
    browser.open()
    browser.until(
        lambda: browser.controller.session.ready and browser.controller.screen.page_display._drawn,
        acknowledging=False,
    )
    browser.key("Enter")
    assert standing(browser) == {}
    assert "Not taken" in browser.messages.note
    browser.shown()
    browser.key("Enter")
    assert len(standing(browser)) == 3


def test_pictures_of_decided_images_that_come_late_keep_no_key_waiting(
    browser: Browser,
) -> None:
    browser.key("2")
    browser.key(" ")
    browser.written()
    browser.key("PageDown")
    browser.shown()
    browser.key("PageUp")
    browser.shown()
    browser.controller.prefetch.forget(entries(browser)[1].path)
    browser.controller.follow()
    assert browser.controller.screen.acknowledged
    browser.key("x")
    assert entries(browser)[0].mark is Mark.REJECT


def test_after_a_reload_nothing_is_taken_until_the_new_page_has_drawn(browser: Browser) -> None:
    browser.key("ArrowRight")
    box = entries(browser)[0].box
    drawn = len(browser.drawn)
    browser.controller.screen._client_came()
    browser.key("Enter")
    assert standing(browser) == {}
    browser.shown()
    assert len(browser.drawn) > drawn + 6
    assert entries(browser)[0].box == box
    browser.key("Enter")
    assert len(standing(browser)) == 3


def test_a_drag_ends_with_a_reload(browser: Browser) -> None:
    browser.mouse("down", browser.review.screen_point(0, Grip.WHOLE))
    browser.open()
    before = entries(browser)[0].box
    browser.mouse("move", (500.0, 500.0))
    assert entries(browser)[0].box == before


def test_the_sheet_shows_every_key_of_the_table_and_any_key_closes_it(browser: Browser) -> None:
    browser.key("?")
    for group in grouped().values():
        for said, labels in group.items():
            assert escape(said) in browser.words
            assert all(escape(label) in browser.words for label in shortened(labels))
    browser.key("Enter")
    assert standing(browser) == {}
    assert "ck-sheet" not in browser.words


def test_a_click_on_the_hints_shows_the_sheet(browser: Browser) -> None:
    browser.mouse("down", browser.review.screen_point(0, ClickTarget.HELP))
    assert "ck-sheet" in browser.words


def test_exact_numbers_are_typed_into_the_box(browser: Browser) -> None:
    browser.key("e")
    for key in ("4", "0", "x", "3", "1", "Backspace", "0"):
        browser.strike(key)
    assert "40x30" in browser.words
    assert entries(browser)[0].mark is Mark.KEEP
    browser.strike("Enter")
    assert (entries(browser)[0].box.size.width, entries(browser)[0].box.size.height) == (40, 30)
    assert standing(browser) == {}
    assert "ck-typed" not in browser.words


def test_the_enter_that_ends_typing_accepts_nothing_even_when_it_is_held(
    browser: Browser,
) -> None:
    browser.key("g")
    browser.strike("2")
    for _ in range(30):
        browser.strike("Enter")
        browser.loop.sleep(0.033)
    assert standing(browser) == {}
    assert "chosen 2" in browser.status


def test_what_was_typed_and_makes_no_sense_is_said_and_changes_nothing(browser: Browser) -> None:
    before = browser.controller.session
    browser.key("e")
    browser.strike("+")
    browser.strike("Enter")
    assert "type 800 x 600" in browser.words
    browser.key("g")
    for key in "nowhere":
        browser.strike(key)
    browser.strike("Enter")
    assert "no image is called" in browser.words
    assert browser.controller.session == before


def test_escape_and_a_click_leave_the_typing(browser: Browser) -> None:
    for leave in ("Escape", "click"):
        browser.key("e")
        browser.strike("x")
        assert "ck-typed" in browser.words
        if leave == "click":
            browser.mouse("down", browser.review.screen_point(0, ClickTarget.STAGE))
        else:
            browser.strike(leave)
        assert "ck-typed" not in browser.words
        assert entries(browser)[0].mark is Mark.KEEP


def test_other_keys_are_used_when_another_preset_is_asked_for(start: Started) -> None:
    browser = start(keys="classic")
    browser.open()
    browser.shown()
    browser.key("2")
    assert entries(browser)[1].mark is Mark.REJECT
    assert "<span class='ck-key'>Delete</span> reject" in browser.words
