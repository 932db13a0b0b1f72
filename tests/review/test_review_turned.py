"""Images are turned and mirrored in the review: as they are seen they are written."""

import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from math import radians
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
from desktop import Browser, entries, standing
from PIL import Image

from cropkit import formats
from cropkit.collection import Collection
from cropkit.errors import UnsuitableTurn
from cropkit.formats import Header
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.formats.options import Heic, Jpeg, Options
from cropkit.formats.turning import turned
from cropkit.geometry import NO_TURN, PixelBox, Size, Turn
from cropkit.records import Status
from cropkit.review.model import SetBox
from cropkit.review.model.box_editing import Grip
from cropkit.review.model.decided import Cut
from cropkit.review.view import turning
from cropkit.review.view.thumbs import crop_of
from cropkit.review.view.viewport import Zoom

Started = Callable[..., Browser]
RIGHT = Turn.of(90)
WIDE, TALL = (240, 160), (120, 200)
HERE = "cannot be turned in its own format without a loss: its stored"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A wide PNG, a tall one, and a JPEG whose last blocks are cut."""
    made = tmp_path / "turned"
    made.mkdir()
    pictures.write_png(made / "a.png", pictures.photo(*WIDE, 1))
    pictures.write_png(made / "b.png", pictures.photo(*TALL, 2))
    pictures.write_jpeg(made / "c.jpg", pictures.photo(180, 110, 3))
    return made


def on_screen(browser: Browser) -> Browser:
    browser.open()
    browser.shown()
    return browser


def pixels(content: bytes) -> np.ndarray:
    with Image.open(BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def do(browser: Browser, name: str, position: int) -> None:
    """Press a row of the menu of an image."""
    widget: Any = browser.controller.screen.live_drag_widget
    x, y = browser.controller.screen.layout.stage(position).middle
    widget._handle_custom_msg({"do": [name, x, y]}, [])
    browser.loop.run()


def scene(browser: Browser, position: int = 0) -> dict[str, object]:
    browser.loop.sleep(0.1)
    widget: Any = browser.controller.screen.live_drag_widget
    cell: dict[str, object] = widget.scene["cells"][position]
    return cell


def test_the_file_is_as_it_was_seen_and_undo_gives_its_bytes_back(
    browser: Browser, folder: Path
) -> None:
    before = (folder / "a.png").read_bytes()
    browser.key("]")
    browser.key("{")
    browser.drag(browser.review.screen_point(0, Grip.LEFT), (40, 0))
    entry = entries(browser)[0]
    assert entry.size == Size(*WIDE).swapped
    assert entry.box.left > 0
    assert browser.review.boxes[0] == [*entry.cut.box.xyxy] != [*entry.box.xyxy]
    browser.key(" ")
    browser.written()
    seen = turned(pixels(before), RIGHT.then(Turn.of(0, "horizontal")).orientation)
    left, top, right, bottom = entry.box.xyxy
    assert np.array_equal(pixels((folder / "a.png").read_bytes()), seen[top:bottom, left:right])
    told = browser.review.decisions[-1]
    assert (told["turn"], told["box"]) == ("90 horizontal", list(entry.cut.box.xyxy))
    browser.key("z")
    browser.written()
    browser.shown()
    assert (folder / "a.png").read_bytes() == before
    assert entries(browser)[0].cut == entry.cut


def test_a_whole_image_is_turned_recorded_and_counted(browser: Browser, folder: Path) -> None:
    before = (folder / "b.png").read_bytes()
    menu: Any = browser.controller.screen.live_drag_widget
    turns = ("turn-left", "turn-right", "flip-horizontal", "flip-vertical")
    assert {*turns} <= {row[0] for row in menu.menu}
    browser.key("F9", shift=True)
    assert all(f"data-does='{name}'" in browser.words for name in turns)
    do(browser, "turn-left", 1)
    assert entries(browser)[1].turn == Turn.of(270)
    browser.key(" ")
    browser.written()
    assert np.array_equal(
        pixels((folder / "b.png").read_bytes()), turned(pixels(before), Turn.of(270).orientation)
    )
    assert browser.review.progress["written"] == 1
    assert browser.review.progress["kept_whole"] == 0


def test_everything_on_the_page_is_as_it_is_seen(browser: Browser) -> None:
    before = browser.controller.screen.layout.stage(0)
    browser.drawn.clear()
    browser.key("]")
    screen = browser.controller.screen
    view = screen.viewport(0)
    assert view is not None
    assert view.size == Size(*WIDE).swapped
    assert screen.layout.stage(0) != before, "it has room by its shape"
    cell = scene(browser)
    assert (cell["size"], cell["box"]) == ([160, 240], [0, 0, 160, 240])
    moved = browser.named("transform")[-1][1]
    middle = [round(n * screen.canvases.pictures.scale, 2) for n in view.frame.middle]
    assert moved == [*turning.matrix(RIGHT), *middle]
    assert "turned right" in browser.words
    assert len(browser.named("save")) == len(browser.named("restore"))
    browser.key("[")
    browser.loop.sleep(0.1)
    assert "turned right" not in browser.words
    assert scene(browser)["size"] == [*WIDE]


def test_a_picture_that_is_kept_shows_it_turned(browser: Browser) -> None:
    def corner() -> Image.Image:
        screen = browser.controller.screen
        view = screen.viewport(0)
        assert view is not None
        by, frame = 1000 / screen.layout.width, view.frame
        left, top, right, bottom = (
            round(n * by) for n in (frame.x, frame.y, frame.right, frame.bottom)
        )
        return browser.review.snapshot().crop((left, top, right, bottom))

    upright = corner()
    browser.key("]")
    after = corner()
    wanted = upright.transpose(Image.Transpose.ROTATE_270).resize(after.size)
    inside = (10, 10, after.width - 10, after.height // 2)
    far = np.abs(np.asarray(after.crop(inside), float) - np.asarray(wanted.crop(inside), float))
    assert np.median(far) < 8


def test_a_hand_lets_go_of_what_is_turned_under_it(browser: Browser) -> None:
    at = browser.review.screen_point(0, Grip.RIGHT)
    browser.mouse("down", at)
    browser.mouse("move", (at[0] - 40, at[1]))
    dragged = entries(browser)[0].box
    browser.strike("]")
    browser.mouse("move", (at[0] - 80, at[1] + 30))
    browser.mouse("up", (at[0] - 80, at[1] + 30))
    entry = entries(browser)[0]
    assert (entry.cut.box, entry.turn) == (dragged, RIGHT)
    assert not browser.messages.problems


def test_what_is_zoomed_shows_the_same_place_when_it_is_turned(browser: Browser) -> None:
    screen, path = browser.controller.screen, entries(browser)[0].path
    screen.zoom_to(path, Zoom(4.0, 0.3, 0.6))

    def middle() -> tuple[float, float]:
        view = screen.viewport(0)
        assert view is not None
        x, y = view.to_image(*view.stage.middle)
        seen = PixelBox.from_xywh(int(x), int(y), 1, 1)
        there = seen.turned(view.size, entries(browser)[0].turn.inverse)
        return there.left, there.top

    before = middle()
    browser.key("]")
    assert middle() == pytest.approx(before, abs=2)
    assert screen.view_state.zooms() == {path: [4.0, 0.3, 0.6]}, "as the file has it"
    screen.zoom_to(path, Zoom(3.0, 0.4, 0.7))
    view = screen.viewport(0)
    assert view is not None
    assert (view.zoom.x, view.zoom.y) == pytest.approx((0.4, 0.7))


def test_a_jpeg_that_cannot_be_turned_is_marked_before_enter_with_the_cure(
    browser: Browser,
) -> None:
    browser.key("3")
    assert HERE not in browser.words
    browser.key("]")
    assert HERE in browser.words
    assert "--copy-to DIR --format png" in browser.words
    assert "--jpeg exact" in browser.words
    assert "⚠" in browser.words.rpartition("ck-chip")[2].partition("</div>")[0]
    browser.loop.sleep(0.1)
    labels = [command[1][0] for command in browser.named("fillText")]
    assert "cannot be turned here" in labels
    widget: Any = browser.controller.screen.live_drag_widget
    tips = [spot[5] for spot in widget.spots]
    assert any(HERE in tip for tip in tips)
    browser.controller.take(SetBox(PixelBox(14, 0, 110, 160)))
    assert HERE not in browser.words, "the last pixels are left out"
    browser.key("x")
    browser.key("z")
    browser.key("z")
    browser.key("x")
    assert HERE not in browser.words, "of what is rejected nothing is turned"


def test_what_is_shown_of_a_turned_jpeg_is_what_is_written(browser: Browser, folder: Path) -> None:
    browser.key("3")
    browser.key("]")
    browser.controller.take(SetBox(PixelBox(20, 10, 100, 150)))
    entry = entries(browser)[2]
    browser.key(" ")
    browser.written()
    assert standing(browser) == {"c.jpg": Status.CROPPED}
    shown = browser.controller.prefetch.applied("c.jpg", entry.cut)
    with Image.open(folder / "c.jpg") as image:
        assert image.size == (shown.size.height, shown.size.width) == (96, 150)


def is_marked(browser: Browser) -> bool:
    on_screen(browser)
    browser.key("3")
    browser.key("]")
    return HERE in browser.words


def test_what_is_encoded_anew_is_turned_whatever_its_blocks(start: Started, folder: Path) -> None:
    with Collection(folder, options=Options(jpeg=Jpeg.EXACT)) as kit:
        assert not is_marked(start(kit))


def test_a_copy_of_another_format_is_turned_whatever_its_blocks(
    start: Started, folder: Path, tmp_path: Path
) -> None:
    for n, copies in enumerate((CopyOptions(), CopyOptions(format=Format.PNG))):
        with Collection(folder, copy_to=tmp_path / f"{n}", copies=copies) as kit:
            assert is_marked(start(kit)) is (copies.format is Format.SAME)


def test_no_heic_is_turned_in_its_own_file() -> None:
    header, size = Header("heic", Size(64, 64), 1, grid=Size(2, 2), step=2), Size(64, 64)
    options = Options(heic=Heic.EXACT)
    formats.check_turn(header, PixelBox.full(size), options, NO_TURN, "a.heic")
    anew = replace(header, grid=None)
    formats.check_turn(anew, PixelBox.full(size), options, RIGHT, "a.heic")
    with pytest.raises(UnsuitableTurn, match="--format png"):
        formats.check_turn(header, PixelBox.full(size), options, RIGHT, "a.heic")


def test_another_kernel_knows_how_it_was_turned(start: Started) -> None:
    browser = on_screen(start())
    browser.key("]")
    browser.key(" ")
    browser.written()
    browser.review.close()
    browser = on_screen(start())
    assert browser.controller.session.settled["a.png"].turn == RIGHT
    browser.key("z")
    browser.written()
    browser.shown()
    entry = entries(browser)[0]
    assert (entry.turn, entry.size) == (RIGHT, Size(*WIDE).swapped)


def test_a_turn_is_told_in_words_and_by_a_sign() -> None:
    told = {
        Turn(): ("", ""),
        Turn(6): ("↻", "turned right"),
        Turn(5): ("↻ ⇆", "turned right, mirrored left to right"),
        Turn(1, 130): ("∠+1.3°", "straightened by +1.3°"),
        Turn(2, 130): ("⇆ ∠-1.3°", "mirrored left to right, straightened by -1.3°"),
    }
    for turn, words in told.items():
        assert (turning.sign(turn), turning.words(turn)) == words


@pytest.mark.parametrize("number", range(1, 9))
def test_a_small_picture_is_placed_and_turned_about_its_middle(number: int) -> None:
    size, turn = Size(200, 100), Turn(number)
    cut = Cut(PixelBox(50, 20, 150, 70), size, turn)
    style = crop_of(b"", "a.png", cut, 1.0).partition("<img")[2].partition("style='")[2]
    rules = dict(rule.split(":") for rule in style.partition("'")[0].split(";"))
    wide, high, left, top = (
        float(rules[name].removesuffix("%")) / 100 for name in ("width", "height", "left", "top")
    )
    seen = cut.seen
    a, b, c, d = turning.matrix(turn)
    middle = (left + wide / 2) * seen.size.width, (top + high / 2) * seen.size.height
    for corner in ((-50, -30), (50, 20)):  # of the box, from the middle of the image
        x, y = a * corner[0] + c * corner[1], b * corner[0] + d * corner[1]
        at = middle[0] + x, middle[1] + y
        assert all(
            near in (pytest.approx(0, abs=0.02), pytest.approx(far, abs=0.02))
            for near, far in zip(at, (seen.size.width, seen.size.height), strict=True)
        )
    assert ("transform" in rules) is not turn.is_none


def test_an_angle_is_seen_about_the_middle_of_the_box_and_told(browser: Browser) -> None:
    browser.key("]")
    browser.drawn.clear()
    browser.key("F8", ctrl=True)
    browser.loop.sleep(0.1)
    entry, view = entries(browser)[0], browser.controller.screen.viewport(0)
    assert view is not None
    assert entry.turn == Turn(6, 100)
    (there, back) = (command[1] for command in browser.named("translate"))
    scale = browser.controller.screen.canvases.pictures.scale
    assert there == pytest.approx([n * scale for n in view.middle_of(entry.box)], abs=0.01)
    assert there == [-n for n in back]
    assert [command[1] for command in browser.named("rotate")] == [[pytest.approx(radians(1))]]
    assert browser.named("transform")[0][1][:4] == [*turning.matrix(RIGHT)]
    assert scene(browser) is None, "the browser does not draw a box that has to stay inside"
    assert "straightened by +1°" in browser.words
    browser.key("F7", shift=True)
    assert entries(browser)[0].turn == Turn(6, 90)


def test_an_angle_in_its_own_file_is_marked_and_for_copies_it_is_none(
    start: Started, folder: Path, tmp_path: Path
) -> None:
    browser = on_screen(start())
    browser.key("F8", ctrl=True)
    assert "a fine angle has every pixel computed anew" in browser.words
    assert "--copy-to DIR" in browser.words
    browser.review.close()
    with Collection(folder, copy_to=tmp_path / "out") as kit:
        browser = on_screen(start(kit))
        for number in "123":
            browser.key(number)
            browser.key("F8", ctrl=True)
        assert "computed anew" not in browser.words
        cuts = [entry.cut for entry in entries(browser)]
        browser.key("Enter")
        browser.written()
        assert {*standing(browser).values()} == {Status.CROPPED}
        sizes = []
        for name in ("a.png", "b.png", "c.jpg"):
            with Image.open(tmp_path / "out" / name) as image:
                sizes.append(Size(*image.size))
        assert sizes == [cut.box.size for cut in cuts]
        assert [each["turn"] for each in browser.review.decisions] == ["angle 1"] * 3


def test_a_picture_that_is_kept_shows_what_is_written_of_a_straightened_image(
    start: Started, folder: Path, tmp_path: Path
) -> None:
    stripes = np.zeros((WIDE[1], WIDE[0], 3), np.uint8)
    stripes[(np.arange(WIDE[1]) // 8) % 2 == 1] = 255
    pictures.write_png(folder / "a.png", Image.fromarray(stripes))
    with Collection(folder, copy_to=tmp_path / "out") as kit:
        browser = on_screen(start(kit))
        browser.key("{")
        for _ in range(7):
            browser.key("F8", ctrl=True)
        browser.controller.take(SetBox(PixelBox(20, 60, 120, 140)))
        view, box = browser.controller.screen.viewport(0), entries(browser)[0].box
        assert view is not None
        assert box == PixelBox(20, 60, 120, 140)
        by = 1000 / browser.controller.screen.layout.width
        left, top, right, bottom = (round(edge * by) for edge in view.edges(box))
        shown = browser.review.snapshot().crop((left, top, right, bottom))
        browser.key(" ")
        browser.written()
        with Image.open(tmp_path / "out" / "a.png") as image:
            written = np.asarray(image.convert("L"), float)
        seen = np.asarray(shown.convert("L").resize((100, 80)), float)
        middle = np.s_[12:48, 12:-12]  # no line, handle or label is there
        assert np.abs(written - seen)[middle].mean() < 50
        assert np.abs(written[:, ::-1] - seen)[middle].mean() > 80


@pytest.mark.parametrize("turn", [Turn(1, 700), Turn(6, 700), Turn(2, -300), Turn(7, 1200)])
def test_a_small_picture_is_straightened_about_the_middle_of_its_box(turn: Turn) -> None:
    size = Size(200, 100)
    cut = Cut(PixelBox(60, 30, 120, 60), size, turn)
    style = crop_of(b"", "a.png", cut, 1.0).partition("<img")[2].partition("style='")[2]
    rules = dict(rule.split(":") for rule in style.partition("'")[0].split(";"))
    x, y = (
        float(part) * side / 100
        for part, side in zip(
            re.findall(r"-?[\d.]+(?=%)", rules["transform"])[:2], (200, 100), strict=True
        )
    )
    box, seen = cut.seen, size.turned(turn)
    middle = (box.left + box.right - seen.width) / 2, (box.top + box.bottom - seen.height) / 2
    assert (x, y) == pytest.approx(middle, abs=0.02)
    assert f"rotate({turning.angle(turn):g}deg)" in rules["transform"]
    assert rules["transform"].endswith(",0,0)"), "by quarters first"
