"""A second opinion is given in a review: on the image as it was, without seeing the first."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from deciding import decision
from desktop import Browser, entries

from cropkit import clock
from cropkit.collection import Collection
from cropkit.errors import BadParameterValue
from cropkit.geometry import PixelBox
from cropkit.records import Status
from cropkit.review.model import Done, Open

Started = Callable[..., Browser]
FAR = PixelBox(0, 0, 10, 10)


def begun(start: Started, folder: Path, reviewer: str, **options: object) -> Browser:
    browser = start(Collection(folder, reviewer=reviewer), **options)
    browser.open()
    browser.shown()
    return browser


def look_and_decide(kit: Collection, path: str, box: PixelBox) -> str:
    new = decision(kit, path, box, shown_at=clock.now() - timedelta(seconds=1))
    kit.decide([new])
    return new.id


def accepted(browser: Browser) -> str:
    """Look for a second at the image that is chosen, and accept it; return its name."""
    name: str = entries(browser)[browser.controller.session.chosen].path
    browser.loop.sleep(1)
    browser.key(" ")
    browser.until(lambda: browser.review.idle)
    return name


def test_what_one_has_decided_is_open_to_the_other_and_cropped_when_both_agree(
    start: Started, folder: Path
) -> None:
    anna = begun(start, folder, "anna", double="100%")
    name = accepted(anna)
    before = (folder / name).read_bytes()
    (first, *_) = entries(anna)
    assert isinstance(first, Done)
    assert first.settled.status is Status.WAITING
    assert first.settled.reason == "waits for a second opinion"
    assert f"{name}: waits for a second opinion" in anna.messages.note
    assert anna.messages.problems == ()
    anna.review.close()
    ben = begun(start, folder, "ben")
    assert isinstance(entries(ben)[0], Open)
    assert "anna" not in ben.words
    assert accepted(ben) == name
    assert entries(ben)[0].settled.status is Status.CROPPED
    assert (folder / name).read_bytes() != before


def test_what_another_decides_meanwhile_is_not_told_before_the_own_decision(
    start: Started, folder: Path
) -> None:
    ben = begun(start, folder, "ben", double=1)
    name = entries(ben)[0].path
    with Collection(folder, reviewer="anna") as anna:
        look_and_decide(anna, name, FAR)
        ben.loop.sleep(1)
        ben.until(lambda: ben.review.idle)
        assert isinstance(entries(ben)[0], Open)
        assert "meanwhile" not in ben.words
        accepted(ben)
        assert "two people disagree" in entries(ben)[0].settled.reason
        assert ben.messages.problems == ()


def test_a_review_goes_on_with_what_waits_for_another(start: Started, folder: Path) -> None:
    anna = begun(start, folder, "anna", double="100%")
    accepted(anna)
    anna.review.close()
    again = begun(start, folder, "anna")
    again.until(lambda: again.review.idle)
    assert entries(again)[0].settled.status is Status.WAITING
    assert again.controller._second_attempts._waiting == {}
    assert again.messages.problems == ()


def test_a_review_is_done_although_decisions_wait_for_others(start: Started, folder: Path) -> None:
    anna = begun(start, folder, "anna", double="100%")
    while not anna.controller.session.ended:
        anna.loop.sleep(1)
        anna.key("Enter")
        anna.until(lambda: anna.review.idle)
        if not anna.controller.session.ended:
            anna.shown()
    assert anna.controller.for_others == 5
    assert anna.review._is_done()


def test_what_is_no_share_opens_nothing(start: Started, tmp_path: Path) -> None:
    with pytest.raises(BadParameterValue, match="double"):
        start(tmp_path, double="some")
    assert not list(tmp_path.glob(".cropkit"))
