"""What others decide, carry out and take back is seen in an open review, within a second."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from deciding import decided
from desktop import Browser, entries, standing

from cropkit.collection import Collection
from cropkit.geometry import PixelBox
from cropkit.records import Status
from cropkit.review.model import Done, Open

Started = Callable[..., Browser]
BOX = PixelBox(0, 0, 30, 30)


@pytest.fixture
def rival(folder: Path) -> Iterator[Collection]:
    with Collection(folder, reviewer="ben") as kit:
        yield kit


def heard(browser: Browser, what: Callable[[], object]) -> None:
    """Let a second pass, and what is read in it arrive."""
    browser.loop.sleep(1)
    browser.until(what)


def test_what_somebody_else_decides_is_shown_and_not_offered_for_a_second_crop(
    browser: Browser, folder: Path, rival: Collection
) -> None:
    name, *others = (entry.path for entry in entries(browser))
    wanted = decided(rival, name, box=BOX)
    heard(browser, lambda: isinstance(entries(browser)[0], Done))
    assert entries(browser)[0].settled.status is Status.WAITING
    assert f"{name}: ben has decided it meanwhile" in browser.messages.note
    assert rival.apply(wanted).ok
    heard(browser, lambda: entries(browser)[0].settled.status is Status.CROPPED)
    crop = (folder / name).read_bytes()
    assert "written 1" in browser.status
    browser.key("Enter")
    browser.written()
    assert standing(browser) == dict.fromkeys((name, *others), Status.CROPPED)
    assert (folder / name).read_bytes() == crop
    assert browser.messages.problems == ()
    browser.key("z")
    browser.written()
    assert (folder / name).read_bytes() == crop, "it is theirs to take back"


def test_who_was_sooner_is_named_and_the_image_is_not_offered_again(
    browser: Browser, folder: Path, rival: Collection
) -> None:
    name = entries(browser)[0].path
    assert rival.apply(decided(rival, name, box=BOX)).ok
    crop = (folder / name).read_bytes()
    browser.strike(" ")  # before anything can have been heard
    browser.written()
    (problem,) = browser.messages.problems
    assert problem.text == f"{name}: ben has cropped it meanwhile, and nothing more was done"
    browser.until(lambda: isinstance(entries(browser)[0], Done))
    assert entries(browser)[0].settled.status is Status.CROPPED
    assert (folder / name).read_bytes() == crop


def test_what_somebody_else_takes_back_is_to_be_decided_again(
    browser: Browser, folder: Path, rival: Collection
) -> None:
    name = entries(browser)[0].path
    before = (folder / name).read_bytes()
    while not browser.controller.session.ended:
        browser.key("Enter")
        browser.written()
        if not browser.controller.session.ended:
            browser.shown()
    count = browser.controller.session.decided
    assert "Everything is decided" in browser.words
    rival.undo(name)
    assert (folder / name).read_bytes() == before
    heard(browser, lambda: browser.controller.session.decided == count - 1)
    assert f"written {count - 1}" in browser.status
    assert "Everything is decided" not in browser.words
    browser.key("Enter")
    browser.shown()
    assert name in [entry.path for entry in entries(browser) if isinstance(entry, Open)]


def test_a_decision_of_somebody_else_that_is_withdrawn_is_open_again(
    browser: Browser, rival: Collection
) -> None:
    name = entries(browser)[1].path
    wanted = decided(rival, name)
    heard(browser, lambda: isinstance(entries(browser)[1], Done))
    assert rival.undoer.retract(wanted).ok
    heard(browser, lambda: isinstance(entries(browser)[1], Open))
    assert f"{name}: its decision was taken back elsewhere" in browser.messages.note


def test_what_this_review_does_is_no_news(browser: Browser) -> None:
    browser.key(" ")
    browser.written()
    heard(browser, lambda: browser.review.idle)
    browser.key("z")
    browser.written()
    heard(browser, lambda: browser.review.idle)
    assert "meanwhile" not in browser.words
    assert "elsewhere" not in browser.words
    assert isinstance(entries(browser)[0], Open)


def test_nobody_is_asked_after_the_end(browser: Browser) -> None:
    last = browser.controller.store.changed_elsewhere()
    browser.review.close()
    asked: list[object] = []
    browser.controller.store.changed_elsewhere = lambda: asked.append(1) or last  # type: ignore[method-assign,func-returns-value]  # (to be seen)
    browser.loop.sleep(5)
    assert asked == []


def test_no_decision_of_another_is_replaced_by_who_has_not_seen_it(
    browser: Browser, rival: Collection
) -> None:
    name, *others = (entry.path for entry in entries(browser))
    theirs = decided(rival, name, box=BOX)
    browser.key("Enter")  # before anything can have been heard
    browser.until(lambda: browser.review.idle)
    assert rival.trail.decisions.by_id(theirs)[1].status is Status.WAITING
    (problem,) = browser.messages.problems
    assert problem.text == f"{name}: ben has decided it meanwhile, and nothing more was done"
    by = {path: each.reviewer for path, each in rival.trail.decisions.standing_by_path().items()}
    mine = browser.controller.collection.reviewer
    assert by == {name: "ben"} | dict.fromkeys(others, mine), "the rest of the page is decided"
    assert len(rival.trail.decisions.table()) == 1 + len(others), "nothing was decided twice"


def test_a_whole_page_that_others_have_decided_is_shown_so(
    browser: Browser, rival: Collection
) -> None:
    names = [entry.path for entry in entries(browser)]
    for name in names:
        decided(rival, name, box=BOX)
    browser.key("Enter")
    browser.until(lambda: browser.review.idle)
    assert len(browser.messages.problems) == len(names)
    assert len(rival.trail.decisions.table()) == len(names)
    assert all(browser.controller.session.settled.get(name) is not None for name in names)


def test_what_another_has_taken_back_sooner_is_to_be_decided_again(
    browser: Browser, rival: Collection
) -> None:
    name, *_ = (entry.path for entry in entries(browser))
    browser.key("Enter")
    browser.until(lambda: set(standing(browser).values()) == {Status.CROPPED})
    browser.until(lambda: browser.review.idle)
    browser.controller._elsewhere.close()  # it tells of a change once, also while it is restored
    assert all(each.ok for each in rival.undo(name))
    browser.key("z")
    browser.until(lambda: standing(browser) == {} and browser.review.idle)
    assert browser.controller.session.settled.get(name) is None
    assert f"{name}: its decision was taken back elsewhere" in browser.messages.note
