"""What goes wrong round a review: processes die, the line breaks, files go, a second one comes.

One folder, one server and one page behind a line that can be cut; each test decides the page that
it finds.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pictures
import pytest
from browser import album
from browser.reviewing import SLOW, Desk, Review, Running, desk, running
from browser.wire import Wire, wired
from PIL import ImageChops
from playwright.sync_api import Browser

import cropkit

PER_PAGE, PAGES = 3, 9
BOX = [0.1, 0.2, 0.9, 0.8]
SIZE = (1500, 1000)
APPLIER = "review._controller._decisions._applier.pid"
OWN = "__import__('os').getpid()"


class Scene:
    """A folder under review behind a line, and what it held before."""

    def __init__(self, review: Review, wire: Wire, page: Desk) -> None:
        self.review, self.wire, self.page = review, wire, page
        self.folder = review.folder
        self.before = album.contents(self.folder)

    def value(self, expression: str) -> object:
        with self.review.probe() as probe:
            return probe.value(expression)

    def pid(self, expression: str) -> int:
        return int(str(self.value(expression)))

    def at_work(self) -> None:
        """Wait until the process that writes crops is in the middle of one."""
        until = time.monotonic() + SLOW / 1000
        while not any((self.folder / ".cropkit" / "stage").iterdir()):
            assert time.monotonic() < until, "no crop is being written"

    def here(self) -> tuple[int, list[str]]:
        """The number of the page that is shown, and its images."""
        self.page.until_shown()
        status = self.page.status()
        assert status is not None
        first = PER_PAGE * (status.page - 1)
        return status.page, [f"{first + n:02}.png" for n in range(PER_PAGE)]

    def told(self) -> str:
        """What the review says when all is carried out and a problem is to be acknowledged."""
        self.page.until_idle()
        self.page.wait(lambda s: s.message == "problem", "a problem is told", SLOW)
        return self.page.text()

    def whole(self) -> None:
        """Hold each image to being its original or its crop, every byte and pixel of it."""
        with cropkit.open(self.folder) as kit:
            boxes = {
                one.source: one.report["box_applied"] for one in kit.trail.operations.finished()
            }
            assert kit.fsck() == []
        for name, now in album.contents(self.folder).items():
            if now != self.before.get(name) and name.endswith(".png"):
                album.check_is_crop(now, self.before[name], tuple(boxes[name]))

    def cropped(self) -> dict[str, int]:
        """How often each image was cropped."""
        with cropkit.open(self.folder) as kit:
            names = [row["path"] for row in kit.trail.events() if row["event"] == "cropped"]
        return {name: names.count(name) for name in names}


def make_folder(folder: Path) -> Path:
    folder.mkdir()
    photo = pictures.photo(*SIZE)
    for number in range(PER_PAGE * PAGES):
        another = ImageChops.offset(photo, 20 * number)
        path = pictures.write_png(folder / f"{number:02}.png", another)
        pictures.write_sidecar(path, BOX)
    return folder


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, demo: Running
) -> Iterator[Scene]:
    root = tmp_path_factory.mktemp("mishaps")
    folder = make_folder(root / "images {2024} ü")
    with (
        demo.reviewing(folder, "mishaps") as review,
        wired(review.url) as wire,
        desk(browser, wire.url) as page,
    ):
        yield Scene(review, wire, page)


@pytest.fixture
def scene(opened: Scene) -> Scene:
    opened.page.canvas.focus()  # a dialog of JupyterLab may have had it
    opened.page.acknowledge_all()
    opened.page.page.wait_for_timeout(1000)  # the next Enter is not the last one, held
    return opened


def test_a_file_that_vanishes_while_it_is_shown_is_named_and_the_others_are_written(
    scene: Scene,
) -> None:
    page, (at, (gone, *others)) = scene.page, scene.here()
    before = scene.cropped()
    (scene.folder / gone).unlink()
    page.press("Enter")
    page.until_page(at + 1)
    told = scene.told()
    assert gone in told
    assert "no such file" in told
    assert scene.cropped() == before | dict.fromkeys(others, 1)
    assert page.until_idle().failed == 1
    (scene.folder / gone).write_bytes(scene.before[gone])


def test_the_process_that_writes_dies_in_a_crop_the_next_one_carries_it_out_and_it_is_told(
    scene: Scene,
) -> None:
    page, (at, names) = scene.page, scene.here()
    writer = scene.pid(APPLIER)
    page.press("Enter")
    scene.at_work()
    os.kill(writer, signal.SIGKILL)
    page.until_page(at + 1)
    assert "exit code -9" in scene.told()
    assert scene.pid(APPLIER) != writer
    assert [scene.cropped()[name] for name in names] == [1, 1, 1]
    scene.whole()


def test_a_page_accepted_while_the_line_is_cut_is_decided_once_or_still_there_to_be_accepted(
    scene: Scene,
) -> None:
    page, (at, names) = scene.page, scene.here()
    lost = page.page.get_by_text("The connection is lost")
    assert not lost.is_visible()
    scene.wire.cut()
    page.press("Enter")
    lost.wait_for(state="visible")
    page.page.wait_for_timeout(1000)
    assert scene.value("review.index") == at - 1
    scene.wire.mend()
    lost.wait_for(state="hidden", timeout=SLOW)
    close_dialogs(page)
    page.until_shown()
    status = page.status()
    assert status is not None
    if status.page == at:  # the key went into the line before anybody knew that it was cut
        page.canvas.focus()
        page.press("Enter")
    page.until_page(at + 1, SLOW)
    page.until_idle()
    assert [scene.cropped()[name] for name in names] == [1, 1, 1]


def test_a_kernel_killed_in_a_crop_leaves_the_file_whole_and_a_new_one_goes_on_there(
    scene: Scene,
) -> None:
    page, (at, names) = scene.page, scene.here()
    gone = page.page.get_by_text("The review's kernel is gone")
    kernel, writer, failed = scene.pid(OWN), scene.pid(APPLIER), page.until_idle().failed
    page.press("Enter")
    scene.at_work()
    os.kill(kernel, signal.SIGKILL)
    os.kill(writer, signal.SIGKILL)
    page.page.locator(".jp-Dialog button.jp-mod-accept").click(timeout=SLOW)
    gone.wait_for(state="visible")
    run_all(page)
    page.until_replayed()
    status = page.until_idle()
    assert (status.page, status.failed) == (at + 1, failed)
    assert not gone.is_visible()
    assert [scene.cropped()[name] for name in names] == [1, 1, 1]
    scene.whole()


def close_dialogs(page: Desk) -> None:
    """JupyterLab says in a dialog that the line was cut, some time after it was."""
    dialog = page.page.locator(".jp-Dialog")
    for _ in range(30):
        if dialog.count():
            page.press("Escape")
        page.page.wait_for_timeout(100)
    dialog.wait_for(state="detached")


def run_all(page: Desk) -> None:
    old = page.page.locator(".cropkit-status").element_handle()
    page.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.page.wait_for_function("old => !old.isConnected", arg=old, timeout=SLOW)


def test_two_reviews_of_one_folder_share_its_pages_and_say_who_has_which(
    scene: Scene, browser: Browser, tmp_path: Path
) -> None:
    page, (at, _) = scene.page, scene.here()
    before = scene.cropped()
    with (
        running(tmp_path / "home", str(scene.folder), "--reviewer", "Ben <b>") as review,
        desk(browser, review.url) as other,
    ):
        # its own is the page at hand, and the next is read ahead
        other.until_page(at + 2)
        other.wait(lambda _: "under review elsewhere" in other.text(), "it is told")
        other.press("Enter")
        other.until_page(at + 3)
        page.press("Enter")
        page.until_page(at + 1)
        for there in (at + 2, at + 3):
            page.press("PageDown")
            page.until_page(there)
        page.wait(lambda _: "Ben <b> has 3 of these" in page.text(), "who has it is told")
        page.press("PageUp")
        page.until_page(at + 2)
        page.wait(lambda _: "Ben <b> has" not in page.text(), "and of no other page")
        for each in (page, other):
            each.until_idle()
        assert "under review elsewhere" in page.text()
        both = [f"{PER_PAGE * n + i:02}.png" for n in (at - 1, at + 1) for i in range(PER_PAGE)]
        assert scene.cropped() == before | dict.fromkeys(both, 1)
        scene.whole()
