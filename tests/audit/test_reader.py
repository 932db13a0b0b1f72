"""A trail that is only read: unable to write by its type, by its database, and in its effect."""

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from pathlib import Path

import pytest
from faults import (
    as_format_1,
    as_format_4,
    as_format_5,
    as_format_6,
    as_format_7,
    as_format_8,
)

from cropkit.audit.content_reader import ContentReader
from cropkit.audit.decision_reader import DecisionReader
from cropkit.audit.integrity_reader import IntegrityReader
from cropkit.audit.operation import Operation
from cropkit.audit.operation_reader import OperationReader
from cropkit.audit.reader import TrailReader
from cropkit.audit.second_opinions import SecondOpinions
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
READERS: Mapping[str, type] = {
    "": TrailReader,
    "decisions.": DecisionReader,
    "operations.": OperationReader,
    "contents.": ContentReader,
    "integrity.": IntegrityReader,
    "opinions.": SecondOpinions,
}
IMAGE = "a_stage2.png"


def content(trail: TrailReader) -> str:
    return trail.decisions.standing()[0].sha256


def done(trail: TrailReader) -> Operation:
    return trail.operations.finished()[0]


# What is asked with arguments; all else is asked without.
WITH: Mapping[str, Callable[[TrailReader], object]] = {
    "contents.is_crop": lambda trail: trail.contents.is_crop(content(trail), IMAGE),
    "contents.is_needed": lambda trail: trail.contents.is_needed(content(trail)),
    "contents.was_purged": lambda trail: trail.contents.was_purged(content(trail)),
    "contents.knows": lambda trail: trail.contents.knows(IMAGE),
    "contents.names_of": lambda trail: trail.contents.names_of(content(trail)),
    "contents.originals_between": lambda trail: trail.contents.originals_between("0", "g"),
    "decisions.by_id": lambda trail: trail.decisions.by_id(trail.decisions.standing()[0].decision),
    "decisions.changed_after": lambda trail: trail.decisions.changed_after(0, "mine"),
    "decisions.compared": lambda trail: trail.decisions.compared(
        trail.decisions.standing()[0].decision
    ),
    "decisions.looked_through_of": lambda trail: trail.decisions.looked_through_of([IMAGE]),
    "decisions.standing_slots": lambda trail: trail.decisions.standing_slots(lambda _slot: True),
    "decisions.numbered": lambda trail: trail.decisions.numbered([1]),
    "decisions.to_undo": lambda trail: trail.decisions.to_undo("anna", ""),
    "degraded": lambda trail: trail.degraded(trail.sessions()[0].id),
    "integrity.missed": lambda trail: trail.integrity.missed([]),
    "is_dead": lambda trail: trail.is_dead(done(trail).owner),
    "opinions.lacking": lambda trail: trail.opinions.lacking(
        trail.decisions.by_id(trail.decisions.standing()[0].decision)[0]
    ),
    "opinions.shown_to": lambda trail: trail.opinions.shown_to("b", trail.decisions.standing()),
    "opinions.waiting": lambda trail: trail.opinions.waiting(trail.scope.holds),
    "operations.image_of": lambda trail: trail.operations.image_of(done(trail)),
    "operations.by_id": lambda trail: trail.operations.by_id(done(trail).id),
    "operations.is_done": lambda trail: trail.operations.is_done(done(trail).id),
    "operations.is_told": lambda trail: trail.operations.is_told(done(trail)),
    "operations.needing": lambda trail: trail.operations.needing(content(trail)),
    "operations.later_on": lambda trail: trail.operations.later_on(done(trail)),
    "operations.redoable_of": lambda trail: trail.operations.redoable_of(IMAGE),
    "operations.undoable_by_id": lambda trail: trail.operations.undoable_by_id(done(trail).id[:8]),
    "operations.undoable_of": lambda trail: trail.operations.undoable_of(IMAGE),
    "session_of": lambda trail: trail.session_of(trail.sessions()[0].id),
    "place": lambda trail: trail.place("anna"),
}


def every_question() -> list[str]:
    return [
        f"{reader}{name}"
        for reader, kind in READERS.items()
        for name, value in vars(kind).items()
        if not name.startswith("_") and callable(value) and name != "close"
    ]


def answer(trail: TrailReader, question: str) -> object:
    plainly: Callable[[], object] = attrgetter(question)(trail)
    asked = WITH[question](trail) if question in WITH else plainly()
    return list(asked) if isinstance(asked, Iterator) else asked


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
    assert set(WITH) <= set(every_question())
    writer = AuditTrail(Root(collection), "anna", kind="test") if held_open else None
    before = bytes_beneath(collection)
    with TrailReader(Root(collection)) as trail:
        answers = {question: answer(trail, question) for question in every_question()}
    assert (answers["settings"], answers["contents.is_crop"]) == ({}, False)
    assert answers["integrity.head"] != "0" * 64
    assert len(answers) > 40
    assert bytes_beneath(collection) == before
    if writer is not None:
        writer.close()


def test_no_attribute_of_a_reader_writes(collection: Path) -> None:
    verbs = public(AuditTrail) - public(TrailReader)
    assert {"decide", "plan", "prepare", "finish", "abandon", "settle", "report"} <= verbs
    assert "transaction" in public(Store) - public(StoreReader)
    with TrailReader(Root(collection)) as trail:
        readers = {name.removesuffix(".") for name in READERS if name}
        assert set(vars(trail)) == {"root", "scope", "store", *readers}
        assert not any(hasattr(trail.store, name) for name in public(Store) - public(StoreReader))


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO setting VALUES ('a', 'b', 'c')", "DELETE FROM queue", "CREATE TABLE t (a TEXT)"],
)
def test_the_database_itself_refuses_a_reader_that_writes(collection: Path, statement: str) -> None:
    with (
        TrailReader(Root(collection)) as trail,
        pytest.raises(AuditUnavailable, match=r"read-?only"),
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


@pytest.mark.parametrize(
    "older",
    [as_format_1, as_format_4, as_format_5, as_format_6, as_format_7, as_format_8],
)
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
        assert trail.decisions.counts() == {Status.CROPPED: 1}
        assert len(trail.operations.undoable()) == 1
        assert len(trail.decisions.table()) == 2
        assert trail.integrity.broken_links() == []
        assert trail.settings() == {}
    assert bytes_beneath(folder) == before
