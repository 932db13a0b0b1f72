"""A large review shows its first page while the rest of the collection is still being listed."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Semaphore
from typing import Any

import pictures
import pytest
from conftest import Started  # type: ignore[attr-defined]  # (several conftest.py)
from deciding import decided
from desktop import Browser, entries
from faults import deny

from cropkit.collection import Collection
from cropkit.engine import review_order
from cropkit.engine.listing import Stretch
from cropkit.errors import NoImages
from cropkit.geometry import PixelBox
from cropkit.records import Status, Verdict
from cropkit.review.model import Listed, Rest, ReviewState, advance
from cropkit.review.model.box_editing import Grip
from cropkit.review.runtime import background_listing, image_stream
from cropkit.review.runtime.image_stream import Chunk, ImageStream
from cropkit.review.runtime.review_store import ReviewStore

FOLDERS, IN_A_FOLDER, PER_PAGE = 6, 2, 2
FAR = "5/1.png"


class Gate:
    """Lets so many folders be listed; the next one takes for ever."""

    def __init__(self) -> None:
        self._permits = Semaphore(0)

    def let(self, folders: int = 1000) -> None:
        for _ in range(folders):
            self._permits.release()

    def slowed(self, listed: Callable[..., Iterator[Stretch]]) -> Callable[..., Iterator[Stretch]]:
        def streamed(collection: Collection) -> Iterator[Stretch]:
            for stretch in listed(collection):
                self._permits.acquire()
                yield stretch

        return streamed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(FOLDERS):
        for image in range(IN_A_FOLDER):
            path = tmp_path / "large" / f"{number}" / f"{image}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pictures.write_png(path, pictures.photo(60, 40, 7 * number + image))
    return tmp_path / "large"


@pytest.fixture
def gate(start: Started, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Have the images of one folder be enough for a first page, and no other be listed."""
    del start  # which closes the reviews, after the gate is open
    monkeypatch.setattr(image_stream, "MOST", IN_A_FOLDER)
    gate = Gate()
    monkeypatch.setattr(Collection, "streamed", gate.slowed(Collection.streamed))
    gate.let(1)  # the top, which comes last in this order, has none
    yield gate
    gate.let()


@pytest.fixture
def streaming(gate: Gate, start: Started) -> Browser:
    """A review of which one folder is listed, with its first page on the screen."""
    del gate
    return opened(start)


def opened(start: Started, **options: Any) -> Browser:
    browser: Browser = start(**{"per_page": PER_PAGE} | options)
    browser.open()
    browser.shown()
    return browser


def listed(browser: Browser, images: int) -> None:
    browser.until(lambda: len(browser.controller.session.listing) >= images)
    browser.shown()


def complete(browser: Browser) -> None:
    browser.until(lambda: browser.controller.session.whole)
    browser.shown()


def paths(browser: Browser) -> list[str]:
    return [entry.path for entry in entries(browser)]


def test_the_first_page_is_there_while_the_rest_is_listed(streaming: Browser, gate: Gate) -> None:
    browser = streaming
    assert paths(browser) == ["0/0.png", "0/1.png"]
    assert "0 decided · 2 images so far, still listing" in browser.words
    assert "page 1 of 1 so far" in browser.words
    assert "2 decided" not in browser.words
    assert browser.status.removesuffix("</div>").endswith("rest coming")
    assert not browser.review.progress["complete"]
    assert repr(browser.review) == "Review(2 images so far, 2 a page)"
    gate.let(2)
    listed(browser, 6)
    browser.loop.sleep(1)
    gate.let()
    complete(browser)
    assert "0 of 12 decided" in browser.words
    assert "page 1 of 6<" in browser.words
    assert "so far" not in browser.words
    assert "rest" not in browser.status
    assert browser.review.progress["total"] == 12
    assert browser.review.progress["complete"]
    assert repr(browser.review) == "Review(12 images, 2 a page)"
    assert "cropkit-listing" not in {thread.name for thread in threading.enumerate()}


def test_no_folder_is_read_before_it_is_needed(
    folder: Path, start: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two, however many there are: the top, and the first with images."""
    monkeypatch.setattr(image_stream, "MOST", IN_A_FOLDER)
    monkeypatch.setattr(background_listing.BackgroundListing, "go_on", lambda _: None)
    scanned: list[str] = []
    real = os.scandir

    def scandir(path: Any = ".") -> Any:
        if str(path).startswith(str(folder)) and ".cropkit" not in str(path):
            scanned.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    browser = opened(start)
    assert scanned == ["large", "0"]
    assert paths(browser) == ["0/0.png", "0/1.png"]


def test_a_small_collection_is_listed_in_one_step(start: Started) -> None:
    browser = start(per_page=PER_PAGE)
    assert browser.controller.session.whole
    assert browser.review.progress["total"] == FOLDERS * IN_A_FOLDER
    assert "cropkit-listing" not in {thread.name for thread in threading.enumerate()}


def test_a_notebook_without_a_browser_sees_when_all_is_listed(gate: Gate, start: Started) -> None:
    browser = start(per_page=PER_PAGE)
    gate.let()
    browser.until(lambda: browser.review.progress["complete"], acknowledging=False)
    assert browser.review.progress["total"] == 12


def test_who_is_done_with_all_that_is_listed_goes_on_when_more_is(
    streaming: Browser, gate: Gate
) -> None:
    browser = streaming
    browser.key("Enter")
    browser.written()
    assert "2 decided · 2 images so far, still listing" in browser.words
    assert "All that is listed so far is decided: goes on as soon as more is" in browser.words
    assert "Everything is decided" not in browser.words
    gate.let(1)
    browser.until(lambda: paths(browser) == ["1/0.png", "1/1.png"])
    browser.shown()
    assert "goes on as soon" not in browser.words
    browser.key("Enter")
    gate.let()
    complete(browser)
    browser.written()
    assert "4 of 12 decided" in browser.words
    assert paths(browser) == ["2/0.png", "2/1.png"]


def test_the_end_comes_after_the_last_image_was_listed(
    gate: Gate, folder: Path, start: Started
) -> None:
    for name in range(1, FOLDERS):
        for path in (folder / f"{name}").iterdir():
            path.unlink()
    browser = opened(start)
    browser.key("Enter")
    browser.written()
    assert "Everything is decided" not in browser.words
    gate.let()
    browser.until(lambda: browser.controller.session.ended)
    assert "Everything is decided" in browser.words


def remember(folder: Path, place: str) -> None:
    with Collection(folder) as collection:
        ReviewStore(collection).remember_place(place)


def test_the_review_comes_back_to_where_it_was_left(
    gate: Gate, folder: Path, start: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(folder, FAR)
    monkeypatch.setattr(image_stream, "TO_PLACE", -1.0)
    browser = opened(start)
    assert paths(browser)[0] == "0/0.png"
    assert f"Still listing: goes to where you were, {FAR}" in browser.words
    browser.written()
    assert ReviewStore(browser.review.collection).place() == FAR
    gate.let()
    browser.until(lambda: FAR in paths(browser))
    browser.shown()
    assert f"Back where you were: {FAR}" in browser.messages.note
    complete(browser)
    browser.written()
    assert FAR in paths(browser)
    assert ReviewStore(browser.review.collection).place() == "5/0.png"


def test_a_place_that_is_listed_soon_is_waited_for(
    gate: Gate, folder: Path, start: Started
) -> None:
    remember(folder, "2/0.png")
    gate.let(2)
    browser = start(per_page=PER_PAGE)
    assert paths(browser)[0] == "2/0.png"
    assert not browser.controller.session.whole


@pytest.mark.parametrize("busy", ["Tab", "+", "?", "g", "pointer"])
def test_whoever_works_on_a_page_is_left_on_it(
    busy: str, gate: Gate, folder: Path, start: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(folder, FAR)
    monkeypatch.setattr(image_stream, "TO_PLACE", -1.0)
    browser = opened(start)
    if busy == "pointer":
        browser.mouse("down", browser.review.screen_point(1, Grip.BOTTOM_RIGHT))
    else:
        browser.key(busy)
    gate.let()
    complete(browser)
    assert paths(browser)[0] == "0/0.png"
    assert f"Where you were is listed now: {FAR}. Go to it by its name" in browser.messages.note


def test_a_listing_that_breaks_off_is_told_and_nothing_hangs(
    folder: Path, start: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(folder, FAR)
    monkeypatch.setattr(image_stream, "MOST", IN_A_FOLDER)
    monkeypatch.setattr(image_stream, "TO_PLACE", -1.0)

    def broken(_: Collection) -> Iterator[Stretch]:
        yield Stretch(["0/0.png", "0/1.png"], {})
        raise RuntimeError("the folders are no tree")

    monkeypatch.setattr(Collection, "streamed", broken)
    browser = opened(start)
    browser.until(lambda: browser.controller.session.rest is Rest.LOST)
    assert "the folders are no tree" in browser.messages.problems[0].text
    assert "2 images so far, the listing broke off" in browser.words
    log = (folder / ".cropkit" / "cropkit.log").read_text(encoding="utf-8").splitlines()
    assert any("no tree" in json.loads(line)["message"] for line in log)
    browser.key("a")
    browser.key("Enter")
    browser.written()
    assert "2 decided" in browser.words
    assert "Everything is decided" not in browser.words
    assert ReviewStore(browser.review.collection).place() == FAR
    browser.review.close()


def test_a_folder_that_cannot_be_read_is_told_when_it_is_met(
    gate: Gate, start: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, "3")
    browser = opened(start)
    assert not browser.messages.problems
    gate.let()
    complete(browser)
    [problem] = browser.messages.problems
    assert (problem.about, "cannot be read" in problem.text) == ("3", True)
    assert "0 of 10 decided" in browser.words


def test_what_no_image_follows_is_told(
    gate: Gate, folder: Path, start: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in folder.rglob("*.png"):
        path.unlink()
    monkeypatch.setattr(image_stream, "PATIENCE", -1.0)
    browser = start(per_page=PER_PAGE)
    browser.open()
    assert "0 images so far" in browser.words
    gate.let()
    browser.until(lambda: browser.controller.session.whole)
    assert str(NoImages(folder)) in browser.messages.problems[0].text


def test_a_review_is_closed_while_a_folder_is_read(
    streaming: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming.controller._listing._thread, "_patience", 0.05)
    streaming.review.close()
    assert streaming.controller.closed


def test_a_name_that_is_no_text_comes_as_any_other(
    gate: Gate, folder: Path, start: Started
) -> None:
    source = folder / "4" / "0.png"
    source.rename(folder / "4" / "\udcff.png")
    browser = opened(start)
    gate.let()
    complete(browser)
    assert "4/\udcff.png" in browser.controller.session.listing


# --- what is decided about images that are listed later


@pytest.fixture
def worked(folder: Path) -> Path:
    """Decisions of an earlier session: carried out, waiting, rejected, and undone."""
    with Collection(folder, reviewer="me") as collection:
        collection.crop("3/0.png", PixelBox(0, 0, 30, 30))
        collection.crop("4/1.png", PixelBox(0, 0, 30, 30))
        decided(collection, "4/0.png", box=PixelBox(1, 2, 30, 30))
        rejects = decided(collection, "5/0.png", Verdict.REJECT, None)
        assert collection.apply(rejects).ok
        collection.crop("2/0.png", PixelBox(0, 0, 30, 30))
        collection.undo("2/0.png")
    with Collection(folder, reviewer="you") as collection:
        collection.crop("1/0.png", PixelBox(0, 0, 30, 30))
    return folder


def test_decisions_come_with_their_images(gate: Gate, worked: Path, start: Started) -> None:
    browser = opened(start, kit=Collection(worked, reviewer="me"))
    browser.key("z")
    assert "can be undone when every image is listed" in browser.messages.note
    gate.let()
    complete(browser)
    browser.written()
    settled = browser.controller.session.settled
    assert {path: decision.status for path, decision in settled.items()} == {
        "1/0.png": Status.CROPPED,
        "3/0.png": Status.CROPPED,
        "4/0.png": Status.CROPPED,  # carried out by this kernel
        "4/1.png": Status.CROPPED,
        "5/0.png": Status.REJECTED,
    }
    assert "5 of 12 decided" in browser.words
    assert [*browser.controller.session.undo] == ["3/0.png", "4/1.png", "4/0.png", "5/0.png"]
    browser.key("z")
    browser.until(lambda: not browser.controller.session.restoring)
    browser.written()
    assert "4 of 12 decided" in browser.words
    assert (worked / "5" / "0.png").exists()


def drained(stream: ImageStream, state: ReviewState) -> tuple[ReviewState, list[Chunk]]:
    chunks: list[Chunk] = []
    while not state.whole:
        chunks.append(stream.following(state.images))
        state = advance(state, chunks[-1].move).session
    return state, chunks


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_bit_by_bit_it_is_the_same_review(
    most: int, worked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collection(worked, reviewer="me") as collection:
        whole = ReviewStore(collection).resumed(2, 0)
        monkeypatch.setattr(image_stream, "MOST", most)
        monkeypatch.setattr(review_order, "RUN", most)
        monkeypatch.setattr(image_stream, "_TURN", -1.0)
        part = ReviewStore(collection).resumed(2, 0)
        assert part.rest is not None
        state, chunks = drained(part.rest, part.session)
    assert all(len(chunk.paths) <= most for chunk in chunks)
    assert state == whole.session
    told = dict(pair for chunk in chunks for pair in chunk.known.ids) | {
        path: part.ids[path] for path in part.session.settled
    }
    assert told == {path: whole.ids[path] for path in whole.session.settled}
    waiting = [*part.waiting, *(path for chunk in chunks for path in chunk.known.waiting)]
    assert sorted(waiting) == sorted(whole.waiting)


def test_a_chunk_without_images_tells_of_what_is_elsewhere(
    worked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_stream, "MOST", 1)
    with Collection(worked, reviewer="me") as collection:
        part = ReviewStore(collection).resumed(2, 0)
        assert part.rest is not None
        _, chunks = drained(part.rest, part.session)
    elsewhere = [
        chunk.move for chunk in chunks if isinstance(chunk.move, Listed) and chunk.known.ids
    ]
    assert [*elsewhere[-1].settled] == ["5/0.png"]
    assert elsewhere[-1].paths == ()
