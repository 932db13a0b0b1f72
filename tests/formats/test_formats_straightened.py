"""What a fine angle turns is a copy: resampled once, proven, and told; in place it is refused."""

import io
import math
import re
from typing import Any

import numpy as np
import pictures
import png_builder as png
import pytest
from PIL import Image, ImageCms, ImageOps

from cropkit import errors, formats
from cropkit.formats.companions import Frame, followed
from cropkit.formats.copies import copied, verify_copied
from cropkit.formats.copy_options import CopyOptions
from cropkit.formats.metadata.crop_change import Resampling
from cropkit.formats.options import Jpeg
from cropkit.formats.rotation import rotated
from cropkit.geometry import PixelBox, Size, Turn

BOX = PixelBox(20, 15, 80, 55)
PHOTO = pictures.photo(100, 70)
TURN = Turn.of(angle="-3.5")


def straightened(
    data: bytes, name: str, how: str, turn: Turn = TURN, box: PixelBox = BOX
) -> formats.Candidate:
    candidate = copied(data, name, box, CopyOptions.from_text(how), turn=turn)
    return verify_copied(candidate.data, candidate, name)


def pixels(data: bytes) -> Any:
    values = np.asarray(Image.open(io.BytesIO(data)))
    return values if values.ndim > 2 else values[..., None]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("flip", [None, "horizontal"])
def test_what_is_seen_is_turned_whatever_is_stored(
    mode: str, orientation: int, flip: str | None
) -> None:
    exif = pictures.exif_bytes(orientation=orientation)
    picture = PHOTO.convert(mode)
    if mode.endswith("A"):
        picture.putalpha(pictures.noise_alpha(100, 70))
    data = pictures.encoded(picture, "PNG", exif=exif)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    seen = seen if seen.ndim > 2 else seen[..., None]
    box, turn = PixelBox(20, 18, 50, 52), Turn.of(90, flip, 7.25)
    meant = np.rot90(rotated(seen, box, 725, has_alpha=mode.endswith("A")), -1)
    candidate = straightened(data, "a.png", "format=png", turn, box)
    apart = pixels(candidate.data).astype(int) - (meant if flip is None else meant[:, ::-1])
    assert np.abs(apart).max() <= 1
    assert (candidate.box_asked, candidate.box_applied) == (box, box)
    assert Image.open(io.BytesIO(candidate.data)).getexif().get(0x0112, 1) == 1
    assert "angle: 7.25 degrees, resampled by cubic convolution" in candidate.patched


def test_sixteen_bits_stay_sixteen() -> None:
    values = (np.asarray(PHOTO.convert("L")).astype(np.uint16) * 251) + 3
    data = pictures.encoded(Image.fromarray(values), "PNG")
    candidate = straightened(data, "a.png", "format=png")
    after = pixels(candidate.data)
    assert np.array_equal(after, rotated(values[..., None], BOX, -350))
    assert "pixels: exactly, at 16 bits a sample" in candidate.kept


@pytest.mark.parametrize(
    ("form", "how"),
    [
        ("PNG", "format=jpeg"),
        ("JPEG", ""),
        ("JPEG", "format=webp quality=90"),
        ("WEBP", ""),
        ("GIF", "format=png"),
        ("TIFF", "format=png"),
        ("BMP", "format=webp"),
    ],
)
def test_a_copy_of_any_format_is_straightened_and_proven(form: str, how: str) -> None:
    picture = PHOTO.quantize(64) if form == "GIF" else PHOTO
    lossless = {"lossless": True} if form == "WEBP" else {}
    data, name = pictures.encoded(picture, form, **lossless), f"a.{form.lower()}"
    candidate = straightened(data, name, how)
    source = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    after = np.asarray(Image.open(io.BytesIO(candidate.data)).convert("RGB"))
    assert np.abs(after.astype(int) - rotated(source, BOX, -350)).mean() < 4


def test_a_palette_is_blended_by_its_colours() -> None:
    picture = Image.new("P", (60, 60), 0)
    picture.putpalette([200, 0, 50, 50, 0, 200])
    picture.paste(1, (30, 0, 60, 60))
    box = PixelBox(15, 15, 45, 45)
    candidate = straightened(pictures.encoded(picture, "PNG"), "a.png", "", Turn.of(angle=20), box)
    after = pixels(candidate.data).astype(int)
    assert after.shape == (30, 30, 3)
    assert (np.abs(after.sum(axis=2) - 250) <= 1).all()
    assert len(np.unique(after[..., 0])) > 20


def test_a_colour_profile_is_carried() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = pictures.encoded(PHOTO, "PNG", icc_profile=profile)
    after = Image.open(io.BytesIO(straightened(data, "a.png", "").data))
    assert after.info["icc_profile"] == profile


def test_it_is_brought_to_a_size_after_it_was_turned() -> None:
    data = pictures.encoded(PHOTO, "PNG")
    candidate = straightened(data, "a.png", "size=20x30", Turn.of(90, angle=-3.5))
    assert pixels(candidate.data).shape == (30, 20, 3)
    assert "size: resampled from 40x60 to 20x30 by lanczos" in candidate.patched


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_in_place_it_is_refused_with_the_cure(form: str) -> None:
    picture = PHOTO.quantize(64) if form == "GIF" else PHOTO
    data, name = pictures.encoded(picture, form), f"a.{form.lower()}"
    with pytest.raises(errors.UnsuitableTurn, match=r"every pixel computed anew.*--copy-to"):
        formats.crop(data, name, BOX, formats.Options(jpeg=Jpeg.LOSSLESS_OR_EXACT), TURN)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", [1, 5, 6])
def test_a_jpeg_that_is_encoded_anew_is_straightened_in_its_own_file(
    mode: str, orientation: int
) -> None:
    exif = pictures.exif_bytes(orientation=orientation)
    data = pictures.encoded(PHOTO.convert(mode), "JPEG", quality=95, exif=exif)
    options, box, turn = (
        formats.Options(jpeg=Jpeg.EXACT),
        PixelBox(15, 20, 50, 55),
        Turn.of(90, angle=9),
    )
    candidate = formats.crop(data, "a.jpg", box, options, turn)
    candidate = formats.verify(candidate.data, candidate, "a.jpg")
    assert candidate.psnr is not None
    assert (candidate.box_asked, candidate.box_applied) == (box, box)
    assert "angle: 9 degrees, resampled by cubic convolution" in candidate.patched
    seen = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    meant = np.rot90(rotated(np.atleast_3d(seen), box, 900), -1)
    assert np.abs(pixels(candidate.data).astype(int) - meant).mean() < 3
    assert Image.open(io.BytesIO(candidate.data)).getexif()[0x0112] == 1


def test_of_a_damaged_jpeg_no_row_is_blended_in_that_is_not_there() -> None:
    data = pictures.encoded(pictures.photo(160, 160), "JPEG", quality=90)
    options = formats.Options(jpeg=Jpeg.EXACT, salvage=True)
    cut = data[: len(data) * 2 // 3]
    rows = formats.opened(cut, "a.jpg", options).image.readable.rows  # type: ignore[attr-defined]
    turn, side = Turn.of(angle=10), rows - 60
    reach = -(-(side * (math.sin(math.radians(10)) + math.cos(math.radians(10))) - side) // 2)
    for beyond, is_whole in ((0, True), (5, False)):
        bottom = int(rows - 3 - reach + beyond)
        box = PixelBox(40, bottom - side, 40 + side, bottom)
        if is_whole:
            formats.crop(cut, "a.jpg", box, options, turn)
        else:
            with pytest.raises(errors.Truncated, match="the box reaches out"):
                formats.crop(cut, "a.jpg", box, options, turn)


@pytest.mark.parametrize(("form", "name"), [("TIFF", "a.tif"), ("BMP", "a.bmp"), ("GIF", "a.gif")])
def test_a_copy_in_a_format_that_is_not_coded_anew_is_refused(form: str, name: str) -> None:
    data = pictures.encoded(PHOTO.quantize(64) if form == "GIF" else PHOTO, form)
    with pytest.raises(errors.UnsuitableFormat, match="choose png, jpeg or webp"):
        straightened(data, name, "")


def test_a_box_that_would_show_what_is_outside_is_refused_with_one_that_would_not() -> None:
    data = pictures.encoded(PHOTO, "PNG")
    with pytest.raises(
        errors.BadBox, match=r"when it is turned by -3\.5 degrees; 2,2,62,42 does not"
    ):
        straightened(data, "a.png", "", box=PixelBox(0, 0, 60, 40))


def test_the_box_of_a_lossless_jpeg_stays_where_it_is_to_be_turned() -> None:
    data = pictures.encoded(PHOTO, "JPEG")
    assert formats.opened(data, "a.jpg").applied(BOX, TURN) == BOX
    assert formats.opened(data, "a.jpg").applied(BOX) != BOX


# -- what speaks of the pixels ---------------------------------------------------------------------


def resampling(orientation: int = 1, hundredths: int = 3000) -> Resampling:
    return Resampling(
        Size(400, 300), PixelBox(100, 50, 300, 250), orientation, Size(200, 200), hundredths
    )


def test_a_point_goes_where_its_pixel_goes() -> None:
    values = np.zeros((300, 400, 1), np.uint8)
    values[109:112, 149:152] = 255
    after = rotated(values, PixelBox(100, 50, 300, 250), 3000)[..., 0]
    row, column = np.unravel_index(after.argmax(), after.shape)
    moved = resampling().moved(150, 110)
    assert moved is not None
    assert abs(moved[0] - column) <= 1
    assert abs(moved[1] - row) <= 1
    assert resampling().moved(100, 50) is None


def test_an_area_becomes_the_smallest_upright_one_around_it() -> None:
    left, top, width, height = resampling().placed((180, 140, 40, 20)) or (0, 0, 0, 0)
    assert (round(left + width / 2, 6), round(top + height / 2, 6)) == (100, 100)
    assert (round(width, 2), round(height, 2)) == (44.64, 37.32)
    assert resampling().extents(40, 20) == (45, 37)
    assert resampling().extents(40) == (40,)
    assert resampling().placed((100, 50, 5, 5)) is None


def test_boxes_beside_it_follow_and_what_ties_it_to_the_ground_cannot() -> None:
    frame = Frame(Size(400, 300), 1, PixelBox(100, 50, 300, 250), Size(200, 200), Turn(1, 3000))
    moved = followed("a.txt", b"0 0.5 0.5 0.1 0.1\n", frame)
    assert moved.data == b"0 0.500000 0.500000 0.248205 0.229904\n"
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:exif="http://ns.adobe.com/exif/1.0/"><exif:SubjectArea><rdf:Seq><rdf:li>150'
        b"</rdf:li><rdf:li>110</rdf:li></rdf:Seq></exif:SubjectArea></rdf:Description></rdf:RDF>"
        b"</x:xmpmeta>"
    )
    sidecar = followed("a.xmp", packet, frame).data
    assert b"<rdf:li>76</rdf:li><rdf:li>41</rdf:li>" in (sidecar or b"")
    assert followed("a.pgw", b"1\n0\n0\n-1\n100\n200\n", frame).outcome == "wrong"
    assert not frame.change.is_none


def test_regions_and_subject_are_turned_with_the_picture() -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
        b'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#">'
        b'<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        b'<rdf:li rdf:parseType="Resource"><mwg-rs:Area stArea:x="0.75" stArea:y="0.5" '
        b'stArea:w="0.1" stArea:h="0.1" stArea:unit="normalized"/></rdf:li></rdf:Bag>'
        b"</mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    head, *rest = png.chunks(pictures.encoded(pictures.photo(200, 100), "PNG"))
    text = ("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    data = png.assembled([head, text, *rest])
    box = PixelBox(80, 30, 160, 70)  # its middle is at 120, 50
    after = straightened(data, "a.png", "", Turn.of(angle=30), box).data.decode("latin-1")
    # 30 pixels beside the middle: now 26 beside, 15 below; 20 x 10 become 22.3 x 18.7
    values = [float(value) for value in re.findall(r'stArea:[xywh]="([\d.]+)"', after)]
    assert values == pytest.approx([0.82476, 0.875, 0.27901, 0.46651], abs=1e-5)
