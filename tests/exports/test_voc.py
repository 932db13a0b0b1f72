"""Exports to Pascal VOC, read by globox and by an XML parser."""

import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from export_readers import voc_boxes
from exporting import DECIDED, expected, exported, made_up, recorded
from globox import AnnotationSet

from cropkit.geometry import PixelBox, Size

Capture = pytest.CaptureFixture[str]


def test_each_image_has_a_file_with_its_boxes(album: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "v"
    told = exported(capsys, album, "voc", out)
    assert voc_boxes(out) == expected()
    assert sorted(str(f.relative_to(out)) for f in out.rglob("*.xml")) == [
        "a_stage2.xml",
        "sub/c.xml",
        "sub/d.xml",
    ]
    assert (told["written"], told["left_out"]) == (5, {"reject": 1, "skip": 1})
    root = ET.parse(out / "sub" / "c.xml").getroot()  # noqa: S314  (as above)
    assert root.findtext("folder") == "sub"
    assert [root.findtext(f"size/{n}") for n in ("width", "height", "depth")] == ["120", "160", "3"]


def test_globox_reads_the_corners_as_they_stand_there(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    """It counts from 0, as labelImg does, and takes nothing off: a pixel less, left and top."""
    exported(capsys, album, "voc", tmp_path / "v")
    read = AnnotationSet.from_pascal_voc(tmp_path / "v" / "sub")
    assert {each.image_id: each.image_size for each in read} == {
        "c.jpg": (120, 160),
        "d.jpg": (120, 120),
    }
    boxes = {each.image_id: [box.ltrb for box in each.boxes] for each in read}
    left, top, right, bottom = DECIDED["sub/c.jpg"][1]["crop"].xyxy
    assert boxes["c.jpg"] == [(left + 1, top + 1, right, bottom)]


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>&amp;.png",
        "'a\"b`c\\d$(e).png",
        "x\ny\rz\t.png",
        "-rf.png",
        os.fsdecode(b"\xff\xc3.png"),
        " x  y .png",
        "x\x85\u2028y.png",
    ],
)
def test_a_hostile_name_comes_back(tmp_path: Path, capsys: Capture, name: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    recorded(folder, [made_up(name, Size(10, 10), PixelBox(1, 2, 3, 4), target='<&">\n')])
    told = exported(capsys, folder, "voc", tmp_path / "v")
    assert told["written"] == 1
    assert voc_boxes(tmp_path / "v") == {(name, '<&">\n', (1, 2, 3, 4))}


@pytest.mark.parametrize("name", ["x\x1by.png", "\x01.png", "x\ufffe.png"])
def test_a_character_that_xml_does_not_have_leaves_the_image_out(
    tmp_path: Path, capsys: Capture, name: str
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    recorded(folder, [made_up(name, Size(10, 10), PixelBox(1, 2, 3, 4))])
    told = exported(capsys, folder, "voc", tmp_path / "v")
    assert (told["written"], told["left_out"]) == (0, {"a character that XML cannot hold": 1})
    assert list((tmp_path / "v").iterdir()) == []
