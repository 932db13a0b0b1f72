"""One key, asked once: images are cropped without the content credentials that hinder that."""

from collections.abc import Callable
from pathlib import Path

import pytest
from deciding import decided
from desktop import Browser, entries, standing
from misfits import MISFITS

import cropkit
from cropkit.__main__ import main
from cropkit.batch import Batch
from cropkit.collection import Collection
from cropkit.errors import IllegalMove
from cropkit.formats.options import Options
from cropkit.geometry import PixelBox, Size
from cropkit.records import Status
from cropkit.review.model import (
    Broken,
    DropCredentials,
    ImageLoaded,
    LoadFailed,
    Loading,
    Mark,
    Open,
    ReviewState,
    ToggleMark,
    TurnPage,
    advance,
    begin,
)
from cropkit.runs import report

Started = Callable[..., Browser]
PATHS = tuple(f"{n}.jpg" for n in range(4))
SHA, SIZE = "a" * 64, Size(200, 100)
BOX = PixelBox(16, 16, 200, 200)


def signed(path: str) -> LoadFailed:
    return LoadFailed(path, "holds credentials", SHA, SIZE, "Provenance")


def on(session: ReviewState, *moves: object) -> ReviewState:
    for move in moves:
        session = advance(session, move).session  # type: ignore[arg-type]  # each is a move
    return session


@pytest.fixture
def album(folder: Path) -> Path:
    """A folder in which two images before the others hold credentials, and one is an animation."""
    for name in ("0.jpg", "00.jpg", "zz.jpg"):
        (folder / name).write_bytes(MISFITS["signed.jpg"][0]())
    (folder / "000.gif").write_bytes(MISFITS["animation.gif"][0]())
    return folder


def seen(start: Started, **options: object) -> Browser:
    browser = start(**options)
    browser.open()
    browser.shown()
    return browser


# --- the model


def test_every_image_that_only_credentials_hinder_is_looked_at_again() -> None:
    session = on(begin(PATHS, 2), signed(PATHS[0]), signed(PATHS[1]), TurnPage(1))
    other = LoadFailed(PATHS[3], "animated", SHA, SIZE, "AnimatedImage")
    session = on(session, signed(PATHS[2]), other)
    assert session.next_undecided_page() is None
    step = advance(session, DropCredentials())
    assert step.dropping == "provenance"
    assert step.decisions == ()
    here, beside = step.session.entries
    assert here == Loading(PATHS[2])
    assert isinstance(beside, Broken)
    assert dict(step.session.broken) == {PATHS[3]: "animated"}
    assert step.session.next_undecided_page() == 0


def test_where_no_image_of_the_page_has_any_nothing_is_asked() -> None:
    session = on(begin(PATHS, 2), signed(PATHS[0]), signed(PATHS[1]), TurnPage(1))
    with pytest.raises(IllegalMove, match="content credentials"):
        advance(session, DropCredentials())


def test_a_mark_stays_where_the_image_comes_again() -> None:
    session = on(begin(PATHS, 1), signed(PATHS[0]), ToggleMark(Mark.REJECT), DropCredentials())
    shown = on(session, ImageLoaded(PATHS[0], SHA, SIZE)).entries[0]
    assert isinstance(shown, Open)
    assert shown.mark is Mark.REJECT


# --- the review


def test_one_key_asks_and_enter_crops_all_of_them_without_credentials(
    start: Started, album: Path
) -> None:
    browser = seen(start, per_page=4)
    assert [type(each) for each in entries(browser)[:3]] == [Broken] * 3
    assert "crop all without them" in browser.words
    browser.key("w")
    assert "Crop every image here without content credentials (C2PA)?" in browser.words
    assert "--drop-nothing" in browser.words
    browser.key("w")
    browser.key("Enter")
    browser.shown()
    shown = {each.path: type(each) for each in entries(browser)}
    assert (shown["0.jpg"], shown["00.jpg"], shown["000.gif"]) == (Open, Open, Broken)
    for number in "123":
        browser.key(number)
        browser.key("ArrowLeft", shift=True, ctrl=True)
    browser.key("Enter")
    browser.written()
    done = standing(browser)
    assert (done["0.jpg"], done["00.jpg"]) == (Status.CROPPED, Status.CROPPED)
    assert "without C2PA <b>2</b>" in browser.words
    browser.key("PageUp")
    browser.shown()
    assert "without</span>" in browser.words
    assert b"c2pa" not in (album / "0.jpg").read_bytes()
    browser.key("z")
    browser.written()
    assert "without C2PA" not in browser.words


def test_what_is_left_by_escape_changes_nothing(start: Started, album: Path) -> None:
    browser = seen(start, per_page=4)
    before = entries(browser)
    browser.key("w")
    browser.key("Escape")
    assert entries(browser) == before
    assert browser.review.collection.options == Options()
    assert album.is_dir()


def test_on_a_page_without_credentials_it_is_not_asked(start: Started, folder: Path) -> None:
    browser = seen(start)
    browser.key("w")
    assert "no image here is kept from being cropped by content credentials" in browser.words
    assert "Crop every image" not in browser.words
    assert folder.is_dir()


def test_in_a_part_of_a_collection_it_is_not_asked(start: Started, folder: Path) -> None:
    with cropkit.open(folder):
        pass
    (folder / "part").mkdir()
    (folder / "part/0.jpg").write_bytes(MISFITS["signed.jpg"][0]())
    browser = seen(start, kit=folder / "part")
    browser.key("w")
    assert "for the whole collection" in browser.words
    assert "Crop every image" not in browser.words


def test_the_choice_is_the_collections_and_its_trail_tells_it(start: Started, album: Path) -> None:
    with Collection(album) as kit:
        kit.choose(Options(drop=frozenset({"trailing"})))
    browser = seen(start, per_page=4)
    browser.key("w")
    browser.key("Enter")
    browser.shown()
    with Collection(album) as kit:
        assert kit.options.drop == {"trailing", "provenance"}
        events = kit.history()
        told = events[events["event"] == "settings"]["body"].tolist()
    assert '"drop":"provenance trailing"' in told[-1]


def test_it_is_taken_back_by_the_settings_command(
    start: Started, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = seen(start, per_page=4)
    browser.key("w")
    browser.key("Enter")
    browser.shown()
    browser.review.close()
    assert main(["settings", str(album), "--drop-nothing"]) == 0
    capsys.readouterr()
    again = seen(start, per_page=4)
    assert [type(each) for each in entries(again)[:3]] == [Broken] * 3


# --- what tells of it


def test_history_and_report_name_each_image(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Collection(album) as kit:
        kit.also_drop("provenance")
        result = kit.crop("0.jpg", BOX)
        plain = kit.crop("c.jpg", PixelBox(0, 0, 32, 32))
        kit.crop("zz.jpg", BOX)
        kit.undo("zz.jpg")
    assert result.lost_credentials
    assert not plain.lost_credentials
    assert main(["history", str(album)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "credentials" in line]
    assert [line.split(maxsplit=2)[1:] for line in lines] == [
        ["cropped", f"{name}, without its content credentials"] for name in ("0.jpg", "zz.jpg")
    ]


def test_a_batch_names_each_image_in_its_record_and_its_report(album: Path) -> None:
    with Collection(album) as kit:
        kit.also_drop("provenance")
        for name in ("0.jpg", "c.jpg"):
            decided(kit, name, box=PixelBox(0, 0, 32, 32))
    batch = Batch(album, workers=1)
    batch.apply()
    batch.result()
    run = batch.run
    assert [entry.path for entry in run.unsigned] == ["0.jpg"]
    assert run.verdict().endswith("; without content credentials: 1")
    html = report.page(run, lambda _: report.Pictures(None, None))
    assert "Without their content credentials: 1" in html
    assert '<li><span class="path">0.jpg</span></li>' in html
