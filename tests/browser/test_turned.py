"""A picture is turned by a key, seen so, dragged and written so, pixel by pixel, and undone."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pictures
import pytest
from browser.reviewing import SLOW, Desk, Probe, Review, Running, desk
from PIL import Image
from playwright.sync_api import Browser

from cropkit.formats.turning import turned
from cropkit.geometry import Turn

RIGHT = Turn.of(90)
MIRRORED = RIGHT.then(Turn.of(0, "horizontal"))
SMALL = (24, 24)  # what is compared of a picture: no line, handle or label is seen in it
NEAR = 14
ENTRY = "review._controller.session.entries[0]"
VIEW = "review._controller.screen.viewport(0)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "turned"
    made.mkdir()
    corner = Image.new("RGB", (260, 150), "#f0e020")  # which way is up
    for number, size in enumerate(((900, 600), (600, 800))):
        photo = pictures.photo(*size, number)
        photo.paste(corner)
        pictures.write_png(made / f"{number}.png", photo)
    return made


@pytest.fixture
def review(folder: Path, demo: Running) -> Iterator[Review]:
    with demo.reviewing(folder, "turned", 2) as review:
        yield review


def pixels(content: bytes) -> np.ndarray:
    with Image.open(BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def seen(page: Desk, probe: Probe) -> np.ndarray:
    """Return what the window shows of the first picture."""
    page.settled()
    page.page.wait_for_timeout(300)
    x, y, right, bottom, scale = probe.value(
        f"[*(lambda f: (f.x, f.y, f.right, f.bottom))({VIEW}.frame),"
        " review._controller.screen.scale]"
    )
    left, top = page.on_screen((x * scale, y * scale))
    end, foot = page.on_screen((right * scale, bottom * scale))
    with Image.open(BytesIO(page.page.screenshot())) as window:
        shown = window.convert("RGB").crop((round(left), round(top), round(end), round(foot)))
    return reduced(np.asarray(shown))


def reduced(picture: np.ndarray) -> np.ndarray:
    small = Image.fromarray(picture).resize(SMALL, Image.Resampling.BOX)
    return np.asarray(small, float)[3:-3, 3:-3]


def far(one: np.ndarray, other: np.ndarray) -> float:
    """Return how far apart two pictures are where most of them is."""
    return float(np.median(np.abs(one - other)) + np.percentile(np.abs(one - other), 85))


def is_like(page: Desk, probe: Probe, source: np.ndarray, turn: Turn) -> bool:
    """Whether the first picture is seen with this turn, and with no other one."""
    shown = seen(page, probe)
    distances = {n: far(shown, reduced(turned(source, n))) for n in range(1, 9)}
    return distances[turn.orientation] < NEAR and turn.orientation == min(
        distances, key=lambda n: distances[n]
    )


def test_it_is_turned_dragged_written_and_undone_as_it_is_seen(
    review: Review, folder: Path, browser: Browser
) -> None:
    before = {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}
    source = pixels(before["0.png"])
    with desk(browser, review.url) as page, review.probe() as probe:
        assert is_like(page, probe, source, Turn())
        page.press("]")
        assert is_like(page, probe, source, RIGHT)
        page.press("{")
        assert is_like(page, probe, source, MIRRORED)
        page.press("z", "y")
        page.settled()
        page.drag(probe.grip(0, "LEFT"), 90, 0)
        page.drag(probe.grip(0, "BOTTOM"), 0, -60)
        page.settled()
        box = probe.value(f"list({ENTRY}.box.xyxy)")
        assert box[0] > 30
        assert box[3] < 870
        page.page.reload()
        page.until_replayed()
        assert is_like(page, probe, source, MIRRORED)
        assert probe.value(f"list({ENTRY}.box.xyxy)") == box
        page.press("Enter")
        page.wait(lambda s: s.written == 2, "one is cropped and one kept whole", SLOW)
        left, top, right, bottom = box
        wanted = turned(source, MIRRORED.orientation)[top:bottom, left:right]
        assert np.array_equal(pixels((folder / "0.png").read_bytes()), wanted)
        assert (folder / "1.png").read_bytes() == before["1.png"]
        small = page.page.locator(".ck-place img").first
        assert "matrix(0, 1, 1, 0" in small.evaluate("i => getComputedStyle(i).transform")
        page.press("z")
        page.until_page(1)
        page.until_idle()
        assert {path.name: path.read_bytes() for path in folder.glob("*.png")} == before
        assert is_like(page, probe, source, MIRRORED)
        assert probe.value(f"list({ENTRY}.box.xyxy)") == box
        assert not page.errors


def test_the_menu_turns_the_image_that_it_was_opened_on(
    review: Review, folder: Path, browser: Browser
) -> None:
    source = pixels((folder / "0.png").read_bytes())
    with desk(browser, review.url) as page, review.probe() as probe:
        page.press("2")
        x, y, scale = probe.value(f"[*{VIEW}.stage.middle, review._controller.screen.scale]")
        page.page.mouse.click(*page.on_screen((x * scale, y * scale)), button="right")
        page.page.locator(".ck-menu [data-does='turn-left']").click()
        assert is_like(page, probe, source, RIGHT.inverse)
        assert "turned left" in page.text()
        page.press("m")
        page.until_shown()
        page.press("+", "+", "+")
        page.settled()
        page.until_shown()
        at = f"[*{VIEW}.to_image(*{VIEW}.stage.middle)]"
        x, y = probe.value(at)
        page.press("]")
        page.settled()
        page.until_shown()
        wide, _ = probe.value(f"[{VIEW}.size.width, {VIEW}.size.height]")
        assert wide == 900
        there = probe.value(at)
        assert there == pytest.approx([900 - y, x], abs=3), "the same place is in the middle"
        assert not page.errors


def test_a_straightened_copy_is_as_it_was_seen(
    folder: Path, tmp_path: Path, demo: Running, browser: Browser
) -> None:
    stripes = np.zeros((600, 900, 3), np.uint8)
    stripes[(np.arange(600) // 30) % 2 == 1] = 255
    pictures.write_png(folder / "0.png", Image.fromarray(stripes))
    out = tmp_path / "crops"
    with (
        demo.reviewing(folder, "straight", 1, copy_to=str(out)) as review,
        desk(browser, review.url) as page,
        review.probe() as probe,
    ):
        page.press("]", *["Control+F8"] * 7, *["Shift+F7"] * 3)
        page.wait(lambda _: "turned right, straightened by +6.7°" in page.text(), "it is said")
        page.drag(probe.grip(0, "TOP_LEFT"), 60, 90)
        page.settled()
        page.page.wait_for_timeout(400)
        edges = f"[n * review._controller.screen.scale for n in {VIEW}.edges({ENTRY}.box)]"
        left, top, right, bottom = probe.value(edges)
        x, y = page.on_screen((left, top))
        end, foot = page.on_screen((right, bottom))
        with Image.open(BytesIO(page.page.screenshot())) as window:
            shown = window.convert("L").crop((round(x), round(y), round(end), round(foot)))
        page.press("Enter")
        page.wait(lambda s: s.written == 1, "the copy is written", SLOW)
        assert not page.errors
    with Image.open(out / "0.png") as image:
        written = np.asarray(image.convert("L").resize(shown.size), float)
    seen = np.asarray(shown, float)
    high, wide = seen.shape
    inner = np.s_[high // 16 : high * 5 // 16, wide // 16 : -wide // 16]  # no handle, no label
    assert np.abs(written - seen)[inner].mean() < 40
    assert np.abs(written[:, ::-1] - seen)[inner].mean() > 70
