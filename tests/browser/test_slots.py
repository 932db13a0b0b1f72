"""Three crops of one image, each for a target of its own: the source is only read."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pictures
import pytest
from browser import album
from browser.reviewing import APART, SLOW, Desk, Probe, Review, Running, desk
from PIL import Image
from playwright.sync_api import Browser

SLOTS = {"face": (512, 512), "bust": (512, 768), "full": (768, 640)}
ONE_ROUND = 3.0  # mean difference of a pixel: another resampling of the same kind
CAPTION = "a portrait in uniform"


class Seen(NamedTuple):
    """What can be told of a file in the source."""

    data: bytes
    mtime_ns: int
    inode: int


def seen(folder: Path) -> dict[str, Seen]:
    stats = {path: path.stat() for path in folder.rglob("*")}
    return {
        path.relative_to(folder).as_posix(): Seen(
            path.read_bytes() if path.is_file() else b"", stat.st_mtime_ns, stat.st_ino
        )
        for path, stat in stats.items()
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    with Image.open(album.photograph()) as hopper:
        portrait = hopper.convert("RGB").resize((1280, 1500))
    for number in (1, 2):
        image = folder / f"hopper {number}.png"
        pictures.write_png(image, portrait)
        image.with_suffix(".txt").write_text(CAPTION, encoding="utf-8")
        pictures.write_sidecar(image, [0.2, 0.05, 0.8, 0.6])
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "crops"


@pytest.fixture
def review(source: Path, out: Path, tmp_path: Path, demo: Running) -> Iterator[Review]:
    slots = ",".join(f"{name}={width}x{height}" for name, (width, height) in SLOTS.items())
    with demo.reviewing(
        source,
        "slots",
        copy_to=str(out),
        state=str(tmp_path / "state"),
        slots=slots,
        resize=True,
    ) as review:
        yield review


def press(page: Desk, *keys: str) -> None:
    for key in keys:
        page.press(key)
        page.page.wait_for_timeout(APART)
        page.settled()


def corrected(page: Desk, probe: Probe) -> list[tuple[int, int, int, int]]:
    """Correct each of the three boxes, by hand and by keys; return what they are then."""
    before = probe.boxes()
    page.drag(probe.grip(0, "BOTTOM_RIGHT"), -60, -40)
    press(page, ",", "Shift+ArrowDown", ",", "Shift+ArrowRight", "Control+Shift+ArrowRight")
    after = probe.boxes()
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert after[0][:2] == before[0][:2]  # where nobody pulled
    for (left, top, right, bottom), (width, height) in zip(after, SLOTS.values(), strict=True):
        assert abs((right - left) * height - (bottom - top) * width) <= max(width, height)
    return after


def check_copy(out: Path, source: Path, slot: str, box: tuple[int, int, int, int]) -> None:
    size = SLOTS[slot]
    with Image.open(out / f"hopper 1_{slot}.png") as copied, Image.open(source) as image:
        assert copied.size == size
        meant = image.convert("RGB").resize(size, Image.Resampling.LANCZOS, box=box)
        found = np.asarray(copied.convert("RGB"), dtype=float)
    assert np.abs(found - np.asarray(meant, dtype=float)).mean() < ONE_ROUND
    assert (out / f"hopper 1_{slot}.txt").read_text(encoding="utf-8") == CAPTION


def test_three_crops_of_one_image_go_to_their_targets_and_the_source_is_only_read(
    review: Review, source: Path, out: Path, browser: Browser
) -> None:
    before = seen(source)
    screen = {"viewport": {"width": 1440, "height": 900}}
    with desk(browser, review.url, **screen) as page, review.probe() as probe:
        status = page.status()
        assert status is not None
        assert (status.page, status.pages) == (1, 2)
        words = page.text()
        assert all(slot in words for slot in SLOTS)
        assert "0 of 6 crops" in words
        boxes = corrected(page, probe)
        page.press("Enter")
        page.wait(lambda s: s.page == 2 and s.shown == "shown", "the next image is shown", SLOW)
        page.wait(lambda s: s.written == 3, "its three crops are written", SLOW)
        for slot, box in zip(SLOTS, boxes, strict=True):
            check_copy(out, source / "hopper 1.png", slot, box)
        assert "3 of 6 crops" in page.text()
        press(page, "z")
        page.until_page(1, SLOW)
        page.wait(lambda s: s.written == 0, "all three are taken back", SLOW)
        page.until_shown()
        assert not list(out.glob("*.png"))
        assert probe.boxes() == boxes
        assert not page.errors
    assert seen(source) == before
