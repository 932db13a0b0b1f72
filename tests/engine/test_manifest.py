import csv
import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pictures
import pytest
from deciding import decided

import cropkit
from cropkit.cli import main
from cropkit.engine import manifest
from cropkit.errors import BadParameterValue, NameTaken
from cropkit.exports.files import new_file
from cropkit.exports.manifest import WRITER
from cropkit.exports.registry import Options
from cropkit.exports.rows import Place, Rows
from cropkit.geometry import PixelBox
from cropkit.names import unescaped
from cropkit.records import Suggestion, Verdict

BOX = PixelBox(10, 10, 60, 60)
PHOTO = "a_stage2.png"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return pictures.write_folder(tmp_path / "photos")


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def exported(collection: cropkit.Collection, out: Path) -> list[dict[str, Any]]:
    count = collection.export("manifest", out).written
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(rows) == count
    return rows


def test_a_copy_has_a_row_with_all_that_was_asked_and_done(album: Path, tmp_path: Path) -> None:
    copies = tmp_path / "set"
    (album / "a_stage2.txt").write_text("a cat")
    suggest = cropkit.Detections({PHOTO: [[8, 8, 60, 60, 0.75]]}, name="yard", version="2")
    with cropkit.open(
        album, copy_to=copies, slots={"face": "32x32"}, resize=True, suggest=suggest, reviewer="eva"
    ) as collection:
        before = digest(album / PHOTO)
        crop = collection.crop(PHOTO, BOX, slot="face")
        (row,) = exported(collection, copies / "manifest.jsonl")
    assert list(row) == list(manifest.FIELDS)
    assert "/" not in row["crop"]
    copy = copies / row["crop"]
    assert (row["source"], row["source_sha256"]) == (PHOTO, before)
    assert row["crop_sha256"] == digest(copy) == crop.sha256_after
    assert (row["upright_width"], row["upright_height"]) == (104, 152)
    assert row["box_asked"] == row["box_applied"] == [10, 10, 60, 60]
    assert (row["slot"], row["target"], row["mode"]) == ("face", "32x32", "copy")
    assert "from 50x50 to 32x32" in row["resampling"]
    assert row["copying"] == "size=32x32"
    assert (row["verdict"], row["reviewer"]) == ("adjusted", "eva")
    assert (row["session"], row["operation"]) == (collection.session, crop.operation)
    assert row["decided_at"].endswith("Z") or "+00:00" in row["decided_at"]
    caption = copies / row["caption"]
    assert (caption.read_text(), row["caption_sha256"]) == ("a cat", digest(caption))


def test_a_suggestion_is_in_its_row(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album) as collection:
        box = BOX.normalized(collection.look(PHOTO).size)
        suggestion = Suggestion(box, "yard", "2", 1, 0.75)
        decided(collection, PHOTO, Verdict.ACCEPT, BOX, suggestion)
        collection.apply_waiting()
        (row,) = exported(collection, tmp_path / "m.jsonl")
    names = ("source", "version", "rank", "confidence")
    assert [row[f"suggestion_{name}"] for name in names] == ["yard", "2", 1, 0.75]
    assert (row["suggestion_box"], row["iou"], row["mode"]) == (list(box.xyxy), 1.0, "in-place")
    assert row["crop"] == f"photos/{PHOTO}"


def test_what_was_undone_or_cropped_again_is_not_in_it(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album) as collection:
        first = collection.crop(PHOTO, BOX)
        second = collection.crop(PHOTO, PixelBox(0, 0, 20, 20))
        (row,) = exported(collection, tmp_path / "a.jsonl")
        assert (row["operation"], row["crop_sha256"]) == (second.operation, second.sha256_after)
        assert row["source_sha256"] == first.sha256_after
        collection.undo(PHOTO)
        (row,) = exported(collection, tmp_path / "b.jsonl")
        assert row["operation"] == first.operation
        collection.undo(PHOTO)
        assert exported(collection, tmp_path / "c.jsonl") == []
        collection.redo(PHOTO)
        (row,) = exported(collection, tmp_path / "d.jsonl")
        assert row["crop_sha256"] == digest(album / PHOTO)


def test_a_crop_of_which_a_copy_was_made_stays_in_it(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album) as collection:
        collection.crop(PHOTO, BOX)
    with cropkit.open(album, copy_to=tmp_path / "set") as collection:
        collection.crop(PHOTO, PixelBox(0, 0, 20, 20))
        assert [row["mode"] for row in exported(collection, tmp_path / "m.jsonl")] == [
            "copy",
            "in-place",
        ]


def test_a_crop_that_is_not_beneath_the_manifest_is_named_in_full(
    album: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    with cropkit.open(album) as collection:
        collection.crop(PHOTO, BOX)
        (row,) = exported(collection, tmp_path / "elsewhere" / "m.jsonl")
    assert row["crop"] == str(album / PHOTO)


def test_the_page_names_every_field() -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    assert [field for field in manifest.FIELDS if f"`{field}`" not in page] == []


def test_a_table_has_a_column_for_each_edge(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album) as collection:
        collection.crop(PHOTO, BOX)
        assert collection.export("manifest", tmp_path / "m.csv").written == 1
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    edges = [row[f"box_applied_{edge}"] for edge in ("left", "top", "right", "bottom")]
    assert (edges, row["suggestion_box_left"]) == (["10", "10", "60", "60"], "")


def test_a_name_that_is_no_text_is_written_reversibly(album: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\n.png")
    (album / PHOTO).rename(album / name)
    with cropkit.open(album) as collection:
        collection.crop(name, BOX)
        for suffix in ("jsonl", "csv"):
            collection.export("manifest", tmp_path / f"m.{suffix}")
    (line,) = (tmp_path / "m.jsonl").read_bytes().decode("utf-8").splitlines()
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert unescaped(json.loads(line)["source"]) == unescaped(row["source"]) == name


def written(out: Path, rows: Iterator[dict[str, Any]]) -> None:
    """Write rows as an export does."""
    place = Place(out.parent, out, Options())
    with new_file(out) as file:
        WRITER.write(file, Given(place, rows))


class Given(Rows[dict[str, Any]]):
    """Rows that no trail holds."""

    def __init__(self, place: Place, rows: Iterator[dict[str, Any]]) -> None:
        super().__init__(place)
        self._rows = rows

    def _each(self) -> Iterator[dict[str, Any]]:
        return self._rows


def test_rows_are_written_as_they_are_read(tmp_path: Path) -> None:
    sizes: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(3000):
            (part,) = tmp_path.glob(".cropkit-*.part")
            sizes.append(part.stat().st_size)
            yield dict.fromkeys(manifest.FIELDS) | {"operation": f"{number:032}"}

    written(tmp_path / "m.jsonl", rows())
    assert sizes[0] == 0 < sizes[1000] < sizes[-1]


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield dict.fromkeys(manifest.FIELDS)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        written(tmp_path / "m.jsonl", rows())
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over_and_no_other_form_is_guessed(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.jsonl"
    out.write_text("mine")
    wrong: list[tuple[str, Path, type[Exception]]] = [
        ("manifest", out, NameTaken),
        ("manifest", tmp_path / "m.xlsx", BadParameterValue),
        ("parquet", tmp_path / "new.jsonl", BadParameterValue),
    ]
    with cropkit.open(album) as collection:
        for to, file, error in wrong:
            with pytest.raises(error):
                collection.export(to, file)
    assert out.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["m.jsonl"]


def test_no_row_is_read_for_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text("mine")
    rows: Iterator[dict[str, Any]] = iter([dict.fromkeys(manifest.FIELDS)])
    with pytest.raises(NameTaken):
        written(tmp_path / "m.jsonl", rows)
    assert len(list(rows)) == 1


def test_what_was_rejected_is_no_crop(album: Path, tmp_path: Path) -> None:
    with cropkit.open(album) as collection:
        decided(collection, PHOTO, Verdict.REJECT, None)
        (result,) = collection.apply_waiting()
        assert result.ok
        assert exported(collection, tmp_path / "m.jsonl") == []


@pytest.mark.parametrize("is_there", [False, True])
def test_where_a_file_cannot_have_two_names_it_is_moved_and_nothing_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    out = tmp_path / "m.jsonl"

    def link(*_: object) -> None:
        if is_there:
            out.write_text("mine")
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    if is_there:
        with pytest.raises(NameTaken):
            written(out, iter([]))
        assert out.read_text() == "mine"
    else:
        written(out, iter([dict.fromkeys(manifest.FIELDS)]))
        assert json.loads(out.read_text("utf-8"))["crop"] is None
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_of_that_name_that_comes_meanwhile_stands(tmp_path: Path) -> None:
    out = tmp_path / "m.jsonl"

    def rows() -> Iterator[dict[str, Any]]:
        out.write_text("mine")
        yield dict.fromkeys(manifest.FIELDS)

    with pytest.raises(NameTaken):
        written(out, rows())
    assert out.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [out]


def test_the_shell_exports_and_only_reads_the_trail(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    with cropkit.open(album) as collection:
        collection.crop(PHOTO, BOX)
    assert main(["history", str(album), "--json"]) == 0
    before = capsys.readouterr().out
    out = tmp_path / "m.jsonl"
    arguments = ["export", str(album), "--to", "manifest", "--out", str(out)]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "ok": True,
        "to": "manifest",
        "out": str(out),
        "written": 1,
        "left_out": {},
        "before_crop": 0,
        "lost": [],
    }
    assert main(arguments) == 1
    assert "m.jsonl" in capsys.readouterr().err
    assert main(["history", str(album), "--json"]) == 0
    assert capsys.readouterr().out == before


def test_a_part_of_a_collection_exports_its_own_crops(tmp_path: Path) -> None:
    album = pictures.write_folder(tmp_path / "photos")
    pictures.write_folder(album / "2024")
    with cropkit.open(album) as collection:
        collection.crop(PHOTO, BOX)
        collection.crop(f"2024/{PHOTO}", BOX)
    with cropkit.open(album / "2024") as part:
        (row,) = exported(part, tmp_path / "m.jsonl")
    assert row["source"] == f"2024/{PHOTO}"
