"""Copies in another format or at another size, held to Pillow's and imagecodecs' own readers."""

import io
import struct
from collections.abc import Iterator
from typing import Any

import imagecodecs
import jpeg_builder as jpg
import numpy as np
import pictures
import png_builder as png
import pytest
import samples_jpeg
import test_formats_features as features
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from strategies import boxes_in

from cropkit import errors, formats
from cropkit.formats.account import Account
from cropkit.formats.copies import copied, tiff_exif, verify_copied
from cropkit.formats.copies.resampling import light, numbers
from cropkit.formats.copy_options import Colour, CopyOptions, Filter, Format, Sampling
from cropkit.formats.headers import Headers
from cropkit.formats.heif import library as libheif
from cropkit.formats.tiff.directory import IFD8, Directory, Entry, Form, Tiff
from cropkit.geometry import PixelBox, Size

PNG, JPEG, WEBP = (CopyOptions(format=each) for each in (Format.PNG, Format.JPEG, Format.WEBP))
PHOTO = pictures.photo(60, 40)
BOX = PixelBox(7, 5, 47, 33)
ORIENTATIONS = range(1, 9)


def proven(
    data: bytes, name: str, how: CopyOptions, box: PixelBox | None = None
) -> formats.Candidate:
    candidate = copied(data, name, box, how)
    return verify_copied(candidate.data, candidate, name)


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def pixels(data: bytes) -> Any:
    return np.asarray(opened(data))


def names(candidate: formats.Candidate) -> set[str]:
    return {item for item, _ in candidate.dropped}


# -- the very crop -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_copy_without_wishes_is_the_crop_that_is_made_in_place(form: str) -> None:
    data, name = pictures.encoded(PHOTO, form), f"a{features.SUFFIXES[form.lower()]}"
    assert proven(data, name, CopyOptions(), BOX).data == formats.crop(data, name, BOX).data


def test_a_format_that_it_has_already_is_cropped_as_in_place() -> None:
    data = pictures.encoded(PHOTO, "JPEG")
    assert proven(data, "a.jpg", JPEG, BOX).data == formats.crop(data, "a.jpg", BOX).data
    again = proven(data, "a.jpg", CopyOptions(format=Format.JPEG, quality=70), BOX)
    assert opened(again.data).size == (40, 28)


# -- every sample that the rooms have ------------------------------------------------------------

SAMPLES = [
    pytest.param(form, data, id=f"{form}: {feature} {number}")
    for form, rows in features.SAMPLES.items()
    for feature, held in rows.items()
    for number, data in enumerate([held] if isinstance(held, bytes) else held)
]
WAYS = (
    CopyOptions(format=Format.PNG),
    CopyOptions(format=Format.WEBP, long_side=11, allow_upscale=True),
    CopyOptions(format=Format.JPEG, long_side=17, quality=60, allow_upscale=True),
    CopyOptions(format=Format.WEBP, quality=60, colour=Colour.SRGB),
)


def outcome_of(data: bytes, name: str, how: CopyOptions) -> formats.Candidate | errors.Refused:
    try:
        return proven(data, name, how)
    except errors.Refused as refusal:
        return refusal


@pytest.mark.parametrize(("form", "data"), SAMPLES)
def test_each_sample_becomes_a_proven_copy_or_is_refused_by_name(form: str, data: bytes) -> None:
    name = f"p{features.SUFFIXES[form]}"
    for how in WAYS:
        outcome = outcome_of(data, name, how)
        if isinstance(outcome, errors.Refused):
            assert name in str(outcome)
        else:
            size = formats.read_header(outcome.data, "copy").size
            assert how.long_side in (None, max(size.width, size.height))
            assert outcome.format == how.format.value


@pytest.mark.parametrize(("form", "data"), SAMPLES)
def test_the_size_of_each_sample_is_known_from_its_header(form: str, data: bytes) -> None:
    name = f"p{features.SUFFIXES[form]}"
    for how in (CopyOptions(format=Format.PNG), CopyOptions(format=Format.WEBP, quality=9)):
        outcome = outcome_of(data, name, how)
        if isinstance(outcome, formats.Candidate):
            header = Headers(how=how).read(data, name)
            assert PixelBox.full(header.size) == outcome.box_applied
            assert header.format == form
            assert header.grid is None or how.is_faithful(form)


@pytest.mark.parametrize(("form", "data"), SAMPLES)
def test_each_sample_has_the_pixels_that_pillow_shows(form: str, data: bytes) -> None:
    try:
        how = WEBP if form == "png" else PNG
        candidate = proven(data, f"p{features.SUFFIXES[form]}", how)
        with Image.open(io.BytesIO(data)) as picture:
            wide = picture.mode.startswith("I") or picture.mode == "F"
            shown = ImageOps.exif_transpose(picture).convert("RGBA")
    except (errors.Refused, OSError, SyntaxError, ValueError, UserWarning):
        return  # the test above holds that it is told; what Pillow cannot read proves nothing
    if not wide and "bits of each sample below the eighth" not in names(candidate):
        assert np.array_equal(np.asarray(opened(candidate.data).convert("RGBA")), np.asarray(shown))


def test_pixels_that_are_not_all_there_or_damaged_are_told() -> None:
    whole = pictures.encoded(pictures.photo(200, 150), "JPEG")
    with pytest.raises(errors.Truncated, match=r"a\.jpg"):
        copied(whole[: len(whole) // 2], "a.jpg", None, PNG)
    assert "end of image: it was missing" in proven(whole[:-2], "a.jpg", PNG).patched
    torn = whole[: len(whole) // 2] + b"\0" * 40 + whole[len(whole) // 2 + 40 :]
    assert any("damaged pixels" in item for item in proven(torn, "a.jpg", PNG).patched)
    assert not any("damaged" in item for item in proven(whole, "a.jpg", PNG).patched)


def test_what_others_show_of_a_png_is_copied_and_told() -> None:
    for feature, word in (
        ("a checksum that is missing, rows too many", "pixel stream"),
        ("ancillary chunks of a wrong checksum", "of a wrong checksum"),
    ):
        held = features.SAMPLES["png"][feature]
        for data in [held] if isinstance(held, bytes) else held:
            candidate = proven(data, "a.png", WEBP)
            told = (*candidate.patched, *names(candidate))
            assert any(word in item for item in told), told


def test_a_chunk_of_a_wrong_checksum_is_not_carried() -> None:
    plain = pictures.encoded(PHOTO, "PNG")
    exif = pictures.exif_bytes(orientation=6).removeprefix(b"Exif\0\0")
    unsound = b"".join(png.chunk(*part)[:-4] + b"oops" for part in (("eXIf", exif), ("gAMA", b"4")))
    candidate = proven(plain[:33] + unsound + plain[33:], "a.png", CopyOptions(long_side=30))
    assert opened(candidate.data).size == (30, 20)
    assert {kind for kind, _ in png.chunks(candidate.data)} == {"IHDR", "IDAT", "IEND"}
    assert {"eXIf of a wrong checksum", "gAMA of a wrong checksum"} <= names(candidate)


@pytest.mark.parametrize("form", ["png", "webp", "jpeg"])
def test_no_part_of_a_source_goes_without_a_word(form: str) -> None:
    for data in _all(form):
        try:
            candidate = copied(data, f"p{features.SUFFIXES[form]}", None, WAYS[2])
        except errors.Refused:
            continue
        told = " ".join({*candidate.kept, *candidate.patched, *names(candidate)})
        unnamed = [part for part in _parts(form, data) if part not in told]
        assert unnamed == []


def _all(form: str) -> Iterator[bytes]:
    for held in features.SAMPLES[form].values():
        yield from [held] if isinstance(held, bytes) else held


def _parts(form: str, data: bytes) -> set[str]:
    """Return a word for each part beside the pixels, by readers of the tests' own."""
    if form == "png":
        kinds = {kind for kind, _ in png.chunks(data.removesuffix(b"\0\0\r\n"))}
        words = {"tEXt": "text", "zTXt": "text", "iTXt": "", "eXIf": "EXIF", "iCCP": "profile"}
        words |= {"acTL": "frames", "fcTL": "frames", "fdAT": "frames"}
        return {words.get(k, k) for k in kinds - {"IHDR", "PLTE", "tRNS", "IDAT", "IEND"}}
    if form == "webp":
        words = {"ICCP": "profile", "XMP ": "XMP", "ANIM": "frames", "ANMF": "frames"}
        kinds = set(_riff(data)) - {"VP8 ", "VP8L", "VP8X", "ALPH"}
        return {words.get(kind, kind.strip()) for kind in kinds}
    starts = {b"Exif\0": "EXIF", b"http:": "XMP", b"ICC_P": "profile", b"JFIF\0": "", b"Adobe": ""}
    return {starts.get(part[:5], "APP") for part in _segments(data)}


def _segments(data: bytes) -> Iterator[bytes]:
    """Yield the data of each APPn segment before the first scan."""
    at = 2
    while data[at + 1] != 0xDA:
        at = data.index(b"\xff", at)  # bytes between segments are none of either
        length = int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] in range(0xE0, 0xF0):
            yield data[at + 4 : at + 2 + length]
        at += 2 + length


def _riff(data: bytes) -> Iterator[str]:
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4].decode("latin-1")
        at += 8 + length + length % 2


# -- orientation ---------------------------------------------------------------------------------


def turned(form: str, orientation: int) -> bytes:
    exif = pictures.exif_bytes(orientation=orientation, gps=True)
    return pictures.encoded(PHOTO, form, exif=exif, **{"lossless": True} if form == "WEBP" else {})


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orientation_is_applied_once_and_reset(form: str, orientation: int) -> None:
    data = turned(form, orientation)
    upright = ImageOps.exif_transpose(opened(data)).crop((3, 2, 33, 38))
    name = f"a.{form.lower()}"
    other = CopyOptions(format=Format.WEBP if form == "PNG" else Format.PNG)
    candidate = proven(data, name, other, PixelBox(3, 2, 33, 38))
    after = opened(candidate.data)
    assert np.array_equal(np.asarray(after), np.asarray(upright))
    assert Headers(how=other).read(data, name).size == Size(
        *ImageOps.exif_transpose(opened(data)).size
    )
    assert after.getexif().get(0x0112, 1) == 1
    assert np.array_equal(np.asarray(ImageOps.exif_transpose(after)), np.asarray(upright))
    assert ("orientation: applied to the pixels" in candidate.patched) is (orientation > 1) or (
        form in ("TIFF", "AVIF")  # turned by their decoder
    )


@settings(max_examples=40)
@given(data=st.data(), orientation=st.sampled_from(ORIENTATIONS))
def test_any_box_of_any_orientation_is_what_pillow_shows_there(
    data: st.DataObject, orientation: int
) -> None:
    source = turned("PNG", orientation)
    upright = ImageOps.exif_transpose(opened(source))
    box = data.draw(boxes_in(Size(*upright.size)))
    after = proven(source, "a.png", WEBP, box)
    assert np.array_equal(pixels(after.data), np.asarray(upright.crop(box.xyxy)))
    assert (after.box_asked, after.box_applied) == (box, box)


# -- metadata ------------------------------------------------------------------------------------


def subject(orientation: int, *area: int) -> bytes:
    tiff = jpg.tiff(
        jpg.short(0x0100, 160),
        jpg.short(0x0101, 120),
        jpg.short(0x0112, orientation),
        jpg.short(0x9214, *area),
    )
    return jpg.build([(0xE1, b"Exif\0\0" + tiff)])


@pytest.mark.parametrize(
    ("orientation", "box", "expected"),
    [
        (1, PixelBox(0, 0, 160, 120), (50, 30, 10, 20)),
        (1, PixelBox(20, 20, 160, 120), (40, 20, 10, 20)),
        (3, PixelBox(0, 0, 160, 120), (29, 29, 10, 20)),
        (6, PixelBox(0, 0, 120, 160), (29, 50, 20, 10)),
    ],
)
def test_exif_states_the_new_size_and_the_subjects_new_place(
    orientation: int, box: PixelBox, expected: tuple[int, ...]
) -> None:
    scale = 2
    how = CopyOptions(long_side=max(box.size.width, box.size.height) // scale)
    # The subject is at (100, 60) and 20 x 40 large, as stored: half of that, where nothing turns.
    candidate = proven(subject(orientation, 100, 60, 20, 40), "a.jpg", how, box)
    after = opened(candidate.data)
    held = after.getexif()
    assert (held[0x0100], held[0x0101]) == after.size
    assert held[0x0112] == 1
    assert tuple(held[0x9214]) == expected


def test_a_subject_that_was_cropped_out_goes_with_a_word() -> None:
    candidate = proven(subject(1, 5, 5, 2, 2), "a.jpg", PNG, PixelBox(50, 50, 90, 90))
    assert "EXIF SubjectArea" in names(candidate)
    assert 0x9214 not in opened(candidate.data).getexif()


def test_thumbnails_go_and_say_so() -> None:
    data = samples_jpeg.SAMPLES["thumbnails: EXIF, JFIF, JFXX, Photoshop, XMP"]
    dropped = set()
    for each in [data] if isinstance(data, bytes) else data:
        dropped |= names(copied(each, "a.jpg", None, PNG))
    assert {"EXIF thumbnail", "XMP thumbnail"} <= dropped


def test_exif_that_does_not_hold_together_is_not_carried() -> None:
    data = jpg.build([(0xE1, b"Exif\0\0II*\0\xff\xff\0\0")])
    candidate = proven(data, "a.jpg", PNG)
    assert ("EXIF", "it does not hold together") in candidate.dropped
    assert "exif" not in opened(candidate.data).info


def test_xmp_states_the_new_size_and_orientation() -> None:
    packet = b"<x tiff:ImageWidth='160' tiff:ImageLength='120' tiff:Orientation='6'/>"
    data = jpg.build([(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)])
    candidate = proven(data, "a.jpg", CopyOptions(format=Format.PNG, long_side=80))
    expected = b"<x tiff:ImageWidth='80' tiff:ImageLength='60' tiff:Orientation='1'/>"
    assert opened(candidate.data).info["xmp"] == expected


def test_texts_of_a_png_are_kept_byte_for_byte_in_a_png_and_named_elsewhere() -> None:
    text = "parameters\0" + pictures.PARAMETERS.replace("\n", " ")
    parts = png.chunks(pictures.encoded(PHOTO, "PNG"))
    data = png.assembled([parts[0], ("tEXt", text.encode("latin-1")), *parts[1:]])
    kept = proven(data, "a.png", CopyOptions(long_side=30))
    assert ("tEXt", text.encode("latin-1")) in png.chunks(kept.data)
    for how in (JPEG, WEBP):
        assert "text parameters" in names(proven(data, "a.png", how))


@pytest.mark.parametrize("kind", ["gAMA", "tEXt", "zTXt", "vpAg", "iTXt"])
def test_a_picture_in_a_part_of_a_png_stays_behind(kind: str) -> None:
    hidden = samples_jpeg.SMALL
    parts = png.chunks(pictures.encoded(PHOTO, "PNG"))
    body = {"zTXt": b"x\0\0" + imagecodecs.zlib_encode(hidden), "iTXt": b"x" + bytes(5) + hidden}
    planted = (kind, body.get(kind, b"x\0" + hidden))
    data = png.assembled([parts[0], planted, *parts[1:]])
    candidate = proven(data, "a.png", CopyOptions(long_side=30))
    assert dict(png.chunks(candidate.data)).get(kind) is None
    assert any(kind in item for item in names(candidate))


@pytest.mark.parametrize("how", [PNG, JPEG, WEBP])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "JPEG2000"])
def test_profile_exif_and_xmp_are_carried_where_they_are_read(form: str, how: CopyOptions) -> None:
    held = {"icc_profile": pictures.icc_profile(), "exif": pictures.exif_bytes(gps=True)}
    data = pictures.encoded(PHOTO, form, **held if form != "JPEG2000" else {})
    name = f"a{features.SUFFIXES.get(form.lower(), '.jp2')}"
    after = opened(proven(data, name, CopyOptions(format=how.format, long_side=20)).data)
    if form != "JPEG2000":
        assert after.info["icc_profile"] == pictures.icc_profile()
    if form != "JPEG2000":
        assert after.getexif()[0x010F] == "Test Camera"
        assert after.getexif().get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_a_tiff_says_of_itself_becomes_exif(order: Any, *, big: bool) -> None:
    values = np.zeros((30, 40, 3), np.uint16)
    texts = [(315, 2, 0, "Ada", True), (33432, 2, 0, "all rights", True), (274, 3, 1, 6, True)]
    private = (65000, 2, 0, "what nobody knows", True)
    out = io.BytesIO()
    tifffile.imwrite(
        out,
        values,
        photometric="rgb",
        byteorder=order,
        bigtiff=big,
        metadata=None,
        description="a lighthouse",
        extratags=[*texts, private],
    )
    candidate = proven(out.getvalue(), "a.tif", JPEG, PixelBox(0, 0, 30, 20))
    after = opened(candidate.data)
    held = after.getexif()
    assert (held[315], held[33432], held[270]) == ("Ada", "all rights", "a lighthouse")
    assert held[274] == 1
    assert after.size == (30, 20)  # upright: it was stored lying
    assert "tag 65000" in names(candidate)


def test_the_directories_of_a_big_tiff_are_found_in_the_block() -> None:
    taken = Directory(0, (Entry(0x9003, 2, b"2026:01:02 03:04:05\0"),))
    first = Directory(0, (Entry(0x8769, IFD8, bytes(8)), Entry(0x8825, 4, bytes(4))))
    first.subs.update({0x8769: taken, 0x8825: Directory(0, (Entry(1, 2, b"N\0"),))})
    tiff = Tiff(Form(">", big=True), first, (), ())
    held = Image.Exif()
    block = tiff_exif.block(tiff, (), Account("png"))
    assert block is not None
    held.load(block)
    assert held.get_ifd(0x8769) == {0x9003: "2026:01:02 03:04:05"}
    assert held.get_ifd(0x8825) == {1: "N"}


def test_a_makernote_and_descriptions_of_the_pixels_stay_behind_with_a_word() -> None:
    note = Image.Exif()
    note.get_ifd(0x8769).update({0x927C: b"Maker" * 9, 0x9003: "2026:01:02 03:04:05"})
    data = pictures.encoded(PHOTO, "TIFF", exif=note.tobytes())
    candidate = proven(data, "a.tif", PNG)
    exif = opened(candidate.data).getexif().get_ifd(0x8769)
    assert exif[0x9003] == "2026:01:02 03:04:05"
    assert 0x927C not in exif
    assert "MakerNote" in names(candidate)
    out = io.BytesIO()
    tifffile.imwrite(out, np.zeros((8, 8), np.uint8))  # which keeps the shape in the description
    assert "ImageDescription" in names(proven(out.getvalue(), "a.tif", PNG))


def test_what_is_too_long_for_a_segment_of_jpeg_is_left_out_and_named() -> None:
    packet = pictures.xmp_packet("x" * 70_000)
    data = pictures.encoded(PHOTO, "WEBP", xmp=packet, lossless=True)
    candidate = proven(data, "a.webp", JPEG)
    assert "XMP" in names(candidate)
    assert "xmp" not in opened(candidate.data).info
    assert opened(proven(data, "a.webp", PNG).data).info["xmp"] == packet


def test_a_profile_of_several_segments_is_put_together_again() -> None:
    profile = pictures.icc_profile() + bytes(200_000)
    data = pictures.encoded(PHOTO, "PNG", icc_profile=profile)
    assert opened(proven(data, "a.png", JPEG).data).info["icc_profile"] == profile


# -- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", Filter)
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_named_filter_is_pillows(by: Filter, mode: str) -> None:
    source = PHOTO.convert(mode)
    if mode.endswith("A"):
        source.putalpha(Image.linear_gradient("L").resize(source.size))
    how = CopyOptions(size=Size(20, 14), filter=by)
    after = proven(pictures.encoded(source, "PNG"), "a.png", how, BOX)
    expected = source.crop(BOX.xyxy).resize((20, 14), Image.Resampling[by.name])
    assert np.array_equal(pixels(after.data), np.asarray(expected))


@pytest.mark.parametrize("how", [PNG, JPEG, WEBP])
def test_the_file_has_exactly_the_size_of_the_target(how: CopyOptions) -> None:
    data = pictures.encoded(pictures.photo(500, 700), "PNG")
    wanted = CopyOptions(format=how.format, size=Size(208, 304))
    box = PixelBox.from_xywh(30, 40, 416, 608)
    assert opened(proven(data, "a.png", wanted, box).data).size == (208, 304)


def test_sixteen_bits_stay_sixteen_and_are_as_near_as_floats_are() -> None:
    values = png.values(2, 16, 40, 30)
    data = png.build(values, 2, 16)
    after = imagecodecs.png_decode(proven(data, "a.png", CopyOptions(long_side=20)).data)
    assert after.shape == (15, 20, 3)
    assert after.dtype == np.uint16
    for channel in range(3):
        plane = Image.fromarray(values[..., channel].astype(np.float32))
        expected = np.asarray(plane.resize((20, 15), Image.Resampling.LANCZOS)).clip(0, 65535)
        assert np.abs(after[..., channel] - expected).max() <= 1


def test_half_black_and_half_white_is_half_the_light() -> None:
    chequered = (np.indices((40, 40)).sum(axis=0) % 2 * 255).astype(np.uint8)
    data = pictures.encoded(Image.fromarray(chequered), "PNG")
    how = CopyOptions(long_side=20, filter=Filter.BOX)
    linear = CopyOptions(long_side=20, filter=Filter.BOX, linear_light=True)
    assert set(pixels(proven(data, "a.png", how).data).flat) == {128}
    after = proven(data, "a.png", linear)
    assert set(pixels(after.data).flat) == {188}  # IEC 61966-2-1: half of the light
    assert any("in linear light" in item for item in after.patched)


def test_light_and_numbers_are_inverses_and_join_where_they_meet() -> None:
    unit = np.linspace(0, 1, 4097, dtype=np.float32)
    assert np.abs(numbers(light(unit)) - unit).max() < 1e-5
    assert (np.diff(light(unit)) > 0).all()
    assert light(np.array([0, 1], np.float32)).tolist() == [0, 1]


@pytest.mark.parametrize("linear_light", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
def test_no_colour_bleeds_out_of_what_is_transparent(depth: int, *, linear_light: bool) -> None:
    peak = (1 << depth) - 1
    values = np.zeros((20, 20, 4), np.uint16)
    values[..., 1] = peak  # green, which nobody sees
    values[:, ::2] = (peak, 0, 0, peak)  # red, every other column
    data = png.build(values, 6, depth)
    how = CopyOptions(long_side=10, filter=Filter.BOX, linear_light=linear_light)
    after = imagecodecs.png_decode(proven(data, "a.png", how).data)
    assert set(after[..., 0].flat) == {peak}
    assert set(after[..., 1].flat) == {0}
    assert abs(int(after[0, 0, 3]) - peak // 2) <= 1


def test_what_would_be_enlarged_is_refused_with_the_factor() -> None:
    data = pictures.encoded(PHOTO, "PNG")
    said = r"b/a\.png: the crop, 40x28, would be enlarged 2\.00 times to be 80x56"
    with pytest.raises(errors.TooSmall, match=said):
        copied(data, "b/a.png", BOX, CopyOptions(size=Size(80, 56)))
    how = CopyOptions(size=Size(80, 56), allow_upscale=True)
    assert opened(proven(data, "b/a.png", how, BOX).data).size == (80, 56)
    with pytest.raises(errors.OtherRatio, match=r"b/a\.png: a crop of 40x28"):
        copied(data, "b/a.png", BOX, CopyOptions(size=Size(20, 20)))


# -- what a format has no place for --------------------------------------------------------------


def test_transparency_is_not_flattened_unasked() -> None:
    clear = PHOTO.copy()
    clear.putalpha(Image.linear_gradient("L").resize(PHOTO.size))
    data = pictures.encoded(clear, "PNG")
    with pytest.raises(errors.UnsuitableFormat, match=r"a\.png: transparency .* JPEG: choose png"):
        copied(data, "a.png", None, JPEG)
    assert opened(proven(data, "a.png", WEBP).data).mode == "RGBA"
    opaque = PHOTO.convert("RGBA")
    candidate = proven(pictures.encoded(opaque, "PNG"), "a.png", JPEG)
    assert ("alpha", "every pixel of the crop is opaque") in candidate.dropped


def test_cmyk_stays_in_a_jpeg_and_is_refused_elsewhere() -> None:
    cmyk = pictures.encoded(PHOTO.convert("CMYK"), "JPEG", quality=95)
    after = proven(cmyk, "a.jpg", CopyOptions(long_side=30))
    assert opened(after.data).mode == "CMYK"
    for how in (PNG, WEBP):
        with pytest.raises(errors.UnsuitableFormat, match=r"a\.jpg: CMYK cannot be written"):
            copied(cmyk, "a.jpg", None, how)
    with pytest.raises(errors.UnsuitableFormat, match="CMYK cannot be written as sRGB"):
        copied(cmyk, "a.jpg", None, CopyOptions(format=Format.PNG, colour=Colour.SRGB))
    with pytest.raises(errors.UnsuitableFormat, match="CMYK cannot be written as light"):
        copied(cmyk, "a.jpg", None, CopyOptions(long_side=30, linear_light=True))


def test_sixteen_bits_are_rounded_where_a_format_has_eight_and_that_is_named() -> None:
    values = png.values(2, 16, 8, 6)
    for how in (JPEG, WEBP):
        candidate = proven(png.build(values, 2, 16), "a.png", how)
        assert "bits of each sample below the eighth" in names(candidate)
    expected = np.round(values.astype(np.float64) * 255 / 65535)
    assert np.array_equal(pixels(candidate.data), expected)


def test_a_tiff_of_sixteen_bits_keeps_them_in_a_png() -> None:
    values = np.arange(24 * 16 * 3, dtype=np.uint16).reshape(16, 24, 3) * 50
    out = io.BytesIO()
    tifffile.imwrite(out, values, photometric="rgb")
    candidate = proven(out.getvalue(), "a.tif", PNG, PixelBox(2, 3, 20, 12))
    assert np.array_equal(imagecodecs.png_decode(candidate.data), values[3:12, 2:20])


def test_where_a_tiff_says_that_white_is_0_it_is_so_in_sixteen_bits_too() -> None:
    values = np.arange(24 * 16, dtype=np.uint16).reshape(16, 24) * 150
    out = io.BytesIO()
    tifffile.imwrite(out, values, photometric="miniswhite")
    after = imagecodecs.png_decode(proven(out.getvalue(), "a.tif", PNG).data)
    assert np.array_equal(after, 65535 - values)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_becomes_three_equal_channels_where_a_format_has_no_grey(mode: str) -> None:
    grey = PHOTO.convert(mode)
    if mode == "LA":
        grey.putalpha(Image.linear_gradient("L").resize(grey.size))
    candidate = proven(pictures.encoded(grey, "PNG"), "a.png", WEBP)
    after = opened(candidate.data)
    assert np.array_equal(np.asarray(after), np.asarray(grey.convert(after.mode)))
    assert any(item.startswith("pixels: grey written as RGB") for item in candidate.patched)


@pytest.mark.parametrize("how", [PNG, JPEG, WEBP])
@pytest.mark.parametrize("form", ["GIF", "PNG"])
def test_a_palette_becomes_its_colours(form: str, how: CopyOptions) -> None:
    indexed = PHOTO.quantize(16)
    data = pictures.encoded(indexed, form)
    after = proven(data, f"a.{form.lower()}", CopyOptions(format=how.format, long_side=60))
    if how is not JPEG and form == "GIF":
        assert np.array_equal(pixels(after.data), np.asarray(indexed.convert("RGB")))


def test_a_format_that_cannot_be_resampled_in_is_refused_with_the_choice() -> None:
    data = pictures.encoded(PHOTO, "TIFF")
    said = r"a\.tif: other pixels than those of the source cannot be written as TIFF: choose png"
    with pytest.raises(errors.UnsuitableFormat, match=said):
        copied(data, "a.tif", None, CopyOptions(long_side=20))


def test_a_side_that_is_too_long_for_webp_is_refused() -> None:
    data = pictures.encoded(Image.new("L", (16_384, 1)), "PNG")
    with pytest.raises(errors.UnsuitableFormat, match=r"16384x1 pixels .* sides end at 16383"):
        copied(data, "a.png", None, WEBP)


# -- colour --------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [8, 16])
def test_colours_are_converted_to_srgb_as_littlecms_does_it(depth: int) -> None:
    wide = imagecodecs.cms_profile("adobergb")
    values = png.values(2, depth, 30, 20)
    parts = png.chunks(png.build(values, 2, depth))
    embedded = b"wide\0\0" + imagecodecs.zlib_encode(wide)
    data = png.assembled([parts[0], ("gAMA", bytes(4)), ("iCCP", embedded), *parts[1:]])
    how = CopyOptions(format=Format.PNG, colour=Colour.SRGB)
    candidate = proven(data, "a.png", how)
    assert "gAMA" in names(candidate)
    assert "icc_profile" not in opened(candidate.data).info
    shown = Image.fromarray((values >> (depth - 8)).astype(np.uint8))
    srgb = ImageCms.createProfile("sRGB")
    expected = ImageCms.profileToProfile(shown, ImageCms.ImageCmsProfile(io.BytesIO(wide)), srgb)
    after = imagecodecs.png_decode(candidate.data) >> (depth - 8)
    assert expected is not None
    apart = np.abs(after.astype(int) - np.asarray(expected))
    assert apart.mean() < 1
    assert apart.max() <= 10  # dark colours, of which the expected ones lost bits before
    carried = opened(proven(data, "a.png", CopyOptions(long_side=15)).data)
    assert carried.info["icc_profile"] == wide


def ink_profile() -> bytes:
    """A profile of four inks, by the letter of ICC.1:2001-04, 6.5.7: each takes its part of L*."""
    corners = np.indices((2, 2, 2, 2)).reshape(4, -1).T  # cyan turns slowest, black quickest
    shine = 1 - corners @ np.array([0.3, 0.3, 0.1, 1.0])
    lab = np.full((16, 3), 128, np.uint8)
    lab[:, 0] = (shine.clip(0, 1) * 255).astype(np.uint8)
    ramp = bytes(range(256))
    unit = struct.pack(">9i", *(65536 * (n % 4 == 0) for n in range(9)))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + unit + ramp * 4 + lab.tobytes() + ramp * 3
    tags = struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    head = struct.pack(
        ">I4sI4s4s4s", 144 + len(table), bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab "
    )
    white = struct.pack(">3i", 63190, 65536, 54061)
    middle = bytes(12) + b"acsp" + bytes(28) + white
    return (head + middle).ljust(128, b"\0") + tags + table


def test_inks_with_a_profile_become_srgb() -> None:
    profile = ink_profile()
    for colour, shade in (((0, 0, 0, 0), 255), ((0, 0, 0, 255), 0)):
        plain = Image.new("CMYK", (8, 8), colour)
        data = pictures.encoded(plain, "JPEG", quality=100, icc_profile=profile)
        after = proven(data, "a.jpg", CopyOptions(format=Format.PNG, colour=Colour.SRGB))
        assert np.abs(pixels(after.data).astype(int) - shade).max() <= 2
    cmyk = opened(pictures.encoded(PHOTO.convert("CMYK"), "JPEG", quality=100))
    data = pictures.encoded(PHOTO.convert("CMYK"), "JPEG", quality=100, icc_profile=profile)
    inks, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    expected = ImageCms.profileToProfile(cmyk, inks, srgb, outputMode="RGB")
    after = proven(data, "a.jpg", CopyOptions(format=Format.WEBP, colour=Colour.SRGB))
    assert np.abs(pixels(after.data).astype(int) - np.asarray(expected)).max() <= 1


def test_inks_whose_profile_is_none_are_refused() -> None:
    cmyk = pictures.encoded(PHOTO.convert("CMYK"), "JPEG", icc_profile=b"\0" * 16 + b"CMYK" + b"\0")
    with pytest.raises(errors.CorruptImage, match=r"a\.jpg"):
        copied(cmyk, "a.jpg", None, CopyOptions(format=Format.PNG, colour=Colour.SRGB))


def test_a_profile_for_other_colours_is_not_carried() -> None:
    data = pictures.encoded(PHOTO.convert("L"), "PNG", icc_profile=pictures.icc_profile())
    candidate = proven(data, "a.png", CopyOptions(long_side=20))
    assert ("colour profile", "it is for other colours than the pixels have") in candidate.dropped
    assert "icc_profile" not in opened(candidate.data).info


# -- what cannot be rewritten in its own file ----------------------------------------------------


def animated(form: str) -> bytes:
    frames = [pictures.photo(30, 20, seed) for seed in range(3)]
    more = {"save_all": True, "append_images": frames[1:], "duration": 100}
    return pictures.encoded(frames[0], form, **more, **{"lossless": True} if form == "WEBP" else {})


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_of_several_frames_the_first_is_taken_and_the_others_are_named(form: str) -> None:
    data, name = animated(form), f"a{features.SUFFIXES.get(form.lower(), '.avif')}"
    how = CopyOptions(format=Format.WEBP if form == "PNG" else Format.PNG)
    candidate = proven(data, name, how, PixelBox(1, 1, 21, 11))
    assert any(item.endswith("after the first") for item in names(candidate))
    first = opened(data).convert("RGB").crop((1, 1, 21, 11))
    assert np.array_equal(pixels(candidate.data), np.asarray(first))
    same = CopyOptions(format=Format.PNG if form == "PNG" else Format.WEBP)
    if form in ("PNG", "WEBP"):  # refused in its own file; as a copy its first picture is left
        assert any(i.endswith("after the first") for i in names(proven(data, name, same)))
        with pytest.raises(errors.AnimatedImage):
            copied(data, name, None, CopyOptions())


@pytest.mark.parametrize(
    "feature", ["other gain maps, depth map, thermal picture", "content credentials (JUMBF)"]
)
def test_what_is_refused_in_place_for_a_second_picture_is_named_in_a_copy(feature: str) -> None:
    held = samples_jpeg.SAMPLES[feature]
    for data in [held] if isinstance(held, bytes) else held:
        with pytest.raises(errors.Refused):
            copied(data, "a.jpg", None, CopyOptions())
        for how in (PNG, JPEG):
            assert proven(data, "a.jpg", how).dropped


def test_jpeg_xl_is_read_by_libjxl() -> None:
    for values in (np.asarray(PHOTO), np.asarray(PHOTO).astype(np.uint16) * 257):
        data = bytes(imagecodecs.jpegxl_encode(values, lossless=True))
        candidate = proven(data, "a.jxl", PNG, BOX)
        expected = values[BOX.top : BOX.bottom, BOX.left : BOX.right]
        assert np.array_equal(imagecodecs.png_decode(candidate.data), expected)
        assert "profile, metadata, later frames" in names(candidate)


def test_of_a_jpeg_xl_that_moves_the_first_frame_alone_is_decoded() -> None:
    frames = np.stack([np.asarray(pictures.photo(30, 20, seed)) for seed in range(3)])
    data = bytes(imagecodecs.jpegxl_encode(frames, lossless=True))
    assert np.array_equal(pixels(proven(data, "a.jxl", PNG).data), frames[0])


@settings(max_examples=30)
@given(width=st.integers(1, 300), height=st.integers(1, 300))
def test_the_size_of_a_jpeg_xl_is_known_before_it_is_decoded(width: int, height: int) -> None:
    grey = np.zeros((height, width), np.uint8)
    data = bytes(imagecodecs.jpegxl_encode(grey, lossless=True))
    assert opened(proven(data, "a.jxl", PNG).data).size == (width, height)


@pytest.mark.parametrize("form", ["AVIF", "JPEG2000", "ICO", "BMP"])
def test_what_pillow_shows_can_be_copied_and_says_what_was_read(form: str) -> None:
    data = pictures.encoded(PHOTO, form, **{"sizes": [(48, 32)]} if form == "ICO" else {})
    suffix = {"JPEG2000": ".jp2"}.get(form, f".{form.lower()}")
    candidate = proven(data, f"a{suffix}", WEBP, PixelBox(1, 2, 30, 20))
    expected = opened(data).crop((1, 2, 30, 20))
    after = opened(candidate.data)
    assert np.array_equal(np.asarray(after.convert(expected.mode)), np.asarray(expected))
    assert "anything else in the file" in names(candidate)


@pytest.mark.parametrize("depth", [10, 12])
def test_an_avif_of_more_bits_says_that_they_are_lost(depth: int) -> None:
    values = png.values(2, depth, 20, 16)
    data = bytes(imagecodecs.avif_encode(values, bitspersample=depth, level=100))
    assert "bits of each sample below the eighth" in names(proven(data, "a.avif", PNG))
    plain = pictures.encoded(PHOTO, "AVIF")
    assert "bits of each sample below the eighth" not in names(proven(plain, "a.avif", PNG))


def test_what_stands_first_in_a_dng_is_not_taken_for_the_picture() -> None:
    held = features.SAMPLES["tiff"]["DNG, raw cameras, volumes, strips left out"]
    refusals = [outcome_of(data, "a.tif", PNG) for data in held if isinstance(data, bytes)]
    assert any("a DNG cannot be written" in str(refusal) for refusal in refusals)


def test_an_avif_of_other_colours_without_a_profile_says_so() -> None:
    values = np.asarray(PHOTO)
    wide = bytes(imagecodecs.avif_encode(values, primaries=9, transfer=16, matrix=9))
    told = "colours by number: primaries 9, transfer 16"
    assert told in names(proven(wide, "a.avif", PNG))
    plain = names(proven(pictures.encoded(PHOTO, "AVIF"), "a.avif", PNG))
    assert plain == {"anything else in the file"}


def test_a_header_tells_of_a_copy_what_making_it_would() -> None:
    jpeg, tiff = pictures.encoded(PHOTO, "JPEG"), pictures.encoded(PHOTO, "TIFF")
    assert Headers(how=JPEG).read(jpeg, "a.jpg").grid is not None
    assert Headers(how=PNG).read(jpeg, "a.jpg").grid is None
    with pytest.raises(errors.UnsuitableFormat, match="choose png, jpeg or webp"):
        Headers(how=CopyOptions(long_side=20)).read(tiff, "a.tif")
    with pytest.raises(errors.AnimatedImage):
        Headers(how=CopyOptions()).read(animated("WEBP"), "a.webp")
    assert Headers(how=WEBP).read(animated("WEBP"), "a.webp").size == Size(30, 20)
    xl = bytes(imagecodecs.jpegxl_encode(np.asarray(PHOTO)))
    assert Headers(how=PNG).read(xl, "a.jxl") == formats.Header("jxl", Size(60, 40), 1)
    for data, name in ((tiff[:40], "a.tif"), (xl[:9], "a.jxl"), (jpeg[:99], "a.jpg")):
        with pytest.raises(errors.UnreadableImage, match=name):
            Headers(how=WEBP).read(data, name)


@pytest.mark.parametrize("form", ["heic", "psd"])
def test_what_no_decoder_reads_is_refused_by_name(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libheif, "installed", lambda: False)
    with pytest.raises(errors.UnsuitableFormat, match=rf"a\.{form}: .* no decoder for it"):
        Headers(how=PNG).read(features.NOT_WRITTEN[form], f"a.{form}")
    for how in (PNG, JPEG, WEBP):
        with pytest.raises(errors.UnsuitableFormat, match=rf"a\.{form}: .* no decoder for it"):
            copied(features.NOT_WRITTEN[form], f"a.{form}", None, how)


# -- the proof -----------------------------------------------------------------------------------

LOSSY = (JPEG, CopyOptions(format=Format.WEBP, quality=80))


@pytest.mark.parametrize("how", [PNG, WEBP, *LOSSY])
def test_other_bytes_than_were_made_are_never_believed(how: CopyOptions) -> None:
    data = pictures.encoded(PHOTO, "BMP")
    candidate = copied(data, "a.bmp", BOX, how)
    other = copied(pictures.encoded(pictures.photo(60, 40, 7), "BMP"), "a.bmp", BOX, how)
    smaller = copied(data, "a.bmp", PixelBox(7, 5, 46, 33), how)
    for written in (other.data, smaller.data, candidate.data[:-9], b""):
        with pytest.raises((errors.VerificationFailed, errors.CorruptImage)):
            verify_copied(written, candidate, "a.bmp")


@pytest.mark.parametrize("how", [PNG, WEBP, *LOSSY])
def test_a_resampling_that_went_wrong_is_noticed_by_the_proof(how: CopyOptions) -> None:
    """The pixels that were meant are kept as they were before the encoder had them."""
    dark = copied(pictures.encoded(Image.new("RGB", (60, 40)), "BMP"), "a.bmp", BOX, how)
    grey = copied(pictures.encoded(Image.new("RGB", (60, 40), "grey"), "BMP"), "a.bmp", BOX, how)
    with pytest.raises(errors.VerificationFailed):
        verify_copied(grey.data, dark, "a.bmp")


@pytest.mark.parametrize("sampling", Sampling)
@pytest.mark.parametrize("quality", [1, 30, 75, 100])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_of_any_quality_lies_within_what_rounding_allows(
    mode: str, quality: int, sampling: Sampling
) -> None:
    how = CopyOptions(format=Format.JPEG, quality=quality, subsampling=sampling)
    noise = np.random.default_rng(quality).integers(0, 256, (41, 37, 3), dtype=np.uint8)
    for picture in (PHOTO, Image.fromarray(noise)):
        candidate = proven(pictures.encoded(picture.convert(mode), "PNG"), "a.png", how)
        after = opened(candidate.data)
        assert after.mode == mode
        assert candidate.psnr is None or candidate.psnr > 3


@pytest.mark.parametrize("quality", [1, 30, 75, 100])
def test_a_lossy_webp_of_any_quality_is_proven_with_its_loss(quality: int) -> None:
    how = CopyOptions(format=Format.WEBP, quality=quality)
    candidate = proven(pictures.encoded(PHOTO, "PNG"), "a.png", how)
    assert candidate.psnr is not None
    assert any(f"quality {quality}" in item for item in candidate.patched)


# -- hostile -------------------------------------------------------------------------------------


def test_an_output_larger_than_any_image_may_be_is_refused_before_it_is_made() -> None:
    data = pictures.encoded(Image.new("L", (3, 3)), "PNG")
    how = CopyOptions(long_side=65535, allow_upscale=True)
    with pytest.raises(errors.TooLarge, match=r"a\.png"):
        copied(data, "a.png", None, how)


def test_a_jpeg_xl_that_is_too_large_is_refused_from_its_header() -> None:
    side = (1 << 29) - 1
    # From the lowest bit on: not small, 30 bits of height, no ratio, 30 bits of width.
    number = 3 << 1 | side << 3 | 3 << 36 | side << 38
    data = b"\xff\x0a" + number.to_bytes(16, "little")
    with pytest.raises(errors.TooLarge, match=r"a\.jxl"):
        copied(data, "a.jxl", None, PNG)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\x0a",
        b"\xff\x0a" + bytes(40),
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\0jxlc",
        b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x08free" * 3000,
        b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x01jxlx" + b"\xff" * 8,
    ],
)
def test_a_jpeg_xl_that_is_damaged_is_refused(data: bytes) -> None:
    with pytest.raises(errors.Refused, match=r"a\.jxl"):
        copied(data, "a.jxl", None, PNG)


def test_a_box_outside_is_refused_with_the_file() -> None:
    data = pictures.encoded(PHOTO, "PNG")
    with pytest.raises(errors.BadBox, match=r"^a\.png: crop box"):
        copied(data, "a.png", PixelBox(0, 0, 61, 40), JPEG)
