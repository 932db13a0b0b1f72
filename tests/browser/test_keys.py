"""No key pressed in the review edits the notebook, and a restarted kernel finds its place again.

The keys are those that the running JupyterLab says it has, and the review is of the demo.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from browser.reviewing import Desk, Probe, Running, desk
from playwright.sync_api import Browser, expect

from cropkit.review.model import Filter

MODIFIERS = {"Ctrl": "Control", "Accel": "Control"}
RESTART_SECONDS = 60_000
IS_THE_REVIEWS = "document.activeElement.closest('.cropkit-canvas') !== null"
IS_KEPT = "(lambda r: r._wanted in (None, r._kept))(review._controller._remembering)"
UNDOABLE = "len(review._controller.store.undo_stack()) + len(review._controller.session.edits)"
FILTERED = " only · "  # what the header says of a filter


@pytest.fixture
def page(demo: Running, browser: Browser) -> Iterator[Desk]:
    with desk(browser, demo.url) as found:
        yield found
        assert not found.errors


def command_mode_keys(page: Desk) -> list[list[str]]:
    """Key sequences that act on a notebook in command mode, in Playwright's names."""
    bindings: list[dict[str, Any]] = page.page.evaluate(
        "() => window.jupyterapp.commands.keyBindings"
        ".map(binding => ({keys: [...binding.keys], selector: binding.selector}))"
    )
    sequences = {
        tuple(map(playwright_name, binding["keys"]))
        for binding in bindings
        if acts_on_a_notebook(binding["selector"])
    }
    return [list(sequence) for sequence in sorted(sequences)]


def acts_on_a_notebook(selector: str) -> bool:
    editing = "editMode" in selector or "completer" in selector or "tooltip" in selector
    return not editing and (".jp-Notebook" in selector or "[data-jp-" in selector)


def playwright_name(stroke: str) -> str:
    *modifiers, key = stroke.split(" ")
    key = key.lower() if len(key) == 1 else key
    return "+".join([*(MODIFIERS.get(each, each) for each in modifiers), key])


def places(page: Desk) -> list[tuple[float, float]]:
    """The middle of everything that the review shows, in the window."""
    found: list[list[float]] = page.page.evaluate(
        """() => {
            const review = document.querySelector('.cropkit-review');
            const points = new Map();
            for (const element of [review, ...review.querySelectorAll('*')]) {
                const {x, y, width, height} = element.getBoundingClientRect();
                const [cx, cy] = [x + width / 2, y + height / 2];
                const seen = width > 4 && height > 4 && cy < innerHeight - 30;
                if (seen) points.set(`${cx | 0},${cy | 0}`, [cx, cy]);
            }
            return [...points.values()];
        }"""
    )
    return [(x, y) for x, y in found]


def keyboard_is_the_reviews(page: Desk) -> bool:
    found: bool = page.page.evaluate(f"() => {IS_THE_REVIEWS}")
    return found


def fills_the_window(page: Desk) -> bool:
    fills: bool = page.page.evaluate(
        "() => document.querySelector('.cropkit-review').classList.contains('ck-filling')"
    )
    return fills


def element_at(page: Desk, x: float, y: float) -> str:
    found: str = page.page.evaluate(
        """([x, y]) => {
            const found = document.elementFromPoint(x, y);
            return `${found.tagName} ${found.className}`;
        }""",
        [x, y],
    )
    return found


def test_lab_has_the_keys_that_destroy_a_cell(page: Desk) -> None:
    keys = command_mode_keys(page)
    assert len(keys) > 40
    for dangerous in (["x"], ["d", "d"], ["m"], ["Shift+m"], ["0", "0"], ["Control+Backspace"]):
        assert dangerous in keys


def test_no_command_mode_key_edits_the_notebook_after_any_click(page: Desk) -> None:
    cells, keys = page.cells(), command_mode_keys(page)
    assert keyboard_is_the_reviews(page), "before any click"
    tried: set[str] = set()
    clicked = places(page)
    assert len(clicked) > 10
    for x, y in clicked:
        hit = element_at(page, x, y)
        page.page.mouse.click(x, y)
        page.page.wait_for_function(f"() => {IS_THE_REVIEWS}")
        if not fills_the_window(page):  # its button was hit: everything has another place now
            page.press("F9")
            page.page.wait_for_function("() => document.querySelector('.ck-filling')")
        if hit not in tried:
            tried.add(hit)
            press_all(page, keys)
            assert page.cells() == cells, hit
    alive(page)


def see_the_notebook(page: Desk) -> None:
    if fills_the_window(page):
        page.press("F9")
        page.page.wait_for_function("() => !document.querySelector('.ck-filling')")


def press_all(page: Desk, keys: list[list[str]]) -> None:
    for sequence in keys:
        page.press(*sequence)
    page.settled()
    assert page.page.locator(".jp-Dialog").count() == 0
    assert keyboard_is_the_reviews(page)


def alive(page: Desk) -> None:
    """Hold the review to answering a key."""
    page.settled()
    page.page.wait_for_timeout(200)
    before = page.text()
    page.press("?")
    page.page.wait_for_function(
        "before => document.querySelector('.cropkit-review').innerText !== before", arg=before
    )
    page.press("Escape")


def test_keys_that_do_reach_the_notebook_remove_and_change_no_cell(page: Desk) -> None:
    """After Esc, or a click beside the review, the keyboard is JupyterLab's: cells are locked."""
    cells = page.cells()
    see_the_notebook(page)
    page.press("Escape")
    page.page.wait_for_function("() => !document.activeElement.closest('.cropkit-canvas')")
    page.page.locator(".jp-MarkdownCell").first.click()
    for key in ("x", "d", "d", "m", "r", "y", "Shift+m", "Control+Backspace"):
        page.press(key)
        page.page.wait_for_timeout(50)
        dialog = page.page.locator(".jp-Dialog")
        if dialog.count():
            page.press("Escape")
            dialog.wait_for(state="detached")
    assert page.cells() == cells


def test_who_leaves_the_review_at_once_is_not_brought_back(page: Desk) -> None:
    """A page, and a notebook that comes back, give the review the keys once more a moment later."""
    see_the_notebook(page)
    page.press("F9")
    page.page.wait_for_function("() => document.querySelector('.ck-filling')")
    page.press("F9", "Escape")
    page.page.wait_for_function(f"() => !({IS_THE_REVIEWS})")
    page.page.wait_for_timeout(1500)
    assert not keyboard_is_the_reviews(page)


def test_after_a_kernel_restart_the_review_is_at_the_same_image_with_the_same_undo_stack(
    page: Desk, demo: Running
) -> None:
    page.page.wait_for_timeout(500)
    see_pages(page)
    take_all_back(page, demo)
    see_the_notebook(page)
    before = page.status()
    assert before is not None
    page.press("Enter")
    page.wait(lambda s: s.page != before.page and s.shown == "shown", "the next page is shown")
    at = page.until_idle()
    with demo.probe() as probe:
        paths = probe.paths()
        until_remembered(page, probe, paths)
        undo = probe.value("[one.path for one in review._controller.store.undo_stack()]")
    assert len(undo) >= 3
    restart_and_run_all(page)
    again = page.until_replayed().status()
    assert again is not None
    assert (again.page, again.chosen) == (at.page, at.chosen)
    assert again.written == at.written
    with demo.probe() as probe:
        assert probe.paths() == paths
        assert probe.value("[one.path for one in review._controller.store.undo_stack()]") == undo
    assert keyboard_is_the_reviews(page)
    page.press("z")
    page.wait(lambda s: s.written == at.written - 1, "the file is restored")


def take_all_back(page: Desk, demo: Running) -> None:
    """Take back what other tests have pressed: who is rejected is not listed after a restart.

    All images behind one would have another place then.
    """
    with demo.probe() as probe:
        for _ in range(100):
            page.until_shown()  # a key that comes before is dropped
            if not probe.value(UNDOABLE):
                return
            page.press("z")
            page.settled()
            page.until_idle()
    pytest.fail("not all is taken back")


def until_remembered(page: Desk, probe: Probe, paths: list[str]) -> None:
    """Wait until the page's place is kept, and how it is looked at: threads do that meanwhile."""
    for _ in range(100):
        place = probe.value("review.collection.trail.place(review.collection.reviewer)")
        if place in paths and probe.value(IS_KEPT):
            return
        page.page.wait_for_timeout(100)
    pytest.fail("neither the place nor how it is looked at is remembered")


def see_pages(page: Desk) -> None:
    """Leave the single view, the grid or the filter that another test may have left the review in.

    That test presses `I` as often as there are different things to click: any filter may be left.
    """
    shown = page.page.locator(".cropkit-status")
    page.until_shown()  # a key that comes before is dropped
    for _ in Filter:
        if FILTERED not in page.text():
            break
        page.press("i")
        page.settled()
        page.until_shown()
    assert FILTERED not in page.text()
    for arrangement, key in (("single", "m"), ("grid", "q")):
        if f"seen as {arrangement}" in (shown.text_content() or ""):
            page.press(key)
    expect(shown).to_contain_text("seen as page")
    page.until_shown()


def restart_and_run_all(page: Desk) -> None:
    old = page.page.locator(".cropkit-status").element_handle()
    page.page.locator("[data-command='notebook:restart-run-all']").first.click()
    page.page.locator(".jp-Dialog button.jp-mod-accept").click()
    page.page.wait_for_function("old => !old.isConnected", arg=old, timeout=RESTART_SECONDS)
