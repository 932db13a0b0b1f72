"""What others have before them is passed over in a review, told on the page, and never hidden."""

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pictures
import pytest
from desktop import Browser, entries

from cropkit import clock
from cropkit.audit.leases import Lease, Leases
from cropkit.collection import Collection
from cropkit.errors import ForeignState
from cropkit.records import Problem, ProblemKind
from cropkit.system.home import OWNERS

Started = Callable[..., Browser]


class Rival:
    """Another review of the folder, as far as its leases go."""

    def __init__(self, folder: Path, name: str) -> None:
        self.kit = Collection(folder, reviewer=name)
        self.told: list[Problem] = []
        told = self.told.append
        self.leases = Leases(self.kit.root, self.kit.trail.presence, told, told)
        self.names = self.kit.images()
        self.owner = self.kit.root / OWNERS / self.kit.trail.owner

    def take(self, *crops: str) -> None:
        self.leases.claim(lambda _: crops)

    def sees(self) -> tuple[Lease, ...]:
        return self.leases.others()


@pytest.fixture
def folder(folder: Path) -> Path:
    for number in range(13):
        path = pictures.write_png(folder / f"x{number:02}.png", pictures.photo(60, 40, number))
        pictures.write_sidecar(path, [0.1, 0.2, 0.9, 0.8])
    return folder


@pytest.fixture
def ben(folder: Path) -> Iterator[Rival]:
    rival = Rival(folder, "Ben")
    yield rival
    rival.kit.close()


def here(browser: Browser) -> tuple[str, ...]:
    return tuple(entry.path for entry in entries(browser))


def heard(browser: Browser, what: Callable[[], object]) -> None:
    """Let a look at others pass, and what is read in it arrive."""
    browser.loop.sleep(1.1)
    browser.until(what)


def opened(start: Started, **options: Any) -> Browser:
    browser = start(**options)
    browser.open()
    browser.shown()
    return browser


def test_enter_goes_past_the_page_that_somebody_else_has(browser: Browser, ben: Rival) -> None:
    ben.take(*ben.names[3:6])
    heard(browser, lambda: browser.controller.session.taken)
    assert "Ben has" not in browser.words, "not of this page"
    browser.key("Enter")
    browser.shown()
    assert here(browser) == ben.names[6:9]
    browser.key("PageUp")
    browser.shown()
    assert here(browser) == ben.names[3:6]
    assert "Ben has 3 of these" in browser.words
    assert "taken 3" in browser.status
    ben.take()
    heard(browser, lambda: "Ben has" not in browser.words)
    assert "taken" not in browser.status
    browser.key("Enter")
    browser.written()
    assert browser.messages.problems == ()


def test_a_review_leases_its_page_and_the_next_and_lets_go_of_both(
    start: Started, folder: Path, ben: Rival
) -> None:
    browser = opened(start, kit=Collection(folder))  # which stays open
    browser.until(lambda: browser.review.idle)
    (lease,) = ben.sees()
    assert lease.crops == ben.names[:6]
    assert lease.reviewer == browser.review.collection.reviewer
    assert timedelta(0) < lease.until - clock.now() <= timedelta(minutes=3)
    browser.key("Enter")
    browser.until(lambda: ben.sees()[0].crops == ben.names[3:9])
    browser.shown()
    browser.key("PageDown")
    browser.until(lambda: ben.sees()[0].crops == ben.names[6:12])
    browser.review.close()
    assert ben.sees() == ()


def test_nothing_is_leased_before_a_browser_has_come(start: Started, ben: Rival) -> None:
    browser = start()
    browser.loop.sleep(5)
    assert ben.sees() == ()
    browser.open()
    browser.shown()
    assert ben.sees() != ()


def test_a_review_begins_with_a_page_that_nobody_has(start: Started, ben: Rival) -> None:
    ben.take(*ben.names[:3])
    browser = opened(start)
    assert here(browser) == ben.names[3:6]
    assert "with somebody else now" in browser.messages.note
    (lease,) = ben.sees()
    assert set(lease.crops) == {*ben.names[3:9]}


def test_where_nothing_else_is_left_the_review_goes_there_says_so_and_takes_decisions(
    browser: Browser, ben: Rival
) -> None:
    ben.take(*ben.names[3:])
    heard(browser, lambda: browser.controller.session.taken)
    browser.key("Enter")
    browser.shown()
    browser.until(lambda: browser.review.idle)
    assert here(browser) == ben.names[3:6]
    assert "Nothing else is left: Ben has 3 of these. You may decide here, too" in browser.words
    (lease,) = ben.sees()
    assert set(lease.crops) == {*ben.names[3:6]}, "so that he sees it, too, and no more"
    while not browser.controller.session.ended:
        browser.key("Enter")
        browser.written()
        browser.loop.sleep(1)
    assert browser.review.progress["decided"] == len(ben.names)
    assert browser.messages.problems == ()
    assert ben.sees() == ()


def test_who_dies_has_nothing_from_then_on(browser: Browser, ben: Rival) -> None:
    ben.take(*ben.names[:3])
    heard(browser, lambda: "Ben has 3 of these" in browser.words)
    os.close(ben.kit.trail.presence._held)  # as the kernel does at any death
    heard(browser, lambda: "Ben has" not in browser.words)
    ben.kit.trail.presence._held = os.open(ben.owner, os.O_RDONLY)


def test_another_review_of_the_same_person_is_said_to_be_theirs(
    browser: Browser, folder: Path
) -> None:
    other = Rival(folder, browser.review.collection.reviewer)
    other.take(*other.names[:2])
    heard(browser, lambda: "you have 2 of these in another review" in browser.words)
    other.kit.close()


def test_a_name_of_an_enemy_is_shown_as_text(browser: Browser, folder: Path) -> None:
    eve = Rival(folder, "<b onload='x'>\u202eEve\n" + "e" * 500)
    eve.take(*eve.names[:3])
    heard(browser, lambda: "taken 3" in browser.status)
    assert "&lt;b onload=&#x27;x&#x27;&gt;\\u202eEve\\n" in browser.words
    assert "<b onload" not in browser.words
    assert "e" * 201 not in browser.words
    eve.kit.close()


@pytest.mark.parametrize("line", [b"nonsense\n", b"\xff" * 400_000, b"0123456789abcdef []\n"])
def test_a_line_of_an_enemy_is_counted_once_and_the_review_goes_on(
    line: bytes, browser: Browser, ben: Rival
) -> None:
    with ben.owner.open("ab") as file:
        file.write(b"\n" + line)
    counted = browser.review.collection.trail.presence.tally
    heard(browser, lambda: browser.review.collection.trail.presence.tally != counted)
    for _ in range(3):
        heard(browser, lambda: browser.review.idle)
    tally = browser.review.collection.trail.presence.tally
    assert tally.degraded == {ProblemKind.LEASE: 1}
    (event,) = browser.review.collection.trail.events(kind="degraded")
    assert event["path"] == f"{OWNERS}/{ben.kit.trail.owner}"
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert browser.messages.stopped == ""
    assert here(browser) == ben.names[3:6]


def second_name(place: Path, other: Path) -> None:
    place.hardlink_to(other)


def written_by_all(place: Path, _: Path) -> None:
    place.write_text("session", encoding="utf-8")
    place.chmod(0o666)


def listening(place: Path, _: Path) -> None:
    folder = os.open(place.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{folder}/{place.name}")  # an address has room for 107 bytes only
    os.close(folder)


FOREIGN: dict[str, Callable[[Path, Path], object]] = {
    "link": lambda place, other: place.symlink_to(other),
    "pipe": lambda place, _: os.mkfifo(place),
    "folder": lambda place, _: place.mkdir(),
    "second name": second_name,
    "written by all": written_by_all,
    "socket": listening,
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("is_heard", [True, False])
def test_what_is_no_file_of_an_owner_is_passed_over_and_counted_once(
    kind: str, start: Started, folder: Path, tmp_path: Path, *, is_heard: bool
) -> None:
    """Whether a look at leases or the next page comes upon it first."""
    browser = opened(start, kit=Collection(folder))
    other = tmp_path / "other"
    other.write_text("x", encoding="utf-8")
    FOREIGN[kind](folder / OWNERS / "e", other)
    if is_heard:
        heard(browser, lambda: browser.review.idle)
    while not browser.controller.session.ended:
        browser.key("Enter")
        browser.written()
        browser.shown()
        assert browser.messages.stopped == ""
    heard(browser, lambda: browser.review.idle)
    trail = browser.review.collection.trail
    assert trail.presence.tally.degraded == {ProblemKind.LEASE: 1}
    (event,) = trail.events(kind="degraded")
    assert event["path"] == f"{OWNERS}/e"
    assert browser.review.progress["decided"] == len(browser.review.collection.images())
    with pytest.raises(ForeignState):
        trail.is_dead("e")


def test_what_cannot_be_told_to_others_is_told_here_once_and_counted(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(browser.review.collection.trail.presence, "say", full)
    for _ in range(2):
        browser.key("PageDown")
        browser.shown()
        heard(browser, lambda: browser.review.idle)
    (problem,) = browser.messages.problems
    assert re.search("others are not told .*No space left on device", problem.text)
    tally = browser.review.collection.trail.presence.tally
    assert tally.degraded == {ProblemKind.LEASE: 1}


def test_one_look_is_under_way_at_a_time_and_then_one_of_the_page_that_is_shown(
    browser: Browser, ben: Rival, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.until(lambda: browser.review.idle)
    looks, goes_on = list[None](), threading.Event()
    claim = Leases.claim

    def slow(self: Leases, wanted: Any) -> tuple[Lease, ...]:
        looks.append(None)
        goes_on.wait(20)  # not for ever, where this fails
        return claim(self, wanted)

    monkeypatch.setattr(Leases, "claim", slow)
    browser.loop.sleep(1.1)
    pending = browser.controller._side_thread.pending
    for _ in range(30):
        browser.loop.sleep(1)
    assert browser.controller._side_thread.pending == pending
    for _ in range(2):
        browser.key("PageDown")
        browser.shown()
    goes_on.set()
    browser.until(lambda: ben.sees()[0].crops == ben.names[6:12])
    browser.until(lambda: browser.review.idle)
    assert len(looks) <= 3


def test_nobody_looks_at_others_after_the_end(browser: Browser, ben: Rival) -> None:
    browser.review.close()
    ben.take(*ben.names)
    browser.loop.sleep(5)
    assert browser.controller.session.taken == frozenset()
    assert ben.sees() == ()
