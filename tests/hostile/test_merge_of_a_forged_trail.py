"""What an inner trail tells changes nothing that is the outer one's, and no older one is joined."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decided
from faults import as_format_1, as_format_5, contents
from sqlalchemy import select

from cropkit.audit import chain, keys, replay, trust
from cropkit.audit.operation import Companion, Operation, OperationKind, OperationState
from cropkit.audit.operations import to_row
from cropkit.audit.schema import audit
from cropkit.audit.store import Store
from cropkit.cli import main
from cropkit.collection import Collection
from cropkit.errors import AuditCorrupt, CropkitError, TrailForged
from cropkit.geometry import PixelBox
from cropkit.system.files import Root
from cropkit.system.home import HOME, MERGED, ORIGINALS, kept

BOX = PixelBox(10, 20, 60, 90)
A, B = "a_stage2.png", "b_stage2.png"
NONE: dict[str, list[str]] = {"decision": [], "operation": []}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A collection with another one inside, `in`."""
    folder = pictures.write_folder(tmp_path / "photos")
    lone = pictures.write_folder(tmp_path / "lone")
    for each in (folder, lone):
        with Collection(each) as collection:
            collection.crop(A, BOX)
    lone.rename(folder / "in")
    return folder


def tell(folder: Path, event: str, body: Mapping[str, Any], **fields: str) -> None:
    """Add an event, with what it leads to and a seal, as who holds the key can."""
    accept = trust.Acceptance(folder, keys.of_person(make=True))
    store = Store(Root(folder), accept=accept)
    with store.transaction() as db:
        session = fields.pop("session", "20260101T000000Z-1")
        chain.append(db, "2026-01-01T00:00:00.000000Z", session, event, body=body, **fields)
        row = db.execute(select(audit).order_by(audit.c.seq.desc()).limit(1)).one()
        with suppress(LookupError):  # about what is not there
            replay.play(db, row._asdict())
    store.close()


def refused(photos: Path, error: type[CropkitError], words: str) -> None:
    before = contents(photos)
    with Collection(photos) as collection:
        number = len(collection.trail.events())
        with pytest.raises(error, match=words):
            collection.merge(photos / "in")
        assert len(collection.trail.events()) == number
    assert contents(photos) == before
    assert (photos / "in" / HOME).is_dir()


# -- what is another's ---------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["withdrawn", "failed", "merged", "cropped"])
def test_an_event_about_a_decision_of_the_outer_one_is_refused(photos: Path, event: str) -> None:
    with Collection(photos) as collection:
        theirs = decided(collection, B)
    crop = operation(decision=theirs)
    bodies: dict[str, dict[str, Any]] = {
        "withdrawn": {"decision": theirs},
        "failed": {"decision": theirs, "code": "X", "message": "x"},
        "merged": {"head": "0" * 64, "order": NONE, "settled": {theirs: "superseded"}},
        "cropped": {"operation": to_row(crop)},
    }
    tell(
        photos / "in",
        event,
        bodies[event],
        path=B,
        **({"operation": crop.id} if event == "cropped" else {}),
    )
    refused(photos, AuditCorrupt, f"leads nowhere: .*{theirs}")
    with Collection(photos) as collection:
        assert collection.trail.decisions.waiting() == [theirs]


@pytest.mark.parametrize(
    ("event", "body"), [("run-ended", {"how": "x"}), ("run-started", {"kind": "batch"})]
)
def test_an_event_of_a_session_of_the_outer_one_is_refused(
    photos: Path, event: str, body: dict[str, str]
) -> None:
    with Collection(photos) as collection:
        decided(collection, B)
        theirs = collection.session
    tell(photos / "in", event, body, session=theirs)
    refused(photos, AuditCorrupt, f"leads nowhere: .*{theirs}")


def operation(**more: Any) -> Operation:
    values = {
        "kind": OperationKind.CROP,
        "source": B,
        "target": B,
        "session": "s",
        "owner": "b" * 32,
    }
    values |= {"sha256_before": "1" * 64, "sha256_after": "2" * 64, "state": OperationState.DONE}
    return Operation(**(values | more))


def test_undo_of_what_was_joined_takes_no_kept_original_away(photos: Path) -> None:
    """A crop says that its companion went among the originals, where the outer one keeps one."""
    (original,) = (path.name for path in (photos / ORIGINALS).iterdir())
    image, data = contents(photos / "in")[B], (photos / "in" / B).read_bytes()
    companion = Companion("b.txt", kept(original), original)
    crop = operation(sha256_before=image, sha256_after=image, companions=(companion,))
    (photos / "in" / kept(image)).write_bytes(data)
    tell(photos / "in", "cropped", {"operation": to_row(crop)}, path=B, operation=crop.id)
    with Collection(photos) as collection:
        collection.merge(photos / "in")
        (result,) = collection.undo(f"in/{B}")
    assert result.code == "PathOutsideRoot"
    assert (photos / kept(original)).is_file()
    with Collection(photos) as collection:
        assert collection.undo(A)[0].ok


@pytest.mark.parametrize("aside", [HOME, "", ".", "in/..", f"{MERGED}/../../{HOME}"])
def test_a_place_that_a_trail_tells_is_not_tidied(photos: Path, aside: str) -> None:
    (photos / "sub").mkdir()
    body = {"head": "0" * 64, "events": 1, "aside": aside, "order": NONE, "settled": {}}
    tell(photos, "merged", body, path="sub")
    before = sorted((photos / ORIGINALS).iterdir())
    with Collection(photos) as collection:
        assert collection.merge(photos / "sub").aside == f"{MERGED}/{'0' * 16}"
    assert sorted((photos / ORIGINALS).iterdir()) == before


@pytest.mark.parametrize("head", [None, 5, "", f"..{'/' * 14}", "0" * 63])
def test_a_record_of_a_merge_that_is_none_is_corrupt(photos: Path, head: object) -> None:
    (photos / "sub").mkdir()
    body = {"head": head, "order": NONE, "settled": {}}
    tell(photos, "merged", body, path="sub")
    with Collection(photos) as collection, pytest.raises(AuditCorrupt, match="none of ours"):
        collection.merge(photos / "sub")


# -- which one it is -----------------------------------------------------------------------------


def test_an_older_state_that_was_put_back_is_not_joined(photos: Path) -> None:
    inner = photos / "in"
    Collection(inner).close()
    shutil.copytree(inner / HOME, photos.parent / "older")
    with Collection(inner) as collection:
        collection.crop(B, BOX)
    shutil.rmtree(inner / HOME)
    (photos.parent / "older").rename(inner / HOME)
    refused(photos, TrailForged, "which you saw on")


@pytest.mark.parametrize("older", [as_format_1, as_format_5])
def test_a_trail_in_an_older_format_is_joined(photos: Path, older: Any) -> None:
    older(photos / "in")
    assert main(["merge", str(photos), str(photos / "in")]) == 0
    with Collection(photos) as collection:
        assert collection.fsck() == []
        assert collection.undo(f"in/{A}")[0].ok


def test_a_state_that_was_joined_and_is_put_back_is_set_aside_again(photos: Path) -> None:
    inner = photos / "in"
    shutil.copytree(inner / HOME, photos.parent / "backup")
    with Collection(photos) as collection:
        first = collection.merge(inner)
    for _ in range(2):
        shutil.copytree(photos.parent / "backup", inner / HOME)
        with Collection(photos) as collection:
            merged = collection.merge(inner)
            assert merged.events == 0
        assert not (inner / HOME).exists()
    assert (photos / first.aside).is_dir()
    with Collection(photos) as collection:
        assert collection.fsck() == []
