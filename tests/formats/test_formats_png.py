import struct
import subprocess
import sys
import tracemalloc
import zlib
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pictures
import png_builder as png
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from png_builder import KINDS
from strategies import boxes_in

from cropkit import errors, formats
from cropkit.formats import Options, zlib_streams
from cropkit.formats.png import (
    chunks,
    filters,
    unfilter,
)
from cropkit.formats.preview import preview
from cropkit.geometry import PixelBox, Size

ROOT = Path(__file__).parents[2]
NAME = "picture.png"
BOX = PixelBox(3, 2, 17, 12)


def cropped(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    candidate = formats.crop(data, NAME, box)
    formats.verify(candidate.data, candidate, NAME)
    return candidate


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_every_kind_of_pixel_comes_out_at_its_own_depth(
    colour: int,
    depth: int,
    interlace: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    samples = png.values(colour, depth, 21, 13)
    candidate = cropped(png.build(samples, colour, depth, interlace=interlace))
    header, found = png.read(candidate.data)
    assert header == (14, 10, depth, colour, 0, 0, 0)
    assert np.array_equal(found, samples[2:12, 3:17])
    assert ("IHDR interlace: written straight" in candidate.patched) is interlace


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on a few rows at a time, so that a small picture has many bands."""
    for module in (unfilter, filters):
        monkeypatch.setattr(module, "_BAND_BYTES", 40)


@pytest.mark.usefixtures("small_bands")
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(KINDS), interlace=st.booleans())
def test_any_box_of_any_kind_holds_exactly_its_pixels(
    data: st.DataObject,
    kind: tuple[int, int],
    interlace: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    size = Size(data.draw(st.integers(1, 19)), data.draw(st.integers(1, 11)))
    box = data.draw(boxes_in(size))
    samples = png.values(*kind, size.width, size.height, seed=box.left)
    candidate = cropped(png.build(samples, *kind, interlace=interlace), box)
    _, found = png.read(candidate.data)
    assert np.array_equal(found, samples[box.top : box.bottom, box.left : box.right])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_what_pillow_writes_pillow_reads_back_the_same(mode: str) -> None:
    photo = pictures.photo(120, 90)
    if mode == "I;16":
        photo = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257 + 3)
    source = photo.convert(mode) if photo.mode != mode else photo
    box = PixelBox(11, 7, 101, 80)
    written = Image.open(BytesIO(cropped(pictures.encoded(source, "PNG"), box).data))
    assert written.mode == source.mode
    assert np.array_equal(np.asarray(written), np.asarray(source.crop(box.xyxy)))


PARTS_BEFORE = [
    ("gAMA", struct.pack(">I", 45455)),
    ("cHRM", bytes(32)),
    ("sRGB", b"\0"),
    ("sBIT", b"\5\6\5"),
    ("bKGD", bytes(6)),
    ("pHYs", struct.pack(">IIB", 3937, 3937, 1)),
    ("tRNS", bytes(6)),
    ("tIME", bytes([7, 232, 2, 29, 23, 59, 60])),
    ("tEXt", b"parameters\0a lighthouse\nSteps: 30"),
    ("tEXt", b"parameters\0twice"),
    ("zTXt", b"workflow\0\0" + zlib.compress(b"{}", 9)),
    ("vpAg", bytes(9)),
    ("prVt", b"a private chunk"),
]
PARTS_AFTER = [
    ("iTXt", b"prompt\0\0\0\0\0" + "灯台".encode()),
    ("prVw", b"another"),
]


def test_every_other_chunk_is_byte_equal_in_its_place_and_order() -> None:
    samples = png.values(2, 8, 21, 13)
    before = png.build(samples, 2, 8, before=PARTS_BEFORE, after=PARTS_AFTER)
    candidate = cropped(before)
    kinds = [kind for kind, _ in png.chunks(candidate.data)]
    rest = [part for part in png.chunks(candidate.data) if part[0] not in ("IHDR", "IDAT")]
    assert rest == [*PARTS_BEFORE, *PARTS_AFTER, ("IEND", b"")]
    assert kinds.index("IDAT") == 1 + len(PARTS_BEFORE)
    assert not candidate.dropped
    assert not candidate.patched
    assert candidate.kept[8:11] == ("tEXt parameters", "tEXt parameters", "zTXt workflow")


def test_a_palette_and_its_transparency_are_byte_equal() -> None:
    transparency = ("tRNS", bytes([0, 128, 255]))
    before = png.build(png.values(3, 4, 21, 13), 3, 4, before=[transparency])
    after = png.chunks(cropped(before).data)
    assert [part for part in png.chunks(before) if part[0] in ("PLTE", "tRNS")] == after[1:3]


def test_profile_text_exif_and_resolution_survive_as_pillow_reads_them() -> None:
    source = pictures.photo(64, 48)
    options = {"icc_profile": pictures.icc_profile(), "dpi": (300, 300)}
    before = pictures.encoded(source, "PNG", exif=pictures.exif_bytes(gps=True), **options)
    written = Image.open(BytesIO(cropped(before).data))
    original = Image.open(BytesIO(before))
    assert written.info["icc_profile"] == original.info["icc_profile"]
    assert written.info["dpi"] == original.info["dpi"]
    written.load()
    original.load()
    assert written.info["exif"] == original.info["exif"]


@pytest.mark.parametrize("kind", ["iDOT", "hIST", "sTER"])
def test_what_a_crop_would_falsify_is_dropped_with_its_reason(kind: str) -> None:
    before = png.build(png.values(3, 8, 21, 13), 3, 8, before=[(kind, bytes(28))])
    candidate = cropped(before)
    assert kind not in dict(png.chunks(candidate.data))
    assert [item for item, reason in candidate.dropped if reason] == [kind]


def test_the_place_on_a_page_moves_with_the_corner() -> None:
    offset = ("oFFs", struct.pack(">iiB", -5, 40, 0))
    canvas = ("caNv", struct.pack(">IIii", 500, 400, 7, 9))
    candidate = cropped(png.build(png.values(0, 8, 21, 13), 0, 8, before=[offset, canvas]))
    after = dict(png.chunks(candidate.data))
    assert struct.unpack(">iiB", after["oFFs"]) == (-2, 42, 0)
    assert struct.unpack(">IIii", after["caNv"]) == (500, 400, 10, 11)
    assert candidate.patched == ("oFFs", "caNv")


def test_a_place_in_micrometres_is_dropped_with_its_reason() -> None:
    offset = ("oFFs", struct.pack(">iiB", 5, 40, 1))
    candidate = cropped(png.build(png.values(0, 8, 21, 13), 0, 8, before=[offset]))
    assert candidate.dropped == (("oFFs", "its unit is not the pixel"),)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_upright_under_every_orientation(orientation: int) -> None:
    samples = png.values(2, 8, 23, 17)
    block = pictures.exif_bytes(orientation=orientation).removeprefix(b"Exif\0\0")
    before = png.build(samples, 2, 8, before=[("eXIf", block)])
    header = formats.read_header(before, NAME)
    assert header.orientation == orientation
    shown = _upright(samples, orientation)
    assert (header.size.height, header.size.width) == shown.shape[:2]
    after = cropped(before, PixelBox(2, 1, 9, 13)).data
    assert np.array_equal(_upright(png.read(after)[1], orientation), shown[1:13, 2:9])
    assert dict(png.chunks(after))["eXIf"] == block


def _upright(samples: png.Values, orientation: int) -> png.Values:
    """Turn as EXIF defines it: 6 is to be shown a quarter turn clockwise."""
    turns, mirrored = ((0, 0), (0, 1), (2, 0), (2, 1), (3, 1), (3, 0), (1, 1), (1, 0))[
        orientation - 1
    ]
    turned = np.rot90(samples, turns)
    return turned[:, ::-1] if mirrored else turned


PLAIN = png.build(png.values(0, 8, 21, 13), 0, 8)


def with_pixels(stream: bytes) -> bytes:
    """The plain picture with another pixel stream, its CRC right."""
    header = png.chunks(PLAIN)[0]
    return png.assembled([header, ("IDAT", stream), ("IEND", b"")])


def with_part(kind: str, data: bytes = bytes(8)) -> bytes:
    return png.build(png.values(0, 8, 21, 13), 0, 8, before=[(kind, data)])


REFUSED: list[tuple[str, bytes]] = [
    ("AnimatedImage", with_part("acTL", struct.pack(">II", 2, 0))),
    ("Provenance", with_part("caBX")),
    ("Provenance", with_part("dSIG")),
    ("UnsupportedFormat", with_part("CgBI")),
    ("TrailingData", PLAIN + b"the old picture"),
    ("Truncated", PLAIN[:-24]),
    ("Truncated", PLAIN[:60]),
    ("Truncated", PLAIN[:20]),
    ("Truncated", PLAIN[:5]),
    ("Truncated", with_pixels(zlib.compress(bytes(22 * 12)))),
    ("Truncated", with_pixels(zlib.compress(bytes(22 * 13))[:-6])),
    ("CorruptImage", with_pixels(zlib.compress(bytes(22 * 130)))),
    ("CorruptImage", with_pixels(zlib.compress(b"\5" * 22 * 13))),
    ("CorruptImage", with_pixels(b"not deflated")),
    ("CorruptImage", PLAIN.replace(b"IDAT", b"IDAU", 1)),
    ("CorruptImage", PLAIN[:-30] + bytes([PLAIN[-30] ^ 1]) + PLAIN[-29:]),
    ("CorruptImage", png.assembled([png.chunks(PLAIN)[0], ("IEND", b"")])),
    ("CorruptImage", png.assembled([("IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 5, 0, 0, 0))])),
    ("CorruptImage", png.assembled([("IHDR", struct.pack(">IIBBBBB", 0, 9, 8, 2, 0, 0, 0))])),
    (
        "CorruptImage",
        png.assembled([*png.chunks(PLAIN)[:2], ("tEXt", b"a\0b"), *png.chunks(PLAIN)[2:]]),
    ),
    (
        "TooLarge",
        png.assembled([("IHDR", struct.pack(">IIBBBBB", 1 << 15, 1 << 15, 8, 2, 0, 0, 0))]),
    ),
]


def with_header(width: int, depth: int, colour: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, 13, depth, colour, 0, 0, 0)
    return png.assembled([("IHDR", header), *png.chunks(PLAIN)[1:]])


# As the corrupted files of the suites that decoders are tested with.
REFUSED += [
    *(("UnknownFormat", PLAIN[:at] + b"\t" + PLAIN[at + 1 :]) for at in range(8)),
    ("UnknownFormat", PLAIN.replace(b"\r\n", b"\n")),
    ("UnknownFormat", PLAIN.replace(b"\n", b"\r\n")),
    ("CorruptImage", PLAIN[:29] + bytes(4) + PLAIN[33:]),
    *(("CorruptImage", with_header(21, depth, 0)) for depth in (0, 3, 99)),
    *(("CorruptImage", with_header(21, 8, colour)) for colour in (1, 5, 7, 9)),
    ("CorruptImage", with_header(21, 16, 3)),
    ("CorruptImage", with_header(21, 8, 3)),
    ("CorruptImage", with_header(1 << 31, 8, 0)),
    ("Truncated", with_header(22, 8, 0)),
    ("CorruptImage", with_header(20, 8, 0)),
    ("CorruptImage", png.assembled([*png.chunks(PLAIN)[:1], *png.chunks(PLAIN)])),
    ("CorruptImage", with_pixels(zlib.compress(bytes(22 * 13))[:-1] + b"x")),
]


@pytest.mark.parametrize(("code", "data"), REFUSED)
def test_what_cannot_be_cropped_faithfully_is_refused_by_code_and_name(
    code: str, data: bytes
) -> None:
    with pytest.raises(errors.Refused, match=NAME) as caught:
        formats.crop(data, NAME, PixelBox(0, 0, 2, 2))
    assert caught.value.code == code


@pytest.mark.parametrize("interlace", [0, 1])
def test_a_stream_that_cannot_hold_its_pixels_asks_for_no_memory(interlace: int) -> None:
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 16, 6, 0, 0, interlace)
    huge = png.assembled([("IHDR", header), ("IDAT", zlib.compress(bytes(9999))), ("IEND", b"")])
    steps = (
        lambda: formats.read_header(huge, NAME, Options()),
        lambda: preview(huge, NAME, Size(100, 100)),
        lambda: formats.crop(huge, NAME, BOX),
    )
    for step in steps:
        tracemalloc.start()
        with pytest.raises(errors.Truncated, match=NAME):
            step()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()


def test_the_most_that_deflate_can_hold_is_read() -> None:
    zeros = png.assembled(
        [
            ("IHDR", struct.pack(">IIBBBBB", 3000, 3000, 16, 6, 0, 0, 0)),
            ("IDAT", zlib.compress(bytes((3000 * 8 + 1) * 3000), 9)),
            ("IEND", b""),
        ]
    )
    assert cropped(zeros).box_applied == BOX


@given(st.lists(st.binary(max_size=6), max_size=6))
def test_the_end_of_the_pixels_is_found_however_they_are_cut_into_chunks(cut: list[bytes]) -> None:
    pieces = tuple(memoryview(piece) for piece in cut)
    assert chunks.Container((), 0, pieces, b"").idat_end == b"".join(cut)[-4:]


def test_padding_after_the_end_is_kept() -> None:
    assert cropped(PLAIN + bytes(7)).data.endswith(b"IEND\xaeB`\x82" + bytes(7))


def test_a_box_outside_is_refused() -> None:
    with pytest.raises(errors.BadBox):
        formats.crop(PLAIN, NAME, PixelBox(0, 0, 22, 13))


PHOTO = pictures.encoded(pictures.photo(120, 90), "PNG", pnginfo=None, dpi=(72, 72))
PHOTO_BOX = PixelBox(11, 7, 101, 80)


def test_a_crop_that_is_off_by_one_pixel_does_not_verify() -> None:
    meant = formats.crop(PHOTO, NAME, PHOTO_BOX)
    shifted = formats.crop(PHOTO, NAME, PixelBox(12, 7, 102, 80))
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        formats.verify(shifted.data, meant, NAME)


def test_a_sample_that_is_off_by_one_does_not_verify() -> None:
    meant = formats.crop(PHOTO, NAME, PHOTO_BOX)
    other = Image.open(BytesIO(PHOTO))
    red, green, blue = other.getpixel((50, 50))  # type: ignore[misc]
    other.putpixel((50, 50), (red ^ 1, green, blue))
    written = formats.crop(pictures.encoded(other, "PNG", dpi=(72, 72)), NAME, PHOTO_BOX)
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        formats.verify(written.data, meant, NAME)


def test_a_chunk_that_is_gone_does_not_verify() -> None:
    meant = formats.crop(PHOTO, NAME, PHOTO_BOX)
    written = png.assembled(part for part in png.chunks(meant.data) if part[0] != "pHYs")
    with pytest.raises(errors.VerificationFailed, match="chunks"):
        formats.verify(written, meant, NAME)


@given(st.data())
def test_any_flipped_bit_does_not_verify(data: st.DataObject) -> None:
    meant = formats.crop(PHOTO, NAME, PHOTO_BOX)
    at = data.draw(st.integers(0, len(meant.data) - 1))
    written = bytearray(meant.data)
    written[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(errors.VerificationFailed):
        formats.verify(bytes(written), meant, NAME)


@given(st.data())
def test_a_file_cut_short_does_not_verify(data: st.DataObject) -> None:
    meant = formats.crop(PHOTO, NAME, PHOTO_BOX)
    with pytest.raises(errors.VerificationFailed):
        formats.verify(meant.data[: data.draw(st.integers(0, len(meant.data) - 1))], meant, NAME)


UNDO = [unfilter.by_libpng, unfilter.by_pillow]


@pytest.mark.parametrize("undo", UNDO)
@pytest.mark.parametrize(("colour", "depth"), KINDS)
def test_both_decoders_undo_the_filters_as_the_standard_says(
    colour: int, depth: int, undo: unfilter.Undo, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = png.values(colour, depth, 21, 13)
    container = chunks.parse(png.build(samples, colour, depth), NAME)
    header = chunks.Ihdr.parse(container.chunks[0], NAME)
    filtered = np.frombuffer(zlib.decompress(container.idat), np.uint8).reshape(13, -1)
    assert set(filtered[:, 0]) == {0, 1, 2, 3, 4}
    expected = np.stack([np.frombuffer(row, np.uint8) for row in png.packed(samples, depth)])
    assert np.array_equal(undo(filtered, header.bpp), expected)
    monkeypatch.setattr(unfilter, "_BAND_BYTES", 2 * filtered.shape[1])
    bands = list(unfilter.undone(filtered, header.bpp, undo))
    assert [len(band) for band in bands] == [2, 2, 2, 2, 2, 2, 1]
    assert np.array_equal(np.concatenate(bands), expected)


def test_each_decoder_is_the_one_that_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    filtered = np.zeros((3, 13), np.uint8)
    monkeypatch.setattr(unfilter, "by_pillow", None)
    assert not unfilter.by_libpng(filtered, 3).any()
    monkeypatch.setattr(zlib_streams, "has_codecs", False)
    with pytest.raises(TypeError):
        unfilter.by_libpng(filtered, 3)


@pytest.mark.parametrize("number", range(5))
def test_every_filter_is_the_one_of_the_standard(number: int) -> None:
    rng = np.random.default_rng(number)
    rows = rng.integers(0, 256, (40, 33), np.uint8)
    rows[20:] = rng.integers(99, 103, (20, 33), np.uint8)  # neighbours tie as they do in pictures
    frame = filters.Frame.around(rows, 3)
    expected = [
        bytes([number]) + png.filtered_row(number, row, above, 3)
        for above, row in pairwise([bytes(33), *(row.tobytes() for row in rows)])
    ]
    assert [row.tobytes() for row in frame.filtered(number, slice(0, 40))] == expected


def test_paeth_chooses_as_the_standard_does_for_any_three_neighbours() -> None:
    values = np.array([0, 1, 2, 3, 60, 120, 127, 128, 129, 250, 254, 255], np.uint8)
    left, up, corner = (side.reshape(-1) for side in np.meshgrid(values, values, values))
    rows = np.stack([np.stack([corner, up], 1), np.stack([left, up * 0], 1)], 1)
    for above, row in rows.tolist():
        frame = filters.Frame.around(np.array([above, row], np.uint8), 1)
        expected = png.filtered_row(4, bytes(row), bytes(above), 1)
        assert frame.filtered(4, slice(1, 2))[0, 1:].tobytes() == expected


@pytest.mark.parametrize("wheels", [("engine",), ("has_codecs",), ("engine", "has_codecs")])
@pytest.mark.parametrize("interlace", [False, True])
def test_without_a_wheel_all_is_done_as_well(
    wheels: tuple[str, ...],
    interlace: bool,  # noqa: FBT001  (a parameter of the test)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for wheel in wheels:
        monkeypatch.setattr(zlib_streams, wheel, {"engine": zlib, "has_codecs": False}[wheel])
    for kind in KINDS:
        samples = png.values(*kind, 21, 13)
        _, found = png.read(cropped(png.build(samples, *kind, interlace=interlace)).data)
        assert np.array_equal(found, samples[2:12, 3:17])
    written = cropped(PHOTO, PHOTO_BOX).data
    naive = pictures.encoded(Image.open(BytesIO(PHOTO)).crop(PHOTO_BOX.xyxy), "PNG")
    assert len(written) < 1.05 * len(naive)


HIDDEN = """\
import sys
sys.modules |= {"imagecodecs": None, "zlib_ng": None}
import zlib
from pathlib import Path
from cropkit.formats import png, zlib_streams
from cropkit.formats.options import Options
from cropkit.geometry import PixelBox, Turn
assert zlib_streams.engine is zlib and not zlib_streams.has_codecs
data = Path(sys.argv[1]).read_bytes()
candidate = png.opened(data, "a.png", Options()).crop(PixelBox(11, 7, 101, 80), Turn())
png.verify(candidate.data, candidate.proof, "a.png")
Path(sys.argv[1]).write_bytes(candidate.data)
"""


def test_a_machine_without_the_wheels_crops_as_well(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PHOTO)
    subprocess.run([sys.executable, "-c", HIDDEN, str(path)], check=True, cwd=ROOT)
    meant = Image.open(BytesIO(PHOTO)).crop(PHOTO_BOX.xyxy)
    assert Image.open(path).tobytes() == meant.tobytes()


def test_photographic_pixels_do_not_grow() -> None:
    source = pictures.photo(512, 512)
    before = pictures.encoded(source, "PNG")
    box = PixelBox(51, 51, 461, 461)
    naive = pictures.encoded(source.crop(box.xyxy), "PNG")
    assert len(cropped(before, box).data) < 1.02 * len(naive)


def test_flat_pixels_do_not_grow() -> None:
    source = Image.new("RGB", (800, 600), "white")
    for at in range(40):
        source.paste((at * 5, 99, 255 - at), (at * 17, at * 13, at * 17 + 90, at * 13 + 8))
    before = pictures.encoded(source, "PNG")
    box = PixelBox(31, 51, 761, 561)
    naive = pictures.encoded(source.crop(box.xyxy), "PNG")
    assert len(cropped(before, box).data) < 1.1 * len(naive)
