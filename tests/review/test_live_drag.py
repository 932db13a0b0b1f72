"""The part of the review that runs in the browser, seen from the kernel."""

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desktop import Browser

from cropkit.geometry import Turn
from cropkit.review.canvas import live_drag
from cropkit.review.canvas.live_drag import LiveDrag
from cropkit.review.model import Move, Open, ReviewState, ToggleLock
from cropkit.review.model.foreseeing import Foreseen, foreseen
from cropkit.review.view.layout import PageLayout


def test_where_anywidget_is_missing_nothing_of_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "cropkit.review.canvas.live_drag_model", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    part = LiveDrag()
    part.show(PageLayout(), (), live=True)
    part.close()
    assert part.widget is None
    assert "cropkit.review.canvas.live_drag_model" not in sys.modules


def test_where_it_is_installed_the_browser_gets_script_and_scene() -> None:
    part = LiveDrag()
    part.show(PageLayout(), (None,), live=True)
    assert "export default" in part.widget._esm
    assert part.widget.scene["cells"] == [None]
    part.close()


def test_the_script_has_no_colour_and_no_size_of_its_own_for_what_the_kernel_paints() -> None:
    script = Path(live_drag.__file__).with_name("live_drag.js").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|\d+px", script)
    drawing = script[script.index("// --- what is drawn") : script.index("class Hand")]
    numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?", drawing))
    assert numbers <= {"0", "1", "2"}, "halves, and both sides of something"


# --- keys that are drawn before the kernel has answered


def scene(browser: Browser) -> dict[str, Any]:
    widget: Any = browser.controller.screen.live_drag_widget
    told: dict[str, Any] = widget.scene
    return told


def tell(browser: Browser, key: str, number: object, **held: bool) -> None:
    """Press a key as a page of the browser's part calls it, and wait until that was drawn."""
    facts = {"key": key, "repeat": False, "shift": False, "ctrl": False, "meta": False} | held
    widget: Any = browser.controller.screen.live_drag_widget
    widget._handle_custom_msg(facts | {"number": number}, [])
    browser.loop.sleep(0.2)


def test_the_browser_is_told_which_keys_move_the_chosen_box_and_which_were_taken(
    browser: Browser,
) -> None:
    tell(browser, "2", ["page", 6])
    tell(browser, "ArrowRight", ["page", 7], ctrl=True)
    assert scene(browser)["chosen"] == 1
    assert scene(browser)["heard"] == ["page", 7]
    rows = {tuple(row[:3]): row[3:] for row in scene(browser)["nudges"]}
    assert rows["ArrowRight", False, True] == [[1, 1], [1, 0]]
    assert rows["ArrowUp", True, False] == [[0, 0], [0, -10]]
    assert len(rows) == 16, "four ways, one pixel and ten, the box and its edges"


def test_where_keys_are_typed_or_move_several_boxes_none_is_drawn_beforehand(
    browser: Browser,
) -> None:
    tell(browser, "1", ["page", 1])
    assert scene(browser)["nudges"]
    for opens, closes in (("g", "Escape"), ("?", "Escape")):
        tell(browser, opens, ["page", 2])
        assert scene(browser)["nudges"] == []
        tell(browser, closes, ["page", 3])
        assert scene(browser)["nudges"] != []
    assert scene(browser)["chosen"] == 0
    tell(browser, "t", ["page", 4])
    assert browser.controller.session.picked
    assert scene(browser)["chosen"] is None


def outcomes(browser: Browser) -> dict[str, list[Any]]:
    return {row[0]: row[3] for row in scene(browser)["foreseen"]}


def test_the_browser_is_told_what_the_keys_of_the_ratio_would_come_to(browser: Browser) -> None:
    tell(browser, "2", ["page", 1])
    told = outcomes(browser)
    assert {"l", "o", "'", "f", "r", "c", "v"} <= told.keys()
    assert told["o"] == [], "no ratio is held that could be stood on end"
    assert told["r"] == [[]], "it is as it was suggested"
    for number, expected in enumerate(told["l"]):
        tell(browser, "l", ["page", number + 2])
        after = browser.controller.session.entries
        for position, box, ratio, free in expected:
            assert isinstance(after[position], Open)
            assert box == list(after[position].box.xyxy)
            assert ratio == after[position].ratio
            assert free is (scene(browser)["cells"][position] is not None)
    assert len(told["l"]) == 7, "once through all that a lock can hold"


def test_where_keys_are_typed_nothing_is_foreseen_of_them(browser: Browser) -> None:
    tell(browser, "1", ["page", 1])
    assert scene(browser)["foreseen"]
    tell(browser, "g", ["page", 2])
    assert scene(browser)["foreseen"] == []
    tell(browser, "Escape", ["page", 3])
    tell(browser, "t", ["page", 4])
    assert scene(browser)["foreseen"], "a ratio is for all that are selected"


@pytest.mark.parametrize("number", [None, 7, [], ["page"], [7, 7], ["page", True], ["p" * 21, 1]])
def test_what_is_no_name_of_a_key_is_not_told_back(browser: Browser, number: object) -> None:
    tell(browser, "ArrowRight", ["page", 7])
    tell(browser, "ArrowRight", number)
    assert scene(browser)["heard"] == []


def test_what_keys_come_to_is_worked_out_once_for_a_page_as_it_is(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def counted(session: ReviewState, move: Move) -> Foreseen:
        asked.append(move)
        return foreseen(session, move)

    tell(browser, "1", ["page", 1])
    monkeypatch.setattr(live_drag, "foreseen", counted)
    for number in range(2, 6):
        tell(browser, "a", ["page", number])
        browser.controller.screen.show()
    assert scene(browser)["foreseen"]
    assert asked == []
    tell(browser, "ArrowRight", ["page", 7])
    assert len(asked) == len(scene(browser)["foreseen"])


def test_of_an_image_that_is_straightened_nothing_is_foreseen(browser: Browser) -> None:
    part, session = LiveDrag(), browser.controller.session
    part.foreseen = [(["l", False, False], ToggleLock())]
    first, *others = session.entries
    assert isinstance(first, Open)
    turned = replace(session, entries=(replace(first, turn=Turn(1, 150)), *others))
    part.show(PageLayout(), (), session=turned, live=True)
    [[*_, outcomes, _]] = part.widget.scene["foreseen"]
    part.close()
    assert {position for after in outcomes for position, *_ in after} == {1, 2}
