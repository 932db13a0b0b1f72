"""The README's pictures: made anew when what they show has changed, or with --film."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browser import film, freshness, screenshot
from PIL import Image, ImageDraw, ImageFont, ImageSequence

SAME = 0.00015  # of a picture: the minutes left may differ (0.00007), no word may (0.00026)
STALE = (
    "what the README's pictures show has changed: run tests/browser/film.py and "
    "tests/browser/screenshot.py, look at docs/review.gif and docs/review.png, then run "
    "tests/browser/freshness.py"
)
AS_RECORDED = freshness.digest() == freshness.recorded()


@pytest.fixture(autouse=True)
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Show the hints of a first review, which are gone once they were followed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def making(request: pytest.FixtureRequest) -> bool:
    """Whether the pictures are made in this run, and not only read."""
    return not AS_RECORDED or bool(request.config.getoption("--film"))


def make(script: str, path: Path) -> None:
    """Run a script as a person does: in this process is a browser already, for other tests."""
    subprocess.run([sys.executable, script, str(path)], check=True)


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


def unlike(picture: Image.Image, other: Image.Image) -> float:
    """Return the share of a picture that another shows otherwise, letters' edges left out."""
    assert picture.size == other.size
    small = (picture.width // 2, picture.height // 2)
    pixels, others = (
        np.asarray(shown.convert("RGB").resize(small, Image.Resampling.BOX), int)
        for shown in (picture, other)
    )
    return float((np.abs(pixels - others).max(axis=2) > 32).mean())


def check_alike(path: Path, recorded: Path) -> None:
    with Image.open(path) as moving, Image.open(recorded) as before:
        frames, others = (ImageSequence.all_frames(shown) for shown in (moving, before))
        assert len(frames) == len(others), STALE
        shares = [unlike(frame, other) for frame, other in zip(frames, others, strict=True)]
    assert max(shares) < SAME, f"{STALE}: {max(shares):.2%} of {recorded.name} is not as it was"


def test_the_readmes_picture_shows_the_review_as_it_is(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    check_picture(screenshot.PICTURE, (screenshot.SIZE["width"], screenshot.SIZE["height"]))
    if making(request):
        make(screenshot.__file__, tmp_path / "review.png")
        check_alike(tmp_path / "review.png", screenshot.PICTURE)


def test_the_readmes_film_shows_a_session_as_it_is_and_is_made_by_its_script(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    check_film(film.PICTURE)
    if making(request):
        make(film.__file__, tmp_path / "review.gif")
        check_film(tmp_path / "review.gif")
        check_alike(tmp_path / "review.gif", film.PICTURE)


def test_a_picture_with_one_word_more_is_another_picture() -> None:
    with Image.open(screenshot.PICTURE) as opened:
        picture = opened.convert("RGB")
    other = picture.copy()
    ImageDraw.Draw(other).text((700, 850), "written", "black", ImageFont.load_default(14))
    assert unlike(picture, picture) == 0
    assert unlike(picture, other) > SAME
