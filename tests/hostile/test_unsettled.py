"""No operation that was cut off stops another one, whatever has become of its files meanwhile."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path

import pictures
import pytest
from faults import TwoDisks, contents

from cropkit import clock
from cropkit.audit.operation import Operation, OperationKind, OperationState
from cropkit.audit.operation_reader import readable
from cropkit.collection import Collection
from cropkit.errors import CropkitError
from cropkit.geometry import PixelBox
from cropkit.records import CropResult, Decision, Status, Verdict
from cropkit.system.files import Root
from cropkit.system.home import kept

BOX = PixelBox(10, 20, 60, 90)
OPEN = (
    OperationState.PLANNED,
    OperationState.PREPARED,
    OperationState.ABORTING,
    OperationState.CONFLICT,
)


def in_a_process_that_dies(act: Callable[[], object]) -> None:
    """Nothing is closed and nothing is told: as after SIGKILL."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def cut_off(folder: Path, image: str, state: OperationState, target: str | None = None) -> None:
    """Leave an operation of a dead process behind, as far as it had come."""

    def act() -> None:
        collection = Collection(folder)
        content = Root(folder).read(image)
        planned = Operation(
            kind=OperationKind.CROP,
            source=image,
            target=target or image,
            session=collection.session,
            owner=collection.trail.owner,
        )
        ready = replace(
            planned,
            sha256_before=content.sha256,
            sha256_after="a" * 64,
            attributes=content.attributes.to_json(),
        )
        collection.trail.plan([(planned, [])])
        (folder / kept(content.sha256)).hardlink_to(folder / image)
        if state is not OperationState.PLANNED:
            collection.trail.prepare([ready])
        if state is OperationState.ABORTING:
            collection.trail.begin_abort(ready)
        if state is OperationState.CONFLICT:
            result = CropResult(Status.IN_DOUBT, image, "Conflict", "foreign", None, ready.id)
            collection.trail.abandon(ready, state, result)

    in_a_process_that_dies(act)


def gone(folder: Path) -> None:
    shutil.rmtree(folder / "b")


def renamed(folder: Path) -> None:
    (folder / "b").rename(folder / "holiday")


def a_link(folder: Path) -> None:
    (folder / "b").rename(folder.parent / "elsewhere")
    (folder / "b").symlink_to(folder.parent / "elsewhere")


def a_file(folder: Path) -> None:
    shutil.rmtree(folder / "b")
    (folder / "b").write_text("no folder")


def without_its_image(folder: Path) -> None:
    (folder / "b" / "i.png").unlink()


def another_image(folder: Path) -> None:
    pictures.write_png(folder / "b" / "i.png", pictures.photo(64, 64, 9))


def as_it_was(_folder: Path) -> None: ...


CHANGES = (gone, renamed, a_link, a_file, without_its_image, another_image, as_it_was)
TARGETS = ("b/i.png", "b/moved.png", "c/i.png")


@pytest.fixture
def album(folder: Path) -> Path:
    (folder / "b").mkdir()
    pictures.write_png(folder / "b" / "i.png")
    return folder


@pytest.mark.parametrize(
    ("state", "change", "target"),
    list(product(OPEN, CHANGES, TARGETS)),
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_rest_of_the_collection_works(
    album: Path, state: OperationState, change: Callable[[Path], None], target: str
) -> None:
    original = contents(album)["b/i.png"]
    cut_off(album, "b/i.png", state, target)
    change(album)
    may_be = changed_by_nobody_or_brought_back(album, original)
    with Collection(album) as collection:
        assert contents(album) in may_be, "opening changes no image"
        collection.fsck()
        collection.history()
        collection.crop("a_stage2.png", BOX)
        collection.undo("a_stage2.png")
        left = collection.trail.operations.unsettled()
        assert [one.source for one in left] in ([], ["b/i.png"])
        if state is OperationState.PLANNED:
            assert left == [], "nothing had been switched: nothing is left to settle"
    with Collection(album) as collection:
        collection.recover(conflicts=True)
        assert contents(album) in may_be


def changed_by_nobody_or_brought_back(album: Path, original: str) -> list[dict[str, str]]:
    """An image that is gone is brought back where its folder is there: nothing is lost."""
    now = contents(album)
    gone = "b/i.png" not in now and (album / "b").is_dir() and not (album / "b").is_symlink()
    return [now, now | {"b/i.png": original}] if gone else [now]


def test_what_is_in_conflict_is_settled_when_its_folder_is_back(album: Path) -> None:
    cut_off(album, "b/i.png", OperationState.PREPARED)
    renamed(album)
    with Collection(album) as collection:
        assert [one.state for one in collection.trail.operations.unsettled()] == [
            OperationState.CONFLICT
        ]
        assert any(one.kind == "conflict" for one in collection.fsck())
    (album / "holiday").rename(album / "b")
    with Collection(album) as collection:
        collection.recover(conflicts=True)
        assert collection.trail.operations.unsettled() == []
        assert collection.fsck() == []


LONG = ("漢" * 83 + "{}.png", "🙂" * 61 + "{}.png", "x" * 249 + "{}.png", "é" * 124 + "{}.png")


def named(pattern: str) -> str:
    """A name of as many bytes as a name may have."""
    filler = 255 - len(pattern.format("").encode())
    name = pattern.format("y" * filler)
    assert len(name.encode()) == 255
    return name


@pytest.mark.parametrize("pattern", LONG)
def test_names_as_long_as_they_may_be_are_cropped_moved_and_brought_back(
    tmp_path: Path, pattern: str
) -> None:
    folder, elsewhere = tmp_path / "collection", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    name = named(pattern)
    pictures.write_png(folder / name)
    before = contents(folder)
    for destination, system in ((None, os), (elsewhere, os), (elsewhere, TwoDisks(elsewhere))):
        with Collection(folder, destination=destination, system=system) as collection:
            assert collection.crop(name, BOX).ok
            assert [one.ok for one in collection.undo(name)] == [True]
            assert collection.fsck() == []
        assert contents(folder) == before
        assert contents(elsewhere) == {}


@pytest.mark.parametrize("pattern", LONG)
def test_a_stale_decision_about_a_long_name_is_only_stale(tmp_path: Path, pattern: str) -> None:
    folder = tmp_path / "collection"
    folder.mkdir()
    name = named(pattern)
    pictures.write_png(folder / name)
    with Collection(folder) as collection:
        look, moment = collection.look(name), clock.now()
        made = Decision(
            *(name, look.sha256, look.size, Verdict.ADJUSTED, BOX),
            *(collection.reviewer, collection.session, moment, moment),
        )
        collection.decide([made])
        pictures.write_png(folder / name, pictures.photo(104, 152, 77))
        assert collection.apply(made.id).status is Status.STALE
        assert collection.trail.operations.unsettled() == []
    with Collection(folder) as collection:
        assert collection.recovered == []
        assert collection.fsck() == []


def taken_back_after_it_was_done(folder: Path) -> Operation:
    """Leave what an interrupt behind the commit left in version 0.1: rows against the trail."""
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", BOX)
        cropped = (folder / "a_stage2.png").read_bytes()
        collection.undo("a_stage2.png")
        (restore,) = map(readable, collection.trail.operations.newest_redoable())
    (folder / "a_stage2.png").write_bytes(cropped)
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db")) as db:
        db.execute("UPDATE operation SET state = 'aborted' WHERE id = ?", [restore.id])
        db.commit()
    return restore


def test_an_undo_that_was_taken_back_behind_the_trail_can_be_made_again(folder: Path) -> None:
    original = contents(folder)
    restore = taken_back_after_it_was_done(folder)
    with Collection(folder) as collection:
        (mended,) = collection.recovered
        assert (mended.operation, mended.outcome) == (restore.id, OperationState.ABORTED)
        assert collection.fsck() == []
        assert (
            collection.trail.decisions.standing_by_path()["a_stage2.png"].status is Status.CROPPED
        )
        assert [one.ok for one in collection.undo("a_stage2.png")] == [True]
        assert contents(folder) == original
    with Collection(folder) as collection:
        assert collection.recovered == [], "mended once"
        assert collection.fsck() == []


def test_an_undo_that_does_stand_is_done_again(folder: Path) -> None:
    original = (folder / "a_stage2.png").read_bytes()
    taken_back_after_it_was_done(folder)
    (folder / "a_stage2.png").write_bytes(original)
    with Collection(folder) as collection:
        assert [one.outcome for one in collection.recovered] == [OperationState.DONE]
        assert collection.fsck() == []


def test_a_file_that_holds_neither_content_is_left_alone_and_told(folder: Path) -> None:
    taken_back_after_it_was_done(folder)
    pictures.write_png(folder / "a_stage2.png", pictures.photo(104, 152, 77))
    before = contents(folder)
    with Collection(folder) as collection:
        (told,) = collection.recovered
        assert "neither" in str(told.reason)
        assert collection.fsck() != []
    assert contents(folder) == before


def test_a_database_made_anew_knows_what_had_been_taken_back(folder: Path) -> None:
    from cropkit.collection import rebuild  # noqa: PLC0415  (for this test)

    taken_back_after_it_was_done(folder)
    with Collection(folder):
        pass
    for path in (folder / ".cropkit").glob("cropkit.db*"):
        path.unlink()
    rebuild(folder)
    with Collection(folder) as collection:
        assert collection.fsck() == []
        assert collection.undo("a_stage2.png")[0].ok


def test_what_has_ended_does_not_go_on(folder: Path) -> None:
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", BOX)
        (done,) = collection.trail.operations.undoable()
        with pytest.raises(CropkitError, match="is done and cannot become aborting"):
            collection.trail.begin_abort(done)
        assert collection.fsck() == []


@pytest.mark.parametrize("field", [{"mtime_ns": 10**30}, {"xattrs": [["user.\0", ""]]}])
def test_a_row_with_attributes_that_no_file_can_have_is_told_in_a_sentence(
    folder: Path, field: dict[str, object]
) -> None:
    cut_off(folder, "d.jpg", OperationState.ABORTING)
    (folder / "d.jpg").unlink()  # so that the original is brought back, with its attributes
    change_plan(folder, field)
    before = contents(folder)
    with Collection(folder) as collection:
        assert "cannot be read" in collection.trail.notices[0]
    assert contents(folder) == before


def change_plan(folder: Path, field: dict[str, object]) -> None:
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db")) as db, db:
        ((text,),) = db.execute("SELECT plan FROM operation").fetchall()
        plan = json.loads(text)
        plan["attributes"] |= field
        db.execute("UPDATE operation SET plan = ?", (json.dumps(plan),))
