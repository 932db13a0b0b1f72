"""EXIF, XMP and raw profiles around a crop, with exiftool as the judge of what they say."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import exiftool
import jpeg_builder as jpg
import pictures
import png_builder as png
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jpeg_builder import long, short, tiff
from PIL import Image

from cropkit import errors, formats
from cropkit.formats.account import Account
from cropkit.formats.jpeg import metadata as jpeg_metadata
from cropkit.formats.jpeg import segments as jpeg_segments
from cropkit.formats.metadata import exif
from cropkit.formats.metadata.crop_change import Change
from cropkit.formats.options import Jpeg, Options
from cropkit.geometry import PixelBox, Size

SIZE, BOX = Size(160, 120), PixelBox(13, 7, 141, 103)
CHANGE = Change(SIZE, BOX)
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
NAME = "picture.jpg"
THUMBNAIL = pictures.encoded(pictures.photo(16, 12), "JPEG")
MAKER_NOTE = b"Maker\0" + bytes(range(200))


EXACT = Options(jpeg=Jpeg.EXACT)  # so that the numbers are those of BOX


def cropped(data: bytes, name: str = NAME) -> formats.Candidate:
    candidate = formats.crop(data, name, BOX, EXACT)
    formats.verify(candidate.data, candidate, name)
    return candidate


def patched(block: bytes, change: Change = CHANGE) -> tuple[bytes, Account]:
    account = Account("jpeg")
    return exif.patched(block, change, account, "EXIF"), account


def with_exif_directory(*entries: jpg.Entry, thumbnail: bytes = b"") -> bytes:
    """A block whose Exif directory holds the entries, and a MakerNote."""
    first = 8 + 2 + 12 + 4
    table = first + 2 + 12 * (len(entries) + 1) + 4
    rows = b"".join(
        struct.pack(">HHI", tag, kind, n) + v.ljust(4, b"\0") for tag, kind, n, v in entries
    )
    note = struct.pack(">HHII", 0x927C, 7, len(MAKER_NOTE), table)
    directory = struct.pack(">H", len(entries) + 1) + rows + note + bytes(4) + MAKER_NOTE
    return tiff(long(0x8769, first), following=directory, thumbnail=thumbnail)


def test_dimensions_are_restated_and_nothing_moves() -> None:
    before = with_exif_directory(short(0xA002, 160), long(0xA003, 120))
    after, account = patched(before)
    assert after == with_exif_directory(short(0xA002, 128), long(0xA003, 96))
    assert after.index(MAKER_NOTE) == before.index(MAKER_NOTE)
    assert account.patched == ["EXIF"]


def test_dimensions_stated_upright_stay_upright() -> None:
    after, _ = patched(with_exif_directory(short(0xA002, 120), short(0xA003, 160)))
    assert after == with_exif_directory(short(0xA002, 96), short(0xA003, 128))


def test_a_subject_moves_with_the_corner() -> None:
    after, _ = patched(with_exif_directory(short(0x9214, 50, 40)))
    assert after == with_exif_directory(short(0x9214, 37, 33))


def test_a_subject_that_was_cropped_out_is_dropped_and_said() -> None:
    before = with_exif_directory(short(0x9214, 150, 40), short(0xA002, 160))
    after, account = patched(before)
    assert len(after) == len(before)
    assert after.index(MAKER_NOTE) == before.index(MAKER_NOTE)
    assert account.dropped == [("EXIF SubjectArea", "the subject was cropped out")]
    found = Image.Exif()
    found.load(EXIF + after)
    assert found.get_ifd(0x8769)[0xA002] == 128
    assert 0x9214 not in found.get_ifd(0x8769)
    assert found.get_ifd(0x8769)[0x927C] == MAKER_NOTE


def test_a_subject_of_four_numbers_leaves_none_of_them_behind() -> None:
    area = short(0x9214, 150, 40, 21845, 21845)
    after, _ = patched(tiff(area, short(0xA002, 160)))
    assert after == tiff(short(0xA002, 128)) + bytes(20)


def test_a_thumbnail_is_blanked_in_place() -> None:
    before = with_exif_directory(short(0xA002, 160), short(0xA003, 120), thumbnail=THUMBNAIL)
    after, account = patched(before)
    alone = with_exif_directory(short(0xA002, 128), short(0xA003, 96))
    assert after == alone + bytes(len(before) - len(alone))
    assert [item for item, _ in account.dropped] == ["EXIF thumbnail"]


def test_a_thumbnail_that_lies_inside_another_value_spares_that_value() -> None:
    before = bytearray(with_exif_directory(thumbnail=THUMBNAIL))
    note = before.index(MAKER_NOTE)
    second = struct.unpack_from(">I", before, 22)[0]
    struct.pack_into(">I", before, second + 10, note)
    after, _ = patched(bytes(before))
    assert after[note : note + len(MAKER_NOTE)] == MAKER_NOTE


def test_a_preview_inside_a_maker_note_is_blanked() -> None:
    before = tiff((0x927C, 7, len(THUMBNAIL) + 8, b"8 bytes " + THUMBNAIL))
    after, account = patched(before)
    assert THUMBNAIL[:20] not in after
    assert b"8 bytes " in after
    assert [item for item, _ in account.dropped] == ["EXIF preview"]


def test_a_whole_image_keeps_its_block_but_for_thumbnails() -> None:
    before = with_exif_directory(short(0xA002, 1), short(0x9214, 150, 40))
    after, account = patched(before, Change(SIZE, PixelBox.full(SIZE)))
    assert after == before
    assert account.kept == ["EXIF"]


@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*", b""]))
def test_a_damaged_block_is_carried_at_its_length(rest: bytes, head: bytes) -> None:
    after, _ = patched(head + rest)
    assert len(after) == len(head + rest)


@given(st.data())
def test_a_mutated_block_is_carried_at_its_length(data: st.DataObject) -> None:
    block = bytearray(
        with_exif_directory(short(0xA002, 9), short(0x9214, 5, 4), thumbnail=THUMBNAIL)
    )
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(0, 120))] = data.draw(st.integers(0, 255))
    assert len(patched(bytes(block))[0]) == len(block)


PACKET = (
    b"<x:xmpmeta><rdf:Description tiff:ImageWidth='160' tiff:ImageLength=\"120\" "
    b"tiff:Orientation='1' exif:PixelXDimension='160'><exif:PixelYDimension>120"
    b"</exif:PixelYDimension><xmp:Thumbnails><rdf:Alt>BASE64</rdf:Alt></xmp:Thumbnails>"
    b"</rdf:Description></x:xmpmeta>"
)
PACKET_AFTER = (
    b"<x:xmpmeta><rdf:Description tiff:ImageWidth='128' tiff:ImageLength=\"96\" "
    b"tiff:Orientation='1' exif:PixelXDimension='128'><exif:PixelYDimension>96"
    b"</exif:PixelYDimension></rdf:Description></x:xmpmeta>"
)


def test_a_lossless_crop_states_the_size_that_it_has() -> None:
    block = with_exif_directory(short(0xA002, 160), short(0xA003, 120))
    candidate = formats.crop(jpg.build([(0xE1, EXIF + block)]), "a.jpg", BOX)
    assert candidate.box_applied.size == Size(141, 103)
    ((_, written),) = jpg.metadata(candidate.data)
    assert short(0xA002, 141)[3] in written
    assert short(0xA003, 103)[3] in written


def test_xmp_of_a_jpeg_is_restated() -> None:
    candidate = cropped(jpg.build([(0xE1, XMP + PACKET)]))
    assert jpg.metadata(candidate.data) == [(0xE1, XMP + PACKET_AFTER)]
    assert candidate.patched == ("APP1 XMP",)
    assert [item for item, _ in candidate.dropped] == ["APP1 XMP thumbnail"]


@pytest.mark.parametrize("compressed", [0, 1])
def test_xmp_of_a_png_is_restated(compressed: int) -> None:
    head = b"XML:com.adobe.xmp\0" + bytes([compressed]) + b"\0en\0\0"
    text = zlib.compress(PACKET) if compressed else PACKET
    source = png.build(png.values(0, 8, 160, 120), 0, 8, before=[("iTXt", head + text)])
    after = dict(png.chunks(cropped(source, "a.png").data))["iTXt"]
    assert after.startswith(head)
    rest = after[len(head) :]
    assert (zlib.decompress(rest) if compressed else rest) == PACKET_AFTER


def _raw_profile(kind: bytes, data: bytes) -> bytes:
    digits = data.hex()
    lines = [digits[at : at + 72] for at in range(0, len(digits), 72)]
    return b"\n%b\n%8d\n" % (kind, len(data)) + "\n".join([*lines, ""]).encode()


@pytest.mark.parametrize("kind", [b"exif", b"APP1"])
def test_a_raw_profile_is_patched_inside_its_text(kind: bytes) -> None:
    block = EXIF + with_exif_directory(short(0xA002, 160), short(0xA003, 120), thumbnail=THUMBNAIL)
    text = b"Raw profile type " + kind + b"\0"
    part = ("zTXt", text + b"\0" + zlib.compress(_raw_profile(kind, block)))
    source = png.build(png.values(0, 8, 160, 120), 0, 8, before=[part])
    after = dict(png.chunks(cropped(source, "a.png").data))["zTXt"]
    expected, _ = patched(block.removeprefix(EXIF))
    assert zlib.decompress(after[len(text) + 1 :]) == _raw_profile(kind, EXIF + expected)


def test_text_that_cannot_be_inflated_is_carried_as_it_is() -> None:
    part = ("zTXt", b"Raw profile type exif\0\0not deflated")
    source = png.build(png.values(0, 8, 160, 120), 0, 8, before=[part])
    assert part in png.chunks(cropped(source, "a.png").data)


@pytest.mark.parametrize("key", [b"GDepth:Data", b"GImage:Data"])
def test_a_second_picture_inside_extended_xmp_is_refused(key: bytes) -> None:
    part = (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + key + b"='..'")
    with pytest.raises(errors.GainMap):
        formats.crop(jpg.build([part]), NAME, BOX)


def test_exiftool_finds_the_new_dimensions_in_a_patched_block(tmp_path: Path) -> None:
    exiftool.needed()
    path = tmp_path / "a.jpg"
    block = with_exif_directory(short(0xA002, 160), short(0xA003, 120), thumbnail=THUMBNAIL)
    path.write_bytes(cropped(jpg.build([(0xE1, EXIF + block)])).data)
    (found,) = exiftool.tags([path])
    assert found["ExifIFD:ExifImageWidth"] == 128
    assert found["ExifIFD:ExifImageHeight"] == 96
    assert not any(tag.startswith("IFD1") for tag in found)
    assert Image.open(BytesIO(path.read_bytes())).size == (128, 96)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_read_and_nonsense_is_none(orientation: int) -> None:
    assert exif.read_orientation(tiff(short(0x0112, orientation))) == orientation
    assert exif.read_orientation(tiff(short(0x0112, orientation + 8))) == 1


def test_a_colour_profile_is_put_together_by_the_numbers_of_its_parts() -> None:
    parts = [jpg.segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 2]) + b"half%d" % n) for n in (2, 1)]
    data = pictures.encoded(pictures.photo(32, 32), "JPEG")
    found = jpeg_segments.parse(data[:2] + b"".join(parts) + data[2:], "a.jpg")
    assert jpeg_metadata.profile(found) == b"half1half2"


def test_what_a_maker_note_refers_to_outside_of_itself_stays() -> None:
    values = bytes(range(256)) * 2
    place = 8 + 2 + 12 + 4
    table = struct.pack(">H", 4) + b"".join(
        struct.pack(">HHII", 0x100 + n, 7, len(values) // 4, place + 8 + 54 + n * 128)
        for n in range(4)
    )
    note = b"OLYMP\0\1\0" + table + bytes(4)
    head = struct.pack(">2sHIHHHIII", b"MM", 42, 8, 1, 0x927C, 7, len(note), place, 0)
    block = head + note + values
    assert patched(block)[0] == block
    other, account = patched(head + b"OTHER" + note[5:8] + bytes(len(note) - 8) + values)
    assert values not in other
    assert account.dropped


def test_kodaks_own_tags_are_looked_into_as_exif_is() -> None:
    tags = tiff(short(0xC36E, 1, 2), thumbnail=THUMBNAIL)
    candidate = cropped(jpg.build([(0xE3, b"Meta\0\0" + tags)]))
    ((_, written),) = jpg.metadata(candidate.data)
    assert written.startswith(b"Meta\0\0" + tags[:8])
    assert THUMBNAIL[:20] not in written
    assert candidate.patched[0] == "APP3 Meta"
