"""Exports as tables, read by csv, json and `cropkit.Table`."""

import csv
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from exporting import DECIDED, FACE, expected, exported, made_up, recorded

import cropkit
from cropkit import clock
from cropkit.exports import tables
from cropkit.geometry import PixelBox, Size
from cropkit.names import unescaped

Capture = pytest.CaptureFixture[str]


def test_a_table_is_read_as_suggestions(album: Path, tmp_path: Path, capsys: Capture) -> None:
    told = exported(capsys, album, "csv", tmp_path / "d.csv")
    assert told["written"] == 5
    table = cropkit.Table.from_csv(tmp_path / "d.csv")
    for path, (sides, crops) in DECIDED.items():
        suggested = table.suggest(path, Size(*sides), "0" * 64)
        assert not suggested.problems
        boxes = {each.box.pixels(Size(*sides)).xyxy for each in suggested.suggestions}
        assert boxes == {box.xyxy for box in crops.values()}


def test_json_lines_hold_the_same_with_all_that_is_known(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    exported(capsys, album, "jsonl", tmp_path / "d.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text("utf-8").splitlines()]
    assert all(list(row) == list(tables.FIELDS) for row in rows)
    assert {
        (row["path"], row["slot"] or row["target"] or "crop", tuple(row[e] for e in tables.EDGES))
        for row in rows
    } == expected()
    (face,) = (row for row in rows if row["slot"] == "face")
    assert (face["verdict"], face["status"], face["reviewer"]) == ("accept", "waiting", "eva")
    assert (face["upright_width"], face["upright_height"]) == (104, 152)
    names = ("source", "version", "rank", "confidence")
    assert [face[f"suggestion_{name}"] for name in names] == ["yard", "2", 0, 0.75]
    assert face["original_size"] == [152, 104]
    assert face["crop_top_left"] == [FACE.top, FACE.left]
    assert face["target_size"] == [FACE.size.height, FACE.size.width]
    assert clock.now() - clock.read(face["decided_at"]) < timedelta(minutes=10)


def test_columns_of_csv_are_the_fields_of_json_with_pairs_taken_apart(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    exported(capsys, album, "csv", tmp_path / "d.csv")
    exported(capsys, album, "jsonl", tmp_path / "d.jsonl")
    with (tmp_path / "d.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = (tmp_path / "d.jsonl").read_text("utf-8").splitlines()
    for row, values in zip(rows, map(json.loads, lines), strict=True):
        pair = [row["original_height"], row["original_width"], row["crop_top"], row["crop_left"]]
        assert list(map(int, pair)) == [*values["original_size"], *values["crop_top_left"]]
        plain = {name: value for name, value in values.items() if name in row}
        assert {name: row[name] for name in plain} == {
            name: "" if value is None else str(value) for name, value in plain.items()
        }


def test_a_size_that_the_copy_is_brought_to_is_the_target(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    sized = {"copying": "size=30x60", "destination": "out"}
    recorded(
        folder,
        [
            made_up("a.png", Size(200, 100), PixelBox(20, 10, 50, 70), **sized),
            made_up("b.png", Size(200, 100), PixelBox(20, 10, 80, 100), **sized),
            made_up("c.png", Size(200, 200), PixelBox(21, 10, 81, 130), **sized),
        ],
    )
    exported(capsys, folder, "jsonl", tmp_path / "d.jsonl")
    lines = (tmp_path / "d.jsonl").read_text("utf-8").splitlines()
    a, b, c = map(json.loads, lines)
    assert (a["crop_top_left"], a["target_size"]) == ([10, 20], [60, 30])
    assert (b["crop_top_left"], b["target_size"]) == (None, None)  # of another ratio
    assert (c["original_size"], c["crop_top_left"], c["target_size"]) == (
        [200, 200],
        [5, 11],  # 10.5 is rounded up
        [60, 30],
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_hostile_name_comes_back(tmp_path: Path, capsys: Capture, kind: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    name = os.fsdecode(b"-x,\"y'\n\r\xff<&>\x1b=1+1.png")
    recorded(folder, [made_up(name, Size(10, 10), PixelBox(1, 2, 3, 4))])
    out = tmp_path / f"d.{kind}"
    exported(capsys, folder, kind, out)
    if kind == "csv":
        with out.open(encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
    else:
        row = json.loads(out.read_text("utf-8"))
    assert unescaped(row["path"]) == name


def test_the_page_names_every_field() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    assert [field for field in tables.FIELDS if f"`{field}`" not in page] == []
