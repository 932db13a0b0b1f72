"""The browser's own part: what it draws while a box is dragged is what the kernel makes of it."""

import base64
import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import album
from browser.reviewing import Desk, Probe, Review, Running, desk
from playwright.sync_api import Browser

from cropkit.geometry import PixelBox, Size
from cropkit.review.canvas import live_drag
from cropkit.review.canvas.cells import CellState, Weight
from cropkit.review.canvas.live_drag import described
from cropkit.review.canvas.paint import BRUSH, paint_cell
from cropkit.review.canvas.pen import Pen
from cropkit.review.canvas.snapshot import PillowCanvas
from cropkit.review.model import Open
from cropkit.review.model.box_editing import (
    Grip,
    corner_beside,
    dragged,
    grip_at,
    snapped_to_border,
)
from cropkit.review.view.guides import Guides
from cropkit.review.view.viewport import Rect, Viewport

CASES = 4000
FRONT = ".cropkit-front"
_IN_THE_BROWSER = """async ([script, cases]) => {
    const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
    const part = await import(url);
    const part_of = {4: part.gripAt, 5: part.cornerBeside, 7: part.dragged};
    return cases.map(c => part_of[c.length](...c));
}"""
_PAINTED_IN_THE_BROWSER = """async ([script, ...painted]) => {
    const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
    const part = await import(url), drawn = [];
    let from = [];
    const pen = {
        fillRect(...rect) { drawn.push(["fill", this.fillStyle, ...rect]); },
        strokeRect(...rect) { drawn.push(["frame", this.strokeStyle, this.lineWidth, ...rect]); },
        fillText(...text) { drawn.push(["text", this.fillStyle, this.font, ...text]); },
        beginPath() {}, stroke() {},
        moveTo(x, y) { from = [x, y]; },
        lineTo(x, y) {
            drawn.push(["line", this.strokeStyle, this.lineWidth, ...from, x, y]);
        },
    };
    part.paint(pen, ...painted);
    return drawn;
}"""


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory, demo: Running) -> Iterator[Review]:
    root = tmp_path_factory.mktemp("front")
    with demo.reviewing(album.make_album(root / "photos"), "front") as found:
        yield found


@pytest.fixture(scope="module")
def page(review: Review, browser: Browser) -> Iterator[Desk]:
    with desk(browser, review.url) as found:
        yield found
        assert not found.errors


@pytest.fixture
def probe(review: Review) -> Iterator[Probe]:
    with review.probe() as found:
        yield found


def a_box(rng: random.Random, size: Size) -> PixelBox:
    left, right = sorted(rng.sample(range(size.width + 1), 2))
    top, bottom = sorted(rng.sample(range(size.height + 1), 2))
    return PixelBox(left, top, right, bottom)


def test_it_edits_a_box_as_the_kernel_does(browser: Browser) -> None:
    rng = random.Random(5)  # noqa: S311  (no secret)
    pulls: list[object] = []
    grips: list[object] = []
    theirs: list[list[int] | None] = []
    for _ in range(CASES):
        size = Size(rng.randint(2, 300), rng.randint(2, 300))
        box, grip = a_box(rng, size), rng.choice(list(Grip))
        by = (rng.randint(-800, 800) / 2, rng.randint(-800, 800) / 2)
        ratio, snap = rng.choice([None, 1.0, 0.8, 1.5, 16 / 9]), rng.choice([0, 3.5, 20])
        centre = rng.random() < 0.3
        sides, extent = [list(box.xyxy), list(grip.value)], [size.width, size.height]
        pulls.append([*sides, list(by), extent, ratio, snap, centre])
        pull = snapped_to_border(box, grip, by, size, snap)
        theirs.append(list(dragged(box, grip, pull, size, ratio, from_centre=centre).xyxy))
    for _ in range(CASES):
        edges = tuple(map(float, a_box(rng, Size(200, 200)).xyxy))
        at = (rng.uniform(-20, 220), rng.uniform(-20, 220))
        grips.append([list(edges), *at, 16])
        held = grip_at(edges, *at, 16)  # type: ignore[arg-type]  # four of them
        theirs.append(None if held is None else list(held.value))
        grips.append([list(edges), *at, 16, 44])
        beside = corner_beside(edges, *at, 16, 44)  # type: ignore[arg-type]  # four of them
        theirs.append(None if beside is None else list(beside.value))
    page = browser.new_page()
    script = Path(live_drag.__file__).with_name("live_drag.js").read_text(encoding="utf-8")
    assert page.evaluate(_IN_THE_BROWSER, [script, [*pulls, *grips]]) == theirs
    page.close()


class RecordingCanvas(PillowCanvas):
    """Keeps what is drawn on it, in canvas units."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.drawn: list[list[object]] = []

    def fill_rect(self, *rect: float) -> None:
        self.drawn.append(["fill", self.fill_style, *rect])

    def stroke_rect(self, *rect: float) -> None:
        self.drawn.append(["frame", self.stroke_style, self.line_width, *rect])

    def stroke_line(self, *ends: float) -> None:
        self.drawn.append(["line", self.stroke_style, self.line_width, *ends])

    def fill_text(self, text: str, x: float, y: float) -> None:
        self.drawn.append(["text", self.fill_style, self.font, text, x, y])


@pytest.mark.parametrize(
    ("box", "width"),
    [
        (PixelBox(40, 30, 360, 270), 800),
        (PixelBox(41, 31, 359, 271), 320),  # its edges lie between rows of pixels
        (PixelBox(200, 250, 230, 299), 800),
        (PixelBox(0, 0, 90, 60), 800),
        (PixelBox(0, 0, 400, 300), 300),  # its label has room between the handles alone
        (PixelBox(0, 0, 400, 300), 180),  # and there only a smaller one
        (PixelBox(0, 0, 400, 300), 40),
    ],
)
def test_it_draws_a_box_that_is_held_as_the_kernel_paints_it(
    browser: Browser, box: PixelBox, width: int
) -> None:
    size = Size(400, 300)
    view = Viewport(Rect(16, 68, width, 0.75 * width), size)
    chosen = CellState(Open("a.png", "", size, (), box), Weight.CHOSEN, view)
    page = browser.new_page()
    script = Path(live_drag.__file__).with_name("live_drag.js").read_text(encoding="utf-8")
    for guides in Guides:
        shown, canvas = replace(chosen, guides=guides), RecordingCanvas()
        paint_cell(Pen(canvas, 1), view.stage, shown)
        painted = [script, BRUSH, described(shown), list(box.xyxy), True]
        theirs = page.evaluate(_PAINTED_IN_THE_BROWSER, painted)
        assert rounded(theirs) == rounded(canvas.drawn)
    page.close()


def rounded(drawn: list[list[object]]) -> list[list[object]]:
    """Whatever the order: nothing of it lies over something else of its kind."""
    return sorted(([_rounded(value) for value in call] for call in drawn), key=str)


def _rounded(value: object) -> object:
    return round(float(value), 1) if isinstance(value, int | float) else value


_PICTURES_IN_THE_BROWSER = """async ([script, pictures]) => {
    const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
    const part = await import(url), images = {}, asked = [];
    window.createImageBitmap = async blob => {
        const picture = {bytes: [...new Uint8Array(await blob.arrayBuffer())], kind: blob.type,
                         closed: false, close() { this.closed = true; }};
        asked.push(picture);
        return picture;
    };
    for (const name of Object.keys(pictures)) {
        let changed = null;
        images[name] = {
            value: null, get(what) { return what === "value" ? this.value : "ImageModel"; },
            on(_, does) { changed = does; },
            set(value) { this.value = new TextEncoder().encode(value); changed(); },
        };
        part.decodedEarly(images[name]);
        images[name].set(pictures[name]);
    }
    await new Promise(done => setTimeout(done, 50));
    const early = asked.length, manager = {get_model: async name => images[name]}, drawn = {};
    for (const name of Object.keys(pictures)) {
        drawn[name] = await part.decoded(manager, `IPY_MODEL_${name}`);
        drawn[name].close();
    }
    images.a.set(pictures.b);
    images.a.set(pictures.c);
    const last = await part.decoded(manager, "a");
    await new Promise(done => setTimeout(done, 50));
    return {early, asked: asked.length, drawn, open: asked.filter(each => !each.closed).length,
            last: last.bytes};
}"""


def test_pictures_are_decoded_as_they_come_and_none_that_is_not_drawn_is_kept(
    browser: Browser,
) -> None:
    rng = random.Random(7)  # noqa: S311  (no secret)
    contents = {name: rng.randbytes(size) for name, size in (("a", 1), ("b", 700), ("c", 4099))}
    told = {
        name: f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
        for name, content in contents.items()
    }
    scripts = ("live_drag.js", "nudges.js", "browser.js")
    script = "\n".join(
        Path(live_drag.__file__).with_name(name).read_text(encoding="utf-8") for name in scripts
    )
    page = browser.new_page()
    seen = page.evaluate(_PICTURES_IN_THE_BROWSER, [script, told])
    page.close()
    assert seen["early"] == len(contents), "each before any is drawn"
    for name, content in contents.items():
        assert bytes(seen["drawn"][name]["bytes"]) == content
        assert seen["drawn"][name]["kind"] == "image/jpeg"
    assert bytes(seen["last"]) == contents["c"]
    assert (seen["asked"], seen["open"]) == (len(contents) + 2, 1), "the last one is being drawn"


@pytest.mark.parametrize("name", ["BOTTOM_RIGHT", "TOP_LEFT", "LEFT", "WHOLE"])
def test_a_box_follows_the_hand_in_the_browser_and_ends_where_the_kernel_puts_it(
    page: Desk, probe: Probe, name: str
) -> None:
    page.press("r")
    probe_scene(page, probe, live=True)
    held = f"__import__('cropkit.review.model.box_editing', fromlist=['Grip']).Grip.{name}"
    x, y = page.on_screen(probe.value(f"review.screen_point(1, {held})"))
    mouse, overlay = page.page.mouse, page.page.locator(FRONT)
    before = probe.boxes()
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 9, y + 14)
    mouse.move(x - 11, y - 6)
    shown = [int(n) for n in (overlay.get_attribute("data-box") or "").split(",")]
    page.page.wait_for_function("() => document.querySelector('.cropkit-front') !== null")
    probe_scene(page, probe, held=1)
    mouse.up()
    overlay.wait_for(state="detached")
    page.settled()
    after = probe.boxes()
    assert list(after[1]) == shown
    assert after[1] != before[1]
    assert probe.value("review._controller.screen.canvases.live_drag.held") is None


def probe_scene(page: Desk, probe: Probe, **wanted: object) -> None:
    """Wait until the kernel has told the browser's part something."""
    for _ in range(100):
        page.settled()
        scene = probe.value("review._controller.screen.canvases.live_drag.widget.scene")
        if all(scene[key] == value for key, value in wanted.items()):
            return
        page.page.wait_for_timeout(50)
    pytest.fail(json.dumps(scene))


_CANVAS = "review._controller.screen.canvas"


def deafen(probe: Probe, seconds: float, *, and_hold_drawings: int = 0) -> None:
    """Have the kernel hear nothing for a while, beginning soon.

    Parameters
    ----------
    and_hold_drawings : milliseconds for which the page draws nothing of what comes behind that
    """
    loop, sleep = "__import__('asyncio').get_running_loop()", "__import__('time').sleep"
    held = f"{_CANVAS}[0].sleep({and_hold_drawings})" if and_hold_drawings else "None"
    probe.value(f"{loop}.call_later(0.2, lambda: ({sleep}({seconds}), {held})) and 0")
    time.sleep(0.4)


def test_keys_are_drawn_at_once_however_late_the_kernel_hears_them(
    page: Desk, probe: Probe
) -> None:
    page.press("2", "r", "ArrowLeft", "r")
    probe_scene(page, probe, live=True, chosen=1)
    before, overlay = probe.boxes(), page.page.locator(FRONT)
    overlay.wait_for(state="detached")
    deafen(probe, 5)  # a busy machine takes its time for the keys
    page.press("ArrowRight")
    overlay.wait_for()  # that the kernel has become slow is found out
    page.press(*["Shift+ArrowDown"] * 2, *["Control+ArrowLeft"] * 3)
    page.page.wait_for_timeout(100)
    shown = [int(n) for n in (overlay.get_attribute("data-box") or "").split(",")]
    page.press("g", "ArrowRight", "Escape")
    assert overlay.get_attribute("data-box") == ",".join(map(str, shown)), "that is typed"
    overlay.wait_for(state="detached")
    page.settled()
    after = probe.boxes()
    left, top, right, bottom = before[1]
    assert list(after[1]) == shown == [left + 1, top + 20, right - 2, bottom + 20]
    assert (after[0], after[2:]) == (before[0], before[2:])
    page.press("r")


def drawn_boxes(page: Desk) -> list[list[int]]:
    """What the browser's part draws of boxes, in the order of its canvases."""
    found: list[list[int]] = page.page.evaluate(
        "selector => [...document.querySelectorAll(selector)]"
        ".map(canvas => canvas.dataset.box.split(',').map(Number))",
        FRONT,
    )
    return found


# For each frame: whether the browser's part draws a box, and whether a point of canvas is light.
_WATCHED = """([x, y]) => {
    const canvas = document.querySelector('.cropkit-canvas canvas, canvas.cropkit-canvas');
    const pen = canvas.getContext('2d');
    const frames = window.frames_seen = [];
    const look = () => {
        if (window.frames_seen !== frames) return;
        const light = Math.min(...pen.getImageData(x, y, 1, 1).data.slice(0, 3)) > 200;
        frames.push([document.querySelector('.cropkit-front') !== null, light]);
        requestAnimationFrame(look);
    };
    look();
}"""


def test_keys_of_the_ratio_are_drawn_on_each_image_at_once_and_without_a_gap(
    page: Desk, probe: Probe
) -> None:
    seen = pressed_while_the_kernel_is_deaf(page, probe)
    fronts = [n for n, (front, _) in enumerate(seen) if front]
    assert not any(light for _, light in seen[: fronts[0]])
    # seven of ten presses lead back to the box that is there: so far there may be a gap
    old = [n for n in range(fronts[-1] + 1, len(seen)) if not seen[n][1]]
    assert not old, f"the old box for a moment: {old} of {len(seen)} frames"


def pressed_while_the_kernel_is_deaf(page: Desk, probe: Probe) -> list[tuple[bool, bool]]:
    """Return what `_WATCHED` saw, of a page that draws long after it has heard of it."""
    page.press("2", "r", "ArrowLeft", "r", *["l"] * 3)
    page.settled()
    handle, wanted = probe.grip(1, "LEFT"), probe.boxes()
    page.press("z", "z", "z", "2")
    probe_scene(page, probe, live=True, chosen=1)
    before, overlay = probe.boxes(), page.page.locator(FRONT)
    page.page.evaluate(_WATCHED, [round(value) for value in handle])
    deafen(probe, 1.5, and_hold_drawings=1500)  # less than the browser's part waits
    page.press(*["l"] * 10, "ArrowRight", "ArrowLeft")  # three, after all that can be held
    overlay.first.wait_for()
    shown = drawn_boxes(page)
    overlay.first.wait_for(state="detached")
    page.settled()
    assert probe.boxes() == wanted != before
    assert sorted(shown) == sorted(map(list, wanted))
    seen = page.page.evaluate("() => window.frames_seen")
    page.press(*["z"] * 12)
    page.settled()
    return [(front, light) for front, light in seen]


def test_where_the_kernel_makes_something_else_of_a_key_that_is_what_stays(
    page: Desk, probe: Probe
) -> None:
    page.press("2", "r", "ArrowLeft", "r", *["l"] * 2)
    probe_scene(page, probe, live=True, chosen=1)
    loop, sleep = "__import__('asyncio').get_running_loop()", "__import__('time').sleep"
    full = "__import__('cropkit.review.model', fromlist=['FullImage']).FullImage(1)"
    other = f"lambda: ({sleep}(1.5), review._controller.take({full}))"
    probe.value(f"{loop}.call_later(0.2, {other}) and 0")
    time.sleep(0.4)
    overlay = page.page.locator(FRONT)
    page.press("l")
    overlay.first.wait_for()
    shown = drawn_boxes(page)
    overlay.first.wait_for(state="detached")
    page.settled()
    after = probe.boxes()
    assert list(after[1]) not in shown
    assert list(after[0]) in shown
    assert overlay.count() == 0
    page.press(*["l"] * 4, "r")


def test_2_5_7_two_clicks_do_what_a_drag_of_a_handle_does(page: Desk, probe: Probe) -> None:
    page.press("r")
    probe_scene(page, probe, live=True)
    before = probe.boxes()
    corner, middle = (page.on_screen(probe.grip(1, name)) for name in ("TOP_LEFT", "WHOLE"))
    goal = ((corner[0] + middle[0]) / 2, (corner[1] + middle[1]) / 2)
    page.page.mouse.click(*corner)
    page.page.get_by_text("The top left corner is picked up").wait_for()
    assert probe.boxes() == before
    page.page.mouse.click(*goal)
    page.page.get_by_text("is picked up").wait_for(state="detached")
    page.settled()
    after = probe.boxes()[1]
    assert after[2:] == before[1][2:]
    assert after[0] > before[1][0]
    assert after[1] > before[1][1]
    reached = page.on_screen(probe.grip(1, "TOP_LEFT"))
    assert reached == pytest.approx(goal, abs=2)
    page.press("r")
