"""The review offers the angle by which an image is level, and levels it by a key."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pictures
import pytest
from desktop import Browser, entries, standing
from PIL import Image

from cropkit.collection import Collection
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.formats.rotation import rotated
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.records import Status
from cropkit.review.runtime import levelling
from cropkit.review.runtime.levelling import Levelling, Looked
from cropkit.review.runtime.prefetch import Prefetch

Started = Callable[..., Browser]
WIDE = (480, 320)
BY = 400  # hundredths of a degree that the sea is askew


def sea(askew: int, seed: int) -> Image.Image:
    """Return a plain horizon, turned clockwise by hundredths of a degree."""
    scene = np.full((700, 900, 3), (150, 190, 230), np.uint8)
    scene[350 + seed :] = (20, 40, 90)
    box = PixelBox.from_xywh(210, 190, *WIDE)
    return Image.fromarray(rotated(scene, box, askew))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two seas that are askew, each its own way, a level one, and one with no line."""
    made = tmp_path / "seas"
    made.mkdir()
    for number, askew in enumerate((BY, -250, 0)):
        pictures.write_png(made / f"{number}.png", sea(askew, 2 * number))
    pictures.write_png(made / "3.png", Image.new("RGB", WIDE, "#778899"))
    return made


@pytest.fixture
def copying(start: Started, folder: Path, tmp_path: Path) -> Iterator[Browser]:
    """A review of them that makes copies, all on a page."""
    with Collection(folder, copy_to=tmp_path / "out") as kit:
        browser = start(kit, per_page=4)
        browser.open()
        browser.shown()
        yield browser


def looked(browser: Browser) -> None:
    """Wait until everything is read, and looked at."""
    known = browser.controller
    browser.until(lambda: not known.prefetch.is_reading and known.levelling.idle)
    browser.loop.sleep(0.1)


def angles(browser: Browser) -> list[float]:
    return [entry.turn.angle for entry in entries(browser)]


def level(browser: Browser) -> None:
    browser.key("F6", shift=True)
    looked(browser)


def test_what_is_plainly_askew_is_offered_by_its_angle_and_a_key_levels_it(
    copying: Browser, tmp_path: Path
) -> None:
    looked(copying)
    assert re.findall("∠[^<]*\\?", copying.words) == ["∠-4.0°?", "∠+2.5°?"]
    assert copying.words.count("Shift+F6") == 1, "the key is told where it does something"
    level(copying)
    assert angles(copying) == [pytest.approx(-4, abs=0.15), 0, 0, 0]
    assert copying.words.count("ck-level'") == 1, "it is offered no more"
    assert "straightened by -4" in copying.words
    copying.key(" ")
    copying.written()
    assert standing(copying) == {"0.png": Status.CROPPED}
    with Image.open(tmp_path / "out" / "0.png") as image:
        rows = np.asarray(image.convert("L"), float)
    horizon = np.abs(np.diff(rows, axis=0)).argmax(axis=0)
    assert np.ptp(horizon) <= 2, "the horizon lies in one row"


def test_each_of_a_selection_is_levelled_by_its_own_lines_and_the_rest_is_told(
    copying: Browser, folder: Path
) -> None:
    for path in folder.glob("*.png"):
        path.unlink()  # no file is read for it
    copying.key("&")
    level(copying)
    assert angles(copying) == [pytest.approx(-4, abs=0.15), pytest.approx(2.5, abs=0.15), 0, 0]
    assert "2 of 4 levelled: 1 with no lines that plainly say how, 1 level already" in copying.words
    copying.key("z")
    assert angles(copying) == [0] * 4


def test_where_it_says_nothing_a_sentence_says_so(copying: Browser) -> None:
    for number, said in (("4", "no lines that plainly say"), ("3", "is level already")):
        copying.key(number)
        level(copying)
        assert said in copying.words
    assert angles(copying) == [0] * 4
    assert not copying.controller.session.edits


def test_what_is_offered_is_the_angle_as_it_is_seen(copying: Browser) -> None:
    looked(copying)
    copying.key("{")
    assert "∠+4.0°?" in copying.words
    level(copying)
    assert entries(copying)[0].turn == Turn(2, round(100 * angles(copying)[0]))
    copying.key("F8", shift=True)
    assert entries(copying)[0].turn.hundredths == pytest.approx(-BY - 10, abs=15)


def test_where_a_file_cannot_be_straightened_nothing_is_offered_and_the_key_marks_it(
    start: Started, folder: Path
) -> None:
    browser = start(folder, per_page=4)
    browser.open()
    browser.shown()
    browser.until(lambda: browser.review.idle)
    assert browser.controller.levelling.idle, "nothing was looked at"
    assert "ck-level" not in browser.words
    level(browser)
    assert angles(browser)[0] == pytest.approx(-4, abs=0.15)
    assert "a fine angle has every pixel computed anew" in browser.words
    browser.key("z")
    assert "ck-level" not in browser.words


def test_in_the_grid_it_is_by_the_key_alone(copying: Browser) -> None:
    looked(copying)
    copying.key("q")
    copying.shown()
    assert "ck-level" not in copying.words
    copying.key("&")
    level(copying)
    assert sum(map(bool, angles(copying))) == 2


def test_it_looks_at_nothing_while_images_are_read_and_at_one_after_the_other_then(
    start: Started, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, beside = [True], list[int]()
    monkeypatch.setattr(Prefetch, "is_reading", property(lambda _: reading[0]))
    with Collection(folder, copy_to=tmp_path / "out") as kit:
        browser = start(kit, per_page=4)
        browser.open()
        browser.shown()
        level_thread, at_once = browser.controller.levelling._thread, levelling._level

        def look(jpeg: bytes) -> Turn | None:
            beside.append(level_thread.pending)
            return at_once(jpeg)

        monkeypatch.setattr(levelling, "_level", look)
        browser.until(lambda: browser.controller.levelling.idle)
        browser.loop.sleep(0.1)
        assert "∠" not in browser.words
        assert not beside
        reading[0] = False
        browser.controller.follow()
        browser.until(lambda: "∠+2.5°?" in browser.words)
        browser.until(lambda: len(beside) == 4)
        assert beside == [1] * 4


def held_back(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Have no image looked at before that is set."""
    free, at_once = threading.Event(), levelling._level

    def look(jpeg: bytes) -> Turn | None:
        free.wait(20)
        return at_once(jpeg)

    monkeypatch.setattr(levelling, "_level", look)
    return free


def test_the_key_waits_for_the_image_and_levels_no_other_one(
    copying: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(copying)
    copying.controller.levelling._turns.clear()
    free = held_back(monkeypatch)
    copying.key("F6", shift=True)
    assert "Looking for lines" in copying.words
    free.set()
    looked(copying)
    assert angles(copying)[0] == pytest.approx(-4, abs=0.15)
    assert "Looking for lines" not in copying.words
    copying.controller.levelling._turns.clear()
    free.clear()
    copying.key("2")
    copying.key("F6", shift=True)
    copying.key("1")
    free.set()
    looked(copying)
    assert angles(copying)[1] == 0
    assert "another image was chosen meanwhile" in copying.words


def test_the_key_levels_no_copy_of_the_image_it_was_pressed_for(
    start: Started, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(folder / "0.png", folder / "1.png")
    free = held_back(monkeypatch)
    with Collection(folder, copy_to=tmp_path / "out") as kit:
        browser = start(kit, per_page=1)
        browser.open()
        browser.shown()
        browser.strike("F6", shift=True)
        browser.strike("Enter")
        browser.until(lambda: entries(browser)[0].path == "1.png")
        browser.shown()
        browser.until(lambda: "another image was chosen meanwhile" in browser.words)
        free.set()
        looked(browser)
        assert angles(browser) == [0]


def test_on_a_page_that_is_not_on_the_screen_the_key_says_so_and_nothing_goes_round(
    start: Started, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, at_once = list[str](), Levelling._looked_at

    def look(self: Levelling, sha256: str, jpeg: bytes) -> Looked:
        looks.append(sha256)
        return at_once(self, sha256, jpeg)

    monkeypatch.setattr(Levelling, "_looked_at", look)
    with Collection(folder, copy_to=tmp_path / "out") as kit:
        browser = start(kit, per_page=1)
        browser.open()
        browser.shown()
        looked(browser)
        browser.until(lambda: browser.controller.idle)
        browser.key("Enter")
        browser.until(lambda: entries(browser)[0].path == "1.png", acknowledging=False)
        looks.clear()
        browser.strike("F6", shift=True)
        assert "the page is not on the screen yet" in browser.controller.guard.messages.note
        for _ in range(100):
            browser.loop.sleep(0.001)
            time.sleep(0.001)
        assert not looks
        browser.shown()
        looked(browser)
        level(browser)
        assert angles(browser) == [pytest.approx(2.5, abs=0.15)]


@pytest.mark.parametrize("in_grid", [False, True])
def test_while_a_picture_is_read_anew_the_key_says_so_and_what_waits_for_it_is_done(
    start: Started, folder: Path, *, in_grid: bool
) -> None:
    browser = start(folder, per_page=4)
    browser.open()
    browser.shown()
    if in_grid:
        browser.key("q")
        browser.shown()
    looked(browser)
    browser.controller.prefetch.enlarge(Size(2000, 2000))
    browser.controller.follow()
    browser.strike("F6", shift=True)
    assert "the page is not on the screen yet" in browser.messages.note
    browser.controller.levelling.level()
    assert "Looking for lines" in browser.messages.note
    browser.until(lambda: angles(browser)[0] == pytest.approx(-4, abs=0.15))
    assert "Looking for lines" not in browser.messages.note


def test_a_picture_that_is_read_anew_and_is_another_one_is_not_levelled_and_said(
    start: Started, folder: Path
) -> None:
    browser = start(folder, per_page=4)
    browser.open()
    browser.shown()
    looked(browser)
    (folder / "0.png").unlink()
    browser.controller.prefetch.forget("0.png")
    browser.controller.follow()
    looked(browser)
    browser.controller.levelling.level()
    assert "cannot be read" in browser.controller.guard.messages.note
    assert angles(browser)[0] == 0


def test_nothing_is_looked_at_of_a_page_that_is_gone(
    start: Started, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, seen = held_back(monkeypatch), list[int]()
    at_once = levelling._level

    def look(jpeg: bytes) -> Turn | None:
        seen.append(len(jpeg))
        return at_once(jpeg)

    monkeypatch.setattr(levelling, "_level", look)
    with Collection(folder, copy_to=tmp_path / "out") as kit:
        browser = start(kit, per_page=2)
        browser.open()
        browser.shown()
        browser.until(lambda: seen)
        browser.key("PageDown")
        browser.shown()
        free.set()
        looked(browser)
        assert len(seen) == 3, "the first of the page before was begun, its second not"


def test_a_picture_that_cannot_be_looked_at_is_told_and_the_review_goes_on(
    start: Started, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_picture(_: bytes) -> Turn | None:
        raise OSError("broken data stream")

    monkeypatch.setattr(levelling, "_level", no_picture)
    with Collection(folder, copy_to=tmp_path / "out") as kit:
        browser = start(kit, per_page=1)
        browser.open()
        browser.shown()
        looked(browser)
        assert "broken data stream" in browser.words
        level(browser)
        assert entries(browser)[0].turn == NO_TURN
        assert "no lines that plainly say" in browser.controller.guard.messages.note


@pytest.mark.parametrize("suffix", ["tif", "bmp", "gif"])
@pytest.mark.parametrize("copies", [CopyOptions(), CopyOptions(format=Format.PNG)])
def test_it_is_offered_where_copies_of_that_format_can_be_straightened(
    start: Started, tmp_path: Path, suffix: str, copies: CopyOptions
) -> None:
    made = tmp_path / "one sea"
    made.mkdir()
    sea(BY, 0).save(made / f"0.{suffix}")
    is_possible = copies.format is Format.PNG
    with Collection(made, copy_to=tmp_path / "out", copies=copies) as kit:
        browser = start(kit, per_page=1)
        browser.open()
        browser.shown()
        looked(browser)
        assert bool(re.findall("∠[^<]*\\?", browser.words)) is is_possible
        level(browser)
        assert ("choose png, jpeg or webp" in browser.words) is not is_possible
        browser.key("Enter")
        browser.until(lambda: browser.controller.idle)
        becomes = Status.CROPPED if is_possible else Status.REFUSED
        assert list(standing(browser).values()) == [becomes]
