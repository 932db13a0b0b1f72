"""The README's pictures: made anew when what they show has changed, or with --film."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browser import film, freshness, screenshot
from browser.reviewing import Desk, Running, desk
from PIL import Image, ImageSequence
from playwright.sync_api import Browser

from cropkit.demo import make_demo

AS_RECORDED = freshness.digest() == freshness.recorded()


def making(request: pytest.FixtureRequest) -> bool:
    """Whether the pictures are made in this run, and not only read."""
    return not AS_RECORDED or bool(request.config.getoption("--film"))


@pytest.fixture
def page(tmp_path: Path, browser: Browser, demo: Running) -> Iterator[Desk]:
    folder = make_demo(tmp_path / "demo")
    with demo.reviewing(folder, "picture") as review, desk(browser, review.url) as found:
        yield found
        assert not found.errors


def check_picture(path: Path, size: tuple[int, int]) -> None:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    assert picture.size == size
    middle = picture.crop((size[0] // 4, size[1] // 3, 3 * size[0] // 4, 2 * size[1] // 3))
    colours = np.unique(np.asarray(middle).reshape(-1, 3), axis=0)
    assert len(colours) > 1000, "the picture of the review is not blank"


def check_film(path: Path) -> None:
    assert path.stat().st_size < 1_500_000
    with Image.open(path) as moving:
        frames = [np.asarray(one.convert("RGB"), int) for one in ImageSequence.Iterator(moving)]
        assert moving.width == film.WIDTH
        assert moving.info["loop"] == 0
    assert 8 <= len(frames) <= 14
    for one, following in pairwise(frames):
        assert np.abs(one - following).max() > 50, "each frame shows something else"


def test_the_readmes_picture_shows_a_review_of_the_demo(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    check_picture(screenshot.PICTURE, (screenshot.SIZE["width"], screenshot.SIZE["height"]))
    if making(request):
        page: Desk = request.getfixturevalue("page")
        screenshot.photograph(page, tmp_path / "review.png")
        size = page.page.viewport_size or pytest.fail("no viewport")
        check_picture(tmp_path / "review.png", (size["width"], size["height"]))


def test_the_readmes_film_shows_a_session_and_is_made_by_its_script(
    request: pytest.FixtureRequest, browser: Browser, demo: Running, tmp_path: Path
) -> None:
    check_film(film.PICTURE)
    if making(request):
        folder = make_demo(tmp_path / "demo")  # an image is rejected in it
        with (
            demo.reviewing(folder, "film") as own,
            desk(browser, own.url) as page,
            own.probe() as probe,
        ):
            film.session(page, probe.grip(0, "LEFT")).save(tmp_path / "review.gif")
        check_film(tmp_path / "review.gif")


def test_the_readmes_pictures_are_of_the_review_as_it_is() -> None:
    assert AS_RECORDED, (
        "what the README's pictures show has changed: run tests/browser/film.py and "
        "tests/browser/screenshot.py, look at docs/review.gif and docs/review.png, then run "
        "tests/browser/freshness.py"
    )
