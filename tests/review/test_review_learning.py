"""The review learns: what is decided shows in the boxes of the images that come next."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import plans
import pytest
from desktop import Browser, ManualLoop, entries, standing
from ipycanvas import canvas as ipycanvas
from scenes import around

from cropkit.collection import Collection
from cropkit.geometry import NormalizedBox, PixelBox, Size, iou
from cropkit.records import Status, Suggestion
from cropkit.review import Review
from cropkit.review.model import Choose, Open, SetBox
from cropkit.review.runtime import learning as runtime
from cropkit.suggest import control
from cropkit.suggest.suggested import NOTHING, Suggested, Suggester
from cropkit.system import personal_cache
from cropkit.taste import features, learner, review_plan
from cropkit.taste.examples import examples
from cropkit.taste.house import learned_from

COUNT = 36
SIZE = Size(192, 128)
BIAS = np.array([0.06, 0.05, -0.07, -0.05])


class Model:
    """Proposes what somebody wants, but for the same mistake each time."""

    def __init__(self, wanted: dict[str, PixelBox]) -> None:
        self._wanted = wanted

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:
        del sha256
        box = np.array(self._wanted[path].normalized(size).xyxy) - BIAS
        edges = NormalizedBox(*np.clip(box, 0, 1).tolist())
        return Suggested((Suggestion(edges, "detector", "v3"),))


class Nothing:
    """Proposes nothing."""

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:
        del path, size, sha256
        return NOTHING


@pytest.fixture
def scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, PixelBox]:
    """Write scenes into a folder; return the crop that is wanted of each."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(learner, "is_control", lambda _: False)
    (tmp_path / "photos").mkdir()
    wanted = {}
    for number, (image, box) in enumerate(
        zip(*around(np.random.default_rng(80), COUNT), strict=True)
    ):
        image.save(tmp_path / "photos" / f"{number:02}.png")
        wanted[f"{number:02}.png"] = NormalizedBox(*box.tolist()).pixels(SIZE)
    return wanted


@contextmanager
def review(
    folder: Path, suggester: Suggester, *, reviewer: str | None = None, **how: Any
) -> Iterator[Browser]:
    loop = ManualLoop()
    with (
        Collection(folder, suggesters=(suggester,), reviewer=reviewer) as collection,
        pytest.MonkeyPatch.context() as patch,
    ):
        shown = Review(collection, loop=loop, apart=False, **how)
        browser = Browser(shown, loop)
        patch.setattr(ipycanvas._CANVAS_MANAGER, "send", browser.receive)
        browser.open()
        browser.shown()
        learned(browser)
        yield browser
        browser.written()
        shown.close()


def learned(browser: Browser) -> None:
    """Wait until what was decided is learned."""
    learning = browser.controller.learning
    browser.until(lambda: learning.idle)


def decide(browser: Browser, wanted: dict[str, PixelBox], pages: int) -> None:
    """Give each image of some pages the box that is wanted, and accept the page."""
    for _ in range(pages):
        for position, entry in enumerate(entries(browser)):
            browser.controller.take(Choose(position))
            browser.controller.take(SetBox(wanted[entry.path]))
        browser.key("Enter")
        browser.shown()
        learned(browser)


def shown(browser: Browser) -> dict[str, Suggestion | None]:
    return {e.path: e.suggestion for e in entries(browser) if isinstance(e, Open)}


def overlap(browser: Browser, wanted: dict[str, PixelBox]) -> float:
    """Return how much the boxes of the page overlap what is wanted, before anybody touched them."""
    return float(np.mean([iou(e.box, wanted[e.path]) for e in entries(browser)]))


def test_the_mistake_of_a_model_is_corrected(scenes: dict[str, PixelBox], tmp_path: Path) -> None:
    with review(tmp_path / "photos", Model(scenes)) as browser:
        before = overlap(browser, scenes)
        decide(browser, scenes, 8)
        assert overlap(browser, scenes) > before + 0.1
        for suggestion in shown(browser).values():
            assert suggestion is not None
            assert (suggestion.source, suggestion.rank) == ("detector", 0)
            assert suggestion.version.startswith("v3 your edges, ")
            assert suggestion.confidence is not None
            assert suggestion.confidence > 0.8  # of what was decided, so much would have been met
        browser.key("c")  # the model's own box is the next one
        assert entries(browser)[0].suggestion.version == "v3"


def test_where_nobody_proposes_a_rule_is_learned(
    scenes: dict[str, PixelBox], tmp_path: Path
) -> None:
    with review(tmp_path / "photos", Nothing()) as browser:
        assert set(shown(browser).values()) == {None}
        before = overlap(browser, scenes)
        decide(browser, scenes, 10)
        assert overlap(browser, scenes) > before + 0.2
        suggestion = next(iter(shown(browser).values()))
        assert suggestion is not None
        assert suggestion.source in ("learned", "similar images", "your median")
        assert suggestion.version.endswith(" reviews")


def test_another_day_goes_on_where_one_was(scenes: dict[str, PixelBox], tmp_path: Path) -> None:
    with review(tmp_path / "photos", Model(scenes)) as browser:
        decide(browser, scenes, 8)
    with review(tmp_path / "photos", Model(scenes)) as browser:
        browser.key("Enter")  # what was read before anything was known again
        browser.shown()
        assert overlap(browser, scenes) > 0.8


def test_what_is_kept_may_be_anything(scenes: dict[str, PixelBox], tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    with review(folder, Model(scenes)) as browser:
        decide(browser, scenes, 4)
        cached = browser.controller.learning._cached  # type: ignore[union-attr]
    for damage in (b"", b"x" * 999, b"PK\x03\x04"):
        personal_cache.write(cached, damage)
        with review(folder, Model(scenes)) as browser:
            assert not browser.messages.problems
            assert overlap(browser, scenes) > 0


def test_a_review_begins_with_the_taste_of_a_house(
    scenes: dict[str, PixelBox], tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    with review(folder, Model(scenes)) as browser:
        decide(browser, scenes, 8)
    taste = learned_from(examples(folder), folder)
    for suggester in (Nothing(), Model(scenes)):
        shutil.copytree(kept, tmp_path / type(suggester).__name__)
        with Collection(tmp_path / type(suggester).__name__) as collection:
            collection.keep_taste(taste)
        with review(tmp_path / type(suggester).__name__, suggester) as browser:
            decide(browser, scenes, 1)  # what was read before anything was known
            for suggestion in shown(browser).values():
                assert suggestion is not None
                assert suggestion.source == "house taste"
                assert suggestion.version == f"{taste.count} reviews"
            assert overlap(browser, scenes) > 0.7


def test_nothing_waits_for_what_is_learned(
    scenes: dict[str, PixelBox], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, trained = Event(), list[int]()

    def slow(_: object) -> None:
        trained.append(1)
        free.wait(60)

    with review(tmp_path / "photos", Model(scenes)) as browser:
        monkeypatch.setattr(learner.Learner, "train", slow)
        for _ in range(6):
            browser.key("Enter")
            browser.shown()
        browser.written()
        assert browser.controller.counts.written == 18
        assert trained == [1], "it learns from the first page still"
        free.set()


@pytest.mark.parametrize("comes", [True, False])
def test_it_stands_back_while_a_page_is_on_its_way(
    scenes: dict[str, PixelBox], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, comes: bool
) -> None:
    """Two cores, three pictures to read and one more that computes: a person waits for the page."""
    monkeypatch.setattr(runtime, "_MOMENT", 600 if comes else 0.4)
    trained: list[bool] = []
    with review(tmp_path / "photos", Model(scenes)) as browser:
        browser.written()
        screen = browser.controller.screen
        monkeypatch.setattr(learner.Learner, "train", lambda _: trained.append(screen.acknowledged))
        browser.key("Enter")
        browser.until(lambda: browser.controller.counts.written == 3, acknowledging=False)
        browser.loop.sleep(0.2)
        assert not comes or (browser.controller.learning.idle, trained) == (False, [])
        browser.until(lambda: trained, acknowledging=comes)
        assert trained == [comes], "a page that does not come keeps it for a moment alone"


def test_it_can_be_left_out(scenes: dict[str, PixelBox], tmp_path: Path) -> None:
    with review(tmp_path / "photos", Model(scenes), learn=False) as browser:
        decide(browser, scenes, 8)
        assert {each.version for each in shown(browser).values() if each} == {"v3"}


def test_some_images_are_shown_as_had_nothing_been_learned(
    scenes: dict[str, PixelBox], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learner, "is_control", lambda _: True)
    with review(tmp_path / "photos", Model(scenes)) as browser:
        decide(browser, scenes, 8)
        assert {each.version for each in shown(browser).values() if each} == {"v3"}


def test_what_a_plan_sets_aside_is_shown_as_it_was_planned(
    scenes: dict[str, PixelBox], tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    with Collection(folder, reviewer="ann") as collection:
        plan = plans.of_anything(collection.reviewer, sorted(scenes)[24:])
        review_plan.write(plan, folder)
    with review(folder, Model(scenes), reviewer="ann") as browser:
        decide(browser, scenes, 8)
        assert {each.version for each in shown(browser).values() if each} == {"v3"}
        decide(browser, scenes, 3)
        versions = {each.version for each in shown(browser).values() if each}
        assert all("your edges" in version for version in versions)


def test_these_are_one_in_twenty() -> None:
    rng = np.random.default_rng(81)
    digests = [rng.bytes(32).hex() for _ in range(4000)]
    monkeypatched = [int(each[:8], 16) % 20 == 0 for each in digests]
    assert [control.is_control(each) for each in digests] == monkeypatched
    assert 0.04 < np.mean(monkeypatched) < 0.06


def test_that_it_fails_is_shown_and_nothing_is_lost(
    scenes: dict[str, PixelBox], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(features, "features", broken)
    with review(tmp_path / "photos", Model(scenes)) as browser:
        browser.until(lambda: browser.messages.problems)
        decide(browser, scenes, 2)
        browser.written()
        assert [each.times for each in browser.messages.problems] == [1]
        assert list(standing(browser).values()) == [Status.CROPPED] * 6
