import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pictures
import pytest
import tiff_builder as tif
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from strategies import boxes_in

from cropkit import errors, formats
from cropkit.formats import tiff
from cropkit.formats.preview import preview
from cropkit.formats.tiff import codecs
from cropkit.geometry import PixelBox, Size

NAME = "picture.tif"
SIZE, BOX = Size(83, 61), PixelBox(17, 9, 70, 52)
COMPRESSIONS = (None, "lzw", "adobe_deflate", "packbits", "zstd", "lzma")
DTYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "f2", "f4", "f8")
Pixels = npt.NDArray[Any]


def cropped(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    candidate = formats.crop(data, NAME, box)
    return formats.verify(candidate.data, candidate, NAME)


def values(dtype: str, samples: int, size: Size = SIZE) -> Pixels:
    """Smooth and noisy at once, so that every compression finds something and never all."""
    rng = np.random.default_rng(samples)
    y, x = np.mgrid[: size.height, : size.width]
    found = (x * 2 + y * 3 + rng.integers(0, 40, (size.height, size.width))) % 250
    many = np.stack([(found + 31 * s) % 250 for s in range(samples)], axis=-1)
    wide = many * 257 if np.dtype(dtype).itemsize > 1 and dtype != "f2" else many
    return (wide if samples > 1 else wide[..., 0]).astype(dtype)


def written(pixels: Pixels, **options: Any) -> bytes:
    """tifffile's file, which none of our code wrote."""
    out = BytesIO()
    if pixels.ndim == 3 and "photometric" not in options:
        options["photometric"] = "rgb" if pixels.shape[-1] == 3 else "minisblack"
        options.setdefault("planarconfig", "contig")
    if options.get("planarconfig") == "separate":
        pixels = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    tifffile.imwrite(out, pixels, **{"metadata": None, **options})
    return out.getvalue()


def decoded(data: bytes) -> Pixels:
    """tifffile's pixels, (height, width) or (height, width, samples)."""
    with tifffile.TiffFile(BytesIO(data)) as file:
        pixels: Pixels = file.asarray()
        separate = file.pages.first.planarconfig == 2 and pixels.ndim == 3
    return np.moveaxis(pixels, 0, -1) if separate else pixels


def held(data: bytes, box: PixelBox = BOX) -> bool:
    meant = decoded(data)[box.top : box.bottom, box.left : box.right]
    found = decoded(cropped(data, box).data)
    return found.dtype == meant.dtype and np.array_equal(found, meant)


LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 7},
    "one strip": {"byteorder": ">"},
    "tiles": {"tile": (16, 32)},
    "big tiles": {"tile": (32, 16), "bigtiff": True, "byteorder": ">"},
    "planes": {"planarconfig": "separate", "rowsperstrip": 10},
    "planes of tiles": {"planarconfig": "separate", "tile": (16, 16), "byteorder": ">"},
}


@pytest.mark.parametrize("compression", COMPRESSIONS[:-1])  # lzma is slow, and drawn below
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "f4", "f8"])
def test_every_kind_of_sample_is_cut_out_exactly(
    dtype: str, layout: str, compression: str | None
) -> None:
    for samples in (1, 3, 5):
        if samples > 1 or "planes" not in layout:
            data = written(values(dtype, samples), compression=compression, **LAYOUTS[layout])
            assert held(data), samples


@pytest.mark.parametrize("compression", ["lzw", "adobe_deflate"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "f2", "f4", "f8"])
def test_predictors_are_kept_and_undone(dtype: str, layout: str, compression: str) -> None:
    predictor = 3 if dtype[0] == "f" else 2
    for samples in (1, 3, 5):
        if samples > 1 or "planes" not in layout:
            options = {"compression": compression, "predictor": predictor, **LAYOUTS[layout]}
            data = written(values(dtype, samples), **options)
            assert held(data), samples
            assert tif.read(cropped(data).data)[317] == tif.read(data)[317]


@pytest.mark.parametrize("compression", [None, "packbits", "lzw", "adobe_deflate"])
@pytest.mark.parametrize("tile", [None, (16, 16), (32, 48)])
def test_single_bits_are_cut_anywhere(
    compression: str | None, tile: tuple[int, int] | None
) -> None:
    bits = values("u1", 1) % 2 == 1
    data = written(bits, compression=compression, tile=tile, photometric="minisblack")
    for left in range(9):
        assert held(data, PixelBox(left, 3, 60 + left, 50))


@pytest.mark.parametrize("bits", [2, 4, 6, 10, 12, 14, 24, 31])
@pytest.mark.parametrize("samples", [1, 3])
def test_odd_depths_are_cut_anywhere(bits: int, samples: int) -> None:
    dtype = "u1" if bits < 8 else "u2" if bits < 16 else "u4"
    data = written(values(dtype, samples) % 2 ** min(bits, 16), bitspersample=bits)
    for left in range(5):
        assert held(data, PixelBox(left, 3, 60 + left, 50))


def test_nothing_of_what_was_cropped_out_stays_in_the_last_byte_of_a_row() -> None:
    data = written(np.ones((20, 40), bool), photometric="minisblack")
    candidate = cropped(data, PixelBox(3, 2, 14, 9))
    offset, count = (struct.unpack("<I", tif.read(candidate.data)[t])[0] for t in (273, 279))
    assert candidate.data[offset : offset + count] == b"\xff\xe0" * 7


@settings(max_examples=60, deadline=None)
@given(draw=st.data())
def test_any_box_of_any_layout_holds_exactly_its_pixels(draw: st.DataObject) -> None:
    size = Size(draw.draw(st.integers(1, 70)), draw.draw(st.integers(1, 50)))
    pixels = values(draw.draw(st.sampled_from(DTYPES)), draw.draw(st.integers(1, 4)), size)
    options: dict[str, Any] = {
        "compression": draw.draw(st.sampled_from(COMPRESSIONS)),
        "byteorder": draw.draw(st.sampled_from("<>")),
        "bigtiff": draw.draw(st.booleans()),
    }
    options |= draw.draw(
        st.sampled_from([{}, {"tile": (16, 16)}, {"rowsperstrip": 1}, {"rowsperstrip": 5}])
    )
    assert held(written(pixels, **options), draw.draw(boxes_in(size)))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F", "LA"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_pillow_sees_the_same_in_the_modes_that_it_knows(
    mode: str, compression: str | None
) -> None:
    photo = pictures.photo(SIZE.width, SIZE.height)
    if mode == "LAB":
        source = Image.frombytes("LAB", photo.size, photo.tobytes())
    else:
        source = photo.quantize() if mode == "P" else photo.convert("L").convert(mode)
    data = pictures.encoded(source, "TIFF", compression=compression)
    before, after = Image.open(BytesIO(data)), Image.open(BytesIO(cropped(data).data))
    assert after.mode == before.mode
    assert after.tobytes() == before.crop(BOX.xyxy).tobytes()
    assert after.getpalette() == before.getpalette()
    assert after.info.get("compression") == before.info.get("compression")


def test_bits_that_stand_the_other_way_round_are_kept_so() -> None:
    pixels = values("u1", 1)
    turned = np.packbits(np.unpackbits(pixels[..., None], axis=2)[:, :, ::-1], axis=2)[..., 0]
    data = tif.build(turned, [(266, tif.SHORT, [2])])
    assert np.array_equal(decoded(data), pixels)
    assert held(data)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_upright_box_is_cut_from_an_image_stored_any_way(orientation: int) -> None:
    photo = pictures.photo(40, 30)
    data = tif.build(np.asarray(photo), [(274, tif.SHORT, [orientation])])
    upright = Image.open(BytesIO(data))  # Pillow turns a TIFF by itself
    upright.load()
    assert formats.read_header(data, NAME).size == Size(*upright.size)
    box = PixelBox(7, 3, 25, 21)
    candidate = cropped(data, box)
    assert tif.read(candidate.data)[274] == struct.pack("<H", orientation)
    after = Image.open(BytesIO(candidate.data))
    after.load()
    assert after.tobytes() == upright.crop(box.xyxy).tobytes()
    shown = Image.open(BytesIO(preview(candidate.data, NAME, Size(99, 99))))
    assert shown.size == after.size
    plain = Image.open(BytesIO(tif.build(np.asarray(photo))))
    plain.getexif()[274] = orientation
    turned = ImageOps.exif_transpose(plain)
    assert turned.tobytes() == upright.tobytes()


NOTE = b"Maker\0" + bytes(range(256)) * 2
EXIF: list[tif.Tag] = [
    (33434, tif.RATIONAL, [1, 250]),
    (37500, tif.UNDEFINED, NOTE),
    (0xA002, tif.LONG, [83]),
    (0xA003, tif.SHORT, [61]),
    (0xA005, tif.LONG, [(1, tif.ASCII, b"R98\0")]),
    (0x9214, tif.SHORT, [30, 20]),
]
GPS: list[tif.Tag] = [(1, tif.ASCII, b"N\0"), (2, tif.RATIONAL, [48, 1, 51, 1, 2960, 100])]
XMP = b"<x:xmpmeta tiff:ImageWidth='83' tiff:ImageLength='61'/>"
TAGS: list[tif.Tag] = [
    (270, tif.ASCII, b"a lighthouse at dusk\0"),
    (271, tif.ASCII, b"Cam\0"),
    (282, tif.RATIONAL, [300, 1]),
    (283, tif.RATIONAL, [300, 1]),
    (296, tif.SHORT, [2]),
    (306, tif.ASCII, b"2026:01:02 03:04:05\0"),
    (700, tif.BYTE, XMP),
    (33723, tif.UNDEFINED, b"\x1c\x02\x05\0\x04name"),
    (34665, tif.LONG, EXIF),
    (34675, tif.UNDEFINED, pictures.icc_profile()),
    (34853, tif.LONG, GPS),
    (65000, tif.DOUBLE, [1.5, 2.5]),
    (65001, tif.SHORT, [7]),
]
LAID_OUT = {256, 257, 273, 278, 279}


@pytest.mark.parametrize("tags_first", [True, False])
@pytest.mark.parametrize("big", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_tag_is_carried(order: str, big: bool, tags_first: bool) -> None:  # noqa: FBT001  (parameters of the test)
    pixels = values("u1", 3)
    data = tif.build(pixels, TAGS, order=order, big=big, tags_first=tags_first, rows_per_strip=20)
    candidate = cropped(data)
    before, after = tif.read(data), tif.read(candidate.data)
    assert list(before) == list(after)
    changed = {tag for tag in before if before[tag] != after[tag]} - {34665, 34853}
    assert changed == LAID_OUT - {278} | {700}
    assert after[700] == XMP.replace(b"83", b"53").replace(b"61", b"43")
    exif_before, exif_after = (tif.below(d, 34665) for d in (data, candidate.data))
    assert list(exif_before) == list(exif_after)
    assert {t for t in exif_before if exif_before[t] != exif_after[t]} - {0xA005} == {
        0xA002,
        0xA003,
        0x9214,
    }
    assert struct.unpack(f"{order}I", exif_after[0xA002]) == (53,)
    assert struct.unpack(f"{order}2H", exif_after[0x9214]) == (13, 11)
    assert tif.below(data, 34853) == tif.below(candidate.data, 34853)
    assert np.array_equal(decoded(candidate.data), pixels[9:52, 17:70])
    told = [item for item in candidate.patched if item.startswith("MakerNote")]
    assert bool(told) is not tags_first
    assert candidate.dropped == ()


def test_xmp_that_a_writer_calls_numbers_stays_whole() -> None:
    data = tif.build(values("u1", 1), [(700, tif.LONG, XMP.ljust(60) + b"<1000/>  ...")])
    after = tif.read(cropped(data, PixelBox(0, 0, 9, 9)).data)[700]
    assert b"tiff:ImageWidth='9'" in after
    assert after.rstrip(b"\0").endswith(b"...")
    assert len(after) % 4 == 0


def test_a_maker_note_before_the_pixels_does_not_move() -> None:
    data = tif.build(values("u1", 3), TAGS, tags_first=True)
    candidate = cropped(data)
    assert candidate.data.index(NOTE) == data.index(NOTE)
    assert "MakerNote" in candidate.kept


def test_a_subject_that_was_cropped_out_is_dropped_and_said() -> None:
    data = tif.build(values("u1", 1), [(34665, tif.LONG, [(0x9214, tif.SHORT, [80, 20])])])
    assert cropped(data).dropped == (("SubjectArea", "the subject was cropped out"),)


def reduced(builder: tif.Builder, kind: int = 1) -> int:
    at = builder.put(bytes(6 * 4))
    tags: list[tif.Tag] = [(254, tif.LONG, [kind]), (256, tif.SHORT, [6]), (257, tif.SHORT, [4])]
    return builder.directory([*tags, (273, tif.LONG, [at]), (279, tif.LONG, [24])])


def with_others(*, chained: int | None = None, child: int | None = None) -> bytes:
    """An image with a second one behind it or below it, of a subfile type."""
    builder = tif.Builder()
    pixels = builder.put(values("u1", 1).tobytes())
    tags: list[tif.Tag] = [
        (256, tif.SHORT, [83]),
        (257, tif.SHORT, [61]),
        (258, tif.SHORT, [8]),
        (262, tif.SHORT, [1]),
        (273, tif.LONG, [pixels]),
        (279, tif.LONG, [83 * 61]),
    ]
    if child is not None:
        tags.append((330, tif.LONG, [reduced(builder, child)]))
    following = 0 if chained is None else reduced(builder, chained)
    return builder.finished(builder.directory(tags, following))


def test_smaller_pictures_of_the_whole_scene_are_removed_and_said() -> None:
    for data in (with_others(chained=1), with_others(child=1)):
        candidate = cropped(data)
        assert [reason for _, reason in candidate.dropped] == ["it shows what was cropped out"]
        with tifffile.TiffFile(BytesIO(candidate.data)) as file:
            assert len(file.pages) == 1
            assert 330 not in file.pages.first.tags
        assert len(candidate.data) < len(data) - 24


@pytest.mark.parametrize("data", [with_others(chained=0), with_others(chained=2)])
def test_pages_are_refused(data: bytes) -> None:
    with pytest.raises(errors.MultiPage, match=NAME):
        formats.read_header(data, NAME)


def test_a_full_picture_below_the_first_is_refused() -> None:
    with pytest.raises(errors.MultiPage, match=NAME):
        formats.read_header(with_others(child=0), NAME)


def test_a_preview_inside_a_private_tag_is_blanked_in_place() -> None:
    tiny = pictures.encoded(pictures.photo(16, 12), "JPEG")
    data = tif.build(values("u1", 1), [(65002, tif.UNDEFINED, b"head" + tiny + b"tail")])
    candidate = cropped(data)
    assert tif.read(candidate.data)[65002] == b"head" + bytes(len(tiny)) + b"tail"
    assert candidate.dropped == (("tag 65002 preview", "it shows what was cropped out"),)


def test_bytes_that_nothing_refers_to_are_not_carried() -> None:
    data = tif.build(values("u1", 1)) + b"what an older program left behind"
    candidate = cropped(data)
    assert b"older program" not in candidate.data
    assert [item for item, _ in candidate.dropped] == ["33 bytes that no tag refers to"]


def test_georeferences_move_with_the_corner() -> None:
    tie, matrix = [10.0, 20, 0, 500, 600, 0], [2.0, 0.5, 0, 100, 0, -2, 0, 200, *[0] * 7, 1]
    tags: list[tif.Tag] = [(33922, tif.DOUBLE, tie), (34264, tif.DOUBLE, matrix)]
    found = tif.read(cropped(tif.build(values("u1", 1), tags)).data)
    assert struct.unpack("<6d", found[33922]) == (-7, 11, 0, 500, 600, 0)
    after = struct.unpack("<16d", found[34264])
    assert (after[3], after[7]) == (100 + 2 * 17 + 0.5 * 9, 200 - 2 * 9)


def test_the_place_on_a_page_moves_with_the_corner() -> None:
    tags: list[tif.Tag] = [
        (282, tif.RATIONAL, [300, 1]),
        (283, tif.RATIONAL, [100, 1]),
        (286, tif.RATIONAL, [1, 2]),
        (287, tif.RATIONAL, [0, 1]),
    ]
    found = tif.read(cropped(tif.build(values("u1", 1), tags)).data)
    assert struct.unpack("<2I", found[286]) == (167, 300)
    assert struct.unpack("<2I", found[287]) == (9, 100)
    told = cropped(tif.build(values("u1", 1), tags[2:])).dropped
    assert [item for item, _ in told] == ["XPosition", "YPosition"]


def test_shapes_in_descriptions_are_restated() -> None:
    data = written(values("u1", 3), metadata={}, rowsperstrip=8)
    with tifffile.TiffFile(BytesIO(cropped(data).data)) as file:
        assert '"shape": [43, 53, 3]' in file.pages.first.description
        assert file.series[0].shape == (43, 53, 3)
    ome = written(values("u1", 3), ome=True, metadata={"axes": "YXS"})
    with tifffile.TiffFile(BytesIO(cropped(ome).data)) as file:
        assert 'SizeX="53"' in str(file.ome_metadata)
        assert 'SizeY="43"' in str(file.ome_metadata)
        assert file.series[0].shape == (43, 53, 3)


def test_strips_and_tiles_keep_their_shape() -> None:
    for options in ({"rowsperstrip": 7}, {"tile": (16, 32)}):
        data = written(values("u2", 3), **options)
        before, after = tif.read(data), tif.read(cropped(data).data)
        for tag in (278, 322, 323, 258, 259, 262, 277, 284, 317, 339):
            assert before.get(tag) == after.get(tag)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_crop_is_as_small_as_its_source(compression: str) -> None:
    data = pictures.encoded(pictures.photo(400, 300), "TIFF", compression=compression)
    after = cropped(data, PixelBox(40, 30, 360, 270)).data
    assert len(after) < 1.04 * len(data) * 0.64 + 500


SMALL = values("u1", 1)
LARGE: dict[int, tif.Tag | None] = {
    256: (256, tif.LONG, [100_000]),
    257: (257, tif.LONG, [100_000]),
}
REFUSED: dict[str, tuple[str, bytes]] = {
    "jpeg": ("UnsupportedFormat", written(values("u1", 3), compression="jpeg")),
    "fax": ("UnsupportedFormat", tif.build(SMALL, changed={259: (259, tif.SHORT, [4])})),
    "unknown": ("UnsupportedFormat", tif.build(SMALL, changed={259: (259, tif.SHORT, [9999])})),
    "raw": ("UnsupportedFormat", tif.build(SMALL, changed={262: (262, tif.SHORT, [32803])})),
    "dng": ("UnsupportedFormat", tif.build(SMALL, [(50706, tif.BYTE, [1, 4, 0, 0])])),
    "ycbcr": (
        "UnsupportedDepth",
        tif.build(values("u1", 3), changed={262: (262, tif.SHORT, [6])}),
    ),
    "mixed depths": (
        "UnsupportedDepth",
        tif.build(values("u1", 3), changed={258: (258, tif.SHORT, [5, 6, 5])}),
    ),
    "predictor": ("UnsupportedFormat", tif.build(SMALL, [(317, tif.SHORT, [4])])),
    "layers": ("GainMap", tif.build(SMALL, [(37724, tif.UNDEFINED, b"Adobe Photoshop")])),
    "signed": ("Provenance", tif.build(SMALL, [(52545, tif.UNDEFINED, b"jumbf")])),
    "stack": ("MultiPage", tif.build(SMALL, [(270, tif.ASCII, b"ImageJ=1.53\nimages=9\n\0")])),
    "in bytes": (
        "UnsupportedFormat",
        tif.build(SMALL, changed={257: (257, tif.BYTE, [SMALL.shape[0]])}),
    ),
    "volume": ("UnsupportedFormat", tif.build(SMALL, [(32997, tif.LONG, [4])])),
    "pointer": ("UnsupportedFormat", tif.build(SMALL, [(400, 13, [8])])),
    "large": ("TooLarge", tif.build(SMALL, changed=LARGE)),
    "many samples": (
        "TooLarge",
        tif.build(SMALL, changed={**LARGE, 257: None, 277: (277, tif.SHORT, [60_000])}),
    ),
}


@pytest.mark.parametrize("why", [why for why in REFUSED if why != "many samples"])
def test_what_cannot_be_cropped_faithfully_is_refused_by_name(why: str) -> None:
    code, data = REFUSED[why]
    with pytest.raises(getattr(errors, code), match=NAME):
        formats.read_header(data, NAME)


def test_a_small_image_of_huge_pixels_is_too_large() -> None:
    changed: dict[int, tif.Tag | None] = {
        256: (256, tif.LONG, [20_000]),
        257: (257, tif.LONG, [8_000]),
        258: (258, tif.SHORT, [64]),
        277: (277, tif.SHORT, [60_000]),
    }
    with pytest.raises(errors.TooLarge, match=NAME):
        formats.read_header(tif.build(SMALL, changed=changed), NAME)


def test_a_small_image_of_a_huge_tile_is_too_large() -> None:
    side = 1 << 30
    tags: list[tif.Tag] = [(322, tif.LONG, [side]), (323, tif.LONG, [side])]
    with pytest.raises(errors.TooLarge, match=NAME):
        formats.read_header(tif.build(SMALL, tags), NAME)


DAMAGED: dict[str, dict[int, tif.Tag | None]] = {
    "no width": {256: None},
    "no strips": {273: None},
    "strips outside": {273: (273, tif.LONG, [1 << 30])},
    "too many strips": {273: (273, tif.LONG, [8] * 99)},
    "short strips": {279: (279, tif.LONG, [99])},
    "odd tiles": {322: (322, tif.LONG, [17]), 323: (323, tif.LONG, [16])},
    "no bits": {258: (258, tif.SHORT, [0])},
    "many bits": {258: (258, tif.SHORT, [65])},
    "no samples": {277: (277, tif.SHORT, [0])},
    "bad lzw": {259: (259, tif.SHORT, [5])},
    "bad deflate": {259: (259, tif.SHORT, [8])},
    "bad packbits": {259: (259, tif.SHORT, [32773]), 279: (279, tif.LONG, [20])},
    "old exif": {34665: (34665, tif.LONG, [1 << 20])},
}


@pytest.mark.parametrize("why", DAMAGED)
def test_damage_is_refused_as_unreadable(why: str) -> None:
    with pytest.raises(errors.UnreadableImage, match=NAME):
        formats.crop(tif.build(SMALL, changed=DAMAGED[why]), NAME, BOX)


def test_strips_left_out_are_refused() -> None:
    with pytest.raises(errors.UnsupportedFormat, match=NAME):
        formats.crop(tif.build(SMALL, changed={279: (279, tif.LONG, [0])}), NAME, BOX)


def test_missing_lengths_of_plain_strips_are_worked_out() -> None:
    candidate = cropped(tif.build(SMALL, changed={279: None}, rows_per_strip=9))
    assert np.array_equal(decoded(candidate.data), SMALL[9:52, 17:70])
    assert "StripByteCounts: added" in candidate.patched


def test_missing_lengths_of_plain_tiles_are_worked_out() -> None:
    data = tif.build(SMALL[:48, :64], [(322, tif.LONG, [64]), (323, tif.LONG, [48])])
    no_counts = tif.build(
        SMALL[:48, :64],
        [(322, tif.LONG, [64]), (323, tif.LONG, [48])],
        changed={273: None, 279: None, 324: (324, tif.LONG, [8])},
    )
    box = PixelBox(17, 9, 60, 40)
    candidate = cropped(no_counts, box)
    assert np.array_equal(decoded(candidate.data), SMALL[9:40, 17:60])
    assert "TileByteCounts: added" in candidate.patched
    assert held(data, box)


def test_a_tag_about_the_pixels_that_stands_there_twice_is_damage() -> None:
    builder = tif.Builder()
    pixels = builder.put(SMALL.tobytes())
    tags: list[tif.Tag] = [
        (256, tif.SHORT, [83]),
        (256, tif.SHORT, [84]),
        (257, tif.SHORT, [61]),
        (258, tif.SHORT, [8]),
        (273, tif.LONG, [pixels]),
        (279, tif.LONG, [83 * 61]),
    ]
    with pytest.raises(errors.CorruptImage, match="twice"):
        formats.read_header(builder.finished(builder.directory(tags)), NAME)


def test_a_tag_about_the_pixels_without_a_number_is_damage() -> None:
    for empty in ((258, tif.SHORT, b""), (277, tif.ASCII, b"3\0")):
        with pytest.raises(errors.CorruptImage, match="holds no number"):
            formats.read_header(tif.build(SMALL, changed={empty[0]: empty}), NAME)


def test_directories_that_go_in_circles_are_refused() -> None:
    data = bytearray(tif.build(SMALL))
    (first,) = struct.unpack_from("<I", data, 4)
    link = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, link, first)
    with pytest.raises(errors.CorruptImage, match="point back"):
        formats.read_header(bytes(data), NAME)


def test_tags_that_all_claim_the_same_large_value_are_refused() -> None:
    builder = tif.Builder()
    at = builder.put(bytes(1 << 20))
    rows = b"".join(struct.pack("<HHII", 60_000 + i, 7, 1 << 20, at) for i in range(400))
    first = builder.put(struct.pack("<H", 400) + rows + bytes(4))
    with pytest.raises(errors.CorruptImage, match="share"):
        formats.read_header(builder.finished(first), NAME)


def test_a_file_cut_off_anywhere_is_refused() -> None:
    data = tif.build(values("u1", 3), TAGS, tags_first=True, rows_per_strip=9)
    whole = PixelBox(0, 0, 83, 61)
    for end in [*range(1, 300, 7), *range(300, len(data), 997)]:
        with pytest.raises(errors.Refused, match=NAME):
            formats.crop(data[:end], NAME, whole)


def test_a_deflated_bomb_is_not_unpacked() -> None:
    import zlib  # noqa: PLC0415  (only here)

    bomb = zlib.compress(bytes(1 << 26))
    changed: dict[int, tif.Tag | None] = {
        259: (259, tif.SHORT, [8]),
        279: (279, tif.LONG, [len(bomb)]),
    }
    builder = tif.build(SMALL, changed=changed)
    data = builder + bytes(len(builder) % 2)
    offset = len(data)
    data = tif.build(SMALL, changed={**changed, 273: (273, tif.LONG, [offset])})
    data = data.ljust(offset, b"\0") + bomb
    with pytest.raises(errors.UnreadableImage, match=NAME):
        formats.crop(data, NAME, BOX)


def proof_of(candidate: formats.Candidate) -> tiff.Proof:
    assert isinstance(candidate.proof, tiff.Proof)
    return candidate.proof


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_other_pixels_than_those_meant_do_not_verify(compression: str | None) -> None:
    predictor = 2 if compression in ("lzw", "adobe_deflate") else None
    data = written(values("u1", 3), compression=compression, predictor=predictor, rowsperstrip=9)
    candidate = formats.crop(data, NAME, BOX)
    proof = proof_of(candidate)
    wrong = proof.planes[0].copy()
    wrong[20, 30] ^= 1
    meant = tiff.Proof(proof.directory, proof.spans, proof.layout, (wrong,))
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        tiff.verify(candidate.data, meant, NAME)


def test_a_layout_that_tifffile_sees_otherwise_does_not_verify() -> None:
    candidate = formats.crop(written(values("u2", 1), rowsperstrip=9), NAME, BOX)
    proof = proof_of(candidate)
    bytewise = replace(proof, layout=replace(proof.layout, bits=8, samples=2))
    with pytest.raises(errors.VerificationFailed, match="layout"):
        tiff.verify(candidate.data, bytewise, NAME)


def test_an_encoder_that_is_wrong_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    predicted = codecs.predicted

    def wrong(rows: Any, *rest: Any) -> Any:
        flipped = rows.copy()
        flipped[0, 0] ^= 1
        return predicted(flipped, *rest)

    data = written(values("u2", 1), compression="lzw", predictor=2, rowsperstrip=9)
    monkeypatch.setattr(codecs, "predicted", wrong)
    candidate = formats.crop(data, NAME, BOX)
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        formats.verify(candidate.data, candidate, NAME)


def test_a_byte_that_changed_anywhere_does_not_verify() -> None:
    data = tif.build(values("u1", 3), TAGS, tags_first=True, rows_per_strip=9)
    candidate = formats.crop(data, NAME, BOX)
    padding = set(range(len(candidate.data)))
    for at in _meaningful(candidate):
        damaged = bytearray(candidate.data)
        damaged[at] ^= 0x10
        padding.discard(at)
        with pytest.raises(errors.VerificationFailed, match=NAME):
            formats.verify(bytes(damaged), candidate, NAME)


def _meaningful(candidate: formats.Candidate) -> list[int]:
    """Places in the pixels, in every value, and in the header."""
    proof = proof_of(candidate)
    places = [0, 2, 4, *(at + length // 2 for at, length in proof.spans)]
    return places + [e.at + 1 for d in proof.directory.walk() for e in d.entries if e.at]


def test_exiftool_reads_the_same_tags(tmp_path: Path) -> None:
    import json  # noqa: PLC0415  (only here)
    import shutil  # noqa: PLC0415
    import subprocess  # noqa: PLC0415

    if not shutil.which("exiftool"):
        pytest.skip("exiftool is not installed")
    data = tif.build(values("u1", 3), TAGS, tags_first=True)
    (tmp_path / "a.tif").write_bytes(data)
    (tmp_path / "b.tif").write_bytes(cropped(data).data)
    command = ["exiftool", "-j", "-G1", "-a", "-u", "a.tif", "b.tif"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    before, after = json.loads(ended.stdout)
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    sides = {"ImageWidth", "ImageHeight", "ExifImageWidth", "ExifImageHeight", "ImageSize"}
    sides |= {"StripOffsets", "StripByteCounts", "RowsPerStrip", "SubjectArea", "Megapixels"}
    sides |= {"FileName", "FileSize", "FileModifyDate", "FileAccessDate", "FileInodeChangeDate"}
    assert {key.split(":")[-1] for key in changed} <= sides | {"SourceFile", "ImageLength"}


def strange(kind: str) -> bytes:
    """The photo in kinds of pixels that Pillow does not open."""
    photo = np.asarray(pictures.photo(80, 60))
    made: dict[str, tuple[Pixels, dict[str, Any]]] = {
        "five channels": (np.dstack([photo, photo[..., :2]]), {"photometric": "rgb"}),
        "floats": (photo.astype(np.float32) / 255, {}),
        "32 bits": (photo.astype(np.uint32) << 24, {}),
        "inks of 16 bits": (
            np.dstack([65535 - photo.astype(np.uint16) * 257, np.zeros((60, 80), np.uint16)]),
            {"photometric": "separated"},
        ),
    }
    pixels, options = made[kind]
    return written(pixels, planarconfig="contig", **options)


@pytest.mark.parametrize("kind", ["five channels", "floats", "32 bits", "inks of 16 bits"])
def test_what_pillow_does_not_open_is_shown_all_the_same(kind: str) -> None:
    data = strange(kind)
    assert held(data, PixelBox(7, 5, 61, 43))
    shown = Image.open(BytesIO(preview(data, NAME, Size(80, 60))))
    meant = np.asarray(pictures.photo(80, 60), float)
    if kind in (
        "floats",
        "32 bits",
    ):  # of no known range: from what is darkest to what is brightest
        meant = (meant - meant.min()) * 255 / np.ptp(meant)
    assert np.abs(np.asarray(shown, float) - meant).mean() < 6


def test_odd_depths_that_nobody_shows_are_refused_in_a_preview_and_cropped() -> None:
    data = written(values("u2", 3), bitspersample=10)
    with pytest.raises(errors.UnsupportedDepth):
        preview(data, NAME, Size(9, 9))
    assert held(data)
