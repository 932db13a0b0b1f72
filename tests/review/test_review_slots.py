"""Several crops of one image, driven as a browser drives the review, on a real collection."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pictures
import pytest
from desktop import Browser, entries
from PIL import Image

from cropkit.collection import Collection
from cropkit.geometry import Size
from cropkit.records import Status, Verdict
from cropkit.review.canvas.cells import OtherCrop, cell_states
from cropkit.review.model import Filter, Loading, NextFilter, Open
from cropkit.review.model.slots import keyed, slot_of
from cropkit.suggest import Sidecars
from cropkit.suggest.suggested import Suggested
from cropkit.workers.previews import Preview

Started = Callable[..., Browser]
SLOTS = ["face", "bust", "full"]
FIRST = "a_1.png"


def seen(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.is_file()
    }


def copies(out: Path) -> list[str]:
    return sorted(path.name for path in out.rglob("*.png"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five PNGs, each with a box and a caption."""
    folder = tmp_path / "collection"
    folder.mkdir()
    for number in range(1, 6):
        image = folder / f"a_{number}.png"
        pictures.write_png(image, pictures.photo(104, 152, number))
        pictures.write_sidecar(image, [0.125, 0.25, 0.875, 0.75])
        image.with_suffix(".txt").write_text(f"caption {number}", encoding="utf-8")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def opening(folder: Path, out: Path) -> Iterator[Callable[[], Collection]]:
    """Collections of the folder for three crops of each image."""
    opened: list[Collection] = []

    def again() -> Collection:
        opened.append(Collection(folder, copy_to=out, slots=SLOTS))
        return opened[-1]

    yield again
    for collection in opened:
        collection.close()


@pytest.fixture
def browser(start: Started, opening: Callable[[], Collection]) -> Browser:
    return shown(start(opening()))


def shown(browser: Browser) -> Browser:
    browser.open()
    browser.shown()
    return browser


def slots(browser: Browser) -> list[str]:
    return [slot_of(entry.path) for entry in entries(browser)]


def standing(browser: Browser) -> dict[str, Status]:
    by_slot = browser.review.collection.trail.decisions.standing_by_slot()
    return {keyed(*slot): each.status for slot, each in by_slot.items()}


def test_three_crops_of_an_image_are_copied_and_their_image_stays_as_it_was(
    browser: Browser, folder: Path, out: Path
) -> None:
    before = seen(folder)
    browser.key("ArrowRight")
    browser.key(",")
    browser.key("ArrowDown", shift=True)
    boxes = {slot_of(entry.path): entry.box for entry in entries(browser)}
    assert len(set(boxes.values())) == 3
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert copies(out) == [f"a_1_{slot}.png" for slot in sorted(SLOTS)]
    source = Image.open(folder / FIRST)
    for slot, box in boxes.items():
        copied = Image.open(out / f"a_1_{slot}.png")
        assert copied.tobytes() == source.crop(box.xyxy).tobytes()
    assert seen(folder) == before
    assert set(standing(browser).values()) == {Status.CROPPED}


def test_the_page_says_which_crop_is_which_and_counts_them(browser: Browser) -> None:
    assert slots(browser) == SLOTS
    assert all(f">{slot}</span>" in browser.words for slot in SLOTS)
    assert browser.words.count("<span class='ck-cut'>a_1.</span><span>png</span>") == 3
    assert "0 of 15 crops<span class='ck-more'> · 0 of 5 images</span> decided" in browser.words
    assert repr(browser.review) == "Review(15 crops of 5 images, 3 a page)"
    assert "<span class='ck-key'>,</span> next crop" in browser.words
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert "3 of 15 crops<span class='ck-more'> · 1 of 5 images</span> decided" in browser.words
    assert browser.controller.counts == browser.review.collection.counts()


def test_an_image_is_read_once_for_all_its_crops(start: Started, folder: Path, out: Path) -> None:
    reads: list[str] = []

    class Counting(Sidecars):
        def suggest(self, path: str, size: Size, sha256: str) -> Suggested:
            reads.append(path)
            return super().suggest(path, size, sha256)

    kit = Collection(folder, copy_to=out, slots=SLOTS, suggesters=[Counting(folder)])
    browser = start(kit, per_page=2)
    original = browser.controller.prefetch._reader.read
    previews: list[str] = []

    def read(path: str, fit: Size) -> Preview:
        previews.append(path)
        return original(path, fit)

    browser.controller.prefetch._reader.read = read  # type: ignore[method-assign]
    shown(browser)
    for _ in range(2):
        browser.key("Enter")
        browser.shown()
        browser.written()
    assert previews.count(FIRST) == 1
    assert reads.count(FIRST) == 2  # for the page, and to learn how sure it is
    kit.close()


def test_one_named_crop_is_made_in_place_and_taken_back(start: Started, folder: Path) -> None:
    before = seen(folder)
    with Collection(folder, slots=["face"]) as kit:
        browser = shown(start(kit, per_page=1))
        browser.key("Enter")
        browser.shown()
        browser.written()
        assert standing(browser) == {keyed(FIRST, "face"): Status.CROPPED}
        assert seen(folder)[FIRST] != before[FIRST]
        assert browser.controller.counts == kit.counts()
        browser.key("z")
        browser.written()
        browser.shown()
        assert isinstance(entries(browser)[0], Open)
    assert seen(folder) == before


def test_an_image_that_copies_are_made_of_is_not_read_again_for_an_undo(browser: Browser) -> None:
    before = browser.controller.prefetch.get(FIRST)
    for _ in range(2):
        browser.key("Enter")
        browser.shown()
        browser.written()
        browser.key("z")
        browser.written()
        browser.shown()
        assert browser.controller.prefetch.get(FIRST) is before
        assert entries(browser)[2].suggestion is not None


def test_undo_takes_back_the_copy_of_one_slot_and_redo_brings_it_back(
    browser: Browser, out: Path
) -> None:
    for _ in range(2):
        browser.key(" ")
        browser.written()
    assert copies(out) == ["a_1_bust.png", "a_1_face.png"]
    copied = (out / "a_1_bust.png").read_bytes()
    browser.key("z")
    browser.written()
    browser.shown()
    assert copies(out) == ["a_1_face.png"]
    assert [type(entry).__name__ for entry in entries(browser)] == ["Done", "Open", "Open"]
    browser.key("y")
    browser.written()
    assert (out / "a_1_bust.png").read_bytes() == copied
    assert len(copies(out)) == 2


def test_the_next_day_goes_on_slot_by_slot(
    browser: Browser, start: Started, opening: Callable[[], Collection], out: Path
) -> None:
    browser.key("2")
    browser.key(" ")
    browser.written()
    browser.review.close()
    again = shown(start(opening()))
    assert slots(again) == SLOTS
    assert [type(entry).__name__ for entry in entries(again)] == ["Open", "Done", "Open"]
    assert again.controller.session.undo == (keyed(FIRST, "bust"),)
    again.key("z")
    again.written()
    assert copies(out) == []


def test_the_next_day_begins_at_the_image_where_it_was_left(
    browser: Browser, start: Started, opening: Callable[[], Collection]
) -> None:
    browser.key("PageDown")
    browser.shown()
    browser.written()
    place = browser.review.collection.trail.place(browser.review.collection.reviewer)
    assert place == "a_2.png"
    browser.review.close()
    assert shown(start(opening())).controller.session.page == 1


def test_a_rejected_crop_is_not_made_and_its_image_stays_for_the_others(
    browser: Browser, folder: Path, out: Path
) -> None:
    before = seen(folder)
    browser.key("x")
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert seen(folder) == before
    assert copies(out) == ["a_1_bust.png", "a_1_full.png"]
    assert standing(browser)[keyed(FIRST, "face")] is Status.REJECTED
    while browser.controller.session.filter is not Filter.REJECTED:
        browser.controller.take(NextFilter())
    browser.shown()
    assert browser.controller.session.paths == (keyed(FIRST, "face"),)
    for _ in range(3):
        browser.key("z")
        browser.written()
        browser.shown()
    assert standing(browser) == {}
    assert browser.messages.problems == ()


def test_what_one_slot_fails_by_is_told_with_its_name(browser: Browser, out: Path) -> None:
    out.mkdir(exist_ok=True)
    (out / "a_1_bust.png").write_text("somebody else's")
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert [each.about for each in browser.messages.problems] == [f"{FIRST} (bust)"]
    statuses = {slot_of(path): status for path, status in standing(browser).items()}
    assert statuses == {
        "face": Status.CROPPED, "bust": Status.REFUSED, "full": Status.CROPPED,
    }  # fmt: skip
    assert browser.controller.session.images.whole_count == 1


def test_a_changed_file_is_shown_again_in_each_of_its_slots(browser: Browser, folder: Path) -> None:
    pictures.write_png(folder / FIRST, pictures.photo(104, 152, 77))
    browser.key(" ")
    browser.until(lambda: not any(isinstance(e, Loading) for e in entries(browser)))
    browser.written()
    browser.shown()
    contents = {entry.sha256 for entry in entries(browser) if isinstance(entry, Open)}
    assert len(contents) == 1
    browser.key("Enter")
    browser.shown()
    browser.written()
    assert set(standing(browser).values()) == {Status.CROPPED}


def test_a_cell_shows_the_boxes_of_all_crops_of_its_image(browser: Browser) -> None:
    browser.key("ArrowRight")
    face, bust, full = entries(browser)
    assert bust.box == full.box
    session, screen = browser.controller.session, browser.controller.screen
    states = cell_states(session, screen.view_state, browser.controller.prefetch.applied)
    assert [state.others for state in states] == [
        (OtherCrop("bust, full", bust.box),),
        (OtherCrop("face", face.box), OtherCrop("full", full.box)),
        (OtherCrop("face", face.box), OtherCrop("bust", bust.box)),
    ]
    browser.loop.sleep(1)
    words = {command[1][0] for command in browser.named("fillText")}
    assert {"bust, full", "face"} <= words


def test_crops_of_an_image_are_shown_from_wherever_they_are(
    start: Started, opening: Callable[[], Collection]
) -> None:
    browser = shown(start(opening(), per_page=2))

    def others(position: int) -> list[str]:
        session, screen = browser.controller.session, browser.controller.screen
        applied = browser.controller.prefetch.applied
        states = cell_states(session, screen.view_state, applied)
        return [other.names for other in states[position].others]

    assert others(0) == ["bust, full"]  # as they are going to be offered
    browser.key("ArrowRight")
    browser.key("PageDown")
    browser.shown()
    assert slots(browser) == ["full", "face"]
    assert others(0) == ["face", "bust"]


def test_a_crop_is_left_out_of_the_others_where_it_is_not_made(browser: Browser) -> None:
    browser.key("x")
    assert browser.controller.session.box_of(keyed(FIRST, "face")) is None
    browser.key("Enter")
    browser.shown()
    assert browser.controller.session.box_of(keyed(FIRST, "bust")) is not None
    assert browser.controller.session.box_of(keyed(FIRST, "face")) is None
    decided = browser.controller.session.settled[keyed(FIRST, "face")]
    assert decided.verdict is Verdict.REJECT


def test_a_slots_name_is_shown_as_what_it_is(start: Started, folder: Path, out: Path) -> None:
    with Collection(folder, copy_to=out, slots=["head + neck", "脸"]) as kit:
        browser = shown(start(kit, per_page=2))
        assert ">head + neck</span>" in browser.words
        assert ">脸</span>" in browser.words
        assert browser.review.snapshot().width == 1000
        browser.key("Enter")
        browser.written()
        assert copies(out) == ["a_1_head + neck.png", "a_1_脸.png"]


# --- crops that are added


def test_a_key_adds_a_crop_beside_its_image_which_is_copied_under_its_number(
    start: Started, folder: Path, out: Path
) -> None:
    before = seen(folder)
    with Collection(folder, copy_to=out) as kit:
        browser = shown(start(kit))
        browser.key("ArrowRight")
        browser.key(";")
        browser.shown()
        assert [entry.path for entry in entries(browser)] == [FIRST, keyed(FIRST, "2"), "a_2.png"]
        assert entries(browser)[0].box == entries(browser)[1].box
        browser.key("ArrowDown", shift=True)
        boxes = [entry.box for entry in entries(browser)]
        assert boxes[0] != boxes[1]
        browser.key("Enter")
        browser.shown()
        browser.written()
        assert copies(out) == ["a_1.png", "a_1_2.png", "a_2.png"]
        source = Image.open(folder / FIRST)
        assert Image.open(out / "a_1_2.png").tobytes() == source.crop(boxes[1].xyxy).tobytes()
        assert browser.controller.counts == kit.counts()
        assert (kit.counts().total, kit.counts().decided) == (6, 3)
        browser.review.close()
    assert seen(folder) == before
    with Collection(folder, copy_to=out) as kit:
        again = shown(start(kit, per_page=6))
        assert [type(entry).__name__ for entry in entries(again)] == ["Done"] * 3 + ["Open"] * 3
        assert entries(again)[1].path == keyed(FIRST, "2")
        again.key("z")
        again.written()
        again.shown()
        again.key("z")
        again.written()
        again.shown()
        assert copies(out) == ["a_1.png"]
        assert (entries(again)[1].path, entries(again)[1].box) == (keyed(FIRST, "2"), boxes[1])
        again.key(" ")
        again.written()
        assert copies(out) == ["a_1.png", "a_1_2.png"]
        assert kit.fsck() == []


def test_an_added_crop_stays_when_the_page_is_loaded_again_and_a_key_removes_it(
    start: Started, folder: Path, out: Path
) -> None:
    with Collection(folder, copy_to=out) as kit:
        browser = shown(start(kit))
        browser.key(";")
        browser.shown()
        shown(browser)
        assert len(browser.controller.session.listing) == 6
        assert ">2</span>" in browser.words
        browser.key("Delete", shift=True)
        browser.shown()
        assert len(browser.controller.session.listing) == 5
        browser.key("Delete", shift=True)
        assert "was not added" in browser.messages.note


def test_where_crops_are_made_in_place_the_key_says_why_there_is_no_other(start: Started) -> None:
    browser = shown(start())
    browser.key(";")
    assert "need a folder (--copy-to)" in browser.messages.note
    assert len(browser.controller.session.listing) == 5


def test_where_each_image_has_one_crop_the_words_are_those_of_images(start: Started) -> None:
    browser = shown(start())
    assert "0 of 5 decided" in browser.words
    assert "ck-slot ck-cut" not in browser.words
    assert "next crop" not in browser.words
    assert repr(browser.review) == "Review(5 images, 3 a page)"
    browser.key(",")
    assert "is the only crop of its image" in browser.messages.note
