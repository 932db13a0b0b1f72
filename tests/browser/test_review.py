"""A person reviews a folder of photographs and PNGs in JupyterLab, and finds the crops on disk.

All tests share one server and one page. Each begins on the first page with nothing decided, and
takes back what it decided; that the folder is then byte for byte what it was is part of every test.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import album
from browser.reviewing import APART, ROOT, Desk, Probe, Review, Running, Status, desk
from playwright.sync_api import Browser

Box = tuple[int, int, int, int]

BLOCK = 16
READY = "review.idle"
FAILING = 1  # tests that make a callback raise


class Table:
    """The review under test: folder, server, page and probe."""

    def __init__(self, review: Review, page: Desk, probe: Probe) -> None:
        self.review, self.page, self.probe = review, page, probe
        self.folder = review.folder
        self.before = album.contents(self.folder)

    def grip(self, position: int, name: str) -> tuple[float, float]:
        return self.probe.grip(position, name)

    def scale(self, position: int) -> float:
        """Pixels of the window for one of the image."""
        left, right = (
            self.page.on_screen(self.grip(position, name))[0] for name in ("LEFT", "RIGHT")
        )
        box = self.probe.boxes()[position]
        return (right - left) / (box[2] - box[0])

    def accept_page(self) -> dict[str, Box]:
        """Press Enter, wait for the worker; return the boxes that were shown."""
        shown = dict(zip(self.probe.paths(), self.boxes(), strict=True))
        at = self.page.status()
        assert at is not None
        self.page.press("Enter")
        self.page.wait(lambda s: s.page != at.page and s.shown == "shown", "the next page is shown")
        self.written(at.written + len(shown))
        return shown

    def written(self, count: int) -> Status:
        def fits(status: Status) -> bool:
            return status.waiting == 0 and status.written == count

        return self.page.wait(fits, f"{count} are written")

    def boxes(self) -> list[Box]:
        """The boxes, when every key and move so far has been taken."""
        self.page.settled()
        return self.probe.boxes()

    def applied(self, name: str, asked: Box) -> Box:
        """The box that was written: a lossless JPEG crop begins and ends at whole blocks."""
        found = self.probe.value(
            "{done.source: done.report['box_applied']"
            " for done in review.collection.trail.operations.finished() if done.kind == 'crop'}"
        )
        left, top, right, bottom = box = tuple(found[name])
        assert left <= asked[0] and top <= asked[1] and right >= asked[2] and bottom >= asked[3]  # noqa: PT018  (one fact)
        assert max(asked[0] - left, asked[1] - top, right - asked[2], bottom - asked[3]) < BLOCK
        return box

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def undone(self) -> None:
        """Take everything back, and go to the first page."""
        while self.probe.value("len(review._controller.store.undo_stack())"):
            self._press_z(self.probe.value("len(review._controller.store.undo_stack())"))
        while (self.page.status() or pytest.fail("no status")).page > 1:
            self.page.press("Backspace")
            self.page.page.wait_for_timeout(APART)
            self.probe_until(READY)
        self.page.settled()
        self.page.until_shown()

    def _press_z(self, left: int) -> None:
        """Take back what a key decided, and before it what was changed since."""
        for _ in range(60):  # changes of boxes come first, one by one
            self.page.press("z")
            if self._becomes(f"len(review._controller.store.undo_stack()) < {left}", 10):
                break
        self.probe_until(f"len(review._controller.store.undo_stack()) < {left} and {READY}")

    def _becomes(self, expression: str, tries: int) -> bool:
        for _ in range(tries):
            if self.probe.value(expression):
                return True
            self.page.page.wait_for_timeout(100)
        return False

    def probe_until(self, expression: str) -> None:
        if self._becomes(expression, 100):
            return
        page = self.page
        facts = (page.status(), page.errors, page.text())
        pytest.fail("\n".join(map(str, (f"waited in vain until {expression}", *facts))))


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, demo: Running
) -> Iterator[Table]:
    root = tmp_path_factory.mktemp("review")
    folder = album.make_album(root / "photos {2024} ü")
    with (
        demo.reviewing(folder, "review") as review,
        desk(browser, review.url) as page,
        review.probe() as probe,
    ):
        yield Table(review, page, probe)
        assert review.errors() == ["review: division by zero"] * FAILING


@pytest.fixture
def table(opened: Table) -> Iterator[Table]:
    page = opened.page
    page.errors.clear()
    yield opened
    opened.undone()
    assert not page.errors
    assert album.contents(opened.folder) == opened.before


def test_the_page_opens_on_a_live_review_without_a_click(table: Table) -> None:
    status = table.page.status()
    assert status == Status(1, 4, "shown", 1, 0, 0, 0, 0, 0, "none")
    assert table.page.cells()[5]["outputs"] == 1
    colours = table.page.canvas.evaluate(
        """canvas => {
            const [w, h] = [canvas.width, canvas.height];
            const data = canvas.getContext('2d').getImageData(0, 0, w, h).data;
            const seen = new Set();
            for (let i = 0; i < data.length; i += 4 * 997) seen.add(data.slice(i, i + 3).join());
            return seen.size;
        }"""
    )
    assert colours > 100


@pytest.mark.parametrize(
    ("grip", "moving"),
    [
        ("BOTTOM_RIGHT", (0, 0, 1, 1)),
        ("TOP_LEFT", (1, 1, 0, 0)),
        ("LEFT", (1, 0, 0, 0)),
        ("BOTTOM", (0, 0, 0, 1)),
        ("WHOLE", (1, 1, 1, 1)),
    ],
)
def test_the_mouse_drags_exactly_what_it_took(table: Table, grip: str, moving: Box) -> None:
    before = table.boxes()
    scale = table.scale(0)
    table.page.drag(table.grip(0, grip), 14, 9)
    after = table.boxes()
    assert after[1:] == before[1:]
    wanted = (14 / scale, 9 / scale, 14 / scale, 9 / scale)
    for old, new, moves, by in zip(before[0], after[0], moving, wanted, strict=True):
        assert new - old == pytest.approx(moves * by, abs=1.01)
    table.page.press("r")
    assert table.boxes() == before


def test_keys_nudge_and_resize_the_chosen_box_by_single_pixels(table: Table) -> None:
    before = table.boxes()
    left, top, right, bottom = before[1]
    table.page.press("2", "ArrowRight", "ArrowDown", "Shift+ArrowRight", "Control+ArrowUp")
    assert table.boxes() == [
        before[0],
        (left + 11, top + 1, right + 11, bottom),
        before[2],
    ]
    table.page.press("r", "1")


def test_accepting_writes_exactly_the_boxes_shown_and_z_brings_every_byte_back(
    table: Table,
) -> None:
    page = table.page
    page.drag(table.grip(0, "BOTTOM_RIGHT"), -37, -23)
    page.drag(table.grip(1, "LEFT"), 21, 4)
    page.drag(table.grip(2, "WHOLE"), 11, -15)
    page.press("3", "ArrowLeft", "Shift+ArrowUp")
    shown = table.accept_page()
    assert list(shown) == ["01_hopper.jpg", "02_logo.png", "03_generated.png"]
    shown |= table.accept_page()
    assert len(shown) == 6
    for name, box in shown.items():
        album.check_is_crop(table.read(name), table.before[name], table.applied(name, box))
        album.check_kept_metadata(table.read(name), table.before[name])
    assert audited(table.folder, "decided")[-6:] == list(shown)
    assert audited(table.folder, "cropped")[-6:] == list(shown)


def audited(folder: Path, event: str) -> list[str]:
    return [row["path"] for row in history(folder) if row["event"] == event]


def history(folder: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "cropkit", "history", str(folder), "--json"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    events: list[dict[str, Any]] = json.loads(told.stdout)["events"]
    return events


def test_u_restores_one_image_and_z_all_of_a_key(table: Table) -> None:
    shown = table.accept_page()
    first, second, third = shown
    table.page.press("Backspace")
    table.page.until_page(1)
    table.page.press("2", "u")
    table.written(2)
    table.page.until_shown()
    assert table.read(second) == table.before[second]
    assert table.read(first) != table.before[first]
    assert table.read(third) != table.before[third]
    table.page.press("z")
    table.written(0)
    table.page.until_shown()
    assert all(table.read(name) == table.before[name] for name in shown)
    assert table.probe.paths() == list(shown)


def test_a_rejected_image_leaves_the_folder_and_comes_back(table: Table) -> None:
    page = table.page
    page.press("2", "x", "Enter")
    page.wait(lambda s: s.page == 2 and s.shown == "shown", "the next page is shown")
    table.written(2)
    table.probe_until("review.collection.counts().rejected == 1")
    assert not (table.folder / "02_logo.png").exists()
    assert not (table.folder / "02_logo.decision").exists()
    kept = [path.read_bytes() for path in table.folder.glob(".cropkit/**/*") if path.is_file()]
    assert table.before["02_logo.png"] in kept


def test_in_the_grid_enter_accepts_all_but_the_marked_which_come_next(table: Table) -> None:
    page = table.page
    page.press("q")
    table.probe_until(f"len(review.boxes) == 12 and {READY}")
    every = table.probe.paths()
    page.press("1", "2", "5", "6")
    stage = "__import__('cropkit.review.view.layout', fromlist=['ClickTarget']).ClickTarget.STAGE"
    for position in (3, 9, 10, 11):  # the last ones have no digit
        page.click(table.probe.value(f"review.screen_point({position}, {stage})"))
    page.settled()
    assert page.text().count("◎") == 8
    page.press("Enter")
    table.written(2)
    table.probe_until(f"len(review.boxes) == 3 and {READY}")
    assert table.probe.paths() == [every[0], every[1], every[3]]
    changed = {name for name in every if table.before[name] != table.read(name)}
    assert changed == {every[2]}, "the other one keeps its full image"
    assert "set aside only" in page.text()


def test_the_wheel_zooms_and_the_mouse_then_moves_an_edge_by_single_pixels(table: Table) -> None:
    page = table.page
    before, scale = table.boxes()[1], table.scale(1)
    x, y = page.on_screen(table.grip(1, "BOTTOM_RIGHT"))
    page.page.mouse.move(x, y)
    page.page.keyboard.down("Control")  # without it the notebook scrolls
    for _ in range(3):
        page.page.mouse.wheel(0, -100)
    page.page.keyboard.up("Control")
    page.settled()
    closer = table.scale(1)
    assert closer == pytest.approx(scale * 2**1.25, rel=0.02)
    held = page.on_screen(table.grip(1, "BOTTOM_RIGHT"))
    assert held == pytest.approx((x, y), abs=1.5), "what was under the pointer still is"
    page.drag(table.grip(1, "BOTTOM_RIGHT"), -4 * closer, -2 * closer)
    left, top, right, bottom = before
    assert table.boxes()[1] == (left, top, right - 4, bottom - 2)
    page.press("r", "0", "1")
    table.boxes()


def test_a_skipped_image_is_left_as_it_is(table: Table) -> None:
    table.page.press("1", "s", "2", "s", "3", "s", "Enter")
    table.page.wait(lambda s: s.page == 2 and s.shown == "shown", "the next page is shown")
    table.probe_until("review.collection.counts().skipped == 3")
    assert album.contents(table.folder) == table.before


def test_what_cannot_be_shown_is_named_and_the_rest_goes_on(table: Table) -> None:
    page = table.page
    for number in (2, 3):
        page.page.wait_for_timeout(APART)
        page.press("PageDown")
        page.wait(lambda s, n=number: s.page == n and s.shown == "shown", f"page {number}")  # type: ignore[misc]  # a default argument
    for name in (*album.BROKEN, album.BAD_SIDECAR):
        assert name in page.text().replace("\n", ""), "a long name is on two lines"
    page.wait(lambda s: s.message == "problem", "the bad sidecar is told")
    assert "09_bad_sidecar.decision" in page.text()
    page.acknowledge_all()
    assert table.probe.boxes()[2] == (0, 0, 640, 480)
    page.press("Enter")
    page.wait(lambda s: s.page == 4 and s.shown == "shown", "the next page is shown")
    table.written(1)
    album.check_is_crop(
        table.read(album.BAD_SIDECAR), table.before[album.BAD_SIDECAR], (0, 0, 640, 480)
    )


def test_an_error_in_a_callback_is_seen(table: Table) -> None:
    page = table.page
    page.acknowledge_all()
    table.probe.value("review.on_submit(lambda decisions: 1 / len(decisions[3:]))")
    try:
        page.press(" ")
        page.wait(lambda s: s.message == "problem", "the error is shown")
        assert "ZeroDivisionError" in page.text()
    finally:
        table.probe.value("review._controller._on_submit.clear()")
    table.written(1)
    page.acknowledge_all()


def test_what_a_browser_sends_is_taken_in_the_main_thread(table: Table) -> None:
    watched = "[_watched := []] and review.observe(lambda _: _watched.append(%s), 'boxes')"
    table.probe.value(watched % "__import__('threading').current_thread().name")
    before = table.boxes()
    table.page.press("Control+ArrowRight")
    assert table.boxes() != before
    assert set(table.probe.value("_watched")) == {"MainThread"}
    table.probe.value("review.unobserve_all('boxes')")
    table.page.press("r")


def test_a_held_enter_decides_one_page(table: Table) -> None:
    page = table.page
    page.page.keyboard.down("Enter")
    for _ in range(30):
        page.page.keyboard.down("Enter")
        page.page.wait_for_timeout(33)
    page.page.keyboard.up("Enter")
    table.written(3)
    assert (page.status() or pytest.fail("no status")).page == 2
    assert table.probe.value("review.collection.counts().decided") == 3


def test_a_reloaded_page_shows_the_same_and_takes_no_key_before_it_does(table: Table) -> None:
    page = table.page
    table.accept_page()
    page.drag(table.grip(1, "TOP_LEFT"), 12, 12)
    before = table.boxes()
    page.page.add_init_script(NOTE_ENTERS)
    page.page.reload(wait_until="domcontentloaded")
    press_enter_until_shown(page)
    if table.probe.value("review.collection.counts().decided") != 3:
        assert page.page.evaluate("seen"), "an Enter was taken for a page that was not there"
        page.press("z")  # on a busy machine one is heard when the page has come meanwhile
        page.until_shown()
    assert table.probe.value("review.collection.counts().decided") == 3
    status = page.status()
    assert status is not None
    assert status.page == 2
    assert table.boxes() == before
    shown = table.accept_page()
    for name, box in shown.items():
        album.check_is_crop(table.read(name), table.before[name], table.applied(name, box))


NOTE_ENTERS = """
window.seen = 0;
window.addEventListener("keydown", () => {
  window.seen += document.querySelector(".cropkit-status") !== null;
}, true);
"""


def press_enter_until_shown(page: Desk) -> None:
    """Enter all the while the page loads: none may be taken for one that nobody sees."""
    while page.status() is None:
        page.press("Enter")
        page.page.wait_for_timeout(50)
    page.page.wait_for_timeout(3 * APART)  # the next is another press, not the same one held
    page.until_replayed()


def test_a_second_tab_shows_the_same_review(table: Table, browser: Browser) -> None:
    table.accept_page()
    with desk(browser, table.review.url) as other:
        status = other.status()
        assert status is not None
        assert (status.page, status.written) == (2, 3)
        before = table.boxes()
        other.press("1", "Control+ArrowLeft")
        other.settled()
        left, top, right, bottom = before[0]
        assert table.boxes() == [(left, top, right - 1, bottom), *before[1:]]
        assert not other.errors
    table.page.until_replayed()
    table.page.press("r")


def test_a_page_that_is_loading_is_not_harmed_by_what_the_kernel_says_meanwhile(
    table: Table, browser: Browser
) -> None:
    """One command that a page cannot carry out ends all its drawing, until it is loaded again."""
    fence = "review._controller.screen.canvases.fence"
    table.probe.value(
        "asking = __import__('tornado.ioloop', fromlist=['x']).PeriodicCallback("
        f"lambda: {fence}.ask_again(), 5)"
    )
    table.probe.value("asking.start()")
    try:
        with desk(browser, table.review.url) as other:
            assert not other.errors
    finally:
        table.probe.value("asking.stop()")
    table.page.until_replayed()
