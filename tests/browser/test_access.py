"""WCAG 2.2 AA as a browser shows it, and the picture at other densities and themes: one page."""

from collections.abc import Iterator

import pytest
from browser.reviewing import Desk, Review, Running, desk
from playwright.sync_api import Browser

from cropkit.demo import make_demo
from cropkit.review.canvas.canvases import NAME

SMALLEST = 24  # CSS pixels, 2.5.8
CONTRASTS = """() => {
    const parsed = text => {
        const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
        return [r, g, b, a];
    };
    const over = (top, under) =>
        top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
    const backdrop = element => {
        const seen = [];
        for (let e = element; e; e = e.parentElement)
            seen.push(parsed(getComputedStyle(e).backgroundColor));
        return seen.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
    };
    const gamma = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const linear = v => gamma(v / 255);
    const luminance = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
    const found = [];
    for (const element of document.querySelectorAll('.cropkit-over *')) {
        const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!own || !element.checkVisibility()) continue;
        const behind = backdrop(element);
        const a = luminance(over(parsed(getComputedStyle(element).color), behind));
        const b = luminance(behind);
        found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent]);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory, demo: Running) -> Iterator[Review]:
    folder = make_demo(tmp_path_factory.mktemp("access") / "demo")
    with demo.reviewing(folder, "access") as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser, review: Review) -> Iterator[Desk]:
    with desk(browser, review.url, device_scale_factor=3) as found:
        found.press("Enter")
        found.wait(lambda s: s.page == 2 and s.shown == "shown", "the second page is shown")
        found.until_idle()
        found.press("2", "x", "3", "s")
        found.settled()
        yield found
        assert not found.errors


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_1_4_3_every_word_stands_out_in_both_themes(page: Desk, theme: str) -> None:
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
    page.page.evaluate(change, theme)
    light = "true" if theme.endswith("Light") else "false"
    page.page.locator(f"body[data-jp-theme-light='{light}']").wait_for(state="attached")
    page.page.wait_for_timeout(500)
    for state in ("", "?", "e"):
        if state:
            page.press(state)
            page.settled()
            page.page.wait_for_timeout(200)
        found = page.page.evaluate(CONTRASTS)
        assert len(found) > 15
        assert [one for one in found if one[0] < 4.5] == []
        if state:
            page.press("Escape")
            page.settled()


def test_2_5_8_what_can_be_pressed_is_large_enough(page: Desk) -> None:
    boxes = page.page.evaluate(
        """() => [...document.querySelectorAll('.ck-chip, .ck-place, .ck-frame')].map(e => {
            const {width, height} = e.getBoundingClientRect();
            return [e.className, width, height];
        })"""
    )
    assert len(boxes) >= 9
    assert [one for one in boxes if min(one[1:]) < SMALLEST] == []


def test_2_4_7_where_the_keyboard_goes_is_seen(page: Desk) -> None:
    style = "() => getComputedStyle(document.querySelector('.ck-chosen')).borderTopStyle"
    away = page.page.locator(".ck-unfocused")
    page.canvas.focus()
    assert page.page.evaluate(style) == "solid"
    assert not away.is_visible()
    page.press("Escape")
    away.wait_for(state="visible")
    assert page.page.evaluate(style) == "dashed"
    review = page.page.locator(".cropkit-review")
    review.click(position={"x": 5, "y": 5})  # Lab may have scrolled a part of it away
    away.wait_for(state="hidden")


def test_4_1_2_what_has_the_keyboard_has_a_name_and_no_tooltip_lies_over_the_picture(
    page: Desk,
) -> None:
    page.canvas.focus()
    page.press("1")
    page.settled()
    page.page.wait_for_function("() => document.activeElement.title !== ''")
    device = page.page.context.new_cdp_session(page.page)
    node = device.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]
    tree = device.send("Accessibility.getPartialAXTree", {"objectId": node["objectId"]})
    heard = tree["nodes"][0]
    assert (heard["role"]["value"], heard["name"]["value"]) == ("Canvas", NAME)
    box = page.canvas.bounding_box()
    page.page.mouse.move(box["x"] + 50, box["y"] + 200)
    page.page.wait_for_function("() => document.activeElement.title === ''")


def test_2_1_2_the_keyboard_leaves_the_review_and_comes_back(page: Desk) -> None:
    inside = "() => document.activeElement.closest('.cropkit-canvas') !== null"
    page.press("Escape")
    page.page.wait_for_function(f"() => !({inside})()")
    page.press("Tab")
    assert not page.page.evaluate(inside)
    page.canvas.focus()
    assert page.page.evaluate(inside)


def test_a_host_that_looks_at_keys_before_the_page_does_leaves_them_to_it(page: Desk) -> None:
    """Notebook 7 does: see @lumino/commands, data-lm-suppress-shortcuts."""
    mine = "canvas => canvas.closest('[data-lm-suppress-shortcuts]') === canvas"
    assert page.canvas.evaluate(mine)


def test_a_finger_drags_the_box(page: Desk, review: Review) -> None:
    page.press("1", "r")
    page.settled()
    before = page.text()
    with review.probe() as probe:
        x, y = page.on_screen(probe.grip(0, "WHOLE"))
    device = page.page.context.new_cdp_session(page.page)
    for kind, dx in (("touchStart", 0), ("touchMove", 20), ("touchMove", 40), ("touchEnd", None)):
        points = [] if dx is None else [{"x": x + dx, "y": y}]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.settled()
    page.page.wait_for_function(
        "before => document.querySelector('.cropkit-review').innerText !== before", arg=before
    )
    assert "adjusted" in page.text()
    page.press("r")


def test_the_picture_has_at_least_a_pixel_for_each_of_the_screen(page: Desk) -> None:
    """At three device pixels for a CSS pixel the canvas is drawn smaller than it has pixels for
    two of them, and never larger."""
    width, css = page.canvas.evaluate("c => [c.width, c.getBoundingClientRect().width]")
    assert width >= 2 * css
