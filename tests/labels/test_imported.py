"""What is imported is kept, found again, told when it is stale, and believed in nothing."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pictures
import pytest
import shell

import cropkit
from cropkit.errors import BadParameterValue, WriteFailed
from cropkit.geometry import NormalizedBox, PixelBox, Size
from cropkit.labels import store
from cropkit.labels.store import Imported, Kept
from cropkit.suggest import Suggested
from cropkit.system.home import SUGGESTIONS

if TYPE_CHECKING:
    from cropkit.records import Problem

SIZE = Size(96, 64)
BOX = PixelBox(8, 4, 40, 20)
KEPT = Kept("a.jpg", "", SIZE, BOX.normalized(SIZE))
TRIGGER = "CREATE TRIGGER t AFTER INSERT ON box BEGIN DELETE FROM box; END"
ENDLESS_VIEW = """CREATE VIEW box AS
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT * FROM c, b2"""

CUT_OFF = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA cache_size = 1")  # it spills: the journal has to be played back
db.execute("UPDATE box SET path = 'b.jpg'")
rows = ((n, "n" * n) for n in range(9, 600))
db.executemany("INSERT INTO source VALUES (?, ?, '', '')", rows)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two JPEGs, of which x/a.jpg has the box, beside a file of labels."""
    (tmp_path / "set/x").mkdir(parents=True)
    pictures.write_jpeg(tmp_path / "set/x/a.jpg", pictures.photo(96, 64, 1))
    pictures.write_jpeg(tmp_path / "set/x/b.jpg", pictures.photo(96, 64, 2))
    return tmp_path / "set"


def labels(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder.parent / "boxes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(image: str = "a.jpg", **more: object) -> dict[str, object]:
    return {"file": image, "xyxy": list(BOX.xyxy)} | more


def shown(folder: Path, image: str = "x/a.jpg") -> tuple[list[tuple[PixelBox, str]], list[str]]:
    told: list[Problem] = []
    with cropkit.open(folder) as collection:
        collection.problems.listen(told.append)
        suggestions = collection.suggestions(collection.look(image))
    problems = [problem.reason for problem in told if not problem.kind.is_harmless]
    return [(each.box.pixels(SIZE), each.source) for each in suggestions], problems


def test_an_import_is_proposed_by_whoever_opens_the_collection_next(folder: Path) -> None:
    ended = shell.run("import", folder, labels(folder, row(score=0.5), row("x/b.jpg")))
    assert (ended.returncode, ended.stdout) == (0, "boxes.jsonl: 2 boxes for 2 images (jsonl)\n")
    assert shown(folder)[0] == [(BOX, "boxes.jsonl")]
    assert shown(folder / "x")[0] == [(BOX, "boxes.jsonl")]


def test_a_batch_crops_by_what_was_imported_and_its_dry_run_foresees_it(folder: Path) -> None:
    shell.run("import", folder, labels(folder, row()))
    dry = json.loads(
        shell.run("batch", folder, "-p", "source", "suggestions", "--dry-run", "--json").stdout
    )
    done = json.loads(shell.run("batch", folder, "-p", "source", "suggestions", "--json").stdout)
    assert (dry["counts"]["to do"] if "counts" in dry else None) in (None, 1)
    with cropkit.open(folder) as collection:
        (decided,) = collection.decisions().to_dict("records")
    assert (decided["path"], decided["suggestion_source"]) == ("x/a.jpg", "boxes.jsonl")
    assert done["ok"]


def test_another_import_of_a_name_takes_its_place_and_one_of_another_name_comes_first(
    folder: Path,
) -> None:
    path = labels(folder, row())
    for _ in range(2):
        shell.run("import", folder, path)
    assert shown(folder)[0] == [(BOX, "boxes.jsonl")]
    labels(folder, row(xyxy=[0, 0, 48, 32]))
    shell.run("import", folder, path, "--name", "second")
    assert shown(folder)[0] == [(PixelBox(0, 0, 48, 32), "second"), (BOX, "boxes.jsonl")]
    listed = json.loads(shell.run("import", folder, "--list", "--json").stdout)["imported"]
    assert [(each["name"], each["boxes"], each["images"]) for each in listed] == [
        ("boxes.jsonl", 1, 1),
        ("second", 1, 1),
    ]
    assert shell.run("import", folder, "--remove", "second").returncode == 0
    assert shown(folder)[0] == [(BOX, "boxes.jsonl")]
    refused = shell.run("import", folder, "--remove", "second")
    assert (refused.returncode, "remove" in refused.stderr) == (1, True)


def test_bad_rows_are_named_and_counted_and_the_others_are_kept(folder: Path) -> None:
    path = labels(folder, row(), row("x/b.jpg", xyxy=[1, 2]), row("nowhere.jpg"))
    ended = shell.run("import", folder, path, "--json")
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["ok"], told["boxes"]) == (1, False, 1)
    assert [each["where"] for each in told["problems"]] == ["boxes.jsonl:2"]
    assert [each["where"] for each in told["strange"]] == ["boxes.jsonl:3"]
    assert "boxes.jsonl:2: needs four numbers" in ended.stderr
    assert shown(folder)[0] == [(BOX, "boxes.jsonl")]


def test_names_that_are_no_images_alone_fail_nothing(folder: Path) -> None:
    ended = shell.run("import", folder, labels(folder, row(), row("nowhere.jpg")))
    assert (ended.returncode, "1 name no image" in ended.stderr) == (0, True)


def test_what_was_cropped_since_has_no_box_any_more(folder: Path) -> None:
    path = labels(folder, row())
    shell.run("import", folder, path)
    with cropkit.open(folder) as collection:
        collection.crop("x/a.jpg", PixelBox(0, 0, 64, 64))
    suggestions, problems = shown(folder)
    assert (suggestions, len(problems)) == ([], 1)
    assert "(stale)" in problems[0]
    again = shell.run("import", folder, path)
    assert (again.returncode, "was cropped already" in again.stderr) == (1, True)


def test_another_content_of_the_same_size_has_no_box(folder: Path) -> None:
    shell.run("import", folder, labels(folder, row()))
    pictures.write_jpeg(folder / "x/a.jpg", pictures.photo(96, 64, 3))
    assert shown(folder)[0] == []


def test_a_file_that_cannot_be_read_changes_nothing(folder: Path) -> None:
    (folder.parent / "bad.json").write_text("{}")
    ended = shell.run("import", folder, folder.parent / "bad.json")
    assert (ended.returncode, "bad.json" in ended.stderr) == (1, True)
    assert not (folder / ".cropkit").exists()
    assert shell.run("import", folder).returncode == 2


def test_names_that_are_no_text_are_kept_and_found(tmp_path: Path) -> None:
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    pictures.write_jpeg(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / name)
    kept = Kept(name, "", SIZE, NormalizedBox(0, 0, 0.5, 0.5))
    with cropkit.open(tmp_path) as collection:
        assert collection.imported.keep("m", "model", [kept]) == 1
    with cropkit.open(tmp_path) as collection:
        assert len(collection.suggestions(collection.look(name))) == 1


# -- models ------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test have a module of its own: commands run in this process."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delitem(sys.modules, "finder", raising=False)


def model(folder: Path, text: str) -> Path:
    path = folder.parent / "finder.py"
    path.write_text(text)
    return folder.parent


def test_a_model_is_asked_for_undecided_images_and_goes_on_where_it_was_cut_off(
    folder: Path,
) -> None:
    place = model(folder, "calls = []\ndef find(image):\n    return [[8, 4, 40, 20, 0.5]]\n")
    first = json.loads(
        shell.run("suggest", folder, "--with", "finder:find", "--json", folder=place).stdout
    )
    again = json.loads(
        shell.run("suggest", folder, "--with", "finder:find", "--json", folder=place).stdout
    )
    assert (first["ok"], first["boxes"], first["known"]) == (True, 2, 0)
    assert (again["ok"], again["boxes"], again["known"]) == (True, 0, 2)
    assert shown(folder)[0] == [(BOX, "finder:find")]


def test_a_model_that_raises_is_named_by_file_and_the_rest_goes_on(folder: Path) -> None:
    text = (
        "def find(path: str):\n    if path.endswith('a.jpg'):\n        raise RuntimeError('no')\n"
    )
    place = model(folder, text + "    return [[8, 4, 40, 20]]\n")
    ended = shell.run("suggest", folder, "--with", "finder:find", folder=place)
    assert ended.returncode == 1
    assert "x/a.jpg: finder:find raised RuntimeError: no" in ended.stderr
    assert shown(folder, "x/b.jpg")[0] == [(BOX, "finder:find")]


@pytest.mark.parametrize(
    "name", ["finder", "finder:", ":find", "nowhere:find", "finder:none", "finder:calls"]
)
def test_what_is_no_model_is_refused_before_anything_is_made(folder: Path, name: str) -> None:
    place = model(folder, "calls = []\n")
    ended = shell.run("suggest", folder, "--with", name, folder=place)
    assert (ended.returncode, "BadParameterValue" in ended.stderr) == (1, True)
    assert not (folder / ".cropkit").exists()


# -- a stranger's database ---------------------------------------------------------------------


def tampered(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / SUGGESTIONS)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


Spoil = Callable[[Path], object]
SPOILED: list[tuple[str, Spoil]] = [
    ("noise", lambda folder: (folder / SUGGESTIONS).write_bytes(b"noise" * 1000)),
    ("empty", lambda folder: (folder / SUGGESTIONS).write_bytes(b"")),
    ("a trigger", lambda folder: tampered(folder, TRIGGER)),
    (
        "a view for a table",
        lambda folder: tampered(folder, "ALTER TABLE box RENAME TO b2", ENDLESS_VIEW),
    ),
    ("no table", lambda folder: tampered(folder, "DROP TABLE box")),
    ("text for a box", lambda folder: tampered(folder, "UPDATE box SET x0 = 'left'")),
    ("a box inside out", lambda folder: tampered(folder, "UPDATE box SET x0 = 0.9, x1 = 0.1")),
    ("a box outside", lambda folder: tampered(folder, "UPDATE box SET x1 = 1e300")),
    ("a size of text", lambda folder: tampered(folder, "UPDATE box SET width = 'wide'")),
    ("too sure", lambda folder: tampered(folder, "UPDATE box SET confidence = 7")),
    ("sure in words", lambda folder: tampered(folder, "UPDATE box SET confidence = 'very'")),
]


@pytest.mark.parametrize(("name", "spoil"), SPOILED)
def test_a_strange_database_is_a_problem_and_stops_nothing(
    folder: Path, name: str, spoil: Spoil
) -> None:
    shell.run("import", folder, labels(folder, row()))
    spoil(folder)
    suggestions, problems = shown(folder)
    assert suggestions == []
    assert problems or name == "empty"
    with cropkit.open(folder) as collection:
        assert collection.crop("x/a.jpg", BOX).ok


@pytest.mark.parametrize(("name", "spoil"), SPOILED[2:5])
def test_nothing_is_written_into_a_strange_database(folder: Path, name: str, spoil: Spoil) -> None:
    path = labels(folder, row())
    shell.run("import", folder, path)
    spoil(folder)
    before = (folder / SUGGESTIONS).read_bytes()
    ended = shell.run("import", folder, path)
    assert (ended.returncode, (folder / SUGGESTIONS).read_bytes()) == (1, before), name


def test_a_link_in_its_place_is_refused(folder: Path) -> None:
    target = folder.parent / "target"
    target.write_text("mine")
    with cropkit.open(folder):
        pass
    (folder / SUGGESTIONS).symlink_to(target)
    ended = shell.run("import", folder, labels(folder, row()))
    assert (ended.returncode, target.read_text()) == (1, "mine")


def test_an_import_that_fails_leaves_what_was_there(folder: Path) -> None:
    with cropkit.open(folder) as collection:
        store = collection.imported
        good = Kept("x/a.jpg", "", SIZE, NormalizedBox(0, 0, 0.5, 0.5))
        store.keep("m", "model", [good])

        def failing() -> object:
            yield good
            yield good
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.keep("m", "model", failing())  # type: ignore[arg-type]  # it is iterable
        assert [(each.name, each.boxes) for each in store.sources()] == [("m", 1)]
        with pytest.raises(BadParameterValue):
            store.forget("n")
        (folder / SUGGESTIONS).write_bytes(b"noise" * 1000)
        with pytest.raises(WriteFailed):
            store.keep("m", "model", [good])


def test_lookups_use_an_index(folder: Path) -> None:
    """What a review asks for at each image is not a scan of all that was imported."""
    shell.run("import", folder, labels(folder, row()))
    with closing(sqlite3.connect(folder / SUGGESTIONS)) as db:
        for statement, values in ((store.OF_IMAGE, ("p", 1)), (store.KNOWN, ("p", "n", "s"))):
            plan = [step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert not [step for step in plan if "SCAN" in step]
            assert any("path=?" in step for step in plan)


def test_without_an_import_there_is_nothing_and_nothing_is_made(folder: Path) -> None:
    assert Imported(folder).suggest("x/a.jpg", SIZE, "") == Suggested()
    assert not (folder / ".cropkit").exists()


# -- subjects ----------------------------------------------------------------------------------

FACES = [
    {"file": "a.jpg", "xyxy": [20, 20, 30, 40], "score": 0.5, "category": "face"},
    {"file": "a.jpg", "xyxy": [60, 24, 66, 36], "score": 0.75, "category": "dog"},
]


def versions(folder: Path) -> list[tuple[PixelBox, str, float | None]]:
    with cropkit.open(folder) as collection:
        suggestions = collection.suggestions(collection.look("x/a.jpg"))
    return [(each.box.pixels(SIZE), each.version, each.confidence) for each in suggestions]


@pytest.mark.parametrize(
    ("rule", "keep"),
    [
        ("margin=0.5", {"margin": 0.5}),
        ("margin=0.5 keep=face", {"margin": 0.5, "keep": "face"}),
        ("margin=0.1/0.2/0.3/0.4,aspect=1:1", {"margin": [0.1, 0.2, 0.3, 0.4], "aspect": "1:1"}),
        ("keep=largest headroom=0.5", {"keep": "largest", "headroom": 0.5}),
        ("keep=most-confident min_size=32", {"keep": "most-confident", "min_size": 32}),
        ("keep=each targets=4:5/1:1", {"keep": "each", "targets": ["4:5", "1:1"]}),
    ],
)
def test_a_rule_puts_crops_around_subjects_and_each_ones_own_comes_next(
    folder: Path, rule: str, keep: dict[str, object]
) -> None:
    assert shell.run("import", folder, labels(folder, *FACES), "--around", rule).returncode == 0
    best_first = reversed(FACES)
    rows = [[*face["xyxy"], face["score"]] for face in best_first]  # type: ignore[misc]  # a list
    first = cropkit.around(rows, SIZE, classes=["dog", "face"], **keep)  # type: ignore[arg-type]  # a bag
    each = cropkit.around(rows, SIZE, classes=["dog", "face"], **{**keep, "keep": "each"})  # type: ignore[arg-type]  # as above
    expected = dict.fromkeys((*first, *each))
    assert [box for box, _, _ in versions(folder)] == [PixelBox(*crop.xyxy) for crop in expected]
    assert [version for _, version, _ in versions(folder)] == [crop.label for crop in expected]


def test_a_models_subjects_are_framed_too(folder: Path) -> None:
    place = model(folder, "def find(image):\n    return [[20, 20, 30, 40, 0.5]]\n")
    shell.run("suggest", folder, "--with", "finder:find", "--around", "margin=1", folder=place)
    assert versions(folder) == [(PixelBox(10, 0, 40, 60), "around 1 subject", 0.5)]


def test_what_a_model_prints_is_no_part_of_the_answer(folder: Path) -> None:
    place = model(folder, "def find(image):\n    print('noise')\n    return [[8, 4, 40, 20]]\n")
    ended = shell.run("suggest", folder, "--with", "finder:find", "--json", folder=place)
    assert json.loads(ended.stdout)["boxes"] == 2
    assert "noise" in ended.stderr


def test_a_damaged_store_says_what_to_do(folder: Path) -> None:
    shell.run("import", folder, labels(folder, row()))
    (folder / SUGGESTIONS).write_bytes(b"noise" * 1000)
    ended = shell.run("import", folder, "--list")
    assert (ended.returncode, "delete it, and import the boxes again" in ended.stderr) == (1, True)
    assert "delete it" in shown(folder)[1][0]


@pytest.mark.parametrize("rule", ["margin", "margin=x", "size=3", "margin=-1", "aspect=x", "keep="])
def test_a_rule_that_is_none_is_refused_before_anything_is_made(folder: Path, rule: str) -> None:
    ended = shell.run("import", folder, labels(folder, *FACES), "--around", rule)
    assert (ended.returncode, "Bad" in ended.stderr) == (1, True), ended.stderr
    assert not (folder / ".cropkit").exists()


def many_boxes(then: Callable[[], object]) -> Iterator[Kept]:
    """Yield more boxes than a cache of pages holds, and do something before the last one."""
    box = NormalizedBox(0.1, 0.1, 0.5, 0.5)
    yield from (Kept(f"x/{number}.jpg", "e" * 64, SIZE, box) for number in range(20_000))
    then()
    yield Kept("x/last.jpg", "e" * 64, SIZE, box)


def kept_before(folder: Path) -> Imported:
    (folder / SUGGESTIONS).parent.mkdir(mode=0o700)
    imported = Imported(folder)
    imported.keep("old", "x", [Kept("a.jpg", "", SIZE, NormalizedBox(0.1, 0.1, 0.5, 0.5))])
    return imported


def test_a_review_reads_and_another_import_keeps_while_images_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PATIENCE", 0.2)
    imported, answers = kept_before(tmp_path), []

    def others() -> None:
        answers.append(Imported(tmp_path).suggest("a.jpg", SIZE, ""))
        Imported(tmp_path).keep("other", "x", [])

    imported.keep("new", "x", many_boxes(others))

    assert [len(answer.suggestions) for answer in answers] == [1]
    assert [source.name for source in imported.sources()] == ["old", "other", "new"]


def test_a_review_reads_while_many_boxes_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PATIENCE", 0.2)
    imported, answers = kept_before(tmp_path), []
    row = store._row  # noqa: SLF001  (what is looked at between two rows)

    def looked_at_between(source: int, kept: Kept) -> tuple[object, ...]:
        if kept.path == "x/last.jpg":
            answers.append(Imported(tmp_path).suggest("a.jpg", SIZE, ""))
        return row(source, kept)

    monkeypatch.setattr(store, "_row", looked_at_between)
    imported.keep("new", "x", many_boxes(lambda: None))

    assert [len(answer.suggestions) for answer in answers] == [1]


def test_after_an_import_that_was_killed_while_it_wrote_what_was_there_is_proposed(
    tmp_path: Path,
) -> None:
    imported = kept_before(tmp_path)
    killed = subprocess.run([sys.executable, "-c", CUT_OFF, tmp_path / SUGGESTIONS], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert Path(f"{tmp_path / SUGGESTIONS}-journal").exists()

    assert len(imported.suggest("a.jpg", SIZE, "").suggestions) == 1
    assert [source.name for source in imported.sources()] == ["old"]


def test_what_is_wrong_with_the_database_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    imported = Imported(tmp_path)
    place = tmp_path / SUGGESTIONS
    place.parent.mkdir()
    assert imported.damage() is None
    imported.keep("a", "csv", [KEPT])
    assert imported.damage(deep=True) is None
    sound = place.read_bytes()
    place.write_bytes(b"no database" * 9)
    assert "import the boxes again" in (imported.damage() or "")
    place.write_bytes(sound[:4096] + b"\xff" * (len(sound) - 4096))
    assert imported.damage(deep=True) is not None
    place.write_bytes(sound)
    with closing(sqlite3.connect(place)) as db:
        db.execute("CREATE TABLE other (x)")
    assert "another shape" in (imported.damage() or "")


def test_an_import_under_way_is_no_damage(tmp_path: Path) -> None:
    imported = Imported(tmp_path)
    place = tmp_path / SUGGESTIONS
    place.parent.mkdir()
    imported.keep("a", "csv", [KEPT])
    journal = Path(f"{place}-journal")
    journal.write_bytes(b"\0" * 512)
    assert imported.damage(deep=True) is None
    assert journal.read_bytes() == b"\0" * 512
