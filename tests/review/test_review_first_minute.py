"""The first minute of a review and its last: hints, the sheet, buttons, messages, the report."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from desktop import Browser
from PIL import Image

from cropkit.audit.tally import SessionRow, Tally
from cropkit.geometry import PixelBox, Size
from cropkit.review.keys.actions import NAMED
from cropkit.review.keys.keymap import preset
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.decided import Cut
from cropkit.review.model.messages import NOT_CROPPED, Message, Messages
from cropkit.review.runtime.next_folder import next_folder
from cropkit.review.runtime.pace import Pace
from cropkit.review.runtime.since import since
from cropkit.review.view.buttons import words
from cropkit.review.view.thumbs import crop_of
from cropkit.system import personal_state

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
_NOTHING = Tally()


@pytest.fixture(autouse=True)
def new_here() -> None:
    """Whoever begins has done nothing yet."""
    with personal_state.changing("hints") as document:
        document.clear()


def kept() -> dict[str, object]:
    return personal_state.read("hints")


# --- hints


def test_each_hint_is_gone_for_good_when_it_was_done_once(browser: Browser) -> None:
    assert "accepts this page" in browser.words
    assert "takes the last one back" not in browser.words, "nothing is decided yet"
    browser.key("Enter")
    browser.shown()
    assert "accepts this page" not in browser.words
    assert "takes the last one back" in browser.words
    browser.written()
    browser.key("z")
    browser.shown()
    assert "takes the last one back" not in browser.words
    browser.until(lambda: kept() == {"accept": True, "undo": True})


def test_no_hint_covers_a_line_that_is_typed(browser: Browser) -> None:
    assert "ck-hint" in browser.words
    browser.key("g")
    assert "ck-hint" not in browser.words
    browser.key("Escape")
    assert "ck-hint" in browser.words


def test_who_drags_a_box_is_not_told_to(browser: Browser) -> None:
    x, y = browser.review.screen_point(0, Grip.WHOLE)
    browser.mouse("down", (x, y))
    browser.mouse("move", (x + 30, y))
    browser.mouse("up", (x + 30, y))
    browser.until(lambda: kept() == {"drag": True})


def test_what_cannot_be_kept_is_told_and_the_review_goes_on(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    browser.key("F9", shift=True)
    browser.until(lambda: "not kept for the next review" in browser.words)
    assert "data-does='skip'" in browser.words


# --- the sheet, and the buttons


def test_what_is_typed_over_the_sheet_looks_for_keys(browser: Browser) -> None:
    browser.key("?")
    for letter in "lock":
        browser.strike(letter)
    assert "Keys with: <b>lock</b>" in browser.words
    assert "aspect: free, box" in browser.words
    assert "reject:" not in browser.words
    for letter in " zzz":
        browser.strike(letter)
    assert "No key has these words" in browser.words
    browser.strike("Backspace")
    browser.strike("Escape")
    assert "Type a word to find a key" in browser.words
    assert "reject:" in browser.words
    browser.key("?")
    assert "ck-sheet" not in browser.words
    assert browser.controller.session.edits == (), "no letter was a key"


def test_every_key_has_a_button_where_that_is_wanted_and_the_next_day_too(
    browser: Browser,
) -> None:
    assert "ck-strip" not in browser.words
    high = browser.controller.screen.layout.board.height
    browser.key("F9", shift=True)
    for binding in preset("default").bindings:
        if not binding.name.startswith(("choose-", "release")):
            assert f"data-does='{binding.name}'" in browser.words, binding.name
    assert browser.controller.screen.layout.board.height < high
    browser.until(lambda: kept().get("buttons") is True)
    browser.key("F9", shift=True)
    assert "ck-strip" not in browser.words


def test_a_button_says_what_its_action_is_called() -> None:
    assert words("accept-page") == "accept page"
    assert words("nudge-left-1") == "box ←"
    assert words("resize-down-10") == "edge ↓10"
    assert len({words(name) for name in NAMED}) == len(NAMED)


# --- messages


def test_problems_of_a_kind_are_one_line_and_acknowledged_together() -> None:
    messages = Messages()
    for number in range(3):
        messages = messages.with_problem(Message("refused", f"{number}.png", kind=NOT_CROPPED))
    messages = messages.with_problem(Message("the disk is full"))
    assert len(messages.front) == 3
    assert messages.acknowledged().problems == (Message("the disk is full"),)
    lone = Messages().with_problem(Message("a")).with_problem(Message("b"))
    assert lone.front == (Message("a"),), "what is of no kind stands for itself"


def test_several_suggestions_that_cannot_be_read_are_one_line_and_a_list(
    browser: Browser,
) -> None:
    guard = browser.controller.guard
    for number in range(3):
        guard.problem(f"{number}.decision: is not JSON", f"{number}.decision", "suggestion")
    assert "3 suggestions could not be read" in browser.words
    assert "is not JSON" not in browser.words
    browser.key("!")
    assert browser.words.count("is not JSON") == 3
    browser.key("a")
    assert browser.messages.problems == ()
    assert "is not JSON" not in browser.words


# --- the strip and the report


def test_the_strip_shows_the_crop_and_rings_what_the_last_press_decided(browser: Browser) -> None:
    browser.key("Enter")
    browser.shown()
    assert browser.words.count("ck-latest") == browser.words.count(" data-press='1'") == 3
    browser.key("1")
    browser.key(" ")
    assert browser.words.count("ck-latest") == browser.words.count(" data-press='2'") == 1
    assert "data-press='1'" not in browser.words
    assert browser.words.count("ck-small-crop") == 4


def test_a_small_crop_is_the_part_of_the_picture_that_is_kept() -> None:
    html = crop_of(b"", "a.png", Cut(PixelBox(50, 20, 150, 70), Size(200, 100)), 1.0)
    assert "width:200.00%;height:200.00%;left:-50.00%;top:-40.00%" in html
    assert "width:100%;aspect-ratio:100/50" in html


def test_the_report_is_there_at_any_time_and_any_move_closes_it(browser: Browser) -> None:
    browser.key("Enter")
    browser.shown()
    browser.written()
    browser.key("!")
    assert "So far:" in browser.words
    assert "Time spent in this sitting" in browser.words
    assert browser.words.count("<figure") == 3
    decided = browser.controller.session.decided
    browser.key("Enter")
    assert browser.controller.session.decided == decided
    assert "So far:" not in browser.words


def test_at_the_end_are_the_crops_and_that_it_is_done(browser: Browser, folder: Path) -> None:
    while not browser.controller.session.ended:
        browser.key("Enter")
        browser.shown()
        browser.written()
    assert "Everything is decided" in browser.words
    assert ", done" in browser.words
    assert " left</span>" not in browser.words, "no minutes are left"
    assert browser.words.count("<figure") == browser.controller.session.total
    with Image.open(next(folder.glob("*.png"))) as crop:
        assert crop.size


def test_what_is_left_to_decide_is_told_by_its_filter(browser: Browser) -> None:
    browser.key("!")
    left = browser.controller.session.total
    assert f"To decide: {left} unreviewed" in browser.words


def test_the_next_folder_is_the_one_after_this_that_has_images(tmp_path: Path) -> None:
    for name, file in {"day 2": "a.png", "day 9": "notes.txt", "day 10": "b.JPG"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
    (tmp_path / "day 3").symlink_to(tmp_path / "day 10")
    (tmp_path / ".day 4").mkdir()
    assert next_folder(tmp_path / "day 2") == tmp_path / "day 10"
    assert next_folder(tmp_path / "day 10") is None
    assert next_folder(tmp_path / "nowhere" / "day 2") is None


def test_a_pause_is_no_time_spent_on_images() -> None:
    now = [100.0]
    pace = Pace(lambda: now[0])
    assert pace.start()
    assert not pace.start()
    for seconds in (20, 3600, 10):
        now[0] += seconds
        pace.decided(3)
    assert pace.spent == 20 + 120 + 10
    assert pace.rate == pytest.approx(9 / 3630 * 3600)


# --- coming back


def row(
    reviewer: str, hours_ago: float, tally: Tally = _NOTHING, kind: str = "review"
) -> SessionRow:
    began = NOW - timedelta(hours=hours_ago + 1)
    ended = NOW - timedelta(hours=hours_ago)
    return SessionRow("s", kind, "host", reviewer, "1", began, ended_at=ended, tally=tally)


def test_who_comes_back_is_told_what_happened_since() -> None:
    mine = row("ann", 20, Tally(accepted=9))
    told = since(
        [mine, row("ben", 3, Tally(accepted=2)), row("ann", 2, Tally(cropped=7), "apply")],
        "ann",
        NOW,
    )
    assert "since then 2 decided, 7 written (by ben)" in told
    assert since([mine], "ann", NOW).endswith("nothing has changed")
    assert since([replace(mine, ended_at=NOW - timedelta(minutes=5))], "ann", NOW) == ""
    assert since([row("ben", 3)], "ann", NOW) == ""
