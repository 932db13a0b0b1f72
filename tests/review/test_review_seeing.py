"""A review learns by what models see, too: beside everything else, where there are any."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from desktop import entries
from PIL import Image
from test_review_learning import (  # type: ignore[import-not-found]
    Model,
    Nothing,
    decide,
    overlap,
    review,
    scenes,
    shown,
)

from cropkit import extras
from cropkit.errors import BadTaste
from cropkit.geometry import PixelBox
from cropkit.review.runtime import learning
from cropkit.review.runtime.prefetch import Arrival
from cropkit.taste import features, vision
from cropkit.taste.boxes import Array

__all__ = ["scenes"]
Sight = Callable[[Image.Image], Array]


def bright(image: Image.Image) -> Array:
    """See a face where an image is bright, as a model would; no subject beside it."""
    rows, columns = np.nonzero(np.asarray(image.convert("L")) > 130)
    edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    face = np.array(edges) / [image.width, image.height, image.width, image.height]
    nothing = features.of_map(np.zeros((features.SIDE, features.SIDE)))
    return np.concatenate([nothing, features.of_faces(face[None])])


@pytest.fixture
def seeing(monkeypatch: pytest.MonkeyPatch) -> list[Image.Image]:
    """Let a model that is quick be the one that looks; return what it looks at."""
    looked: list[Image.Image] = []

    def sight(image: Image.Image) -> Array:
        looked.append(image)
        return bright(image)

    monkeypatch.setattr(extras, "is_there", lambda _: True)
    monkeypatch.setattr(vision, "sight", sight)
    return looked


def test_a_crop_around_what_a_model_sees_is_learned(
    scenes: dict[str, PixelBox], seeing: list[Image.Image], tmp_path: Path
) -> None:
    with review(tmp_path / "photos", Nothing()) as browser:
        decide(browser, scenes, 3)
        assert not seeing, "nine decisions: nothing would be learned yet, and no model is loaded"
        decide(browser, scenes, 5)
        assert overlap(browser, scenes) > 0.75
        said = {(each.source, each.version) for each in shown(browser).values() if each}
        assert {source for source, _ in said} <= {"around faces", "learned", "similar images"}
        assert all("with vision" in version for source, version in said if source != "around faces")
        assert len(seeing) >= 24
        assert not browser.messages.problems


def test_nothing_waits_for_a_model_that_looks(
    scenes: dict[str, PixelBox],
    seeing: list[Image.Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not seeing
    free, begun, looks = Event(), Event(), list[int]()

    def slow(image: Image.Image) -> Array:
        looks.append(1)
        begun.set()
        free.wait(60)
        return bright(image)

    monkeypatch.setattr(vision, "sight", slow)
    with review(tmp_path / "photos", Model(scenes)) as browser:
        for _ in range(4):
            browser.key("Enter")
            browser.shown()
        browser.until(begun.is_set)
        for _ in range(2):
            browser.key("Enter")
            browser.shown()
        assert browser.controller.session.page == 6
        assert looks == [1], "it looks at the first one still"
        browser.written()
        assert browser.controller.counts.written == 18
        free.set()


def test_no_model_looks_while_a_page_is_on_its_way(
    scenes: dict[str, PixelBox],
    seeing: list[Image.Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learning, "_MOMENT", 600)
    with review(tmp_path / "photos", Model(scenes)) as browser:
        decide(browser, scenes, 4)
        looked, controller = len(seeing), browser.controller
        arrival = controller.prefetch.get(entries(browser)[0].path)
        assert looked
        assert isinstance(arrival, Arrival)
        browser.key("Enter")
        controller.learning.see("f" * 64, arrival.jpeg, ())
        browser.until(lambda: controller.counts.written == 15, acknowledging=False)
        browser.loop.sleep(0.2)
        assert len(seeing) == looked
        browser.shown()
        browser.until(lambda: len(seeing) > looked)


def test_a_model_that_fails_is_told_once_and_the_rest_is_learned(
    scenes: dict[str, PixelBox],
    seeing: list[Image.Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not seeing

    def broken(_: Image.Image) -> Array:
        raise BadTaste(Path("model.onnx"), "is not as it was published")

    monkeypatch.setattr(vision, "sight", broken)
    with review(tmp_path / "photos", Model(scenes)) as browser:
        decide(browser, scenes, 8)
        assert [each.times for each in browser.messages.problems] == [1]
        versions = {each.version for each in shown(browser).values() if each}
        assert all("your edges" in version for version in versions)


@pytest.mark.parametrize("why", ["--no-vision", "no extra"])
def test_without_models_it_is_learned_as_before(
    why: str,
    scenes: dict[str, PixelBox],
    seeing: list[Image.Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extras, "is_there", lambda _: why != "no extra")
    with review(tmp_path / "photos", Nothing(), vision=why != "--no-vision") as browser:
        decide(browser, scenes, 5)
        assert not seeing
        assert not browser.messages.problems
        assert all("vision" not in each.version for each in shown(browser).values() if each)
