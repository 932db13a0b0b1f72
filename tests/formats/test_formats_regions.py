"""Coordinates of the old frame: moved with the corner, or gone; exiftool writes and reads them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import exiftool
import jpeg_builder as jpg
import pictures
import planting
import png_builder as png
import pytest
import riff_builder as riff
import samples_gif
import tiff_builder as tif
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cropkit import formats
from cropkit.formats.account import Account
from cropkit.formats.copies import copied
from cropkit.formats.copy_options import CopyOptions, Format
from cropkit.formats.metadata import xml_packet, xmp_geometry
from cropkit.formats.metadata.crop_change import Change
from cropkit.formats.options import Jpeg, Options
from cropkit.geometry import PixelBox, Size

WIDTH, HEIGHT = 640, 480
FORMATS = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".gif": "GIF"}
BOX = PixelBox(160, 120, 480, 360)  # on the grid of whole blocks, half of each side
CHANGE = Change(Size(WIDTH, HEIGHT), BOX)
XMP = b"http://ns.adobe.com/xap/1.0/\0"
MWG = {
    "RegionInfo": "{AppliedToDimensions={W=640,H=480,Unit=pixel},RegionList=["
    "{Area={X=0.5,Y=0.5,W=0.1,H=0.2,Unit=normalized},Name=Inside,Type=Face},"
    "{Area={X=0.3,Y=0.3,W=0.2,H=0.2,Unit=normalized},Name=Edge,Type=Face},"
    "{Area={X=0.2,Y=0.5,W=0.2,H=0.2,Unit=normalized},Name=Cut,Type=Face},"
    "{Area={X=0.05,Y=0.05,W=0.05,H=0.05,Unit=normalized},Name=Gone,Type=Face}]}"
}
MICROSOFT = {
    "RegionInfoMP": "{Regions=[{PersonDisplayName=Inside,Rectangle=0.45|, 0.4|, 0.1|, 0.2},"
    "{PersonDisplayName=Gone,Rectangle=0.01|, 0.01|, 0.1|, 0.1}]}"
}
IPTC = {
    "ImageRegion": "[{Name=Inside,RegionBoundary={RbShape=rectangle,RbUnit=relative,RbX=0.45,"
    "RbY=0.4,RbW=0.1,RbH=0.2}},{Name=Pixels,RegionBoundary={RbShape=rectangle,RbUnit=pixel,"
    "RbX=200,RbY=130,RbW=10,RbH=20}},{Name=Gone,RegionBoundary={RbShape=circle,RbUnit=relative,"
    "RbX=0.1,RbY=0.1,RbRx=0.01}}]"
}
PANORAMA = {
    "FullPanoWidthPixels": "4000",
    "FullPanoHeightPixels": "2000",
    "CroppedAreaImageWidthPixels": "1280",
    "CroppedAreaImageHeightPixels": "960",
    "CroppedAreaLeftPixels": "100",
    "CroppedAreaTopPixels": "50",
    "ProjectionType": "equirectangular",
}


def written(path: Path, facts: dict[str, str], image: Image.Image | None = None) -> None:
    """Have exiftool write a picture's XMP."""
    exiftool.needed()
    picture = image or pictures.photo(WIDTH, HEIGHT)
    path.write_bytes(pictures.encoded(picture, FORMATS[path.suffix], subsampling=0, quality=90))
    sets = [f"-XMP:{name}={value}" for name, value in facts.items()]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *sets, path], check=True)


def crop_of(path: Path) -> tuple[formats.Candidate, dict[str, Any]]:
    candidate = formats.crop(path.read_bytes(), path.name, BOX)
    formats.verify(candidate.data, candidate, path.name)
    path.write_bytes(candidate.data)
    told = subprocess.run(
        ["exiftool", "-j", "-struct", "-n", "-XMP:all", path], check=True, capture_output=True
    )
    (facts,) = json.loads(told.stdout)
    return candidate, facts


SUFFIXES = ["jpg", "png", "webp", "tif", "gif"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_regions_move_with_the_corner_and_those_outside_go_with_their_names(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    written(path, MWG)
    candidate, facts = crop_of(path)
    info = facts["RegionInfo"]
    assert (info["AppliedToDimensions"]["W"], info["AppliedToDimensions"]["H"]) == (320, 240)
    areas = {each["Name"]: each["Area"] for each in info["RegionList"]}
    assert areas["Inside"] | {} == {"X": 0.5, "Y": 0.5, "W": 0.2, "H": 0.4, "Unit": "normalized"}
    edge, cut = areas["Edge"], areas["Cut"]
    assert [edge[key] for key in "XYWH"] == pytest.approx([0.1, 0.1, 0.4, 0.4])  # as it was
    assert [cut[key] for key in "XYWH"] == pytest.approx([0.05, 0.5, 0.1, 0.4])  # what is left
    assert areas.keys() == {"Inside", "Edge", "Cut"}
    assert b"Gone" not in path.read_bytes()
    assert any(item.endswith("region") for item, _ in candidate.dropped)


def test_regions_of_microsoft_move(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    written(path, MICROSOFT)
    _, facts = crop_of(path)
    (region,) = facts["RegionInfoMP"]["Regions"]
    assert region["PersonDisplayName"] == "Inside"
    assert [float(word) for word in region["Rectangle"].split(",")] == pytest.approx(
        [0.4, 0.3, 0.2, 0.4]
    )
    assert b"Gone" not in path.read_bytes()


def test_regions_of_iptc_move_in_pixels_and_in_shares(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    written(path, IPTC)
    _, facts = crop_of(path)
    shares, pixels = facts["ImageRegion"]
    keys = ("RbX", "RbY", "RbW", "RbH")
    assert [shares["RegionBoundary"][key] for key in keys] == pytest.approx([0.4, 0.3, 0.2, 0.4])
    assert [pixels["RegionBoundary"][key] for key in keys] == pytest.approx([40, 10, 10, 20])
    assert b"Gone" not in path.read_bytes()


def test_a_panorama_says_which_part_of_it_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    written(path, PANORAMA)
    _, facts = crop_of(path)
    assert [facts[f"CroppedAreaImage{side}Pixels"] for side in ("Width", "Height")] == [640, 480]
    assert [facts[f"CroppedArea{edge}Pixels"] for edge in ("Left", "Top")] == [420, 290]
    assert facts["FullPanoWidthPixels"] == 4000


def test_crops_and_masks_of_camera_raw_go(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    written(path, {"CropLeft": "0.1", "HasCrop": "True", "Exposure2012": "0.5"})
    candidate, facts = crop_of(path)
    assert facts.keys() >= {"Exposure2012"}
    assert not facts.keys() & {"CropLeft", "HasCrop"}
    assert {item for item, _ in candidate.dropped} >= {"APP1 XMP crs:CropLeft"}


def test_regions_of_a_frame_that_is_not_this_one_go(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    turned = MWG["RegionInfo"].replace("W=640,H=480", "W=480,H=640")
    written(path, {"RegionInfo": turned})
    candidate, facts = crop_of(path)
    assert "RegionInfo" not in facts
    assert ("APP1 XMP regions", "they are of another frame") in candidate.dropped


def test_a_whole_image_keeps_its_regions_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    written(path, MWG)
    whole = formats.crop(path.read_bytes(), "a.jpg", PixelBox.full(Size(WIDTH, HEIGHT)))
    assert "APP1 XMP" in whole.kept


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_packet_that_speaks_of_regions_and_is_damaged_does_not_stay(suffix: str) -> None:
    packet = b"<x xmlns:mwg='http://www.metadataworkinggroup.com/schemas/regions/'><mwg:Regions>x"
    picture = pictures.photo(WIDTH, HEIGHT)
    data = {
        "jpg": lambda: jpg.build([(0xE1, XMP + packet)], picture),
        "png": lambda: planting.png_with(("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)),
        "webp": lambda: riff.assembled(
            [riff.canvas(WIDTH, HEIGHT, riff.XMP), *riff.pixels(picture), (b"XMP ", packet)]
        ),
        "tif": lambda: tif.build(planting.SAMPLES_OF_SCENE, [(700, tif.BYTE, packet)]),
        "gif": lambda: planting.gif_with(b"!\xff\x0bXMP DataXMP" + packet + samples_gif.MAGIC),
    }[suffix]()
    candidate = formats.crop(data, f"a.{suffix}", PixelBox(16, 16, 160, 160))
    assert b"mwg" not in candidate.data
    assert any("damaged" in reason for _, reason in candidate.dropped)


def test_an_extended_packet_is_kept_whole_with_its_digest() -> None:
    data = planting.extended(planting.packet("<xmp:Label>kept</xmp:Label>"))
    candidate = formats.crop(data, "a.jpg", PixelBox(16, 16, 160, 160))
    before = [part for part in jpg.metadata(data) if part[0] == 0xE1]
    assert [part for part in jpg.metadata(candidate.data) if part[0] == 0xE1] == before


def test_an_extended_packet_that_changes_has_a_digest_that_its_pointer_knows(
    tmp_path: Path,
) -> None:
    exiftool.needed()
    (tmp_path / "a.jpg").write_bytes(
        formats.crop(
            planting.extended(planting.packet("<tiff:ImageWidth>320</tiff:ImageWidth>")),
            "a.jpg",
            PixelBox(16, 16, 160, 160),
        ).data
    )
    told = subprocess.run(
        ["exiftool", "-j", "-G1", "-n", tmp_path / "a.jpg"], check=True, capture_output=True
    )
    (facts,) = json.loads(told.stdout)
    assert facts["XMP-tiff:ImageWidth"] == 144
    assert "ExifTool:Warning" not in facts


def test_a_subject_in_xmp_moves() -> None:
    seq = "<rdf:Seq><rdf:li>{}</rdf:li><rdf:li>{}</rdf:li></rdf:Seq>"
    packet = planting.packet(f"<exif:SubjectArea>{seq.format(200, 130)}</exif:SubjectArea>")
    spaced = packet.replace(
        b"xmlns:xmp", b"xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:xmp", 1
    )
    after = xmp_geometry.moved(spaced, CHANGE, Account("jpeg"), "XMP")
    assert after is not None
    assert b"<rdf:li>40</rdf:li><rdf:li>10</rdf:li>" in after


def _area(x: float, y: float, w: float, h: float) -> bytes:
    return (
        "<x:x xmlns:x='x' xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:m="
        "'http://www.metadataworkinggroup.com/schemas/regions/' xmlns:a="
        "'http://ns.adobe.com/xmp/sType/Area#'><m:Regions><m:RegionList><rdf:Bag><rdf:li>"
        f"<m:Area a:x='{x}' a:y='{y}' a:w='{w}' a:h='{h}' a:unit='normalized'/>"
        "</rdf:li></rdf:Bag></m:RegionList></m:Regions></x:x>"
    ).encode()


SHARES = st.floats(0, 1).map(lambda value: round(value, 5))


@given(SHARES, SHARES, SHARES, SHARES)
def test_an_area_is_where_it_was_or_what_the_crop_shows_of_it(
    x: float, y: float, w: float, h: float
) -> None:
    after = xmp_geometry.moved(_area(x, y, w, h), CHANGE, Account("jpeg"), "XMP")
    assert after is not None
    axes = ((x * 640 - 160, w * 640, 320), (y * 480 - 120, h * 480, 240))
    inside = all(0 <= centre < span for centre, _, span in axes)
    edges = [
        (max(0.0, centre - side / 2), min(float(span), centre + side / 2), span)
        for centre, side, span in axes
    ]
    if not inside and any(end < start or start >= span for start, end, span in edges):
        assert b"m:Regions" not in after
    elif b"m:Regions" in after:
        values = {p.name[1]: p for p in xml_packet.parse(after).properties()}
        for axis, edge, at, size in zip(axes, edges, (b"x", b"y"), (b"w", b"h"), strict=True):
            middle, width = (
                float(after[values[key].value.start : values[key].value.stop]) for key in (at, size)
            )
            span = axis[2]
            whole = (axis[0], min(axis[1], span)) if inside else None
            meant = whole or ((edge[0] + edge[1]) / 2, edge[1] - edge[0])
            assert (middle * span, width * span) == pytest.approx(meant, abs=0.01)


@given(st.binary(max_size=300))
def test_any_packet_is_read_or_is_damaged(data: bytes) -> None:
    try:
        root = xml_packet.parse(b"<a>" + data + b"</a>")
    except xml_packet.XmlDamage:
        return
    assert root.children[0].name == (b"", b"a")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_copy_turned_upright_and_resampled_has_its_regions_where_they_are_seen(
    orientation: int, tmp_path: Path
) -> None:
    stored = Image.new("L", (64, 48))
    stored.paste(255, (16, 24, 24, 40))  # what the region is about
    path = tmp_path / "a.png"
    area = "{X=0.3125,Y=0.66666667,W=0.125,H=0.33333333,Unit=normalized}"
    regions = (
        f"{{AppliedToDimensions={{W=64,H=48,Unit=pixel}},RegionList=[{{Area={area},Name=A}}]}}"
    )
    written(path, {"RegionInfo": regions}, stored)
    exiftool.write(path, "-n", f"-IFD0:Orientation={orientation}")
    how = CopyOptions(format=Format.PNG, long_side=32)
    path.write_bytes(copied(path.read_bytes(), "a.png", None, how).data)
    shown = Image.open(path)
    told = subprocess.run(
        ["exiftool", "-j", "-struct", "-n", path], check=True, capture_output=True
    )
    found = json.loads(told.stdout)[0]["RegionInfo"]["RegionList"][0]["Area"]
    seen = shown.convert("L").point(lambda value: 255 if value > 127 else 0).getbbox()
    assert seen is not None
    left, top, right, bottom = seen
    assert (left + right) / 2 / shown.width == pytest.approx(found["X"], abs=0.02)
    assert (top + bottom) / 2 / shown.height == pytest.approx(found["Y"], abs=0.02)
    assert (right - left) / shown.width == pytest.approx(found["W"], abs=0.05)


def test_the_exact_crop_moves_regions_by_the_very_box(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    written(path, MWG)
    box = PixelBox(163, 121, 483, 361)
    candidate = formats.crop(path.read_bytes(), "a.jpg", box, Options(jpeg=Jpeg.EXACT))
    path.write_bytes(candidate.data)
    told = subprocess.run(
        ["exiftool", "-j", "-struct", "-n", path], check=True, capture_output=True
    )
    region = json.loads(told.stdout)[0]["RegionInfo"]["RegionList"][0]
    assert region["Area"]["X"] == pytest.approx((320 - 163) / 320, abs=1e-5)


def test_chunks_that_hold_no_packet_any_more_leave_a_file_that_reads() -> None:
    data = planting.png_with(("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<a"))
    after = formats.crop(data, "a.png", PixelBox(0, 0, 9, 9)).data
    assert next(kind for kind, _ in png.chunks(after)) == "IHDR"
