"""A decision whose row cannot be read is refused by name and waits; all the others go on."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pictures
import pytest
from deciding import decided
from shell import run
from trails import BOX, A, B, change, crop, cut_off, rows

from cropkit.batch.dry_run import foreseen
from cropkit.collection import Collection, rebuild
from cropkit.errors import NotMergeable
from cropkit.geometry import PixelBox
from cropkit.records import Status
from cropkit.review.runtime.review_store import ReviewStore
from cropkit.workers.applier import ApplierProcess

C, D = "c.jpg", "d.jpg"
SMALL = PixelBox(0, 0, 20, 20)
NO_TEXT = b"\xc3"  # as a text
DECISION: tuple[tuple[str, object], ...] = (
    *(("verdict", each) for each in ("", "other", b"accept", NO_TEXT)),
    *(("sha256", each) for each in ("", b"a" * 64)),
    *(("width", each) for each in ("x", -1, 2**62, b"1", 1.5)),
    *(("box_left", each) for each in ("x", -1, 2**62, b"1")),
    *(("shown_at", each) for each in ("", "yesterday", b"2026", "x" * 100_000)),
    *(("decided_at", each) for each in ("yesterday", NO_TEXT)),
    *(("reviewer", each) for each in (b"me", NO_TEXT)),
    *(("suggestion_source", each) for each in ("x", b"x", NO_TEXT)),
    ("path", NO_TEXT),
)
QUEUE: tuple[tuple[str, object], ...] = (
    *(("message", each) for each in (b"x", NO_TEXT)),
    *(("destination", each) for each in (b"x", NO_TEXT)),
)
IN_QUEUE = ("message", "destination", "status", "queued path")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection with a crop that is done, of A."""
    folder = pictures.write_folder(tmp_path_factory.mktemp("made") / "collection")
    crop(folder, A)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, which is a collection, too, for each test."""
    return pictures.copied(made, tmp_path / "collection")


def waits(folder: Path, name: str) -> str:
    with Collection(folder) as collection:
        return decided(collection, name)


def damage(folder: Path, wanted: str, column: str, value: object) -> None:
    table, key = ("queue", "decision") if column in IN_QUEUE else ("decision", "id")
    column = column.removeprefix("queued ")
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    statement = f"UPDATE {table} SET {column} = {new} WHERE {key} = ?"  # noqa: S608  (names of ours)
    assert change(folder, statement, value, wanted) == 1


def images(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("cell", [*DECISION, *QUEUE], ids=lambda each: f"{each!r:.60}")
def test_a_decision_that_cannot_be_read_stops_no_other(
    folder: Path, cell: tuple[str, object]
) -> None:
    wanted = waits(folder, B)
    damage(folder, wanted, *cell)
    waits(folder, C)
    before = images(folder)
    with Collection(folder) as collection:
        *refused, cropped = collection.apply_waiting()
        assert (cropped.path, cropped.status) == (C, Status.CROPPED)
        assert [each.code for each in refused] == ["TrailDisagrees"]
        assert collection.crop(D, BOX).ok
        assert collection.undo(D)[0].ok
        assert collection.counts().written == 2
        differences = [each.reason for each in collection.fsck()]
        named = [reason for reason in differences if wanted in reason]
        assert len(named) == 1
        assert "is not in the database" not in "".join(differences)
        assert len(named[0]) < 500
        assert len(collection.decisions()) >= 3
        assert collection.stats()
    assert {name for name, now in images(folder).items() if now != before[name]} == {C}
    (row,) = rows(folder, f"SELECT status FROM queue WHERE decision = '{wanted}'")  # noqa: S608
    assert row == {"status": "waiting"}
    rebuild(folder)
    with Collection(folder) as collection:
        assert collection.fsck() == []
        assert [each.path for each in collection.apply_waiting()] == [B]


@pytest.fixture
def spoilt(folder: Path) -> str:
    """Return the decision about B, which cannot be read."""
    wanted = waits(folder, B)
    damage(folder, wanted, "verdict", b"accept")
    return wanted


def test_commands_tell_it(folder: Path, spoilt: str) -> None:
    ended = run("apply", str(folder), "--json")
    assert ended.returncode == 1
    (result,) = json.loads(ended.stdout)["results"]
    assert (result["path"], result["code"]) == (B, "TrailDisagrees")
    ended = run("fsck", str(folder))
    assert ended.returncode == 1
    assert f"decision {spoilt} differs from the trail in verdict" in ended.stderr


def test_a_deep_look_raises_an_alert(folder: Path, spoilt: str) -> None:
    ended = run("health", str(folder), "--deep", "--json")
    assert ended.returncode == 1
    (looked,) = json.loads(ended.stdout)["folders"]
    told = {alert["code"]: json.dumps(alert) for alert in looked["alerts"]}
    assert spoilt in told["difference"]


@pytest.mark.parametrize("source", ["queue", "suggestions"])
def test_a_batch_names_it_and_decides_nothing_anew_about_its_image(
    folder: Path, spoilt: str, source: str
) -> None:
    plan, _ = foreseen(folder, {"source": source})
    told = {each.path: each.error.code for each in plan.unread}
    assert told.get(B) == "TrailDisagrees"
    assert B not in {item.decision.path for item in plan.items}
    assert spoilt


def test_nobody_decides_behind_it(folder: Path, spoilt: str) -> None:
    with Collection(folder) as collection:
        anew = collection.trail.decisions.by_id(decided(collection, C))[0]
        about = replace(anew, id="f" * 32, path=B)
        assert collection.trail.decide_undecided([about]) == []
        assert collection.trail.decisions.looked_through()[1][0].args == (B, "decision", spoilt)


def test_a_review_counts_it_and_shows_its_image_again(folder: Path, spoilt: str) -> None:
    with Collection(folder) as collection:
        resumed = ReviewStore(collection).resumed(1, 1)
        assert B not in resumed.waiting
        assert collection.trail.degraded(collection.session) == 1
        result = collection.undoer.retract(spoilt)
        assert (result.status, result.code) == (Status.REFUSED, "TrailDisagrees")
        assert collection.crop(B, SMALL).ok


def test_the_process_that_applies_refuses_it(folder: Path, spoilt: str) -> None:
    with Collection(folder) as collection, closing(ApplierProcess(collection)) as process:
        for errand in (process.apply, process.retract):
            result = errand(spoilt)
            assert (result.path, result.code) == (B, "TrailDisagrees")


def test_a_status_that_there_is_not_is_in_doubt(folder: Path) -> None:
    wanted = waits(folder, B)
    damage(folder, wanted, "status", "other")
    with Collection(folder) as collection:
        assert collection.trail.decisions.counts() == {Status.CROPPED: 1, Status.IN_DOUBT: 1}
        assert collection.counts().failed == 1
        assert collection.crop(C, BOX).ok
        assert any(wanted in each.reason for each in collection.fsck())


@pytest.mark.parametrize("value", [b"x", NO_TEXT])
def test_a_name_in_the_queue_that_cannot_be_read_stops_nobody(folder: Path, value: bytes) -> None:
    wanted = waits(folder, B)
    damage(folder, wanted, "queued path", value)
    with Collection(folder) as collection:
        assert C in collection.images()
        assert collection.counts().total > 0
        assert [each.reason for each in collection.fsck() if wanted in each.reason]
    assert run("health", str(folder)).returncode == 0


@pytest.mark.parametrize("value", [b"x", NO_TEXT])
def test_a_lost_name_keeps_nobody_from_opening_after_a_crash(folder: Path, value: bytes) -> None:
    wanted = waits(folder, B)
    damage(folder, wanted, "path", value)
    sha256 = "UPDATE decision SET sha256 = (SELECT before FROM operation LIMIT 1)"
    change(folder, sha256)
    change(folder, "UPDATE operation SET target = x'ff'")
    cut_off(folder, C)
    with Collection(folder) as collection:
        assert [each.path for each in collection.recovered] == [C]
        assert collection.crop(D, BOX).ok


def test_nothing_is_merged_into_what_holds_one(folder: Path, spoilt: str) -> None:
    apart = pictures.write_folder(folder.parent / "apart")
    crop(apart, A)
    apart.rename(folder / "inner")
    with Collection(folder) as outer, pytest.raises(NotMergeable, match=spoilt[:8]):
        outer.merge(folder / "inner")
