"""The review takes the window, whatever its size, and says by the cursor what a press would do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.album import check_is_crop
from browser.reviewing import Desk, Probe, Review, Running, desk
from PIL import Image
from playwright.sync_api import Browser, Dialog

from cropkit.review.view.captions import (
    KEPT_WHOLE,
    LATER,
    OUTCOMES,
    STALE,
    VERDICTS,
    chip_words,
)
from cropkit.review.view.layout import CHIP, CHIP_SMALL, CHIP_WIDE, PageLayout

SIZES = [(700, 700), (1100, 800), (1440, 900), (1920, 950), (2560, 1300)]
USUAL = (1440, 900)
VIEWPORT = {"width": USUAL[0], "height": USUAL[1]}
SHAPES = {"a": (900, 600), "b": (600, 900), "c": (700, 700), "d": (900, 600), "e": (900, 600)}
BOX = '{{"ai_crop_coords": [{0}, {1}, {2}, {3}], "ai_route": "suggestion"}}'
RECT = "e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; }"
DRAWN = """canvas => {
    const [x, y] = [canvas.width >> 1, canvas.height >> 1];
    return canvas.getContext("2d").getImageData(x, y, 1, 1).data[3] > 0;
}"""
WHOLE_IN_ITS_VIEW = """canvas => {
    const rect = e => e.getBoundingClientRect();
    const inner = rect(canvas), outer = rect(canvas.closest(".jp-LinkedOutputView"));
    return inner.height > 200 && inner.top >= outer.top && inner.bottom <= outer.bottom;
}"""
COUNTS = """() => {
    const rect = e => {
        const {left, top, width, height} = e.getBoundingClientRect();
        return [left, top, width, height];
    };
    const pills = [...document.querySelectorAll(".ck-side > .ck-pill")];
    const header = pills[0].parentElement;
    const more = ["kept whole 12", "no crop 3", "changed 2", "without C2PA 1"].map(words => {
        const pill = pills[0].cloneNode();
        pill.textContent = words;
        pills[0].before(pill);
        return pill;
    });
    const rects = [header, ...header.querySelectorAll(".ck-pill")].map(rect);
    more.forEach(pill => pill.remove());
    return rects;
}"""
CUT = """chips => {
    const host = document.querySelector(".cropkit-over").firstElementChild;
    return chips.filter(([inner, width, tight]) => {
        const chip = document.createElement("div");
        chip.className = `ck-at ck-chip${tight ? " ck-tight" : ""}`;
        Object.assign(chip.style, {width: `${width}px`, height: "28px"});
        chip.innerHTML = inner;
        host.append(chip);
        const word = chip.querySelector(".ck-cut"), isCut = word.scrollWidth > word.clientWidth;
        chip.remove();
        return isCut;
    });
}"""


def make_folder(folder: Path) -> Path:
    folder.mkdir()
    for name, size in SHAPES.items():
        Image.new("RGB", size, "#4080a0").save(folder / f"{name}_a_name_of_more_letters.png")
        sidecar = folder / f"{name}_a_name_of_more_letters.decision"
        sidecar.write_text(BOX.format(0.3, 0.3, 0.7, 0.7))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("window") / "photos")


@pytest.fixture(scope="module")
def filling(folder: Path, demo: Running) -> Iterator[Review]:
    with demo.reviewing(folder, "filling", fill_window=True) as review:
        yield review


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, demo: Running) -> Iterator[Review]:
    folder = make_folder(tmp_path_factory.mktemp("embedded") / "photos")
    with demo.reviewing(folder, "embedded") as review:
        yield review


@pytest.fixture(scope="module")
def opened(filling: Review, browser: Browser) -> Iterator[Desk]:
    """One page for all: to load JupyterLab takes longer than most of the tests."""
    with desk(browser, filling.url, viewport=VIEWPORT) as found:
        found.page.wait_for_timeout(400)
        yield found


@pytest.fixture
def page(opened: Desk) -> Iterator[Desk]:
    opened.page.mouse.move(3, 3)
    resized(opened, *USUAL)
    opened.canvas.focus()
    yield opened
    assert not opened.errors
    opened.errors.clear()


@pytest.fixture
def probe(filling: Review) -> Iterator[Probe]:
    with filling.probe() as found:
        yield found


def resized(page: Desk, width: int, height: int) -> list[float]:
    """Give the page another size; return where the canvas is when it has followed."""
    page.page.set_viewport_size({"width": width, "height": height})
    page.page.wait_for_function(
        "([w, h]) => { const c = document.querySelector('.cropkit-canvas canvas, "
        "canvas.cropkit-canvas'), seen = c.getBoundingClientRect(); "
        "return [c.width / devicePixelRatio - w, c.height / devicePixelRatio - h, "
        "seen.width - w, seen.height - h].every(off => Math.abs(off) <= 1); }",
        arg=[width, height],
    )
    page.until_shown()
    where: list[float] = page.canvas.evaluate(RECT)
    return where


def chips() -> list[tuple[str, int, bool]]:
    """Every verdict as it is written into each chip: the words, its width, whether it is tight."""
    words = [
        word for *_, word in (*VERDICTS.values(), *OUTCOMES.values(), KEPT_WHOLE, STALE, LATER)
    ]
    return [
        (chip_words(word, signs, width, PageLayout(tight=tight)), width, tight)
        for word in (*words, "no crop", "restoring", "loading")
        for signs in (("✓",), ("⚠ ✓", "⚠"))
        for width, tight in ((CHIP, False), (CHIP_WIDE, False), (CHIP_SMALL, True))
    ]


def test_all_counts_are_seen_in_a_narrow_window(page: Desk) -> None:
    """Seven of them, as there are where much has gone wrong: words give way."""
    resized(page, 700, 700)
    rects = page.page.evaluate(COUNTS)
    header, counts = rects[0], rects[1:]
    assert len(counts) == 7
    for x, _, width, _ in counts:
        assert x >= header[0]
        assert x + width <= header[0] + header[2] + 1
        assert width > 50


@pytest.mark.parametrize("size", SIZES)
def test_the_review_is_the_window_and_nothing_of_it_is_out_of_sight(
    page: Desk, size: tuple[int, int]
) -> None:
    assert resized(page, *size) == pytest.approx([0, 0, *size], abs=1)
    for band in (".ck-line", ".ck-side", ".ck-button"):
        for x, y, width, height in page.page.locator(band).evaluate_all(f"es => es.map({RECT})"):
            if width:
                assert x >= -1
                assert y >= -1
                assert x + width <= size[0] + 1
                assert y + height <= size[1] + 1
    assert page.page.evaluate(CUT, chips()) == []
    scrolls = "() => [scrollX, scrollY, document.scrollingElement.scrollHeight > innerHeight]"
    assert page.page.evaluate(scrolls) == [0, 0, False]
    assert page.page.locator(".jp-InputArea").first.evaluate(
        "e => document.elementFromPoint(e.getBoundingClientRect().x + 9, 300)"
        ".closest('.cropkit-review') !== null"
    )


def test_a_key_and_a_button_give_the_notebook_back(page: Desk, probe: Probe) -> None:
    root = page.page.locator(".cropkit-review")
    page.press("F9")
    page.page.locator(".cropkit-review:not(.ck-filling)").wait_for()
    page.until_shown()
    assert (
        page.page.evaluate("() => document.querySelector('[data-cropkit-under], [inert]')") is None
    )
    x, y, _, height = root.evaluate(RECT)
    assert x > 40
    assert height < 900 - 80
    assert y + height <= 900
    page.page.wait_for_timeout(600)
    page.settled()
    page.click(clicked(probe, 0, "WINDOW"))
    page.page.locator(".cropkit-review.ck-filling").wait_for()
    page.until_shown()


def test_in_an_own_notebook_it_is_as_high_as_what_is_seen_of_that(
    embedded: Review, browser: Browser
) -> None:
    with desk(browser, embedded.url, viewport={"width": 1920, "height": 950}) as page:
        for width, height in ((1920, 950), (1100, 700)):
            page.page.set_viewport_size({"width": width, "height": height})
            page.page.wait_for_timeout(700)
            page.until_shown()
            _, y, _, high = page.canvas.evaluate(RECT)
            assert high > 0.7 * height
            assert y >= 0
            assert y + high <= height, "keys and messages are in sight"
        page.page.set_viewport_size({"width": 1920, "height": 1200})
        in_a_view_of_its_own(page, embedded)
        assert not page.errors


def in_a_view_of_its_own(page: Desk, embedded: Review) -> None:
    """Have JupyterLab show the output beside the notebook: it is the same review there."""
    page.page.evaluate(
        """async () => {
            const book = jupyterapp.shell.currentWidget.content;
            const of = cell => cell.node.querySelector(".cropkit-review");
            book.activeCellIndex = book.widgets.findIndex(of);
            await jupyterapp.commands.execute("notebook:create-output-view");
        }"""
    )
    view = page.page.locator(".jp-LinkedOutputView canvas").first
    view.wait_for()
    page.page.wait_for_function(DRAWN, arg=view.element_handle())
    page.page.wait_for_function(WHOLE_IN_ITS_VIEW, arg=view.element_handle())
    with embedded.probe() as probe:
        becomes(page, probe, "review._controller.screen.acknowledged", wanted=True)
        before = probe.boxes()
        left, *others = before[0]
        view.focus()
        page.press("Control+ArrowRight")
        changed = [(left, others[0], others[1] + 1, others[2]), *before[1:]]
        becomes(page, probe, "[*map(tuple, review.boxes)]", wanted=changed)
        page.press("z")
        becomes(page, probe, "[*map(tuple, review.boxes)]", wanted=before)


def becomes(page: Desk, probe: Probe, expression: str, *, wanted: object) -> None:
    """Wait until an expression has a value in the kernel."""
    for _ in range(100):
        if probe.value(expression) == wanted:
            return
        page.page.wait_for_timeout(50)
    pytest.fail(f"{expression} is {probe.value(expression)!r}")


def clicked(probe: Probe, position: int, name: str) -> tuple[float, float]:
    """Where something to click is, in pixels of the canvas."""
    kinds = "__import__('cropkit.review.view.layout', fromlist=['ClickTarget']).ClickTarget"
    point: tuple[float, float] = probe.value(f"review.screen_point({position}, {kinds}.{name})")
    return point


def cursor_at(page: Desk, point: tuple[float, float]) -> str:
    page.page.mouse.move(*page.on_screen(point))
    page.page.wait_for_timeout(50)
    cursor: str = page.canvas.evaluate("c => getComputedStyle(c).cursor")
    return cursor


def test_the_cursor_says_what_a_press_would_do(page: Desk, probe: Probe) -> None:
    page.settled()
    cursors = {
        name: cursor_at(page, probe.grip(1, name))
        for name in ("TOP_LEFT", "TOP", "TOP_RIGHT", "RIGHT", "BOTTOM_RIGHT", "LEFT", "WHOLE")
    }
    assert cursors == {
        "TOP_LEFT": "nwse-resize",
        "TOP": "ns-resize",
        "TOP_RIGHT": "nesw-resize",
        "RIGHT": "ew-resize",
        "BOTTOM_RIGHT": "nwse-resize",
        "LEFT": "ew-resize",
        "WHOLE": "move",
    }
    x, y = probe.grip(1, "TOP_LEFT")
    assert cursor_at(page, (x - 40, y - 40)) == "crosshair"
    cursor_at(page, (x, y))
    assert page.page.locator(".ck-ring").count() == 1, "what a press would take is marked"
    assert cursor_at(page, clicked(probe, 1, "CHIP")) == "pointer"


def test_the_whole_name_of_an_image_is_told_where_the_pointer_rests(
    page: Desk, probe: Probe
) -> None:
    layout = "review._controller.screen.layout.caption(0).middle"
    x, y = probe.value(layout)
    page.page.mouse.move(x, y)
    tip = page.page.locator(".ck-tip")
    tip.wait_for()
    assert "a_a_name_of_more_letters.png" in tip.inner_text()
    assert "AI suggestion" in tip.inner_text()


def test_a_drag_goes_on_outside_of_the_canvas_and_ends_where_the_button_is_let_go(
    page: Desk, probe: Probe
) -> None:
    page.press("F9")
    page.page.locator(".cropkit-review:not(.ck-filling)").wait_for()
    page.until_shown()
    page.page.wait_for_timeout(500)
    page.press("r")
    page.settled()
    before = probe.boxes()[0]
    x, y = page.on_screen(probe.grip(0, "LEFT"))
    mouse = page.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 60, y, steps=3)
    mouse.move(3, y, steps=3)  # beside the notebook
    mouse.move(x - 20, y, steps=3)
    mouse.up()
    page.settled()
    after = probe.boxes()[0]
    assert 0 < after[0] < before[0]
    assert after[2:] == before[2:]
    page.press("r", "F9")
    page.page.locator(".cropkit-review.ck-filling").wait_for()


@pytest.mark.parametrize("button", ["middle", "right"])
def test_only_the_primary_button_drags(page: Desk, probe: Probe, button: str) -> None:
    page.press("r")
    page.settled()
    before = probe.boxes()
    x, y = page.on_screen(probe.grip(1, "TOP_LEFT"))
    page.page.mouse.move(x, y)
    page.page.mouse.down(button=button)  # type: ignore[arg-type]  # one of three words
    page.page.mouse.move(x - 50, y - 40, steps=3)
    page.page.mouse.up(button=button)  # type: ignore[arg-type]  # as above
    page.settled()
    assert probe.boxes() == before
    page.press("Escape")
    page.canvas.focus()


def test_a_drag_on_the_bare_picture_draws_a_new_box(page: Desk, probe: Probe) -> None:
    page.press("r")
    page.settled()
    left, top, right = probe.value(
        "(lambda f: (f.x, f.y, f.right))(review._controller.screen.viewport(0).frame)"
    )
    scale = (right - left) / 900
    mouse = page.page.mouse
    mouse.move(left + 120 * scale, top + 110 * scale)
    mouse.down()
    mouse.move(left + 60 * scale, top + 50 * scale, steps=4)
    mouse.up()
    page.settled()
    assert probe.boxes()[0] == pytest.approx((60, 50, 121, 111), abs=3)
    page.press("r")
    page.settled()


def test_shift_keeps_the_ratio_and_alt_the_centre(page: Desk, probe: Probe) -> None:
    for key in ("Shift", "Alt"):
        page.press("r")
        page.settled()
        page.page.wait_for_timeout(300)
        before = probe.boxes()[0]
        x, y = page.on_screen(probe.grip(0, "BOTTOM_RIGHT"))
        page.page.keyboard.down(key)
        page.page.mouse.move(x, y)
        page.page.mouse.down()
        page.page.mouse.move(x + 70, y + 20, steps=4)
        page.page.mouse.up()
        page.page.keyboard.up(key)
        page.settled()
        after = probe.boxes()[0]
        wide, high = after[2] - after[0], after[3] - after[1]
        assert wide > before[2] - before[0]
        if key == "Shift":
            ratio = (before[2] - before[0]) / (before[3] - before[1])
            assert wide / high == pytest.approx(ratio, abs=0.01)
            assert after[:2] == before[:2]
        else:
            assert (after[0] + after[2]) / 2 == pytest.approx((before[0] + before[2]) / 2, abs=1)
            assert (after[1] + after[3]) / 2 == pytest.approx((before[1] + before[3]) / 2, abs=1)
    page.press("r")
    page.settled()


def test_the_menu_is_the_reviews_own_and_with_shift_the_hosts(page: Desk, probe: Probe) -> None:
    x, y = page.on_screen(probe.grip(1, "WHOLE"))
    page.page.mouse.click(x, y, button="right")
    menu = page.page.locator(".ck-menu")
    menu.wait_for()
    probe.value("review._controller.screen._focus()")  # as a second after a page has opened
    page.settled()
    page.page.wait_for_timeout(100)
    assert menu.count() == 1, "a menu that was opened in that second stays"
    assert page.page.locator(".lm-Menu").count() == 0
    menu.locator("[data-does=reject]").click()
    menu.wait_for(state="detached")
    page.settled()
    marks = probe.value("[str(e.mark) for e in review._controller.session.entries]")
    assert marks == ["keep", "reject", "keep"]
    assert page.status().chosen == 2  # type: ignore[union-attr]  # (there is one)
    page.press("x")
    page.settled()
    page.page.mouse.click(x, y, button="right")
    page.press("Escape")
    assert menu.count() == 0
    assert page.canvas.evaluate("c => c === document.activeElement")
    page.page.keyboard.down("Shift")
    page.page.mouse.click(x, y, button="right")
    page.page.keyboard.up("Shift")
    page.page.locator(".lm-Menu").first.wait_for()
    assert menu.count() == 0
    probe.value("review._controller.screen._focus()")
    page.settled()
    page.page.wait_for_timeout(100)
    assert page.page.locator(".lm-Menu").count() > 0
    page.press("Escape")
    page.page.evaluate("document.activeElement.blur()")
    probe.value("review._controller.screen._focus()")
    page.page.wait_for_function("() => document.activeElement?.closest('.cropkit-review')")


def test_the_wheel_scrolls_the_notebook_unless_ctrl_is_held(
    embedded: Review, browser: Browser
) -> None:
    scrolled = "() => document.querySelector('.jp-WindowedPanel-outer').scrollTop"
    with desk(browser, embedded.url, viewport={"width": 1100, "height": 600}) as page:
        page.page.wait_for_timeout(500)
        page.until_shown()
        before = page.page.evaluate(scrolled)
        x, y, width, height = page.canvas.evaluate(RECT)
        page.page.mouse.move(x + width / 3, y + height / 2)
        page.page.mouse.wheel(0, -120)
        page.page.wait_for_function(f"before => ({scrolled})() < before", arg=before)
        after = page.page.evaluate(scrolled)
        page.page.keyboard.down("Control")
        page.page.mouse.wheel(0, -120)
        page.page.keyboard.up("Control")
        page.settled()
        page.page.wait_for_timeout(300)
        assert page.page.evaluate(scrolled) == after
        with embedded.probe() as probe:
            zooms = "[z.factor for z in review._controller.screen.view_state._zooms.values()]"
            assert probe.value(zooms) != []
        page.press("0")
        page.settled()


def test_nobody_is_asked_whether_to_leave_when_all_is_saved(page: Desk) -> None:
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.page.on("dialog", answer)
    page.page.mouse.click(700, 450)  # a browser asks only where somebody has been
    page.press("ArrowLeft", "r")
    page.settled()
    page.page.reload(wait_until="domcontentloaded")
    page.until_replayed()
    assert asked == []


def test_the_sheet_of_keys_can_be_read_to_its_end_in_a_small_window(page: Desk) -> None:
    resized(page, 700, 700)
    page.press("?")
    sheet = page.page.locator(".ck-sheet")
    sheet.wait_for()
    last = sheet.locator(".ck-row").last
    last.scroll_into_view_if_needed()
    x, y, width, height = last.evaluate(RECT)
    assert x >= 0
    assert x + width <= 701
    assert y + height <= 701
    page.page.mouse.move(300, 400)
    page.page.mouse.wheel(0, -5000)
    page.page.wait_for_function("e => e.scrollTop === 0", arg=sheet.element_handle())
    assert sheet.evaluate("e => e.scrollHeight > e.clientHeight + 100")
    page.page.mouse.wheel(0, 5000)
    page.page.wait_for_timeout(300)
    assert sheet.evaluate("e => e.scrollTop + e.clientHeight >= e.scrollHeight - 2")
    page.page.mouse.click(300, 400)
    sheet.wait_for(state="detached")


def test_a_newcomer_with_a_mouse_makes_a_crop_takes_it_back_and_finds_the_report(
    page: Desk, probe: Probe, filling: Review
) -> None:
    """No key is pressed: what there is to do is seen on the page."""
    name = "a_a_name_of_more_letters.png"
    original = (filling.folder / name).read_bytes()
    probe.value("[review._controller._preferences._known.clear(), review._refresh()][:0]")
    page.page.get_by_text("accepts this page").wait_for()  # a hint for who is new
    page.drag(probe.grip(0, "LEFT"), 90, 0)
    page.settled()
    box = probe.boxes()[0]
    page.click(clicked(probe, 0, "CHIP"))
    page.wait(lambda s: s.written == 1, "the crop is written")
    check_is_crop((filling.folder / name).read_bytes(), original, box)
    pressed = page.page.locator
    pressed("[data-does=report]").last.click()
    pressed(".ck-pair").get_by_text(name).wait_for()
    assert "So far" in page.text()
    pressed("[data-does=report]").first.click()
    pressed(".ck-sheet").wait_for(state="detached")
    page.page.mouse.click(*page.on_screen(probe.grip(1, "WHOLE")), button="right")
    pressed(".ck-menu [data-does=buttons]").click()
    pressed(".ck-strip [data-does=undo]").click()
    page.wait(lambda s: s.written == 0 and s.shown == "shown", "it is taken back")
    assert f"Taken back: {name}" in page.text()
    assert (filling.folder / name).read_bytes() == original
    pressed(".ck-strip [data-does=buttons]").click()
    pressed(".ck-strip").wait_for(state="detached")


def test_the_hand_selects_and_peeks_and_clicks_that_are_no_drags_change_nothing(
    page: Desk, probe: Probe
) -> None:
    page.press("r")
    page.settled()
    before, mouse = probe.boxes(), page.page.mouse
    for name in ("RIGHT", "WHOLE"):
        mouse.dblclick(*page.on_screen(probe.grip(0, name)))
    mouse.click(*page.on_screen(probe.grip(1, "WHOLE")), button="right")
    page.page.locator(".ck-menu").wait_for()
    page.press("Escape")
    page.page.keyboard.down("Control")
    mouse.click(*page.on_screen(probe.grip(2, "WHOLE")))
    page.page.keyboard.up("Control")
    page.settled()
    assert page.page.locator(".ck-frame.ck-picked").count() == 2
    assert probe.boxes() == before
    peeking = "review._controller.screen.peeking"
    page.page.keyboard.down("h")
    page.page.wait_for_timeout(300)
    assert probe.value(peeking) is True
    page.page.keyboard.up("h")
    page.settled()
    assert probe.value(peeking) is False
    page.press("Escape")


def size_of(image: Path) -> tuple[int, int]:
    with Image.open(image) as opened:
        return opened.size


def decided_and_back(page: Desk, folder: Path, boxes: list[tuple[int, int, int, int]]) -> None:
    """Hold an Enter to making crops of these boxes, and Z to bringing every byte back."""
    content = {each.name: each.read_bytes() for each in folder.glob("*.png")}
    page.press("Enter")
    page.until_page(2)
    page.until_idle()
    for name, box in zip(sorted(content), boxes, strict=False):
        check_is_crop((folder / name).read_bytes(), content[name], box)
    page.press("z")
    page.until_page(1)
    page.until_idle()
    assert {each.name: each.read_bytes() for each in folder.glob("*.png")} == content


def until_as_wide_as_the_window(page: Desk, probe: Probe) -> None:
    width = page.page.evaluate("() => window.innerWidth")
    becomes(page, probe, "review._controller.screen.layout.width", wanted=width)
    page.until_shown()


def test_at_any_zoom_of_the_browser_a_hand_takes_what_it_sees(
    page: Desk, probe: Probe, folder: Path
) -> None:
    device = page.page.context.new_cdp_session(page.page)
    width, height = USUAL
    for zoom in (0.5, 0.8, 1.25, 2.0):
        seen = {"width": round(width / zoom), "height": round(height / zoom)}
        device.send(
            "Emulation.setDeviceMetricsOverride",
            {**seen, "deviceScaleFactor": zoom, "mobile": False},
        )
        until_as_wide_as_the_window(page, probe)
        page.press("1", "r")
        page.settled()
        before = probe.boxes()
        left, right = (page.on_screen(probe.grip(0, name))[0] for name in ("LEFT", "RIGHT"))
        scale = (right - left) / (before[0][2] - before[0][0])
        page.drag(probe.grip(0, "RIGHT"), -60 * scale, 0)
        page.settled()
        after = probe.boxes()
        assert after[0] == pytest.approx((*before[0][:2], before[0][2] - 60, before[0][3]), abs=2)
        assert after[1:] == before[1:]
    decided_and_back(page, folder, after)
    device.detach()
    resized(page, 1100, 800)  # the next size is another one than Playwright knows of
    page.press("r")


def test_a_window_that_changes_in_a_drag_moves_no_box_but_the_one_in_the_hand(
    page: Desk, probe: Probe, folder: Path
) -> None:
    page.press("1", "r")
    page.settled()
    before, mouse = probe.boxes(), page.page.mouse
    x, y = page.on_screen(probe.grip(0, "LEFT"))
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 30, y, steps=3)
    page.page.set_viewport_size({"width": 1100, "height": 800})
    until_as_wide_as_the_window(page, probe)
    x, y = page.on_screen(probe.grip(0, "LEFT"))
    mouse.move(x + 12, y, steps=3)
    mouse.up()
    page.settled()
    boxes = probe.boxes()
    assert boxes[0][0] > before[0][0]
    assert boxes[0][1:] == before[0][1:]
    assert boxes[1:] == before[1:]
    decided_and_back(page, folder, boxes)


def test_a_double_click_on_a_verdict_decides_that_image_once(
    page: Desk, probe: Probe, folder: Path
) -> None:
    page.press("2", "r")
    page.settled()
    name, box = probe.paths()[1], probe.boxes()[1]
    original = (folder / name).read_bytes()
    page.page.mouse.dblclick(*page.on_screen(clicked(probe, 1, "CHIP")))
    page.wait(lambda s: (s.written, s.waiting) == (1, 0), "one crop is written")
    check_is_crop((folder / name).read_bytes(), original, box)
    assert probe.value("review.collection.counts().decided") == 1
    page.press("z")
    page.wait(lambda s: s.written == 0 and s.shown == "shown", "it is taken back")
    assert (folder / name).read_bytes() == original


def test_what_was_decided_flashes_as_its_crop_but_for_who_wants_less_motion(page: Desk) -> None:
    page.page.evaluate(
        """() => {
            window.flashed = [];
            const root = document.querySelector(".cropkit-review");
            new MutationObserver(records => {
                for (const node of records.flatMap(record => [...record.addedNodes]))
                    if (node.className === "ck-flash")
                        window.flashed.push(node.querySelectorAll(".ck-small-crop img").length);
            }).observe(root, {childList: true});
        }"""
    )
    for motion, flashed in (("no-preference", [1]), ("reduce", [1])):
        page.page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]  # one of two words
        page.press("1", "r", " ")
        page.wait(lambda s: (s.written, s.waiting) == (1, 0), "it is written")
        assert page.page.locator(".ck-place.ck-latest").count() == 1
        page.page.wait_for_function("() => !document.querySelector('.ck-flash')")
        assert page.page.evaluate("() => window.flashed") == flashed
        page.press("z")
        page.wait(lambda s: s.written == 0 and s.shown == "shown", "it is taken back")
        assert page.page.evaluate("() => window.flashed") == flashed, "nothing was decided by that"
    page.page.emulate_media(reduced_motion="no-preference")


def test_an_enter_in_a_drag_decides_the_box_of_that_moment(
    page: Desk, probe: Probe, folder: Path
) -> None:
    page.press("1", "r")
    page.settled()
    content = {each.name: each.read_bytes() for each in folder.glob("*.png")}
    x, y = page.on_screen(probe.grip(0, "RIGHT"))
    mouse = page.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 40, y, steps=4)
    page.settled()
    boxes = probe.boxes()
    page.press("Enter")
    mouse.move(x - 90, y + 60, steps=4)
    mouse.up()
    page.until_page(2)
    page.until_idle()
    sizes = [size_of(folder / name) for name in sorted(content)[:3]]
    assert sizes == [(right - left, bottom - top) for left, top, right, bottom in boxes]
    page.press("z")
    page.until_page(1)
    page.until_idle()
    assert {each.name: each.read_bytes() for each in folder.glob("*.png")} == content
