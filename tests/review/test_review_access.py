"""WCAG 2.2 AA, criterion by criterion: what can be told without a browser.

Contrast, focus and target sizes as a browser shows them are in `tests/browser/test_access.py`.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from desktop import Browser

from cropkit.review.canvas.paint import DARK, LIGHT
from cropkit.review.keys.keymap import PRESETS, preset
from cropkit.review.model import Done
from cropkit.review.view.bands import header
from cropkit.review.view.captions import LATER, OUTCOMES, STALE, VERDICTS

Started = Callable[..., Browser]


def luminance(red: float, green: float, blue: float) -> float:
    """Relative luminance of sRGB, as WCAG 2.2 defines it."""
    linear = [
        value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4
        for value in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def hex_luminance(colour: str) -> float:
    return luminance(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


def test_1_4_1_verdicts_and_outcomes_differ_by_sign_and_word_not_by_colour_alone() -> None:
    said = [*VERDICTS.values(), *OUTCOMES.values(), STALE, LATER]
    words = [word for _, _, word in said]
    assert len(set(words)) == len(words)
    signs = {word: sign for _, sign, word in said}
    different = (
        "accept",
        "adjusted",
        "reject",
        "skip",
        "waiting",
        "cropped",
        "changed",
        "failed",
        "look",
    )
    assert len({signs[word] for word in different}) == len(different)


def test_1_4_11_lines_and_handles_stand_out_from_any_pixel() -> None:
    light, dark = hex_luminance(LIGHT), hex_luminance(DARK)
    for grey in range(256):
        pixel = luminance(grey, grey, grey)
        assert max(contrast(pixel, light), contrast(pixel, dark)) >= 3
    assert contrast(light, dark) >= 3


@pytest.mark.parametrize("name", PRESETS)
def test_2_1_1_a_whole_review_is_done_with_the_keyboard_alone(start: Started, name: str) -> None:
    """Choose, change, reject, accept, undo, redo, type, look back, to the end; no mouse event."""
    browser = start(keys=name)
    browser.open()
    browser.shown()
    keys = preset(name)

    def does(*actions: str) -> None:
        for action in actions:
            row = next(row for row in keys.bindings if row.name == action)
            browser.key(row.key, shift=row.shift, ctrl=row.ctrl)
            browser.written()
            browser.shown()

    does("next-image", "nudge-left-1", "resize-up-1", "lock", "reset", "full", "accept-one")
    does("undo", "redo", "reject", "accept-page", "previous-page", "next-unreviewed", "exact")
    for typed in "40x30":
        browser.strike(typed)
    browser.strike("Enter")
    does("accept-page")
    assert "end" in browser.status
    assert all(isinstance(entry, Done) for entry in browser.controller.session.entries)
    assert browser.messages.kind == "none"


def test_2_1_2_a_key_gives_the_keyboard_back_in_every_state(browser: Browser) -> None:
    released: list[bool] = []
    browser.controller.screen.canvases.canvas.blur = lambda: released.append(True)
    for state in ("", "?", "e", "g"):
        if state:
            browser.key(state)
            browser.key("Escape")
            assert released == [], "Esc first closes what is open"
        browser.key("Escape")
        assert released.pop()


def test_2_1_2_whoever_gave_the_keyboard_back_at_once_is_not_brought_back(browser: Browser) -> None:
    """A page that has come takes the keys, and once more a second later."""
    focused: list[bool] = []
    browser.loop.sleep(1.5)
    browser.controller.screen.canvases.canvas.focus = lambda: focused.append(True)
    for key, times in (("ArrowRight", 2), ("Escape", 1)):
        browser.controller.screen.start_over()
        browser.controller.screen.take_focus()
        browser.strike(key)
        browser.loop.sleep(1.5)
        assert len(focused) == times
        focused.clear()


def test_4_1_3_notes_and_problems_are_status_messages(browser: Browser) -> None:
    browser.controller.guard.note("in passing")
    assert "role='status'>in passing" in browser.words
    browser.controller.guard.problem("went wrong", "a.png")
    assert "<div role='alert'" in browser.words
    browser.controller.guard.stop(RuntimeError("no trail"))
    assert "<div role='alert' class='ck-whole'><span>■ Stopped" in browser.words


def test_each_kind_of_trouble_is_counted_in_the_header_and_short_on_a_narrow_page(
    browser: Browser,
) -> None:
    view = browser.review._view()
    words = header(replace(view, counts=replace(view.counts, failed=2, stale=3)))
    assert "ck-bad'>failed <b>2</b>" in words
    assert "ck-bad'>changed<span class='ck-more'> since shown</span> <b>3</b>" in words
    assert "not shown" not in words, "there is none"
