"""The review on a real collection, with a small browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pictures
import pytest
from desktop import IN_THE_MIDDLE, Browser, ManualLoop
from ipycanvas import canvas as ipycanvas

from cropkit import extras
from cropkit.collection import Collection
from cropkit.review import Review
from cropkit.review.model import SetBox

Started = Callable[..., Browser]


@pytest.fixture
def loop() -> ManualLoop:
    return ManualLoop()


@contextmanager
def reviews(folder: Path, loop: ManualLoop) -> Iterator[Started]:
    started: list[Review] = []

    def begin(kit: Collection | Path = folder, **options: Any) -> Browser:
        review = Review(kit, loop=loop, **{"apart": False} | options)
        started.append(review)
        browser = Browser(review, loop)
        patch.setattr(ipycanvas._CANVAS_MANAGER, "send", browser.receive)
        return browser

    with pytest.MonkeyPatch.context() as patch:
        yield begin
        for review in started:
            review.close()
            review.collection.close()


def on_the_screen(start: Started) -> Browser:
    browser = start()
    browser.open()
    browser.shown()
    browser.until(lambda: browser.controller.session.asked)  # how sure suggestions are
    return browser


@pytest.fixture
def start(folder: Path, loop: ManualLoop) -> Iterator[Started]:
    """``start(**options)``: a review of the collection, not yet seen by any browser."""
    with reviews(folder, loop) as begin:
        yield begin


@pytest.fixture
def three_pictures(tmp_path: Path) -> Path:
    """Three of 480 x 320."""
    made = tmp_path / "pictures"
    made.mkdir()
    for number in range(3):
        pictures.write_png(made / f"{number}.png", pictures.photo(480, 320, number))
    return made


@pytest.fixture
def copying(start: Started, three_pictures: Path, tmp_path: Path) -> Iterator[Browser]:
    """A review that makes copies, two on a page, with a box in the middle of the first image."""
    with Collection(three_pictures, copy_to=tmp_path / "out") as kit:
        browser = start(kit, per_page=2)
        browser.open()
        browser.shown()
        browser.controller.take(SetBox(IN_THE_MIDDLE))
        yield browser


@pytest.fixture
def browser(start: Started) -> Browser:
    """A review whose first page is on the screen."""
    return on_the_screen(start)


@pytest.fixture(scope="module")
def same_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One such review for all tests of a file that leave it as it was."""
    folder = pictures.write_folder(tmp_path_factory.mktemp("review") / "collection")
    with reviews(folder, ManualLoop()) as begin:
        yield on_the_screen(begin)


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no model look at the images of reviews here, which takes a tenth of a second each."""
    monkeypatch.setattr(extras, "is_there", lambda _: False)
