"""A collection inside another becomes a part of it, with all that undo needs, however cut off."""

import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decided
from faults import contents
from trails import change

from cropkit.audit import replay
from cropkit.audit.reader import TrailReader
from cropkit.audit.store import Store
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import (
    AuditCorrupt,
    AuditUnavailable,
    CropkitError,
    ForeignState,
    NoCollection,
    NotMergeable,
    OriginalDamaged,
    PathOutsideRoot,
)
from cropkit.geometry import PixelBox
from cropkit.records import Status, Verdict
from cropkit.system.files import Root
from cropkit.system.home import DATABASE, EXPORT, HOME, MERGED, ORIGINALS, REJECTED

BOX, SMALLER = PixelBox(10, 20, 60, 90), PixelBox(0, 0, 30, 30)
A, B, C, D = "a_stage2.png", "b_stage2.png", "c.jpg", "d.jpg"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = pictures.write_folder(tmp_path / "photos")
    pictures.write_folder(folder / "2024")
    return folder


@pytest.fixture
def inner(photos: Path, tmp_path: Path) -> Path:
    """A collection made inside another by mistake: cropped, undone, rejected, moved, waiting."""
    lone = tmp_path / "lone"
    (photos / "2024").rename(lone)
    (lone / "x").mkdir()
    shutil.copy(lone / D, lone / "x" / D)
    with Collection(lone, reviewer="bea", kind="review") as collection:
        collection.crop(A, BOX)
        collection.crop(A, SMALLER)
        collection.crop(B, BOX)
        collection.undo(B)
        collection.crop(f"x/{D}", PixelBox(0, 0, 64, 64))
        collection.apply(decided(collection, C, Verdict.REJECT, None))
        decided(collection, "e.jpeg")
    with Collection(lone, reviewer="bea", destination=lone / "done") as collection:
        collection.crop(D, PixelBox(0, 0, 48, 48))
    with Collection(photos) as collection:
        collection.crop(A, BOX)
    lone.rename(photos / "2024")
    return photos / "2024"


@pytest.fixture
def before(tmp_path: Path) -> dict[str, str]:
    """What the images of the inner collection were before any crop."""
    folder = pictures.write_folder(tmp_path / "as-it-was")
    (folder / "x").mkdir()
    shutil.copy(folder / D, folder / "x" / D)
    return contents(folder)


def undone(photos: Path) -> dict[str, str]:
    with Collection(photos / "2024") as part:
        assert all(result.ok for result in part.undo(everything=True))
    return {
        name.removeprefix("2024/"): digest
        for name, digest in contents(photos).items()
        if name.startswith("2024/")
    }


def test_every_image_can_be_undone_from_the_outer_collection(
    photos: Path, inner: Path, before: dict[str, str]
) -> None:
    with Collection(photos) as collection:
        merged = collection.merge(inner)
        assert (merged.part, merged.shared, merged.damaged) == ("2024", (), ())
        assert collection.fsck() == []
        assert not (inner / HOME).exists()
        standing = collection.trail.decisions.standing_by_path()
        assert standing["2024/e.jpeg"].status is Status.WAITING
        assert standing["2024/c.jpg"].status is Status.REJECTED
        assert {each.reviewer for path, each in standing.items() if "/" in path} == {"bea"}
        assert "2024/done/d.jpg" in [o.target for o in collection.trail.operations.finished()]
    after = undone(photos)
    assert {name: after.get(name) for name in before} == before
    with Collection(photos) as collection:
        assert collection.fsck() == []


def test_it_is_audited_and_its_own_state_is_kept(photos: Path, inner: Path) -> None:
    with Collection(inner, kind="shell") as lone:
        head = lone.trail.integrity.head()
        events = [event for event in lone.trail.events() if event["event"] != "settings"]
        originals = {path.name for path in (inner / ORIGINALS).iterdir()}
    with Collection(photos) as collection:
        collection.merge(inner)
        (event,) = [e for e in collection.trail.events() if e["event"] == "merged"]
        assert event["path"] == "2024"
        body = json.loads(event["body"])
    assert (body["head"], body["events"]) == (head, len(events)), "how it was set is its own"
    aside = photos / body["aside"]
    assert aside.parent == photos / MERGED
    assert (aside / "cropkit.db").is_file()
    assert [path for path in aside.glob("*/**/*") if path.is_file()] == []
    assert originals <= {path.name for path in (photos / ORIGINALS).iterdir()}
    images = [*(photos / ORIGINALS).iterdir(), *(photos / REJECTED).rglob("*.jpg")]
    assert all(path.stat().st_nlink == 1 for path in images)


def test_a_trail_that_was_merged_makes_the_same_database_anew(photos: Path, inner: Path) -> None:
    with Collection(photos) as collection:
        collection.merge(inner)
    assert main(["fsck", str(photos), "--rebuild"]) == 0


def test_copies_and_their_places_become_the_outers(photos: Path, inner: Path) -> None:
    """A copy that was undone there is redone here; none is listed as a new image."""
    image = "x.png"
    pictures.write_png(inner / image, pictures.photo(64, 96))
    for place in (inner / "crops", photos / "all crops"):
        with Collection(inner, copy_to=place) as lone:
            lone.crop(image, PixelBox(0, 0, 20, 20))
    with Collection(inner) as lone:
        lone.undo(image)
    with Collection(photos) as collection:
        collection.merge(inner)
        assert collection.fsck() == []
        assert not [each for each in collection.images() if "crops/" in each]
        assert not (photos / "all crops" / image).exists()
        assert collection.redo(f"2024/{image}")[0].ok
        assert (photos / "all crops" / image).exists()
        with Collection(photos) as another:
            assert not [each for each in another.images() if "crops/" in each]
        assert collection.fsck() == []
        assert [each.ok for each in collection.undo(f"2024/{image}", last=2)] == [True, True]
        assert not (photos / "2024/crops" / image).exists()


def test_a_second_time_there_is_nothing_to_do(photos: Path, inner: Path) -> None:
    with Collection(photos) as collection:
        first = collection.merge(inner)
        number = len(collection.trail.events())
        again = collection.merge(inner)
        assert (again.head, again.events, again.aside) == (first.head, 0, first.aside)
        assert len(collection.trail.events()) == number


def test_what_was_done_in_a_new_one_is_merged_as_well(photos: Path, inner: Path) -> None:
    with Collection(photos) as collection:
        collection.merge(inner)
    (photos / HOME).rename(photos / "hidden")
    with Collection(inner) as again:
        again.crop(C if (inner / C).exists() else B, SMALLER)
    (photos / "hidden").rename(photos / HOME)
    with Collection(photos) as collection:
        collection.merge(inner)
        assert collection.fsck() == []
        assert len(list((photos / MERGED).iterdir())) == 2


# -- decided in both -----------------------------------------------------------------------------


def _inside(photos: Path, name: str, box: PixelBox, *, apply: bool) -> None:
    with _without_outer(photos), Collection(photos / "2024") as inner:
        decision = decided(inner, name, box=box)
        if apply:
            assert inner.apply(decision).ok


class _without_outer:  # noqa: N801  (used like a function)
    """The outer state out of sight, so that a collection can be made inside it."""

    def __init__(self, photos: Path) -> None:
        self.photos = photos

    def __enter__(self) -> None:
        if (self.photos / HOME).exists():
            (self.photos / HOME).rename(self.photos.parent / "elsewhere")

    def __exit__(self, *_: object) -> None:
        if (self.photos.parent / "elsewhere").exists():
            (self.photos.parent / "elsewhere").rename(self.photos / HOME)


def _outside(photos: Path, name: str, box: PixelBox, *, apply: bool) -> None:
    with Collection(photos) as outer:
        decision = decided(outer, f"2024/{name}", box=box)
        if apply:
            assert outer.apply(decision).ok


@pytest.mark.parametrize("steps", [[0, 1], [1, 0]])
def test_of_two_that_wait_the_later_one_alone_is_carried_out(
    photos: Path, steps: list[int]
) -> None:
    for step in steps:
        (_outside, _inside)[step](photos, A, (BOX, SMALLER)[step], apply=False)
    with Collection(photos) as collection:
        collection.merge(photos / "2024")
        # also of the one that the merge superseded
        assert change(photos, "UPDATE queue SET status = 'waiting'") == 2
        before = (photos / "2024" / A).read_bytes()
        ended = collection.apply_waiting()
    assert sorted(each.code or "" for each in ended) == ["", "TrailDisagrees"]
    (done,) = (each for each in ended if each.ok)
    assert done.box_asked == (BOX, SMALLER)[steps[-1]]
    assert (photos / "2024" / A).read_bytes() != before


@pytest.mark.parametrize("inner_is_later", [True, False])
def test_of_two_that_wait_the_later_one_stands(photos: Path, inner_is_later: bool) -> None:  # noqa: FBT001  (a parameter)
    if inner_is_later:
        _outside(photos, A, BOX, apply=False)
        _inside(photos, A, SMALLER, apply=False)
    else:
        _inside(photos, A, SMALLER, apply=False)
        _outside(photos, A, BOX, apply=False)
    with Collection(photos) as collection:
        assert collection.merge(photos / "2024").shared == (f"2024/{A}",)
        (waiting,) = collection.trail.decisions.waiting()
        box = collection.trail.decisions.by_id(waiting)[0].box
        assert box == (SMALLER if inner_is_later else BOX)
        standing = collection.trail.decisions.standing_by_path()
        assert standing[f"2024/{A}"].decision == waiting
        assert collection.trail.decisions.counts() == Counter(
            each.status for each in standing.values()
        )
        assert collection.fsck() == []
    assert main(["fsck", str(photos), "--rebuild"]) == 0


@pytest.mark.parametrize("inner_is_later", [True, False])
def test_crops_of_one_image_in_both_are_undone_newest_first(
    photos: Path,
    inner_is_later: bool,  # noqa: FBT001  (a parameter)
) -> None:
    as_it_was = (photos / "2024" / A).read_bytes()
    steps = [_outside, _inside] if inner_is_later else [_inside, _outside]
    steps[0](photos, A, BOX, apply=True)
    once = (photos / "2024" / A).read_bytes()
    steps[1](photos, A, SMALLER, apply=True)
    with Collection(photos) as collection:
        collection.merge(photos / "2024")
        assert collection.fsck() == []
        standing = collection.trail.decisions.standing_by_path()
        assert collection.trail.decisions.counts() == Counter(
            each.status for each in standing.values()
        )
        assert standing[f"2024/{A}"].box == SMALLER
        assert collection.undo(f"2024/{A}")[0].ok
        assert (photos / "2024" / A).read_bytes() == once
        assert collection.undo(f"2024/{A}")[0].ok
        assert (photos / "2024" / A).read_bytes() == as_it_was
        assert collection.fsck() == []
    assert main(["fsck", str(photos), "--rebuild"]) == 0


def test_an_image_counts_by_the_later_decision(photos: Path) -> None:
    _inside(photos, A, BOX, apply=True)
    with Collection(photos) as collection:
        decided(collection, f"2024/{A}", Verdict.SKIP, None)
        collection.merge(photos / "2024")
        assert collection.trail.decisions.counts() == {Status.SKIPPED: 1}
        assert collection.fsck() == []


def test_what_the_inner_one_purged_and_the_outer_one_keeps_can_be_undone(photos: Path) -> None:
    twin = (photos / A).read_bytes()
    (photos / "2024" / A).write_bytes(twin)
    _inside(photos, A, BOX, apply=True)
    with Collection(photos / "2024") as inner:
        assert inner.purge(keep_bytes=0)
    with Collection(photos) as outer:
        outer.crop(A, BOX)
        outer.merge(photos / "2024")
        assert outer.fsck() == []
        outer.undo(everything=True)
    assert (photos / A).read_bytes() == twin
    assert (photos / "2024" / A).read_bytes() == twin


# -- refused -------------------------------------------------------------------------------------


def refused(photos: Path, inner: Path, error: type[CropkitError], words: str = ".") -> None:
    before = {path: path.read_bytes() for path in inner.rglob("*") if path.is_file()}
    with Collection(photos) as collection:
        number = len(collection.trail.events())
        with pytest.raises(error, match=words):
            collection.merge(inner)
        assert len(collection.trail.events()) == number
    after = {path: path.read_bytes() for path in inner.rglob("*") if path.is_file()}
    assert after.keys() - before.keys() <= {inner / HOME / "recover.lock"}
    assert {path: after[path] for path in before} == before


def test_a_folder_that_is_not_inside_is_refused(photos: Path, tmp_path: Path) -> None:
    other = pictures.write_folder(tmp_path / "other")
    Collection(other).close()
    refused(photos, other, NotMergeable, "does not lie in")
    refused(photos, photos, NotMergeable, "does not lie in")


def test_a_folder_without_a_collection_is_refused(photos: Path) -> None:
    refused(photos, photos / "2024", NoCollection)


def test_who_is_at_work_is_not_disturbed(photos: Path, inner: Path) -> None:
    with Collection(inner):
        refused(photos, inner, AuditUnavailable, "at work")
    with Collection(photos):
        refused(photos, inner, AuditUnavailable, "at work")


def test_a_copy_of_the_outer_state_is_refused(photos: Path) -> None:
    with Collection(photos) as collection:
        collection.crop(A, BOX)
    shutil.copytree(photos / HOME, photos / "2024" / HOME)
    refused(photos, photos / "2024", NotMergeable, "copy")


def test_an_outer_original_that_rotted_is_no_original(photos: Path, inner: Path) -> None:
    name = next((inner / ORIGINALS).iterdir()).name
    with Collection(photos) as collection:
        (photos / ORIGINALS / name).write_bytes(b"rotten")
        with pytest.raises(OriginalDamaged):
            collection.merge(inner)
    assert (inner / HOME).is_dir()


def test_what_is_open_in_it_is_settled_first(photos: Path, inner: Path) -> None:
    with closing(sqlite3.connect(inner / DATABASE)) as db, db:
        db.execute("UPDATE operation SET state = 'conflict' WHERE seq = 1")
    refused(photos, inner, NotMergeable, "open in it")


@pytest.mark.parametrize(
    "name", ["../a_stage2.png", "/etc/passwd", ".cropkit/cropkit.db", "x/../../a_stage2.png"]
)
def test_a_row_about_a_file_elsewhere_is_refused(photos: Path, inner: Path, name: str) -> None:
    """The whole trail of the inner one is made so, and holds together."""
    before = contents(photos)
    forge(inner, "a_stage2.png", name)
    refused(photos, inner, PathOutsideRoot)
    assert contents(photos) == before


def test_a_trail_that_does_not_hold_together_is_refused(photos: Path, inner: Path) -> None:
    with closing(sqlite3.connect(inner / DATABASE)) as db, db:
        db.execute("UPDATE decision SET path = 'b_stage2.png' WHERE seq = 1")
    refused(photos, inner, AuditCorrupt, "differs from the trail")


def test_a_link_in_its_state_is_refused(photos: Path, inner: Path, tmp_path: Path) -> None:
    (inner / ORIGINALS).rename(tmp_path / "originals")
    (inner / ORIGINALS).symlink_to(tmp_path / "originals")
    with Collection(photos) as collection, pytest.raises(ForeignState):
        collection.merge(inner)


def test_an_original_that_was_lost_is_told_and_hinders_nothing(photos: Path, inner: Path) -> None:
    lost = min((inner / ORIGINALS).iterdir())
    lost.unlink()
    with Collection(photos) as collection:
        assert collection.merge(inner).damaged == (f"{ORIGINALS}/{lost.name}",)
        assert [each.kind for each in collection.fsck()] == ["original"]


def test_an_original_that_rotted_stays_where_it_is(photos: Path, inner: Path) -> None:
    rotten = min((inner / ORIGINALS).iterdir())
    rotten.write_bytes(b"rotten")
    with Collection(photos) as collection:
        merged = collection.merge(inner)
    assert merged.damaged == (f"{ORIGINALS}/{rotten.name}",)
    assert (photos / merged.aside / "originals" / rotten.name).read_bytes() == b"rotten"


def forge(folder: Path, name: str, other: str) -> None:
    """Write a trail about another file, with all its hashes, and its tables after it."""
    with TrailReader(Root(folder)) as trail:
        events = trail.events()
    for end in ("", "-wal", "-shm"):
        (folder / f"{DATABASE}{end}").unlink(missing_ok=True)
    store = Store(Root(folder), rebuilding=True)
    with store.transaction() as db:
        for event in events:
            body = json.loads(event["body"].replace(name, other))
            path = other if event["path"] == name else event["path"]
            fields = {"path": path, "operation": event["operation"], "body": body}
            replay.append(db, event["at"], event["session"], event["event"], **fields)
    store.close()
    (folder / f"{DATABASE}.new").rename(folder / DATABASE)
    (folder / EXPORT).unlink()


# -- cut off -------------------------------------------------------------------------------------

_CHANGES = frozenset(("link", "replace", "unlink", "mkdir", "fsync"))


class Dying:
    """The system's calls, of which one is the last that this process makes."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __getattr__(self, name: str) -> Any:
        call = getattr(os, name)
        return partial(self._called, call) if name in _CHANGES else call

    def _called(self, call: Callable[..., object], *arguments: object, **more: object) -> object:
        self.left -= 1
        if not self.left:
            os._exit(9)
        return call(*arguments, **more)


def killed(photos: Path, at: int) -> bool:
    """Merge in a process that ends before one of its changes; whether it was met."""
    child = os.fork()
    if not child:
        with Collection(photos) as collection:
            collection.files.system = Dying(at)
            collection.merge(photos / "2024")
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_it_is_carried_on_wherever_it_was_cut_off(
    photos: Path, inner: Path, before: dict[str, str], tmp_path: Path
) -> None:
    assert inner.is_dir()
    for at in range(1, 400, 3):
        world = tmp_path / f"world-{at}"  # a trail that is put back is taken for a forged one
        shutil.copytree(photos, world, symlinks=True)
        met = killed(world, at)
        with Collection(world) as collection:
            collection.merge(world / "2024")
            assert collection.fsck() == [], at
        after = undone(world)
        assert {name: after.get(name) for name in before} == before, at
        if not met:
            break
    assert at > 20


# -- the shell -----------------------------------------------------------------------------------


def test_a_dry_run_tells_and_writes_nothing(
    photos: Path, inner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    assert main(["merge", str(photos), str(inner), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["dry_run"], told["part"]) == (True, "2024")
    after = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    changed = {path.name for path in after if after[path] != before.get(path)}
    assert changed <= {"cropkit.db-shm", "cropkit.db-wal", "writer.lock"}
    assert main(["merge", str(photos), str(inner), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done | {"dry_run": True} == told
