"""The review on a real collection, with a small browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desktop import Browser, ManualLoop
from ipycanvas import canvas as ipycanvas

from cropkit.collection import Collection
from cropkit.review import Review

Started = Callable[..., Browser]


@pytest.fixture
def loop() -> ManualLoop:
    return ManualLoop()


@pytest.fixture
def start(folder: Path, loop: ManualLoop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """``start(**options)``: a review of the collection, not yet seen by any browser."""
    started: list[Review] = []

    def begin(kit: Collection | Path = folder, **options: Any) -> Browser:
        review = Review(kit, loop=loop, **{"apart": False} | options)
        started.append(review)
        browser = Browser(review, loop)
        monkeypatch.setattr(ipycanvas._CANVAS_MANAGER, "send", browser.receive)
        return browser

    yield begin
    for review in started:
        review.close()
        review.collection.close()


@pytest.fixture
def browser(start: Started) -> Browser:
    """A review whose first page is on the screen."""
    browser = start()
    browser.open()
    browser.shown()
    return browser
