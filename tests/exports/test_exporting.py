"""What holds of exports in whatever format: which decisions, which counts, what is written over."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decided, decision
from exporting import exported, made_up, recorded

import cropkit
from cropkit.audit import decisions
from cropkit.audit.reader import TrailReader
from cropkit.cli import main
from cropkit.errors import BadParameterValue, NameTaken
from cropkit.exports import exporting as whole
from cropkit.exports import files, registry
from cropkit.exports.rows import Decisions, Place
from cropkit.geometry import PixelBox, Size
from cropkit.system.files import Root
from cropkit.system.home import DATABASE

Capture = pytest.CaptureFixture[str]
PHOTO, BOX, SMALL = "a_stage2.png", PixelBox(10, 10, 60, 60), PixelBox(0, 0, 20, 20)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return pictures.write_folder(tmp_path / "photos")


def rows_of(folder: Path, out: Path, capsys: Capture, *more: str) -> list[dict[str, Any]]:
    out.unlink(missing_ok=True)
    exported(capsys, folder, "jsonl", out, *more)
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def test_boxes_of_an_image_that_was_cropped_since_are_in_its_former_frame_and_counted(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    with cropkit.open(photos) as kit:
        decided(kit, "b_stage2.png", box=BOX)
        kit.crop(PHOTO, BOX)
    told = exported(capsys, photos, "jsonl", tmp_path / "d.jsonl")
    assert (told["written"], told["before_crop"]) == (2, 1)
    rows = rows_of(photos, tmp_path / "d.jsonl", capsys)
    a, b = rows
    assert (a["path"], a["before_crop"], a["upright_width"], a["right"]) == (PHOTO, True, 104, 60)
    assert (b["before_crop"], b["status"]) == (False, "waiting")
    assert main(["export", str(photos), "--to", "csv", "--out", str(tmp_path / "d.csv")]) == 0
    line = capsys.readouterr().out
    assert line.endswith("d.csv: 2 written; 1 box is in the frame of the image before its crop\n")


def test_the_second_of_two_crops_is_the_one_in_force_and_an_undone_one_is_none(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "d.jsonl"
    with cropkit.open(photos) as kit:
        kit.crop(PHOTO, BOX)
        kit.crop(PHOTO, SMALL)
    (row,) = rows_of(photos, out, capsys)
    assert (row["right"], row["upright_width"]) == (20, 50)
    with cropkit.open(photos) as kit:
        kit.undo(PHOTO)
    (row,) = rows_of(photos, out, capsys)
    assert (row["right"], row["upright_width"]) == (60, 104)
    with cropkit.open(photos) as kit:
        kit.undo(PHOTO)
    assert rows_of(photos, out, capsys) == []


def test_an_image_that_was_moved_is_named_as_it_was_when_it_was_decided(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    with cropkit.open(photos, destination=tmp_path / "moved") as kit:
        assert kit.crop(PHOTO, BOX).ok
    assert not (photos / PHOTO).exists()
    told = exported(capsys, photos, "coco", tmp_path / "c.json")
    held = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert [(each["file_name"], each["width"]) for each in held["images"]] == [(PHOTO, 104)]
    assert told["before_crop"] == 1


def test_a_copy_leaves_its_image_in_the_frame_of_its_box(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    with cropkit.open(photos, copy_to=tmp_path / "set") as kit:
        assert kit.crop(PHOTO, BOX).ok
    told = exported(capsys, photos, "coco", tmp_path / "c.json")
    assert (told["written"], told["before_crop"]) == (1, 0)


def test_a_box_in_another_frame_than_the_images_latest_is_left_out_where_an_image_has_one(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    with cropkit.open(photos) as kit:
        kit.decide([decision(kit, PHOTO, BOX, slot="face", copying="", destination="out")])
        kit.crop(PHOTO, BOX)
        decided(kit, PHOTO, box=SMALL)
    told = exported(capsys, photos, "coco", tmp_path / "c.json")
    assert told["left_out"] == {"decided when its image had another size": 1}
    assert (told["written"], told["before_crop"]) == (1, 0)
    assert len(rows_of(photos, tmp_path / "d.jsonl", capsys)) == 2


@pytest.mark.parametrize("kind", ["coco", "coco-results", "label-studio"])
def test_an_empty_collection_is_a_whole_file(
    photos: Path, tmp_path: Path, capsys: Capture, kind: str
) -> None:
    cropkit.open(photos).close()
    told = exported(capsys, photos, kind, tmp_path / "e.json")
    assert (told["written"], told["left_out"]) == (0, {})
    held = json.loads((tmp_path / "e.json").read_text("utf-8"))
    assert not (held["annotations"] if kind == "coco" else held)


@pytest.mark.parametrize("kind", ["yolo", "voc"])
def test_an_empty_collection_is_a_whole_folder(
    photos: Path, tmp_path: Path, capsys: Capture, kind: str
) -> None:
    cropkit.open(photos).close()
    assert exported(capsys, photos, kind, tmp_path / "e")["written"] == 0
    assert (tmp_path / "e").is_dir()


def test_a_part_of_a_collection_exports_its_own_decisions(tmp_path: Path, capsys: Capture) -> None:
    photos = pictures.write_folder(tmp_path / "photos")
    pictures.write_folder(photos / "2024")
    with cropkit.open(photos) as kit:
        decided(kit, PHOTO, box=BOX)
        decided(kit, f"2024/{PHOTO}", box=BOX)
    (row,) = rows_of(photos / "2024", tmp_path / "d.jsonl", capsys)
    assert row["path"] == f"2024/{PHOTO}"


def test_a_row_that_cannot_be_read_is_counted(
    photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    with cropkit.open(photos) as kit:
        decided(kit, PHOTO, box=BOX)
        decided(kit, "b_stage2.png", box=BOX)
    with closing(sqlite3.connect(photos / DATABASE)) as db, db:
        db.execute("UPDATE decision SET decided_at = 'now' WHERE path = ?", (PHOTO,))
    out = tmp_path / "c.json"
    assert main(["export", str(photos), "--to", "coco", "--out", str(out), "--json"]) == 1
    told = json.loads((printed := capsys.readouterr()).out)
    assert (told["written"], told["left_out"]) == (1, {"its row cannot be read": 1})
    assert not told["ok"]
    assert f"not among them: {told['lost'][0]}" in printed.err
    assert PHOTO in told["lost"][0]


@pytest.mark.parametrize(("kind", "name"), [("coco", "o.json"), ("yolo", "o"), ("xmp", "o")])
def test_nothing_is_written_over_and_nothing_read_for_it(
    photos: Path, tmp_path: Path, kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("mine")
    monkeypatch.setattr(Decisions, "_each", lambda _: pytest.fail("a row was read"))
    with cropkit.open(photos) as kit, pytest.raises(NameTaken):
        kit.export(kind, tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "photos"]


@pytest.mark.parametrize(("kind", "name"), [("coco", "o.json"), ("yolo", "o")])
def test_what_fails_half_way_leaves_nothing(
    photos: Path, tmp_path: Path, kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> Any:
        raise TimeoutError

    with cropkit.open(photos) as kit:
        decided(kit, PHOTO, box=BOX)
        monkeypatch.setattr(Decisions, "_each", fails)
        with pytest.raises(TimeoutError):
            kit.export(kind, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("is_full", [False, True])
def test_a_folder_of_that_name_that_comes_meanwhile_stands(
    tmp_path: Path, *, is_full: bool
) -> None:
    out = tmp_path / "new"

    def write() -> None:
        with files.new_folder(out) as folder:
            (folder / "a").write_text("a")
            out.mkdir()
            if is_full:
                (out / "mine").write_text("mine")

    with pytest.raises(NameTaken):
        write()
    assert [path.name for path in out.iterdir()] == (["mine"] if is_full else [])
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("coco", {"images": "x.json"}),
        ("voc", {"image_prefix": "x"}),
        ("csv", {"label_as": "predictions"}),
        ("coco", {"verdicts": ["maybe"]}),
        ("label-studio", {"label_as": "guesses"}),
        ("parquet", {}),
    ],
)
def test_an_option_that_a_format_has_no_use_for_is_refused(
    photos: Path, tmp_path: Path, kind: str, options: dict[str, Any]
) -> None:
    with cropkit.open(photos) as kit, pytest.raises(BadParameterValue):
        kit.export(kind, tmp_path / "new.json", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_file_of_another_form_is_refused_with_the_form_that_there_is(
    photos: Path, tmp_path: Path
) -> None:
    with (
        cropkit.open(photos) as kit,
        pytest.raises(BadParameterValue, match=r"ends with \.json"),
    ):
        kit.export("coco", tmp_path / "new.txt")


def test_every_kind_has_a_writer_and_a_line_in_the_help(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    text = " ".join(capsys.readouterr().out.split()).replace("- ", "-")
    for kind, (what, *_) in registry.KINDS.items():
        assert isinstance(registry.writer(kind), registry.Writer)
        assert f"{kind}: {what}" in text


def test_what_is_decided_meanwhile_is_not_among_the_rows(photos: Path, tmp_path: Path) -> None:
    with cropkit.open(photos) as kit:
        decided(kit, PHOTO, box=BOX)
        place = Place(photos, tmp_path / "o", registry.Options())
        with TrailReader(Root(photos)) as trail:
            rows = Decisions(place, trail)
            decided(kit, PHOTO, box=SMALL)
            decided(kit, "b_stage2.png", box=BOX)
            assert [row.decision.box for row in rows] == [BOX]
            assert [row.decision.box for row in rows] == [BOX]


def test_the_trail_is_only_read(photos: Path, tmp_path: Path, capsys: Capture) -> None:
    with cropkit.open(photos) as kit:
        decided(kit, PHOTO, box=BOX)
    assert main(["history", str(photos), "--json"]) == 0
    before = capsys.readouterr().out
    exported(capsys, photos, "yolo", tmp_path / "y")
    assert main(["history", str(photos), "--json"]) == 0
    assert capsys.readouterr().out == before


def test_the_page_has_a_row_and_a_section_for_every_format() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    headings = " ".join(line for line in page.splitlines() if line.startswith("## "))
    for kind in registry.KINDS:
        assert f"[`{kind}`](#" in page
        assert kind in headings


@pytest.mark.parametrize(("kind", "passes"), [("jsonl", 1), ("coco", 3), ("yolo", 2)])
def test_decisions_are_read_some_at_a_time_and_written_as_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, passes: int
) -> None:
    """Of 1,200 decisions never more than 500 are in memory, and what came before is on the disk."""
    folder = tmp_path / "set"
    folder.mkdir()
    size, box = Size(100, 100), PixelBox(1, 2, 3, 4)
    recorded(folder, [made_up(f"{n:04}.png", size, box) for n in range(1200)])
    read: list[tuple[int, int]] = []

    def counted(db: Any, numbers: Sequence[int]) -> Any:
        (part,) = tmp_path.glob(".cropkit-*.part")
        written = part.stat().st_size if part.is_file() else len(list(part.glob("labels/*")))
        read.append((len(numbers), written))
        return numbered(db, numbers)

    numbered = decisions.numbered
    monkeypatch.setattr(decisions, "numbered", counted)
    by = registry.writer(kind)
    out = tmp_path / f"o{by.suffixes[0] if by.suffixes else ''}"
    with TrailReader(Root(folder)) as trail:
        assert whole.export(trail, folder, kind, out).written == 1200
    assert [number for number, _ in read] == [500, 500, 200] * passes
    assert read[-3][1] < read[-2][1] < read[-1][1]


def test_the_decisions_in_force_are_found_by_indices(photos: Path) -> None:
    with cropkit.open(photos) as kit:
        decided(kit, PHOTO, box=BOX)
    statements: list[str] = []
    with TrailReader(Root(photos)) as trail, trail.store.reading() as db:
        for query in (decisions._IN_FORCE, decisions._of_numbers([1, 2])):  # noqa: SLF001  (as read)
            text = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
            plan = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")
            statements += [str(row[3]) for row in plan]
    assert all(
        "USING" in each or "TEMP B-TREE" in each or "SUBQUERY" in each for each in statements
    )
    assert not [each for each in statements if each.startswith("SCAN") and "INDEX" not in each]
