"""A finished operation whose row cannot be read is refused by name; all others can be undone."""

import json
from pathlib import Path

import pictures
import pytest
from deciding import decided
from shell import run
from trails import A, B, change, crop, rows

from cropkit.collection import Collection, rebuild
from cropkit.errors import TrailDisagrees
from cropkit.geometry import PixelBox

C = "c.jpg"
SMALL = PixelBox(1, 1, 20, 20)
NO_TEXT = b"\xc3"  # as a text
CELLS: tuple[tuple[str, object], ...] = (
    *(("plan", each) for each in ("", "{", "[]", "{}", b"{}", "[" * 100_000, NO_TEXT)),
    *((name, b"x") for name in ("owner", "session", "decision", "undoes", "before")),
    *((name, NO_TEXT) for name in ("owner", "session", "decision", "undoes", "after")),
    *(("before", each) for each in ("x", "../x")),
)
CURE = "`cropkit fsck --rebuild` mends it"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection with crops of A, B and C, in this order."""
    folder = pictures.write_folder(tmp_path / "collection")
    for name in (A, B, C):
        crop(folder, name)
    return folder


def damage(folder: Path, name: str, column: str = "plan", value: object = "{") -> str:
    """Spoil a cell of an image's operation; return how it is named."""
    new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
    statement = f"UPDATE operation SET {column} = {new} WHERE source = ?"  # noqa: S608  (names of ours)
    assert change(folder, statement, value, name) == 1
    (row,) = rows(folder, f"SELECT id FROM operation WHERE source = '{name}'")  # noqa: S608
    return f"{name}: the trail tells of operation {row['id'][:8]} otherwise"


def images(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("cell", CELLS, ids=lambda each: f"{each!r:.60}")
def test_the_newest_one_is_refused_by_name_and_no_other_is_taken(
    folder: Path, cell: tuple[str, object]
) -> None:
    named, before = damage(folder, C, *cell), images(folder)
    ended = run("undo", str(folder))
    assert ended.returncode == 1
    assert named in ended.stderr
    assert CURE in ended.stderr
    assert images(folder) == before
    with Collection(folder) as collection:
        assert [each.ok for each in collection.undo(A)] == [True]
        assert [each.path for each in collection.fsck() if each.path == C]
    rebuild(folder)
    with Collection(folder) as collection:
        assert collection.fsck() == []
        assert [(each.path, each.ok) for each in collection.undo()] == [(C, True)]


def test_it_counts_among_the_last_ones(folder: Path) -> None:
    damage(folder, B)
    with Collection(folder) as collection:
        outcomes = [(each.path, each.code) for each in collection.undo(last=2)]
    assert outcomes == [(C, None), (B, "TrailDisagrees")]


def test_all_others_are_taken_back(folder: Path) -> None:
    named = damage(folder, B)
    ended = run("undo", str(folder), "--all", "--json")
    assert ended.returncode == 1
    assert named in ended.stderr
    results = json.loads(ended.stdout)["results"]
    codes = [(each["path"], each["code"]) for each in results]
    assert codes == [(C, None), (B, "TrailDisagrees"), (A, None)]


def test_of_images_that_are_named_the_others_are_brought_back(folder: Path) -> None:
    damage(folder, B)
    with Collection(folder) as collection:
        outcomes = [(each.path, each.code) for each in collection.undo(B, A)]
    assert outcomes == [(B, "TrailDisagrees"), (A, None)]


def test_by_its_id_it_is_refused_too(folder: Path) -> None:
    damage(folder, B)
    (row,) = rows(folder, f"SELECT id FROM operation WHERE source = '{B}'")  # noqa: S608
    with Collection(folder) as collection:
        (result,) = collection.undo_operation(row["id"])
    assert (result.path, result.code) == (B, "TrailDisagrees")


def test_what_it_stands_on_is_left_as_it_is(folder: Path) -> None:
    with Collection(folder) as collection:
        first = collection.trail.operations.undoable_of(A)[0]
        assert not isinstance(first, TrailDisagrees)
        later = collection.crop(A, SMALL).operation
        change(folder, "UPDATE operation SET plan = '{' WHERE id = ?", later)
        for with_later in (False, True):
            (result,) = collection.undo_operation(first.id, with_later=with_later)
            assert (result.path, result.code) == (A, "TrailDisagrees")
        assert [each.code for each in collection.undo(A, everything=True)] == ["TrailDisagrees"] * 2


def test_no_redo_over_what_it_would_let_stand_again(folder: Path) -> None:
    with Collection(folder) as collection:
        collection.undo(A)
        of_crop = "WHERE source = ? AND kind = 'crop'"
        assert change(folder, f"UPDATE operation SET plan = '[]' {of_crop}", A) == 1  # noqa: S608
        before = images(folder)
        results = collection.redo(A)
        assert [(each.path, each.code) for each in results] == [(A, "TrailDisagrees")]
    assert images(folder) == before


def test_a_review_that_takes_its_decision_back_is_told(folder: Path) -> None:
    with Collection(folder) as collection:
        wanted = decided(collection, A, box=SMALL)
        assert collection.apply(wanted).ok
        change(folder, "UPDATE operation SET plan = '{' WHERE decision = ?", wanted)
        result = collection.undoer.retract(wanted)
        assert (result.path, result.code) == (A, "TrailDisagrees")
        change(folder, "UPDATE queue SET operation = 'x' WHERE decision = ?", wanted)
        assert collection.undoer.retract(wanted).code == "TrailDisagrees"


def test_originals_go_on_and_name_it(folder: Path, tmp_path: Path) -> None:
    named = damage(folder, B)
    ended = run("originals", str(folder), "--json")
    assert ended.returncode == 1
    assert named in ended.stderr
    told = json.loads(ended.stdout)
    assert [each["path"] for each in told["originals"]] == [A, C]
    assert list(told["lost"]) == [B]
    ended = run("originals", str(folder), "--to", str(tmp_path / "out"), "--json")
    assert ended.returncode == 1
    told = json.loads(ended.stdout)
    assert (set(told["copies"]), set(told["failed"])) == ({A, C}, {B})
    with Collection(folder) as collection:
        assert [each.path for each in collection.originals()] == [A, C]
        for ask in (collection.originals, lambda p: collection.copy_original(p, tmp_path / "x")):
            with pytest.raises(TrailDisagrees):
                ask(B)


@pytest.mark.parametrize("statement", ["plan = '{'", "decision = ''"])
def test_the_manifest_goes_on_and_names_it(folder: Path, tmp_path: Path, statement: str) -> None:
    assert change(folder, f"UPDATE operation SET {statement} WHERE source = ?", B) == 1  # noqa: S608
    out = tmp_path / "manifest.jsonl"
    ended = run("export", str(folder), "--to", "manifest", "--out", str(out), "--json")
    assert ended.returncode == 1
    assert f"not among them: {B}: " in ended.stderr
    told = json.loads(ended.stdout)
    assert (told["ok"], told["written"], len(told["lost"])) == (False, 2, 1)
    assert [json.loads(row)["source"] for row in out.read_text().splitlines()] == [C, A]


# -- rows that hide what was done ----------------------------------------------------------------

HIDDEN = ("undone_by = 'f'", "undone_by = id", "kind = 'purge'", "kind = 'restore'")


@pytest.mark.parametrize("statement", HIDDEN)
def test_a_row_that_hides_the_newest_crop_lets_no_older_one_be_taken_back(
    folder: Path, statement: str
) -> None:
    with Collection(folder) as collection:
        assert collection.crop(B, SMALL).ok
    newest = "seq = (SELECT max(seq) FROM operation)"
    assert change(folder, f"UPDATE operation SET {statement} WHERE {newest}") == 1  # noqa: S608
    before = images(folder)
    with Collection(folder) as collection:
        assert [each.code for each in collection.undo(B)] == ["TrailDisagrees"]
        assert images(folder) == before
        assert collection.undo(A)[0].ok
    rebuild(folder)
    with Collection(folder) as collection:
        assert [each.ok for each in collection.undo(B, last=2)] == [True, True]


def test_what_was_undone_and_redone_stands_as_its_events_tell(folder: Path) -> None:
    with Collection(folder) as collection:
        for count in (1, 2):
            assert [each.ok for each in collection.undo(B)] == [True]
            assert [each.ok for each in collection.redo(B)] == [True]
            assert len(collection.trail.operations.undoable_of(B)) == 1, count
            assert change(folder, "UPDATE operation SET kind = 'purge' WHERE kind = 'crop'") == 3
            assert [each.code for each in collection.undo(B)] == ["TrailDisagrees"]
            change(folder, "UPDATE operation SET kind = 'crop' WHERE kind = 'purge'")
        assert [each.ok for each in collection.undo(B)] == [True]
        assert collection.trail.operations.undoable_of(B) == []


# -- events --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["{", "[]", "7", b"{}", NO_TEXT])
def test_an_event_that_cannot_be_read_lets_nothing_be_undone_by_it(
    folder: Path, value: object
) -> None:
    with Collection(folder) as collection:
        new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
        of_one = "WHERE event = 'cropped' AND path = ?"
        assert change(folder, f"UPDATE audit SET body = {new} {of_one}", value, B) == 1  # noqa: S608
        assert [each.code for each in collection.undo(B)] == ["TrailDisagrees"]
        assert collection.undo(A)[0].ok


@pytest.mark.parametrize("value", ["{", "[]", "7", b"{}", NO_TEXT])
def test_an_event_that_cannot_be_read_lets_no_decision_be_carried_out(
    folder: Path, value: object
) -> None:
    with Collection(folder) as collection:
        for name in (A, B):
            decided(collection, name, box=SMALL)
        new = "CAST(? AS TEXT)" if value == NO_TEXT else "?"
        newest = "seq = (SELECT max(seq) FROM audit WHERE event = 'decided' AND path = ?)"
        assert change(folder, f"UPDATE audit SET body = {new} WHERE {newest}", value, A) == 1  # noqa: S608
        outcomes = {each.path: each.code for each in collection.apply_waiting()}
        assert outcomes == {A: "TrailDisagrees", B: None}
