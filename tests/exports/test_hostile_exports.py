"""Names as enemies and old archives make them, in every format: written reversibly, or counted."""

import json
from pathlib import Path

import hostile_names
import pictures
import pytest
from export_readers import Named, voc_boxes
from exporting import exported, made_up, recorded

import cropkit
from cropkit.exports import registry
from cropkit.geometry import PixelBox, Size
from cropkit.names import unescaped

Capture = pytest.CaptureFixture[str]
BOX, SIZE = PixelBox(1, 2, 30, 40), Size(64, 96)
NAMES = {hostile_names.text(name) for name in hostile_names.NAMES.values()}
OUT = {"hf": "metadata.jsonl"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return images with hostile names, a copy made of each, and rows of others' making."""
    folder = tmp_path / "photos"
    for number, name in enumerate(hostile_names.NAMES.values()):
        hostile_names.write(folder, name, number)
    with cropkit.open(folder, copy_to=tmp_path / "set") as kit:
        for image in NAMES:
            assert kit.crop(image, BOX).ok
    hostile = ("../../up.png", "/rooted.png", "a//b.png", "./c.png", "d/../../e.png", "f\0g.png")
    recorded(folder, [made_up(path, SIZE, BOX) for path in hostile])
    return folder


def beside(out: Path, folder: Path) -> set[Path]:
    """Return all that is not written; what SQLite keeps while a database is read is its own."""
    every = (path for path in folder.rglob("*") if ".cropkit" not in path.parts)
    return {path for path in every if not path.is_relative_to(out)}


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_row_is_written_or_counted_and_nothing_is_written_elsewhere(
    folder: Path, tmp_path: Path, capsys: Capture, kind: str
) -> None:
    by = registry.writer(kind)
    suffix = by.suffixes[0] if by.suffixes else ""
    out = tmp_path / "set" / OUT.get(kind, f"out{suffix}")
    before = beside(out, tmp_path)
    told = exported(capsys, folder, kind, out)
    assert beside(out, tmp_path) == before
    rows = len(NAMES) + (6 if by.of == "decisions" else 0)
    assert told["written"] + sum(told["left_out"].values()) == rows
    assert told["written"] >= (1 if kind == "xmp" else len(NAMES) // 2)


@pytest.mark.parametrize("kind", ["coco", "jsonl", "iiif", "manifest"])
def test_what_is_json_has_every_name_so_that_it_can_be_read_back(
    folder: Path, tmp_path: Path, capsys: Capture, kind: str
) -> None:
    suffix = registry.writer(kind).suffixes[-1] if kind != "manifest" else ".jsonl"
    out = tmp_path / f"out{suffix}"
    exported(capsys, folder, kind, out)
    text = out.read_bytes().decode("utf-8")
    field = {"coco": "file_name", "manifest": "source"}.get(kind, "path")
    rows = json.loads(text)["images"] if kind == "coco" else map(json.loads, text.split("\n")[:-1])
    names = {unescaped(row[field]) for row in rows}
    assert names >= NAMES


def test_what_voc_holds_has_every_name_but_those_that_xml_cannot_hold(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    told = exported(capsys, folder, "voc", tmp_path / "v")
    boxes: Named = voc_boxes(tmp_path / "v")
    names = {path for path, _, _ in boxes}
    missing = NAMES - names
    assert all(any(c < " " and c not in "\t\n\r" for c in name) for name in missing), missing
    assert told["left_out"]["a character that XML cannot hold"] >= len(missing)
    assert all(box == BOX.xyxy for _, _, box in boxes)


def test_a_plain_name_is_as_it_was(tmp_path: Path, capsys: Capture) -> None:
    folder = pictures.write_folder(tmp_path / "photos")
    recorded(folder, [made_up("c.jpg", SIZE, BOX)])
    exported(capsys, folder, "coco", tmp_path / "c.json")
    assert '"file_name": "c.jpg"' in (tmp_path / "c.json").read_text("utf-8")
