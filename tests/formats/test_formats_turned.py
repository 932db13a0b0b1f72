"""What a crop box holds is turned by quarters and mirrored, sample by sample, and seen so once."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pictures
import png_builder as png
import pytest
import samples_bmp
import samples_gif
import samples_jpeg
import samples_png
import samples_tiff
import samples_webp
from PIL import Image, ImageOps, ImageSequence

from cropkit import errors, formats
from cropkit.formats import copies
from cropkit.formats.copy_options import CopyOptions
from cropkit.formats.gif import blocks
from cropkit.formats.options import Heic, Jpeg
from cropkit.geometry import PixelBox, Size, Turn

TURNS = [Turn(number) for number in range(2, 9)]
each_turn = pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.text)
# By other code than turns here: how Pillow calls them.
WAYS = {
    "horizontal": Image.Transpose.FLIP_LEFT_RIGHT,
    "180": Image.Transpose.ROTATE_180,
    "vertical": Image.Transpose.FLIP_TOP_BOTTOM,
    "90 horizontal": Image.Transpose.TRANSPOSE,
    "90": Image.Transpose.ROTATE_270,
    "270 horizontal": Image.Transpose.TRANSVERSE,
    "270": Image.Transpose.ROTATE_90,
}
BOX = PixelBox(7, 5, 42, 40)
PHOTO = pictures.photo(75, 53)


def encoded(mode: str, form: str, **how: Any) -> bytes:
    picture = PHOTO.convert(mode) if mode != "I;16" else _deep(PHOTO)
    return pictures.encoded(picture, form, **how)


def _deep(picture: Image.Image) -> Image.Image:
    grey = np.asarray(picture.convert("L")).astype(np.uint16)
    return Image.fromarray(grey * 251 + 7)


EXACT = {
    "png of 8 bits": ("a.png", encoded("RGB", "PNG")),
    "png with alpha": ("a.png", encoded("RGBA", "PNG")),
    "png of 16 bits": ("a.png", encoded("I;16", "PNG")),
    "png of 1 bit": ("a.png", encoded("1", "PNG")),
    "png of 4 bits": ("a.png", pictures.encoded(PHOTO.quantize(16), "PNG", bits=4)),
    "tiff of 8 bits": ("a.tif", encoded("RGB", "TIFF", compression="tiff_lzw")),
    "tiff of 16 bits": ("a.tif", encoded("I;16", "TIFF")),
    "tiff of 1 bit": ("a.tif", encoded("1", "TIFF")),
    "bmp of 24 bits": ("a.bmp", encoded("RGB", "BMP")),
    "bmp of 1 bit": ("a.bmp", encoded("1", "BMP")),
    "bmp with a palette": ("a.bmp", encoded("P", "BMP")),
    "gif": ("a.gif", encoded("P", "GIF")),
    "gif, interlaced": ("a.gif", encoded("P", "GIF", interlace=1)),
    "webp": ("a.webp", encoded("RGB", "WEBP", lossless=True)),
    "webp with alpha": ("a.webp", encoded("RGBA", "WEBP", lossless=True)),
}
each_exact = pytest.mark.parametrize(("name", "data"), EXACT.values(), ids=EXACT)


def shown(data: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(BytesIO(data)))


def meant(data: bytes, box: PixelBox, turn: Turn) -> np.ndarray:
    picture = shown(data)
    if picture.mode == "P":
        picture = picture.convert("RGBA")
    return np.asarray(picture.crop(box.xyxy).transpose(WAYS[turn.text]))


def proven(name: str, data: bytes, box: PixelBox, turn: Turn, **how: Any) -> formats.Candidate:
    image = formats.opened(data, name, formats.Options(**how))
    applied = image.applied(box, turn)
    candidate = image.crop(box, turn)
    assert (candidate.box_asked, candidate.box_applied) == (box, applied)
    return formats.verify(candidate.data, candidate, name)


@each_turn
@each_exact
def test_each_sample_is_where_the_turn_brings_it(name: str, data: bytes, turn: Turn) -> None:
    candidate = proven(name, data, BOX, turn)
    picture = Image.open(BytesIO(candidate.data))
    after = picture.convert("RGBA") if picture.mode == "P" else picture
    assert np.array_equal(np.asarray(after), meant(data, BOX, turn))
    assert "orientation: applied to the pixels, with the turn" in candidate.patched


@each_exact
def test_the_whole_image_is_turned_as_well(name: str, data: bytes) -> None:
    whole = PixelBox(0, 0, 75, 53)
    turn = Turn.of(90, "vertical")
    candidate = proven(name, data, whole, turn)
    assert formats.read_header(candidate.data, name).size == Size(53, 75)


@each_turn
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("name", "form", "how"),
    [("a.png", "PNG", {}), ("a.webp", "WEBP", {"lossless": True}), ("a.tif", "TIFF", {})],
)
def test_no_viewer_turns_it_twice(
    name: str, form: str, how: dict[str, Any], orientation: int, turn: Turn
) -> None:
    data = encoded("RGB", form, exif=pictures.exif_bytes(orientation=orientation), **how)
    box = PixelBox(5, 7, 40, 42)
    candidate = proven(name, data, box, turn)
    picture = Image.open(BytesIO(candidate.data))
    assert picture.getexif().get(0x0112, 1) == 1
    assert np.array_equal(np.asarray(picture), meant(data, box, turn))


def test_a_turn_that_takes_an_orientation_back_is_none_of_the_stored_pixels() -> None:
    data = encoded("RGB", "PNG", exif=pictures.exif_bytes(orientation=6))
    candidate = proven("a.png", data, PixelBox(0, 0, 53, 75), Turn.of(270))
    picture = Image.open(BytesIO(candidate.data))
    assert picture.getexif()[0x0112] == 1
    assert np.array_equal(np.asarray(picture), np.asarray(PHOTO))


def test_pixels_of_two_sides_lie_on_the_other_one() -> None:
    def after(name: str, form: str, turn: Turn, **how: Any) -> Any:
        data = encoded("RGB", form, dpi=(72, 144), **how)
        candidate = proven(name, data, BOX, turn)
        return tuple(map(round, Image.open(BytesIO(candidate.data)).info["dpi"]))

    for name, form in (("a.png", "PNG"), ("a.tif", "TIFF"), ("a.bmp", "BMP")):
        assert after(name, form, Turn.of(90)) == (144, 72)
        assert after(name, form, Turn.of(180)) == (72, 144)


def test_a_gif_has_its_picture_where_it_was_on_the_screen() -> None:
    still = blocks.parse(pictures.encoded(pictures.photo(30, 20).quantize(8), "GIF"), "a.gif")
    (picture,) = still.pictures
    moved = [replace(b, place=(3, 9)) if b is picture else b for b in still.blocks]
    screen = blocks.with_size(still.screen, Size(40, 50))
    screen = screen[:12] + bytes([17]) + screen[13:]  # pixels half as wide as they are high
    data = replace(still, screen=screen, blocks=tuple(moved)).encoded()
    candidate = proven("a.gif", data, PixelBox(0, 0, 40, 50), Turn.of(90))
    after = blocks.parse(candidate.data, "a.gif")
    assert (after.size, after.screen[12]) == (Size(50, 40), 113)
    assert after.pictures[0].box == PixelBox.from_xywh(50 - 9 - 20, 3, 20, 30)


# -- metadata ----------------------------------------------------------------------------------


def test_regions_and_subject_are_turned_with_the_picture() -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1" '
        b'xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        b'xmlns:MP="http://ns.microsoft.com/photo/1.2/" '
        b'xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
        b'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">'
        b"<exif:SubjectArea><rdf:Seq><rdf:li>10</rdf:li><rdf:li>20</rdf:li></rdf:Seq>"
        b"</exif:SubjectArea>"
        b'<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li '
        b'MPReg:Rectangle="0.1, 0.2, 0.3, 0.4"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>'
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    head, *rest = png.chunks(pictures.encoded(pictures.photo(100, 50), "PNG"))
    text = ("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    data = png.assembled([head, text, *rest])
    candidate = proven("a.png", data, PixelBox(0, 0, 100, 50), Turn.of(90))
    after = candidate.data.decode("latin-1")
    assert "<rdf:li>29</rdf:li><rdf:li>10</rdf:li>" in after
    assert 'Rectangle="0.400000, 0.100000, 0.400000, 0.300000"' in after


def test_an_exif_block_says_both_resolutions_the_other_way_round() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x011A], exif[0x011B] = 3, 72.0, 36.0
    data = encoded("RGB", "PNG", exif=exif)
    candidate = proven("a.png", data, BOX, Turn.of(90))
    after = Image.open(BytesIO(candidate.data)).getexif()
    assert (after[0x0112], after[0x011A], after[0x011B]) == (1, 36, 72)


def test_what_ties_a_tiff_to_the_ground_is_left_out_by_name() -> None:
    tags = {33922: (0.0, 0.0, 0.0, 10.0, 20.0, 0.0), 33550: (1.0, 1.0, 0.0)}
    data = encoded("RGB", "TIFF", tiffinfo=tags)
    candidate = proven("a.tif", data, BOX, Turn.of(180))
    reason = "its coordinates are those of the old frame"
    assert {reason for item, reason in candidate.dropped if "Model" in item} == {reason}
    assert len([item for item, _ in candidate.dropped if "Model" in item]) == 2


ALL = {
    "png": ("a.png", samples_png.SAMPLES),
    "jpeg": ("a.jpg", samples_jpeg.SAMPLES),
    "webp": ("a.webp", samples_webp.SAMPLES),
    "tiff": ("a.tif", samples_tiff.SAMPLES),
    "bmp": ("a.bmp", samples_bmp.SAMPLES),
    "gif": ("a.gif", samples_gif.SAMPLES),
}


def _samples() -> Iterator[Any]:
    for name, features in ALL.values():
        for feature, made in features.items():
            for number, data in enumerate([made] if isinstance(made, bytes) else made):
                yield pytest.param(name, data, id=f"{name}: {feature} {number}")


@pytest.mark.parametrize("turn", [Turn.of(90), Turn.of(0, "horizontal")], ids=lambda t: t.text)
@pytest.mark.parametrize(("name", "data"), list(_samples()))
def test_whatever_is_cropped_is_turned_or_refused_by_name(
    name: str, data: bytes, turn: Turn
) -> None:
    """A file of each kind that a crop knows, with all that it may hold beside its pixels."""
    try:
        image = formats.opened(data, name)
        box = PixelBox(0, 0, image.header.size.width, image.header.size.height - 1)
        plain = image.crop(box)
    except errors.Refused:
        return
    try:
        candidate = image.crop(box, turn)
    except errors.UnsuitableTurn:
        assert name == "a.jpg"  # whose last block the box cuts
        return
    formats.verify(candidate.data, candidate, name)
    after = formats.read_header(candidate.data, name)
    assert (after.size, after.orientation) == (candidate.box_applied.size.turned(turn), 1)
    lost = {item for item, _ in candidate.dropped} - {item for item, _ in plain.dropped}
    assert all(reason for item, reason in candidate.dropped if item in lost)


# -- JPEG, anew; HEIC; copies --------------------------------------------------------------------


@each_turn
def test_a_jpeg_that_is_encoded_anew_is_turned_in_the_very_box(turn: Turn) -> None:
    data = encoded("RGB", "JPEG", quality=95, exif=pictures.exif_bytes(orientation=8))
    box = PixelBox(3, 5, 50, 70)
    candidate = proven("a.jpg", data, box, turn, jpeg=Jpeg.EXACT)
    assert candidate.box_applied == box
    picture = Image.open(BytesIO(candidate.data))
    assert picture.getexif()[0x0112] == 1
    apart = np.asarray(picture).astype(int) - meant(data, box, turn)
    assert np.abs(apart).mean() < 3


def test_a_heic_is_refused_by_name() -> None:
    heif = pytest.importorskip("pillow_heif")
    out = BytesIO()
    heif.from_pillow(pictures.photo(128, 96)).save(out)
    with pytest.raises(errors.UnsuitableTurn, match="--format png"):
        proven("a.heic", out.getvalue(), PixelBox(0, 0, 64, 64), Turn.of(90), heic=Heic.EXACT)


@each_turn
@pytest.mark.parametrize("orientation", [1, 6, 7])
@pytest.mark.parametrize("form", ["png", "webp"])
def test_a_copy_in_another_format_is_turned(form: str, orientation: int, turn: Turn) -> None:
    data = encoded("RGB", "JPEG", quality=95, exif=pictures.exif_bytes(orientation=orientation))
    box = PixelBox(3, 5, 50, 47)
    how = CopyOptions.from_text(f"format={form}")
    candidate = copies.copied(data, "a.jpg", box, how, turn=turn)
    copies.verify_copied(candidate.data, candidate, "a")
    picture = Image.open(BytesIO(candidate.data))
    assert picture.getexif().get(0x0112, 1) == 1
    assert np.array_equal(np.asarray(picture), meant(data, box, turn))


def test_a_copy_is_of_the_size_that_the_turned_crop_is_wanted_in() -> None:
    how = CopyOptions.from_text("size=20x40")
    candidate = copies.copied(
        encoded("RGB", "PNG"), "a.png", PixelBox(0, 0, 60, 30), how, turn=Turn.of(90)
    )
    (picture,) = ImageSequence.all_frames(Image.open(BytesIO(candidate.data)))
    assert picture.size == (20, 40)
