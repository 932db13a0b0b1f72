"""Exports of sidecars, read by an XML parser and by darktable's rule for Lightroom's crops."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pictures
import pytest
import strategies
from deciding import decided, decision
from exporting import exported, made_up, recorded
from hypothesis import given
from hypothesis import strategies as st

import cropkit
from cropkit.exports import xmp
from cropkit.formats.account import Header
from cropkit.geometry import PixelBox, Size, Turn

Capture = pytest.CaptureFixture[str]
_CRS, _TIFF = "http://ns.adobe.com/camera-raw-settings/1.0/", "http://ns.adobe.com/tiff/1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# EXIF orientation -> flipped in x, flipped in y, and then turned: what darktable does in this order
_FLIPS = {
    1: (False, False, False),
    2: (True, False, False),
    3: (True, True, False),
    4: (False, True, False),
    5: (False, False, True),
    6: (False, True, True),
    7: (True, True, True),
    8: (True, False, True),
}


def upright(text: str) -> tuple[int, ...]:
    """Return the crop of a sidecar in upright pixels."""
    root = ET.fromstring(text)  # noqa: S314  (we wrote it)
    (about,) = root.iter(f"{{{_RDF}}}Description")
    assert about.get(f"{{{_CRS}}}HasCrop") == "True"
    assert about.get(f"{{{_CRS}}}CropAngle") == "0"
    names = ("CropLeft", "CropTop", "CropRight", "CropBottom")
    left, top, right, bottom = (float(about.get(f"{{{_CRS}}}{name}") or "") for name in names)
    width, height = (int(about.get(f"{{{_TIFF}}}Image{n}") or "") for n in ("Width", "Length"))
    flip_x, flip_y, turn = _FLIPS[int(about.get(f"{{{_TIFF}}}Orientation") or "")]
    if flip_x:
        left, right = 1 - right, 1 - left
    if flip_y:
        top, bottom = 1 - bottom, 1 - top
    if turn:
        left, top, right, bottom = top, left, bottom, right
        width, height = height, width
    return tuple(map(round, (left * width, top * height, right * width, bottom * height)))


@given(case=strategies.sizes_with_boxes(100_000), orientation=st.integers(1, 8))
def test_the_box_comes_back_whatever_the_orientation(
    case: tuple[Size, PixelBox], orientation: int
) -> None:
    size, box = case
    assert upright(xmp.packet(Header("jpeg", size, orientation), box)) == box.xyxy


@given(
    case=strategies.sizes_with_boxes(100_000),
    orientation=st.integers(1, 8),
    turn=st.integers(1, 8).map(Turn),
)
def test_a_turn_is_in_the_orientation_by_which_the_box_is_seen(
    case: tuple[Size, PixelBox], orientation: int, turn: Turn
) -> None:
    size, box = case
    packet = xmp.packet(Header("jpeg", size, orientation), box, turn)
    assert upright(packet) == box.turned(size, turn).xyxy


def test_each_image_with_one_crop_has_a_sidecar(
    album: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "x"
    told = exported(capsys, album, "xmp", out)
    assert sorted(str(f.relative_to(out)) for f in out.rglob("*.xmp")) == ["sub/c.xmp", "sub/d.xmp"]
    assert upright((out / "sub" / "c.xmp").read_text("utf-8")) == (7, 11, 97, 131)
    assert 'tiff:Orientation="6"' in (out / "sub" / "c.xmp").read_text("utf-8")
    assert told["written"] == 2
    assert told["left_out"] == {
        "its image has several crops, of which --slot names one": 3,
        "reject": 1,
        "skip": 1,
    }
    exported(capsys, album, "xmp", tmp_path / "f", "--slot", "face")
    assert upright((tmp_path / "f" / "a_stage2.xmp").read_text("utf-8")) == (20, 8, 60, 48)
    assert not list(album.rglob("*.xmp"))


def test_an_image_that_is_not_as_it_was_decided_has_none(tmp_path: Path, capsys: Capture) -> None:
    folder = pictures.write_folder(tmp_path / "photos")
    box = PixelBox(8, 8, 40, 40)
    with cropkit.open(folder) as kit:
        kit.crop("a_stage2.png", box)
        for name in ("b_stage2.png", "d.jpg", "e.jpeg"):
            decided(kit, name, box=box)
    (folder / "b_stage2.png").unlink()
    pictures.write_jpeg(folder / "d.jpg", pictures.photo(120, 120, 9))  # of the same size
    told = exported(capsys, folder, "xmp", tmp_path / "x")
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["e.xmp"]
    assert told["left_out"] == {"its image is not there, or not as it was decided": 3}
    assert told["before_crop"] == 0


def test_a_path_that_leads_out_is_not_followed(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "photos"
    pictures.write_png(tmp_path / "out.png")
    folder.mkdir()
    box, size = PixelBox(8, 8, 40, 40), Size(64, 64)
    recorded(folder, [made_up("../out.png", size, box), made_up("no.png", size, box)])
    told = exported(capsys, folder, "xmp", tmp_path / "x")
    assert told["left_out"] == {
        "its image is not there, or not as it was decided": 1,
        "no name beneath a folder": 1,
    }
    assert not (tmp_path / "out.xmp").exists()


def test_of_two_images_of_one_stem_the_first_has_the_sidecar(
    tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    pictures.write_png(folder / "a.png")
    pictures.write_jpeg(folder / "a.jpg")
    with cropkit.open(folder) as kit:
        for name in ("a.png", "a.jpg"):
            kit.decide([decision(kit, name, PixelBox(8, 8, 40, 40))])
    told = exported(capsys, folder, "xmp", tmp_path / "x")
    assert told["left_out"] == {"another image has the name of its file": 1}
