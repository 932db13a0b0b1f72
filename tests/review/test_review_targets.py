"""Boxes that are held to targets, driven as a browser drives the review, on a real collection."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pictures
import pytest
from desktop import Browser, entries
from PIL import Image

from cropkit.collection import Collection
from cropkit.geometry import PixelBox, Size
from cropkit.records import Status
from cropkit.review.canvas.cells import cell_states
from cropkit.review.canvas.live_drag import described
from cropkit.review.canvas.paint import _WARNING, _readout
from cropkit.review.canvas.pen import Pen
from cropkit.review.canvas.snapshot import PillowCanvas
from cropkit.review.model import Open
from cropkit.review.model.box_editing import Grip
from cropkit.review.view.viewport import Rect, Viewport
from cropkit.targets import targets

Started = Callable[..., Browser]
TARGETS = "64x64, 48x72, 400x200"
LABEL = re.compile(r"64\N{MULTIPLICATION SIGN}64 · \d+ % cut · \N{MULTIPLICATION SIGN}0\.\d\d")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "collection"
    folder.mkdir()
    boxes = ([0.1, 0.1, 0.9, 0.62], [0.1, 0.05, 0.75, 0.75], [0.0, 0.3, 1.0, 0.6])
    for number, box in enumerate(boxes):
        image = pictures.write_png(folder / f"{number}.png", pictures.photo(104, 152, number))
        pictures.write_sidecar(image, box)
    return folder


@pytest.fixture
def kit(folder: Path) -> Iterator[Collection]:
    with Collection(folder, targets=TARGETS) as collection:
        yield collection


@pytest.fixture
def browser(start: Started, kit: Collection) -> Browser:
    browser = start(kit)
    browser.open()
    browser.shown()
    return browser


def words(browser: Browser) -> list[str]:
    return [command[1][0] for command in browser.named("fillText")]


def names(browser: Browser) -> list[str | None]:
    fits = [entry.fit for entry in entries(browser) if isinstance(entry, Open)]
    return [None if fit is None else fit.target.name for fit in fits]


def test_each_box_is_shown_as_it_fits_with_what_that_costs(browser: Browser) -> None:
    assert names(browser) == ["64x64", "48x72", "400x200"]
    browser.loop.sleep(1)  # boxes are drawn once a frame
    for entry in entries(browser):
        assert entry.fit.label in words(browser)
    assert any(LABEL.fullmatch(label) for label in words(browser))


def test_what_is_too_small_is_marked_before_it_is_accepted(browser: Browser) -> None:
    (wide,) = [entry for entry in entries(browser) if entry.fit.target.name == "400x200"]
    assert wide.fit.is_upscale
    assert "px short" in wide.fit.label
    assert browser.words.count("ck-small ") + browser.words.count("ck-small'") >= 1
    assert browser.words.count("<span>⚠ ✓</span>") == 1
    browser.loop.sleep(1)
    assert any(_WARNING in str(command) for command in browser.drawn)


def test_words_without_room_are_smaller_and_stay_on_their_stage() -> None:
    """What lies beside a cell is not wiped with it."""
    fills: list[tuple[float, ...]] = []

    class Recording(PillowCanvas):
        def fill_rect(self, x: float, y: float, width: float, height: float) -> None:
            fills.append((x, y, width, height))

    stage, size = Rect(10, 10, 200, 150), Size(3000, 3000)
    for words in ("4096 x 2048", "4096 x 2048 · 12 % cut · x4.10: 3096 px short"):
        box = PixelBox(0, 0, 900, 900)
        _readout(Pen(Recording(300, 200), 1), Viewport(stage, size), box, ((words,), _WARNING))
    (short, long) = fills
    for x, _, width, _ in fills:
        assert stage.x <= x
        assert x + width <= stage.right
    assert long[2] == stage.width > short[2]


def test_accepted_crops_have_the_shape_of_their_target_and_are_counted(
    browser: Browser, folder: Path, kit: Collection
) -> None:
    browser.key("Enter")
    browser.shown()
    browser.written()
    for number, target in enumerate(targets(TARGETS)):
        with Image.open(folder / f"{number}.png") as crop:
            size = crop.size
        assert size[0] / size[1] == pytest.approx(target.aspect_ratio, rel=0.02)
    assert [row["target"] for row in kit.trail.decisions.table()] == ["64x64", "48x72", "400x200"]
    assert [row["verdict"] for row in kit.trail.decisions.table()] == ["accept"] * 3
    assert "For each target" in browser.words
    for name in ("64x64", "48x72", "400x200"):
        assert f"{name} 1" in browser.words
        assert f"{name} <b>1</b>" in browser.words


def test_the_counts_are_there_the_next_day(
    browser: Browser, folder: Path, start: Started, kit: Collection
) -> None:
    browser.key(" ")
    browser.written()
    browser.review.close()
    again = start(Collection(folder, targets=TARGETS))
    again.open()
    again.shown()
    assert ">64x64 1</span>" in again.words
    assert kit.counts().written == 1


def test_a_drag_follows_the_hand_and_stays_held(browser: Browser) -> None:
    before = entries(browser)[0].box
    browser.drag(browser.review.screen_point(0, Grip.RIGHT), (0, 0))
    start = browser.review.screen_point(0, Grip.BOTTOM)
    browser.drag(start, (0, 60))
    after = entries(browser)[0]
    assert after.box.top == before.top
    assert after.box != before
    assert after.fit is not None
    assert after.fit.box == after.box


def test_the_kernel_draws_a_box_that_is_held(browser: Browser) -> None:
    screen = browser.controller.screen

    def told() -> list[object]:
        states = cell_states(
            browser.controller.session, screen.view_state, browser.controller.prefetch.applied
        )
        return list(map(described, states))

    assert told() == [None] * 3
    browser.key("'")
    assert None not in told()


def test_a_key_lets_boxes_go_and_says_so(browser: Browser, kit: Collection) -> None:
    assert "targets held" in browser.words
    browser.key("'")
    assert "targets let go" in browser.words
    assert "aspect" not in browser.words
    browser.key("l")
    assert "aspect box" in browser.words
    assert names(browser) == [None] * 3
    browser.key("Enter")
    browser.written()
    assert [row["target"] for row in kit.trail.decisions.table()] == [None] * 3
    assert set(kit.trail.decisions.counts()) == {Status.CROPPED}


def test_without_targets_nothing_is_said_of_them(start: Started, folder: Path) -> None:
    browser = start(folder)
    browser.open()
    browser.shown()
    assert "targets" not in browser.words
    browser.key("'")
    assert "no crop is wanted for a target" in browser.messages.note


def test_resized_copies_hold_just_the_box_that_was_shown(
    start: Started, folder: Path, tmp_path: Path
) -> None:
    for image in folder.glob("*.png"):
        image.unlink()
    for number in range(2):
        pictures.write_jpeg(folder / f"{number}.jpg", pictures.photo(104, 152, number))
    out = tmp_path / "out"
    with Collection(folder, copy_to=out, targets="32x48, 48x32", resize=True) as kit:
        browser = start(kit, per_page=1)
        browser.open()
        browser.shown()
        box, target = entries(browser)[0].box, entries(browser)[0].fit.target
        cut = entries(browser)[0].cut
        assert browser.controller.prefetch.applied("0.jpg", cut) == box
        browser.key("Enter")
        browser.shown()
        browser.key("'")
        browser.key("Enter")
        browser.written()
        assert set(kit.trail.decisions.counts()) == {Status.CROPPED}
    sizes = []
    for number in range(2):
        with Image.open(out / f"{number}.jpg") as copied:
            sizes.append(copied.size)
    assert sizes[0] == (target.width, target.height)
    assert sizes[1] not in ((32, 48), (48, 32))
