"""The next page is drawn while a decision becomes durable, and nothing is taken before it is."""

import multiprocessing
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from deciding import decided
from desktop import Browser, ManualLoop, entries, standing
from faults import contents
from ipycanvas import canvas as ipycanvas
from patience import patient

from cropkit.collection import Collection
from cropkit.errors import AuditUnavailable
from cropkit.geometry import PixelBox
from cropkit.records import Decision, Status
from cropkit.review import Review, widget
from cropkit.review.controller import _NOT_MEANT as NOT_MEANT
from cropkit.review.model import Open
from cropkit.review.runtime.appliers import Workers, workers_in_kernel
from cropkit.review.runtime.recording import NOT_DURABLE
from cropkit.review.view.layout import ClickTarget
from cropkit.system.home import HOME

BOX = PixelBox(0, 0, 30, 30)
Started = Callable[..., Browser]


def recording_apart(collection: Collection, *, defer: bool) -> Workers:
    return workers_in_kernel(collection, defer=defer)._replace(apart=True)


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget, "workers_in_kernel", recording_apart)


class SlowDisk:
    """Lets no decision become durable before it is told to."""

    def __init__(self, browser: Browser) -> None:
        collection: Any = browser.review.collection
        self._decide, self._go, self.asked = collection.decide_as_seen, Event(), 0
        collection.decide_as_seen = self._wait

    def _wait(self, decisions: Sequence[Decision], seen: Sequence[str | None]) -> Any:
        self.asked += 1
        assert self._go.wait(patient(20))
        self._go.clear()
        return self._decide(decisions, seen)

    def go_on(self) -> None:
        self._go.set()


@pytest.fixture
def disk(browser: Browser) -> SlowDisk:
    browser.until(lambda: browser.controller.session.notes)
    browser.until(lambda: browser.review.idle)
    read_ahead(browser)
    return SlowDisk(browser)


def read_ahead(browser: Browser) -> None:
    """Wait until the browser has the pictures of the second page, which has two."""
    screen = browser.controller.screen
    ahead = screen.canvases.buffers[1 - screen.page_display._generation]
    browser.until(lambda: sum(each.holds is not None and not each.busy for each in ahead) == 2)


def pages_drawn(browser: Browser) -> int:
    return len(browser.named("drawImage"))


def on_page(browser: Browser, page: int) -> None:
    browser.until(lambda: browser.controller.session.page == page and browser.review.idle)


def test_the_next_page_is_drawn_before_the_decision_is_durable_and_nothing_says_it_is(
    browser: Browser, disk: SlowDisk
) -> None:
    before, words, drawn = browser.controller.session, browser.words, pages_drawn(browser)
    browser.press("Enter")
    assert pages_drawn(browser) > drawn
    browser.acknowledge()
    browser.loop.run()
    assert browser.controller.session is before
    assert (browser.words, standing(browser)) == (words, {})
    assert not browser.controller.screen.acknowledged
    assert not browser.review.idle
    disk.go_on()
    on_page(browser, 1)
    assert set(standing(browser).values()) == {Status.CROPPED}


def test_words_stand_back_behind_the_page_that_is_on_its_way(
    browser: Browser, disk: SlowDisk
) -> None:
    words = browser.words
    browser.press("Enter")
    disk.go_on()
    browser.until(lambda: browser.controller.session.page == 1, acknowledging=False)
    assert len(standing(browser)) == 3, "all of it is durable"
    assert browser.words == words, "the browser has its hands full with the pictures"
    browser.acknowledge()
    browser.loop.run()
    assert browser.words != words


def test_words_wait_no_longer_for_a_page_that_does_not_come(
    browser: Browser, disk: SlowDisk
) -> None:
    words = browser.words
    browser.press("Enter")
    disk.go_on()
    browser.until(lambda: browser.controller.session.page == 1, acknowledging=False)
    browser.loop.sleep(0.3)
    assert not browser.controller.screen.acknowledged
    assert browser.words != words


def test_nothing_is_taken_on_the_page_that_is_drawn_before_it_is_durable(
    browser: Browser, disk: SlowDisk
) -> None:
    browser.press("Enter")
    browser.acknowledge()
    for key in ("x", "ArrowRight", " ", "s", "l"):
        browser.press(key)
    browser.click(browser.review.screen_point(0, ClickTarget.CHIP))
    disk.go_on()
    on_page(browser, 1)
    assert disk.asked == 1
    assert all(isinstance(each, Open) and each.box == each.offered for each in entries(browser))
    assert browser.controller.session.lock == type(browser.controller.session.lock)()


def test_a_second_enter_waits_until_the_first_one_is_durable(
    browser: Browser, disk: SlowDisk
) -> None:
    browser.press("Enter")
    browser.acknowledge()
    browser.press("Enter")
    browser.acknowledge()
    browser.until(lambda: disk.asked)
    browser.loop.sleep(0.1)
    assert disk.asked == 1
    assert standing(browser) == {}
    disk.go_on()
    browser.until(lambda: disk.asked == 2)
    assert len(standing(browser)) == 3, "the first page, and nothing of the second one"
    disk.go_on()
    browser.until(lambda: len(standing(browser)) > 3)
    browser.written()


def test_what_is_taken_back_meanwhile_is_taken_back_when_it_is_durable(
    browser: Browser, disk: SlowDisk
) -> None:
    browser.press("Enter")
    browser.press("z")
    assert standing(browser) == {}
    disk.go_on()
    on_page(browser, 0)
    browser.until(lambda: standing(browser) == {})
    browser.shown()
    assert all(isinstance(each, Open) for each in entries(browser))


def test_what_was_pressed_after_a_page_that_comes_back_takes_nothing_older_back(
    browser: Browser, disk: SlowDisk, folder: Path
) -> None:
    browser.press("Enter")
    disk.go_on()
    on_page(browser, 1)
    before = standing(browser)
    with Collection(folder, reviewer="ben") as rival:
        theirs = {entry.path: decided(rival, entry.path, box=BOX) for entry in entries(browser)}
        browser.shown()
        browser.press("Enter")
        browser.press("z")
        disk.go_on()
        browser.until(lambda: all(path in browser.controller.session.settled for path in theirs))
        browser.loop.sleep(0.5)
        assert standing(browser) == before | dict.fromkeys(theirs, Status.WAITING)
    assert browser.messages.note == NOT_MEANT


def test_a_disk_that_takes_long_is_told(browser: Browser, disk: SlowDisk) -> None:
    browser.press("Enter")
    browser.loop.sleep(0.5)
    assert NOT_DURABLE in browser.words
    assert browser.controller.counts.decided == 0
    disk.go_on()
    on_page(browser, 1)
    assert NOT_DURABLE not in browser.words


def test_what_was_decided_is_durable_when_the_review_is_closed(
    browser: Browser, disk: SlowDisk, folder: Path
) -> None:
    browser.press("Enter")
    disk.go_on()
    browser.review.close()
    browser.review.collection.close()
    with Collection(folder) as later:
        assert len(later.trail.decisions.standing_by_path()) == 3


def came_back(browser: Browser, folder: Path, before: object) -> None:
    """Hold a review that could not record a page to showing that page, and to have stopped."""
    browser.until(lambda: "Stopped" in browser.words)
    browser.until(lambda: browser.controller.screen.acknowledged)
    assert browser.controller.session.page == 0
    assert all(isinstance(each, Open) for each in entries(browser))
    for key in ("Enter", " ", "z"):
        browser.press(key)
        browser.loop.sleep(0.1)
    assert contents(folder) == before


def test_where_another_program_holds_the_database_the_page_comes_back(
    browser: Browser, folder: Path
) -> None:
    before, database = contents(folder), browser.review.collection.trail.store
    database._connection.exec_driver_sql("PRAGMA busy_timeout=200")
    with closing(sqlite3.connect(folder / HOME / "cropkit.db")) as rival:
        rival.execute("BEGIN IMMEDIATE")
        browser.press("Enter")
        browser.press("Enter")
        came_back(browser, folder, before)
        rival.rollback()
    assert standing(browser) == {}


def test_where_the_database_cannot_be_written_to_the_page_comes_back(
    browser: Browser, folder: Path
) -> None:
    before, database = contents(folder), browser.review.collection.trail.store
    database._connection.exec_driver_sql("PRAGMA query_only=1")
    browser.press("Enter")
    came_back(browser, folder, before)
    assert standing(browser) == {}
    database._connection.exec_driver_sql("PRAGMA query_only=0")  # so that it can be closed


def test_an_enter_that_waits_for_a_page_that_comes_back_decides_nothing(
    browser: Browser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AuditUnavailable("collection", "disk full")

    before, decide = contents(folder), browser.review.collection.decide_as_seen
    monkeypatch.setattr(browser.review.collection, "decide_as_seen", refuse)
    browser.send_key(" ", ctrl=False)  # one image: the page stays the same
    browser.press("Enter")
    monkeypatch.setattr(browser.review.collection, "decide_as_seen", decide)
    came_back(browser, folder, before)
    assert standing(browser) == {}


def test_a_kernel_that_dies_while_the_next_page_is_drawn_has_decided_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(folder)

    def dying() -> None:
        loop = ManualLoop()
        browser = Browser(Review(folder, loop=loop, apart=False), loop)
        monkeypatch.setattr(ipycanvas._CANVAS_MANAGER, "send", browser.receive)
        browser.open()
        browser.shown()
        read_ahead(browser)
        drawn = pages_drawn(browser)
        collection: Any = browser.review.collection
        collection.decide_as_seen = lambda *_: os._exit(9 if pages_drawn(browser) > drawn else 8)
        browser.press("Enter")
        browser.until(lambda: False)

    child = multiprocessing.get_context("fork").Process(target=dying)
    child.start()
    child.join()
    assert child.exitcode == 9
    assert contents(folder) == before
    with Collection(folder) as later:
        assert later.trail.decisions.standing_by_path() == {}
        assert later.fsck() == []
