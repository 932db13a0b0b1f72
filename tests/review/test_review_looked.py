"""How a page is looked at: its crops alone, lines in the box, a corner pixel by pixel."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from desktop import Browser, entries

from cropkit.geometry import PixelBox, Size
from cropkit.review.canvas.cells import Weight, cell_states
from cropkit.review.model.box_editing import Grip
from cropkit.review.view.guides import LINES, Guides, following
from cropkit.review.view.tone import AS_IS, Ground, Tone
from cropkit.review.view.view_state import filling
from cropkit.review.view.viewport import Rect, Viewport

STAGE = Rect(20, 30, 600, 400)


def views(browser: Browser) -> list[Viewport]:
    screen = browser.controller.screen
    return [
        screen.view_state.view(n, entry.path, entry.size)
        for n, entry in enumerate(entries(browser))
    ]


def weights(browser: Browser) -> list[Weight]:
    screen = browser.controller.screen
    shown = cell_states(browser.controller.session, screen.view_state, lambda _, cut: cut.box)
    return [cell_state.weight for cell_state in shown]


def told(browser: Browser, kind: str, content: object) -> None:
    widget = browser.controller.screen.live_drag_widget
    assert widget is not None
    widget._handle_custom_msg({kind: content}, [])
    browser.loop.run()


@pytest.mark.parametrize("size", [Size(4000, 3000), Size(300, 900), Size(5, 5)])
def test_a_crop_alone_is_as_large_as_the_stage_has_room_for_and_all_of_it_is_seen(
    size: Size,
) -> None:
    width, height = size.width, size.height
    for box in (
        PixelBox(0, 0, width // 2, height // 2),
        PixelBox(width // 3, height // 3, width, height),
        PixelBox(width // 4, 0, width // 4 + 1, height),
        PixelBox.full(size),
    ):
        left, top, right, bottom = filling(STAGE, size, box).edges(box)
        assert STAGE.x - 0.01 <= left < right <= STAGE.right + 0.01
        assert STAGE.y - 0.01 <= top < bottom <= STAGE.bottom + 0.01
        used = max((right - left) / STAGE.width, (bottom - top) / STAGE.height)
        assert used == pytest.approx(1) or box == PixelBox.full(size)


def test_a_held_key_shows_the_crops_alone_until_it_is_let_go(browser: Browser) -> None:
    told(browser, "keys", [False, False, False])  # a browser that tells of keys
    browser.key("x")
    before = views(browser)
    browser.press("h")
    browser.press("h", repeat=True)
    assert weights(browser) == [Weight.CHOSEN, Weight.ALONE, Weight.ALONE]
    first, *others = [
        now.scale / was.scale for now, was in zip(views(browser), before, strict=True)
    ]
    assert first == 1
    assert min(others) > 1
    told(browser, "up", "h")
    assert views(browser) == before
    assert Weight.ALONE not in weights(browser)


def test_where_no_browser_tells_a_second_press_shows_the_images_again(browser: Browser) -> None:
    before = views(browser)
    browser.key("h")
    assert views(browser) != before
    browser.key("h")
    assert views(browser) == before


def test_a_hand_takes_hold_of_nothing_that_it_does_not_see(browser: Browser) -> None:
    at = browser.review.screen_point(0, Grip.BOTTOM_RIGHT)
    box = entries(browser)[0].box
    browser.key("h")
    browser.drag(at, (-40, -40))
    assert entries(browser)[0].box == box
    assert Weight.ALONE not in weights(browser)


def test_lines_are_gone_through_and_lie_in_the_box(browser: Browser) -> None:
    shown = [browser.controller.screen.view_state.guides]
    for _ in Guides:
        browser.key("#")
        shown.append(browser.controller.screen.view_state.guides)
    assert shown == [*Guides, Guides.THIRDS]
    assert [following(guides) for guides in Guides] == [*list(Guides)[1:], Guides.THIRDS]
    parts = [part for lines in LINES.values() for line in lines for part in line]
    assert all(0 <= part <= 1 for part in parts)
    assert len(set(LINES.values())) == len(Guides) - 1, "rulers lie along the picture"


def lines_drawn(browser: Browser, act: Callable[[], None]) -> int:
    browser.drawn.clear()
    act()
    browser.loop.sleep(1)
    return len(browser.named("strokeLine"))


def test_as_many_lines_are_drawn_as_there_are(browser: Browser) -> None:
    browser.loop.sleep(3)  # until nothing else that came late is drawn
    browser.shown()
    counts = [lines_drawn(browser, lambda: browser.key("#")) for _ in Guides]
    by_kind = [len(LINES[guides]) for guides in (*list(Guides)[1:], Guides.THIRDS)]
    along = cell_states(
        browser.controller.session, browser.controller.screen.view_state, lambda _, cut: cut.box
    )[0]
    by_kind[list(Guides).index(Guides.RULERS) - 1] = len(
        replace(along, guides=Guides.RULERS).ruler.lines
    )
    assert min(by_kind[:-2]) > 0
    assert counts == [2 * number for number in by_kind]  # each with its shade


def test_a_corner_of_the_box_is_seen_pixel_by_pixel_and_then_the_next(browser: Browser) -> None:
    screen = browser.controller.screen
    browser.key("%")
    assert "100 %" in browser.messages.note  # a small image has more than that
    screen.canvases.scale = 0.1  # a screen with few pixels: the image is larger than it has room
    seen = []
    for _ in range(5):
        browser.key("%")
        seen.append(views(browser)[0])
        assert seen[-1].scale * screen.scale == pytest.approx(1)
    assert seen[4] == seen[0]
    assert len(set(seen)) == 4
    browser.key("0")
    assert not views(browser)[0].closer


def filters(browser: Browser) -> list[str]:
    """Return through what was drawn, in order."""
    number = browser.controller.screen.canvases.pictures._canvas.ATTRS["filter"]
    return [command[1][1] for command in browser.named("set") if command[1][0] == number]


def test_pictures_are_seen_brighter_and_so_under_the_loupe_and_it_is_said(browser: Browser) -> None:
    browser.key("p")
    browser.drawn.clear()
    browser.key(">")
    browser.key(")")
    browser.loop.sleep(1)
    assert filters(browser)[-4:] == ["brightness(1.15) contrast(1.15)", "none"] * 2
    assert "seen with brightness +1, contrast +1" in browser.words
    for key in "<(":
        browser.key(key)
    browser.drawn.clear()
    browser.key("+")
    assert filters(browser) == []
    assert "seen with" not in browser.words


def test_a_tone_has_bounds_and_no_filter_where_pictures_are_as_they_are() -> None:
    assert AS_IS.filters == str(AS_IS) == ""
    bright, flat = AS_IS.turned(brightness=99), AS_IS.turned(contrast=-99)
    assert (str(bright), str(flat)) == ("brightness +6", "contrast -6")
    assert bright.turned(brightness=-6) == AS_IS
    assert flat.filters == f"contrast({1.15**-6:.4g})"


def test_the_ground_is_around_the_pictures_and_words_are_on_the_pages_own(browser: Browser) -> None:
    browser.drawn.clear()
    browser.key("_")
    browser.loop.sleep(1)
    layout, scale = browser.controller.screen.layout, browser.controller.screen.scale
    board = [round(by * scale, 2) for by in (layout.board.x, layout.board.y)]
    assert board in [command[1][:2] for command in browser.named("fillRect")]
    wiped = [command[1][:2] for command in browser.named("clearRect")]
    captions = [layout.caption(n) for n in range(len(entries(browser)))]
    assert all([round(c.x * scale, 2), round(c.y * scale, 2)] in wiped for c in captions)
    following = [Tone(ground=ground).on_next_ground().ground for ground in Ground]
    assert following == [*list(Ground)[1:], Ground.THEME]


def test_a_box_that_changes_leaves_nothing_of_its_handles(browser: Browser) -> None:
    browser.drawn.clear()
    browser.key("ArrowLeft")
    browser.loop.sleep(1)
    layout, scale = browser.controller.screen.layout, browser.controller.screen.scale
    cell = layout.painted(browser.controller.session.chosen)
    place = [round(by * scale, 2) for by in (cell.x, cell.y, cell.width, cell.height)]
    assert place in [command[1] for command in browser.named("clearRect")]
    assert place in [command[1] for command in browser.named("rect")], "what is drawn is held in it"
