"""What others show is cropped, and told: ends and checksums that are not as they should be."""

import struct
import zlib
from io import BytesIO

import jpeg_builder as jpg
import numpy as np
import pictures
import png_builder as png
import pytest
import riff_builder as riff
from PIL import Image

from cropkit import errors, formats
from cropkit.formats.options import Jpeg, Options
from cropkit.geometry import PixelBox

PHOTO = pictures.photo(160, 120)
BOX = PixelBox(16, 16, 112, 96)
PLAIN = jpg.build([(0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0")], PHOTO)
MODES = [Options(jpeg=mode) for mode in Jpeg]


def cropped(data: bytes, name: str, options: Options = MODES[0]) -> formats.Candidate:
    candidate = formats.crop(data, name, BOX, options)
    formats.verify(candidate.data, candidate, name)
    return candidate


def _behind_soi(more: bytes) -> bytes:
    return PLAIN[:2] + more + PLAIN[2:]


def _between(more: bytes) -> bytes:
    return PLAIN[:20] + more + PLAIN[20:]


ENTROPY = b"\x12\x34" * 9
JPEGS: dict[str, tuple[bytes, str]] = {
    "no end of image": (PLAIN[:-2], "end of image: it was missing"),
    "no end, and a program's words": (PLAIN[:-2] + b"SEFH words SEFT", "bytes left over"),
    "no end, and a second beginning": (PLAIN[:-2] + PLAIN[:20], "end of image: it was missing"),
    "fill bytes behind the start": (_behind_soi(b"\xff\xff\xff"), ""),
    "fill bytes between segments": (_between(b"\xff\xff"), ""),
    "zeros between segments": (_between(b"\0\0"), "2 bytes between segments"),
    "words between segments": (_between(b"oops"), "4 bytes between segments"),
    "restart markers between segments": (_between(b"\xff\xd0\xff\x01"), "4 bytes between"),
    "a broken segment behind the scan": (PLAIN[:-1] + b"\xdb\0\0", "end of image: it was missing"),
    "a segment that is cut behind the scan": (
        PLAIN[:-2] + b"\xff\xfe\x01\0some words",
        "end of image: it was missing",
    ),
    "bytes left over in the scan": (PLAIN[:-2] + ENTROPY + b"\xff\xd9", "bytes left over"),
}


@pytest.mark.parametrize("options", MODES, ids=str)
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_that_everybody_shows_is_cropped_and_told(name: str, options: Options) -> None:
    data, words = JPEGS[name]
    candidate = cropped(data, "a.jpg", options)
    sound = cropped(PLAIN, "a.jpg", options)
    assert sound.data[-1000:] in candidate.data
    told = " ".join((*candidate.patched, *(item for item, _ in candidate.dropped)))
    assert words in told or (options.jpeg is Jpeg.EXACT and "left over" in words)


@pytest.mark.parametrize("options", MODES, ids=str)
def test_a_jpeg_without_its_last_pixels_is_refused_as_soon_as_it_is_opened(
    options: Options,
) -> None:
    for length in (len(PLAIN) - 200, len(PLAIN) // 2):
        with pytest.raises(errors.Truncated, match=r"a\.jpg"):
            formats.read_header(PLAIN[:length], "a.jpg", options)


@pytest.mark.parametrize("options", MODES, ids=str)
def test_a_transform_that_nobody_knows_is_told_and_no_fault_of_the_crop(options: Options) -> None:
    data = jpg.build([(0xEE, b"Adobe\0\x64\0\0\0\0\2")], PHOTO)
    candidate = cropped(data, "a.jpg", options)
    if options.jpeg is not Jpeg.EXACT:
        assert candidate.patched[0].startswith("colours, as decoded: Unknown Adobe")


@pytest.mark.parametrize("options", MODES, ids=str)
def test_a_revision_of_jfif_that_nobody_knows_costs_no_loss(options: Options) -> None:
    data = jpg.build([(0xE0, b"JFIF\0\x96\0\1\0\x48\0\x48\0\0")], PHOTO)
    candidate = cropped(data, "a.jpg", options)
    assert candidate.degraded is None
    if options.jpeg is not Jpeg.EXACT:
        assert candidate.patched[0].startswith("header, as decoded: Warning: unknown JFIF")


def test_a_damaged_byte_that_looks_like_a_marker_hides_no_more_than_in_a_viewer() -> None:
    sound = jpg.build([], PHOTO, subsampling="4:4:4", restart_marker_blocks=2)
    at = sound.index(b"\xff\xd3") + 4
    data = sound[:at] + b"\xff\x9f\x11\x22" + sound[at + 4 :]
    candidate = cropped(data, "a.jpg")
    assert any(item.startswith("damaged pixels") for item in candidate.patched)
    seen = np.asarray(Image.open(BytesIO(data)).crop(candidate.box_applied.xyxy), int)
    written = np.asarray(Image.open(BytesIO(candidate.data)), int)
    assert np.abs(seen - written).max() <= 2  # levels, by which two decoders may differ


def test_a_component_that_no_scan_holds_is_encoded_anew_and_told() -> None:
    data = jpg.build([], PHOTO, subsampling="4:4:4")
    at = data.index(b"\xff\xda\0\x0c\x03\x01\0\x02\x11\x03\x11")
    data = data[: at + 2] + b"\0\x08\x01\x01\0" + data[at + 11 :]
    candidate = cropped(data, "a.jpg")
    assert "none of its scans" in str(candidate.degraded)


def test_stray_bytes_in_what_was_written_do_not_verify() -> None:
    for options in MODES:
        candidate = formats.crop(PLAIN, "a.jpg", BOX, options)
        for written in (candidate.data[:20] + b"oo" + candidate.data[20:], candidate.data[:-2]):
            with pytest.raises(errors.VerificationFailed):
                formats.verify(written, candidate, "a.jpg")


SAMPLES = png.values(2, 8, 160, 120)


def _with_chunk(kind: str, data: bytes) -> bytes:
    """A PNG whose chunk of that kind has a wrong checksum."""
    whole = png.build(SAMPLES, 2, 8, before=[(kind, data)])
    right = png.chunk(kind, data)
    return whole.replace(right, right[:-4] + b"oops")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("pHYs", struct.pack(">IIB", 3937, 3937, 1)),
        ("gAMA", struct.pack(">I", 100_000)),
        ("iCCP", b"sRGB\0\0" + zlib.compress(pictures.icc_profile())),
        ("tRNS", bytes(6)),
    ],
)
def test_a_chunk_with_a_wrong_checksum_stays_as_it_is_and_is_told(kind: str, data: bytes) -> None:
    candidate = cropped(_with_chunk(kind, data), "a.png")
    assert png.chunk(kind, data)[:-4] + b"oops" in candidate.data
    assert f"{kind}: its checksum, which is wrong" in candidate.kept


def test_a_text_with_a_wrong_checksum_is_mended() -> None:
    candidate = cropped(_with_chunk("tEXt", b"parameters\0a lighthouse"), "a.png")
    assert png.chunk("tEXt", b"parameters\0a lighthouse") in candidate.data
    assert "tEXt: its checksum, which was wrong" in candidate.patched


def test_an_orientation_with_a_wrong_checksum_turns_nothing() -> None:
    block = pictures.exif_bytes(orientation=6).removeprefix(b"Exif\0\0")
    data = _with_chunk("eXIf", block)
    assert formats.read_header(data, "a.png").orientation == 1
    assert ("eXIf", "its checksum is wrong: readers leave it out") in cropped(data, "a.png").dropped


def _with_wrong_checksum(whole: bytes, kind: str) -> bytes:
    data = next(part for name, part in png.chunks(whole) if name == kind)
    right = png.chunk(kind, data)
    return whole.replace(right, right[:-4] + b"oops")


def test_a_header_has_to_have_its_checksum() -> None:
    with pytest.raises(errors.CorruptImage, match="CRC"):
        formats.read_header(_with_wrong_checksum(png.build(SAMPLES, 2, 8), "IHDR"), "a.png")


@pytest.mark.parametrize(
    ("kind", "words"), [("IDAT", "IDAT: its checksum"), ("IEND", "IEND: it was missing")]
)
def test_pixels_whose_stream_has_its_checksum_are_cropped_and_told(kind: str, words: str) -> None:
    whole = png.build(SAMPLES, 2, 8)
    candidate = cropped(_with_wrong_checksum(whole, kind), "a.png")
    assert candidate.data == cropped(whole, "a.png").data
    assert candidate.patched[0].startswith(words)


def _in_one_chunk() -> bytes:
    return _with_pixels(png.idat(png.build(SAMPLES, 2, 8)))


def test_pixels_that_no_checksum_vouches_for_are_refused() -> None:
    head, (_, stream), end = png.chunks(_in_one_chunk())
    wrong = stream[:-4] + b"oops"
    data = png.assembled([head]) + png.chunk("IDAT", wrong)[:-4] + b"oops" + png.chunk(*end)
    with pytest.raises(errors.CorruptImage, match="checksum"):
        formats.read_header(data, "a.png")


@pytest.mark.parametrize("cut", [13, 16, 18, 20])
def test_a_png_that_ends_in_its_last_pixels_is_cropped_where_all_are_there(cut: int) -> None:
    whole = png.build(SAMPLES, 2, 8)
    candidate = cropped(whole[:-cut], "a.png")
    assert candidate.data == cropped(whole, "a.png").data
    assert candidate.patched[0] == "IEND: it was missing"


def test_a_length_beyond_the_file_is_no_harm_where_the_pixels_are_there() -> None:
    whole = _in_one_chunk()
    at = whole.index(b"IDAT")
    data = whole[: at - 4] + b"\x3f\xff\xff\xff" + whole[at:]
    candidate = cropped(data, "a.png")
    assert png.idat(candidate.data) == png.idat(cropped(whole, "a.png").data)
    assert "IDAT padding" in dict(candidate.dropped)


def _with_pixels(stream: bytes) -> bytes:
    return png.assembled([png.chunks(png.build(SAMPLES, 2, 8))[0], ("IDAT", stream), ("IEND", b"")])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: zlib.compress(raw)[:-4], "its checksum is missing"),
        (lambda raw: zlib.compress(raw + raw[:481]), "1 rows too many"),
        (lambda raw: zlib.compress(raw + raw[: 3 * 481]), "3 rows too many"),
        (lambda raw: zlib.compress(raw + b"\0"), "1 bytes too many"),
        (lambda raw: zlib.compress(raw + b"\0")[:-4], "1 bytes too many, which no image has, its"),
    ],
)
def test_a_png_that_has_all_its_pixels_is_cropped_and_told(change: object, words: str) -> None:
    raw = zlib.decompress(png.idat(png.build(SAMPLES, 2, 8)))
    candidate = cropped(_with_pixels(change(raw)), "a.png")  # type: ignore[operator]  # (a function)
    assert np.array_equal(png.read(candidate.data)[1], SAMPLES[16:96, 16:112])
    assert any(words in item for item in candidate.patched)
    stream = png.idat(candidate.data)
    assert zlib.decompress(stream)  # which has its own checksum


@pytest.mark.parametrize("cut", range(1, 13))
def test_a_png_without_its_end_is_cropped_and_told(cut: int) -> None:
    whole = png.build(SAMPLES, 2, 8)
    candidate = cropped(whole[:-cut], "a.png")
    assert candidate.data == cropped(whole, "a.png").data
    assert candidate.patched[0] == "IEND: it was missing"
    with pytest.raises(errors.VerificationFailed):
        formats.verify(candidate.data[:-cut], candidate, "a.png")


def test_a_png_without_its_last_pixels_is_refused_as_soon_as_it_is_opened() -> None:
    head, *pixels, _ = png.chunks(png.build(SAMPLES, 2, 8))
    short = png.assembled([head, ("IDAT", b"".join(data for _, data in pixels)[:-400])])
    with pytest.raises(errors.Truncated):
        formats.read_header(short, "a.png")


def test_a_webp_animation_of_one_frame_is_a_still() -> None:
    for options in ({"lossless": True}, {"quality": 80}):
        still = riff.assembled([riff.canvas(160, 120, 0), *riff.pixels(PHOTO, **options)])
        frame = bytes(6) + struct.pack("<I", 159)[:3] + struct.pack("<I", 119)[:3] + bytes(4)
        inside = b"".join(
            kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
            for kind, data in riff.pixels(PHOTO, **options)
        )
        animated = riff.assembled(
            [riff.canvas(160, 120, 2), (b"ANIM", bytes(6)), (b"ANMF", frame + inside)]
        )
        candidate = cropped(animated, "a.webp")
        assert candidate.data == cropped(still, "a.webp").data
        assert ("ANIM, ANMF", "an animation of one frame is a still image") in candidate.dropped
        elsewhere = animated.replace(frame, b"\1" + frame[1:])
        with pytest.raises(errors.AnimatedImage):
            formats.read_header(elsewhere, "a.webp")
