"""The review learns what the reviewer's plan lets through, and asks again as its sample changes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pictures
import pytest
from deciding import decision
from desktop import Browser, ManualLoop
from PIL import Image

from cropkit.collection import Collection
from cropkit.records import Verdict
from cropkit.review.model import Arrangement, Filter, Mark, Open
from cropkit.system.home import PLAN
from cropkit.taste import review_plan
from cropkit.taste.promise import Terms, needed
from cropkit.taste.review_plan import Planned, ReviewPlan

Started = Callable[..., Browser]
SIDECAR = [0.125, 0.25, 0.875, 0.75]


def planned(kit: Collection, folder: Path) -> list[str]:
    """Keep a plan of all images that is drawn in the order of the listing, and name its sample."""
    images = []
    for path in kit.images():
        look = kit.look(path)
        box = kit.suggestions(look)[0].box.pixels(look.size)
        images.append(Planned(path, look.sha256, look.size, box, 0.5))
    plan = ReviewPlan("ann", "", 1, 1, Terms(error=0.5), tuple(images))
    review_plan.write(plan, folder)
    count = needed(plan.places, plan.terms)
    assert count is not None
    return [each.path for each in images[:count]]


def look_at(kit: Collection, paths: list[str]) -> None:
    for path in paths:
        look = kit.look(path)
        best = kit.suggestions(look)[0]
        box = best.box.pixels(look.size)
        kit.decide([decision(kit, path, box, verdict=Verdict.ACCEPT, suggestion=best)])


@pytest.fixture
def photos(folder: Path) -> Path:
    """A collection of 24 more images, each with a sidecar."""
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    for number in range(24):
        path = folder / f"{number:02}.png"
        Image.new("RGB", (40, 40), (number, 0, 0)).save(path)
        pictures.write_sidecar(path, SIDECAR)
    return folder


def offered(browser: Browser, loop: ManualLoop, chosen: Filter) -> bool:
    for _ in Filter:
        loop.sleep(2)
        browser.shown()
        if browser.controller.session.filter is chosen:
            return True
        browser.key("i")
    return False


def on_the_screen(browser: Browser, loop: ManualLoop) -> None:
    browser.open()
    browser.shown()
    browser.written()
    loop.sleep(2)


def test_what_is_promised_is_said_and_enter_accepts_it_in_the_grid(
    start: Started, photos: Path, loop: ManualLoop
) -> None:
    with Collection(photos, reviewer="ann") as kit:
        sample = planned(kit, photos)
        look_at(kit, sample)
        browser = start(kit, defer=True)
        on_the_screen(browser, loop)
        assert offered(browser, loop, Filter.CERTAIN)
        session = browser.controller.session
        assert set(session.paths) == set(kit.images()) - set(sample)
        assert session.arrangement is Arrangement.GRID
        assert f"of these {24 - len(sample)} (" in browser.words
        assert "would be changed, at 95 %" in browser.words
        page = {each.path for each in session.entries}
        browser.key("Enter")
        browser.shown()
        decided = browser.controller.session.settled
        assert page == {path for path in decided if path not in sample}
        assert {decided[path].verdict for path in page} == {Verdict.ACCEPT}


@pytest.mark.parametrize("reviewer", ["ann", "bob"])
def test_without_a_promise_to_the_reviewer_it_is_not_offered(
    start: Started, photos: Path, loop: ManualLoop, reviewer: str
) -> None:
    with Collection(photos, reviewer="ann") as kit:
        sample = planned(kit, photos)
        look_at(kit, sample[: None if reviewer == "bob" else -1])
    with Collection(photos, reviewer=reviewer) as kit:
        browser = start(kit, defer=True)
        on_the_screen(browser, loop)
        assert not offered(browser, loop, Filter.CERTAIN)


def test_the_last_decision_of_the_sample_brings_it_and_its_undoing_takes_it_away(
    start: Started, photos: Path, loop: ManualLoop
) -> None:
    with Collection(photos, reviewer="ann") as kit:
        sample = planned(kit, photos)
        look_at(kit, sample[:-1])
        browser = start(kit, per_page=1)
        on_the_screen(browser, loop)
        assert not browser.controller.session.images.certain
        assert offered(browser, loop, Filter.UNSURE)
        assert browser.controller.session.on_page(0) == (sample[-1],)
        browser.key("Enter")
        browser.written()
        loop.sleep(2)
        assert browser.controller.session.images.certain
        browser.key("z")
        browser.written()
        loop.sleep(2)
        assert not browser.controller.session.images.certain
        assert browser.controller.session.promise == ""


@pytest.mark.parametrize("what", ["content", "box"])
def test_what_is_not_as_the_plan_has_it_is_never_accepted_as_promised(
    start: Started, photos: Path, loop: ManualLoop, what: str
) -> None:
    """The plan lies in the folder, and so does what it speaks of: anybody may have changed it."""
    with Collection(photos, reviewer="ann") as kit:
        sample = planned(kit, photos)
        look_at(kit, sample)
        other = next(path for path in kit.images() if path not in sample)
        if what == "content":
            Image.new("RGB", (40, 40), (0, 200, 0)).save(photos / other)
        else:
            pictures.write_sidecar(photos / other, [0, 0, 0.5, 0.5])
        browser = start(kit, defer=True)
        on_the_screen(browser, loop)
        assert offered(browser, loop, Filter.CERTAIN)
        shown = (each for each in browser.controller.session.entries if isinstance(each, Open))
        marks = {each.path: each.mark for each in shown}
        assert [path for path, mark in marks.items() if mark is Mark.LATER] == [other]
        browser.key("Enter")
        browser.shown()
        assert other not in browser.controller.session.settled
        assert len(browser.controller.session.settled) == len(sample) + len(marks) - 1


def test_a_plan_that_names_what_is_nowhere_promises_nothing_of_it(
    start: Started, photos: Path, loop: ManualLoop
) -> None:
    with Collection(photos, reviewer="ann") as kit:
        sample = planned(kit, photos)
        look_at(kit, sample)
        plan = review_plan.read(photos)
        assert plan is not None
        gone = next(path for path in kit.images() if path not in sample)
        images = [each._replace(path=each.path.replace(gone, "../out.png")) for each in plan.images]
        review_plan.write(replace(plan, images=tuple(images)), photos)
        browser = start(kit, defer=True)
        on_the_screen(browser, loop)
        offered(browser, loop, Filter.CERTAIN)
        assert "../out.png" not in browser.controller.session.listing
        assert gone not in browser.controller.session.paths


def test_a_plan_of_another_key_promises_nothing(
    start: Started, photos: Path, loop: ManualLoop
) -> None:
    with Collection(photos, reviewer="ann") as kit:
        look_at(kit, planned(kit, photos))
        plan = json.loads((photos / PLAN).read_text())
        (photos / PLAN).write_text(json.dumps({**plan, "terms": {**plan["terms"], "error": 0.9}}))
        browser = start(kit, defer=True)
        on_the_screen(browser, loop)
        assert not offered(browser, loop, Filter.CERTAIN)
        assert browser.controller.session.promise == ""
