"""What the review does when the browser is silent, or when its own words fail."""

from collections.abc import Callable
from pathlib import Path

import pytest
from desktop import Browser

from cropkit.review import widget
from cropkit.review.view.view_model import View
from cropkit.system.files import Root

Started = Callable[..., Browser]


def turn_unseen(browser: Browser) -> int:
    """Turn the page; return the mark after which it is on the screen, and tell no one."""
    browser.key("PageDown")
    fence, pages = browser.controller.screen.canvases.fence, browser.controller.screen.page_display

    def drawn() -> bool:
        session = browser.controller.session
        whole = session.ready and all(pages._wanted(session)[1])
        return whole and pages._drawn == pages._wanted(session)

    browser.until(drawn, acknowledging=False)
    return int(fence._last)


def test_an_acknowledgement_that_got_lost_is_asked_for_again(browser: Browser) -> None:
    fence, last = browser.controller.screen.canvases.fence, turn_unseen(browser)
    drawn = len(browser.named("drawImage"))
    assert fence._last == last
    browser.loop.sleep(0.7)
    assert fence._last == last + 1, "nothing was asked"
    browser.acknowledge(last + 1)
    browser.loop.sleep(0.02)
    assert browser.controller.screen.acknowledged
    assert len(browser.named("drawImage")) <= drawn + 3  # the page ahead; it was not drawn anew
    assert browser.messages.note == ""


def test_a_browser_that_stays_silent_is_asked_less_and_less(browser: Browser) -> None:
    fence, last = browser.controller.screen.canvases.fence, turn_unseen(browser)
    asked = []
    for _ in range(45):
        browser.loop.sleep(0.1)
        asked.append(fence._last - last)
    assert asked[-1] == 3
    assert [asked.index(n) for n in (1, 2, 3)] == pytest.approx([5, 17, 41], abs=4)


def test_words_that_cannot_be_made_are_told_in_their_place_and_logged_once(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: View) -> str:
        raise ZeroDivisionError("<b>")

    before = browser.review.collection.counts().degraded
    monkeypatch.setitem(widget._BANDS, "foot", fails)
    for key in ("2", "3", "1"):
        browser.key(key)
    foot = browser.review._bands["foot"].value
    assert "role='alert'" in foot
    assert "ZeroDivisionError(&#x27;&lt;b&gt;&#x27;)" in foot
    assert browser.review.collection.counts().degraded == before + 1
    assert "chosen 1" in browser.status
    browser.key("Enter")
    browser.written()
    assert "written 3" in browser.status


def test_a_full_disk_is_told_and_what_was_decided_waits_for_the_next_review(
    browser: Browser, start: Started, folder: Path
) -> None:
    before = {p.name: p.read_bytes() for p in folder.glob("*.*") if p.is_file()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Root, "free_bytes", lambda _: 0)
        browser.key(" ")
        browser.key("Enter")
        browser.until(lambda: browser.review.idle)
        assert "waiting 3" in browser.status
        assert "written 0" in browser.status
        assert any("Make room on the disk" in one.text for one in browser.messages.problems)
        browser.loop.sleep(2)
        browser.key("z")
        browser.until(lambda: browser.review.idle and "waiting 1" in browser.status)
    assert {name: (folder / name).read_bytes() for name in before} == before
    browser.review.close()
    again = start()
    again.open()
    again.shown()
    again.written()
    assert "written 1" in again.status
