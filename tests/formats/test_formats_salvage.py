"""What can be read of a damaged file is cropped where the person says so, and told as degraded."""

import zlib
from io import BytesIO

import jpeg_builder as jpg
import numpy as np
import pictures
import png_builder as png
import pytest
from PIL import Image, ImageFile

from cropkit import errors, formats
from cropkit.formats.options import Jpeg, Options
from cropkit.geometry import PixelBox

SALVAGE = Options(salvage=True)
PHOTO = pictures.photo(160, 240)
WHOLE = jpg.build([(0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0")], PHOTO)
CUT = WHOLE[: len(WHOLE) * 5 // 8]
SAMPLES = png.values(2, 8, 160, 120)


def cropped(data: bytes, name: str, box: PixelBox, options: Options = SALVAGE) -> formats.Candidate:
    candidate = formats.crop(data, name, box, options)
    formats.verify(candidate.data, candidate, name)
    return candidate


def readable(data: bytes, name: str, options: Options = SALVAGE) -> int:
    """How many rows there are: the largest box that is cropped."""
    size = formats.read_header(data, name, options).size
    rows = 0
    for bottom in range(8, size.height + 1, 8):
        try:
            formats.crop(data, name, PixelBox(0, 0, size.width, bottom), options)
        except errors.Truncated:
            break
        rows = bottom
    return rows


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)), int)


@pytest.mark.parametrize("data", [CUT, CUT + b"\xff\xdb\0\0"], ids=["cut", "then no segment"])
@pytest.mark.parametrize("mode", Jpeg, ids=str)
def test_the_rows_of_a_jpeg_that_are_there_are_those_of_the_whole_one(
    mode: Jpeg, data: bytes
) -> None:
    options = Options(mode, salvage=True)
    with pytest.raises(errors.Truncated, match="--salvage"):
        formats.read_header(data, "a.jpg", Options(mode))
    rows = readable(data, "a.jpg", options)
    assert 80 <= rows <= 160
    assert rows % 16 == 0
    candidate = cropped(data, "a.jpg", PixelBox(16, 16, 112, rows), options)
    sound = cropped(WHOLE, "a.jpg", PixelBox(16, 16, 112, rows), options)
    assert np.array_equal(decoded(candidate.data), decoded(sound.data))
    assert str(candidate.degraded).startswith(f"salvaged: {rows} of 240 rows can be read")
    assert not any("damaged pixels" in item for item in candidate.patched)


def test_a_box_that_reaches_beyond_what_is_there_is_refused_and_told_where_it_ends() -> None:
    rows = readable(CUT, "a.jpg")
    with pytest.raises(errors.Truncated, match=f"what can be read is 0,0,160,{rows}"):
        formats.crop(CUT, "a.jpg", PixelBox(0, 0, 160, rows + 1), SALVAGE)


def test_what_is_there_of_a_turned_picture_is_told_upright() -> None:
    exif = pictures.exif_bytes(orientation=6)
    data = jpg.build([(0xE1, exif)], PHOTO)
    cut = data[: len(data) - (len(WHOLE) - len(CUT))]
    with pytest.raises(errors.Truncated, match=r"what can be read is \d+,0,240,160"):
        formats.crop(cut, "a.jpg", PixelBox(0, 0, 240, 160), SALVAGE)


def test_a_progressive_jpeg_that_is_cut_has_all_rows_with_less_detail() -> None:
    data = jpg.build([], PHOTO, progressive=True)
    cut = data[: len(data) * 5 // 8]
    candidate = cropped(cut, "a.jpg", PixelBox(0, 0, 160, 240))
    assert "240 of 240 rows" in str(candidate.degraded)
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        seen = decoded(cut)
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    assert np.abs(seen - decoded(candidate.data)).mean() < 4  # viewers smooth what lacks detail


def test_a_jpeg_that_is_cut_before_its_pixels_is_refused() -> None:
    at = WHOLE.index(b"\xff\xda")
    for length in (at - 3, at + 20):
        with pytest.raises(errors.Truncated):
            formats.read_header(WHOLE[:length], "a.jpg", SALVAGE)


def in_pieces(stream: bytes) -> list[tuple[str, bytes]]:
    return [("IDAT", stream[at : at + 4096]) for at in range(0, len(stream), 4096)]


def damaged() -> dict[str, bytes]:
    whole = png.build(SAMPLES, 2, 8)
    head, end = png.chunks(whole)[0], ("IEND", b"")
    stream = zlib.compress(zlib.decompress(png.idat(whole)))
    half = len(stream) // 2
    begun = zlib.compressobj()
    wrong = begun.compress(zlib.decompress(stream)[: 50 * 481]) + begun.flush(zlib.Z_FULL_FLUSH)
    wrong += b"\x07" + stream[half:]  # a block of a kind that does not exist
    pieces = in_pieces(stream)
    broken = png.chunk(*pieces[5])
    sound = png.assembled([head, *pieces, end])
    beyond = sound.index(broken)
    rows = bytearray(zlib.decompress(png.idat(whole)))
    rows[60 * 481] = 9
    return {
        "cut in its pixels": sound[: len(sound) // 2],
        "without its last pixels": png.assembled([head, *in_pieces(stream[:half]), end]),
        "a stream that breaks": png.assembled([head, *in_pieces(wrong), end]),
        "a chunk of a wrong checksum": sound.replace(broken, broken[:9] + b"oops" + broken[13:]),
        "no chunk behind some pixels": sound[:beyond] + b"\0\0\0\1????oops" + sound[beyond:],
        "a filter that does not exist": png.assembled(
            [head, *in_pieces(zlib.compress(bytes(rows))), end]
        ),
        "interlaced, cut in its last pass": png.build(SAMPLES, 2, 8, interlace=True)[:-9000],
    }


@pytest.mark.parametrize("name", damaged())
def test_the_rows_of_a_png_that_are_there_are_exactly_those_of_the_whole_one(name: str) -> None:
    data = damaged()[name]
    with pytest.raises((errors.Truncated, errors.CorruptImage)):
        formats.crop(data, "a.png", PixelBox(0, 0, 160, 120))
    rows = readable(data, "a.png")
    assert 24 <= rows < 120
    candidate = cropped(data, "a.png", PixelBox(16, 8, 112, rows))
    assert np.array_equal(png.read(candidate.data)[1], SAMPLES[8:rows, 16:112])
    assert str(candidate.degraded).startswith("salvaged: ")
    again = cropped(candidate.data, "a.png", PixelBox(0, 0, 96, rows - 8), Options())
    assert again.degraded is None


def test_what_stands_behind_the_damage_goes_and_is_told() -> None:
    data = damaged()["no chunk behind some pixels"]
    dropped = dict(cropped(data, "a.png", PixelBox(0, 0, 160, 24)).dropped)
    assert any("bytes behind the damage" in item for item in dropped)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_sound_file_is_cropped_as_ever(name: str) -> None:
    data = WHOLE if name == "a.jpg" else png.build(SAMPLES, 2, 8)
    box = PixelBox(16, 16, 112, 96)
    assert cropped(data, name, box) == cropped(data, name, box, Options())


def test_a_png_without_a_row_is_refused() -> None:
    head, *_ = png.chunks(png.build(SAMPLES, 2, 8))
    with pytest.raises(errors.Truncated):
        formats.read_header(png.assembled([head, ("IDAT", b"\x78\x9c")]), "a.png", SALVAGE)
