"""A model in the kernel proposes boxes; they are fitted, accepted, and proven from the outside."""

from collections.abc import Iterator
from pathlib import Path

import pictures
import pytest
import shell
from browser.reviewing import APART, SLOW, Desk, Review, Running, desk
from playwright.sync_api import Browser

import cropkit
from cropkit.geometry import PixelBox, Size

SIZE = Size(640, 480)
SUBJECTS = [[100, 120, 200, 260, 0.9], [400, 100, 460, 200, 0.8]]
RULE = {"margin": 0.25, "aspect": "4:5"}
MODEL = f"""
from functools import partial

import cropkit


def subjects(image):
    assert (image.mode, image.size) == ("RGB", {(SIZE.width, SIZE.height)})
    return {SUBJECTS}


cropkit.open = partial(cropkit.open, suggest=subjects)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(2):
        pictures.write_png(
            folder / f"{number}.png", pictures.photo(SIZE.width, SIZE.height, number)
        )
    return folder


@pytest.fixture
def review(source: Path, tmp_path: Path, demo: Running) -> Iterator[Review]:
    with cropkit.open(source) as collection:
        collection.keep_around("margin=0.25 aspect=4:5")
    with demo.reviewing(
        source, "fitted", 2, prepared=MODEL, copy_to=str(tmp_path / "crops")
    ) as review:
        yield review


def press(page: Desk, *keys: str) -> None:
    for key in keys:
        page.press(key)
        page.page.wait_for_timeout(APART)
        page.settled()


def test_a_models_boxes_are_fitted_accepted_and_verified(
    review: Review, source: Path, tmp_path: Path, browser: Browser
) -> None:
    first, second = (PixelBox(*map(int, each[:4])) for each in SUBJECTS)
    (both,) = cropkit.around([first.xyxy, second.xyxy], SIZE, **RULE)  # type: ignore[arg-type]  # a bag
    (alone,) = cropkit.around([first.xyxy], SIZE, **RULE)  # type: ignore[arg-type]  # as above
    with (
        desk(browser, review.url, viewport={"width": 1440, "height": 900}) as page,
        review.probe() as probe,
    ):
        assert probe.boxes() == [first.xyxy, first.xyxy]
        assert "subjects asked about 2 images" in page.text()
        press(page, "b")
        assert probe.boxes() == [both.xyxy, first.xyxy]
        assert both.label in page.text()
        press(page, "b", "Tab", "c")
        assert probe.boxes() == [alone.xyxy, second.xyxy]
        page.press("Enter")
        page.wait(lambda s: s.written == 2, "both copies are written", SLOW)
        assert not page.errors
    out, manifest = tmp_path / "crops", tmp_path / "crops/manifest.jsonl"
    exported = shell.run("export", source, "--to", "manifest", "--out", manifest)
    assert exported.returncode == 0, exported.stderr
    verified = shell.run("verify", out, "--sources", source)
    assert verified.returncode == 0, verified.stderr
    assert "2" in verified.stdout
