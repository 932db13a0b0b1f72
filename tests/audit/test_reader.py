"""A trail that is only read: unable to write by its type, by its database, and in its effect."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from faults import as_format_1, as_format_4, as_format_5, as_format_6

from cropkit.audit.reader import TrailReader
from cropkit.audit.store import Store
from cropkit.audit.store_reader import StoreReader
from cropkit.audit.trail import AuditTrail
from cropkit.collection import Collection
from cropkit.errors import AuditUnavailable, NoCollection
from cropkit.geometry import PixelBox
from cropkit.monitor import reporting
from cropkit.records import Status
from cropkit.system.files import Root

LOG = ".cropkit/cropkit.db-wal"
QUESTIONS: Mapping[str, Callable[[TrailReader], object]] = {
    "disagreements": TrailReader.disagreements,
    "each_finished": lambda trail: list(trail.each_finished()),
    "export_differences": TrailReader.export_differences,
    "is_told": lambda trail: [trail.is_told(one) for one in trail.finished()],
    "broken_links": TrailReader.broken_links,
    "check_export": TrailReader.check_export,
    "counts": TrailReader.counts,
    "decision": lambda trail: trail.decision(trail.standing()[0].decision),
    "decision_table": TrailReader.decision_table,
    "degraded": lambda trail: trail.degraded(trail.sessions()[0].id),
    "events": TrailReader.events,
    "finished": TrailReader.finished,
    "head": TrailReader.head,
    "examined": TrailReader.examined,
    "last": TrailReader.last,
    "harms": TrailReader.harms,
    "would_be_settled": TrailReader.would_be_settled,
    "missed": lambda trail: trail.missed([]),
    "is_crop": lambda trail: trail.is_crop(trail.standing()[0].sha256),
    "is_dead": lambda trail: trail.is_dead(trail.finished()[0].owner),
    "is_done": lambda trail: trail.is_done(trail.finished()[0].id),
    "is_needed": lambda trail: trail.is_needed(trail.standing()[0].sha256),
    "knows": lambda trail: trail.knows("a_stage2.png"),
    "later_on": lambda trail: trail.later_on(trail.finished()[0]),
    "names_of": lambda trail: trail.names_of(trail.standing()[0].sha256),
    "operation": lambda trail: trail.operation(trail.finished()[0].id),
    "originals": TrailReader.originals,
    "originals_between": lambda trail: trail.originals_between("0", "g"),
    "survey": TrailReader.survey,
    "known_names": TrailReader.known_names,
    "place": lambda trail: trail.place("anna"),
    "newest_redoable": lambda trail: list(trail.newest_redoable()),
    "newest_undoable": lambda trail: list(trail.newest_undoable()),
    "redoable_of": lambda trail: trail.redoable_of("a_stage2.png"),
    "sessions": TrailReader.sessions,
    "settings": TrailReader.settings,
    "standing": TrailReader.standing,
    "standing_by_path": TrailReader.standing_by_path,
    "standing_paths": TrailReader.standing_paths,
    "has_decided": TrailReader.has_decided,
    "taken_back": TrailReader.taken_back,
    "undoable": TrailReader.undoable,
    "undoable_by_id": lambda trail: trail.undoable_by_id(trail.finished()[0].id[:8]),
    "undoable_of": lambda trail: trail.undoable_of("a_stage2.png"),
    "unsettled": TrailReader.unsettled,
    "vouched": TrailReader.vouched,
    "left_alone": TrailReader.left_alone,
    "waiting": TrailReader.waiting,
}


def bytes_beneath(folder: Path) -> dict[str, bytes | None]:
    """Name -> content of everything in a folder, cropkit's own files and all folders with it.

    But for what SQLite itself needs to read: the index of its log, and a log that is empty.
    """
    there = {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.name != "cropkit.db-shm"
    }
    return {name: data for name, data in there.items() if name != LOG or data}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.fixture
def collection(folder: Path) -> Path:
    """A collection in which something was cropped, and that nobody has open."""
    with Collection(folder, reviewer="anna") as opened:
        opened.crop("a_stage2.png", PixelBox(10, 20, 60, 90))
    return folder


@pytest.mark.parametrize("held_open", [False, True])
def test_every_question_is_answered_and_no_byte_changes(
    collection: Path, *, held_open: bool
) -> None:
    assert set(QUESTIONS) | {"close"} == public(TrailReader)
    writer = AuditTrail(Root(collection), "anna", kind="test") if held_open else None
    before = bytes_beneath(collection)
    with TrailReader(Root(collection)) as trail:
        answers = {name: ask(trail) for name, ask in QUESTIONS.items()}
    assert (answers["settings"], answers["is_crop"]) == ({}, False)
    assert answers["head"] != "0" * 64
    assert bytes_beneath(collection) == before
    if writer is not None:
        writer.close()


def test_no_attribute_of_a_reader_writes(collection: Path) -> None:
    verbs = public(AuditTrail) - public(TrailReader)
    assert {"decide", "plan", "prepare", "finish", "abandon", "settle", "report"} <= verbs
    assert "transaction" in public(Store) - public(StoreReader)
    with TrailReader(Root(collection)) as trail:
        assert set(vars(trail)) == {"root", "scope", "store"}
        assert not any(hasattr(trail.store, name) for name in public(Store) - public(StoreReader))


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO setting VALUES ('a', 'b', 'c')", "DELETE FROM queue", "CREATE TABLE t (a)"],
)
def test_the_database_itself_refuses_a_reader_that_writes(collection: Path, statement: str) -> None:
    with (
        TrailReader(Root(collection)) as trail,
        pytest.raises(AuditUnavailable, match="readonly"),
        trail.store.reading() as db,
    ):
        db.exec_driver_sql(statement)


def test_figures_alerts_and_a_look_change_no_byte(collection: Path) -> None:
    before = bytes_beneath(collection)
    assert reporting.figures(collection).unattended == 1
    assert reporting.look(collection, deep=True).facts.originals == 1
    assert reporting.session_alert(collection, "none") is None
    assert bytes_beneath(collection) == before


def test_a_reader_makes_no_collection(tmp_path: Path) -> None:
    with pytest.raises(NoCollection):
        TrailReader(Root(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("older", [as_format_1, as_format_4, as_format_5, as_format_6])
def test_an_older_format_is_read_and_stays_as_it_is(
    folder: Path, older: Callable[[Path], None]
) -> None:
    with Collection(folder) as collection:
        collection.crop("a_stage2.png", PixelBox(0, 0, 20, 20))
        collection.crop("a_stage2.png", PixelBox(0, 0, 10, 10))
        collection.undo()
    older(folder)
    before = bytes_beneath(folder)
    with TrailReader(Root(folder)) as trail:
        assert trail.counts() == {Status.CROPPED: 1}
        assert len(trail.undoable()) == 1
        assert len(trail.decision_table()) == 2
        assert trail.broken_links() == []
        assert trail.settings() == {}
    assert bytes_beneath(folder) == before
