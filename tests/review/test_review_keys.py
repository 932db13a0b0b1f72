"""The table of keys, its printed forms, and the rhythm that tells a held key."""

import pytest

from cropkit.review import keys_markdown
from cropkit.review.keys import KEYS, Binding, Pace, grouped, look_up, shortened
from cropkit.review.rhythm import HELD_DELAY, Beat, Rhythm
from cropkit.session import DecidePage, Nudge, Resize, ToggleMark


@pytest.mark.parametrize("binding", KEYS, ids=lambda b: b.label)
def test_a_key_is_found_by_what_the_browser_sends(binding: Binding) -> None:
    found = look_up(binding.key, shift=binding.shift, ctrl=binding.ctrl, meta=False)
    assert found is binding


def test_arrows_nudge_by_one_and_ten_and_resize_with_ctrl() -> None:
    found = [
        look_up("ArrowLeft", shift=shift, ctrl=ctrl, meta=False)
        for ctrl in (False, True)
        for shift in (False, True)
    ]
    assert [row and row.does for row in found] == [
        Nudge(-1, 0),
        Nudge(-10, 0),
        Resize(-1, 0),
        Resize(-10, 0),
    ]


def test_every_key_and_every_text_is_in_the_markdown() -> None:
    text = keys_markdown()
    for group in grouped().values():
        for said, labels in group.items():
            assert said in text
            assert all(label in text for label in shortened(labels))
    assert text.count("\n") == 2 + sum(len(rows) for rows in grouped().values())


def test_only_harmless_keys_repeat_while_they_are_held() -> None:
    for row in KEYS:
        if isinstance(row.does, DecidePage | ToggleMark):
            assert row.pace is not Pace.FREE


def test_runs_of_digits_and_arrows_are_shortened() -> None:
    assert shortened(("1", "2", "3")) == ("1 … 3",)
    assert shortened(("Shift+←", "Shift+→", "Shift+↑", "Shift+↓")) == ("Shift+←→↑↓",)
    assert shortened(("Backspace", "PageUp")) == ("Backspace", "PageUp")


def test_a_repeat_of_a_held_key_is_dropped_and_another_key_is_not() -> None:
    rhythm, beat = Rhythm().heard("Enter", Pace.ONCE, 10.0)
    assert beat is Beat.TAKE
    held, beat = rhythm.heard("Enter", Pace.ONCE, 10.03)
    assert beat is Beat.DROP
    assert held.heard("Z", Pace.ONCE, 10.04)[1] is Beat.TAKE


def test_dropped_presses_count_so_that_a_held_key_stays_dropped() -> None:
    rhythm, now = Rhythm().heard("Enter", Pace.ONCE, 10.0)[0], 10.0
    for _ in range(30):
        now += 0.2
        rhythm, beat = rhythm.heard("Enter", Pace.ONCE, now)
        assert beat is Beat.DROP


def test_a_second_press_is_watched_while_it_may_be_a_first_repeat() -> None:
    rhythm, _ = Rhythm().heard("Enter", Pace.ONCE, 10.0)
    assert rhythm.heard("Enter", Pace.ONCE, 10.0 + HELD_DELAY * 0.6)[1] is Beat.WATCH
    assert rhythm.heard("Enter", Pace.ONCE, 10.0 + HELD_DELAY * 1.1)[1] is Beat.TAKE


def test_held_arrows_repeat() -> None:
    rhythm = Rhythm()
    for n in range(10):
        rhythm, beat = rhythm.heard("←", Pace.FREE, 10 + n * 0.01)
        assert beat is Beat.TAKE
