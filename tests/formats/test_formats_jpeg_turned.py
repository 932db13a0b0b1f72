"""A JPEG is turned by its blocks: other places and signs of the same numbers, and no other one."""

import itertools
from collections.abc import Callable
from io import BytesIO
from typing import Any

import jpeg_decoder
import numpy as np
import numpy.typing as npt
import pictures
import pytest
from jpeg_decoder import Decoded
from PIL import Image
from test_formats_gain_map import both as apart
from test_formats_gain_map import samples
from test_formats_jpeg_lossless import SIZE, SOURCES
from ultra_hdr_builder import HEIGHT, SCALE, WIDTH, gain_map, ultra_hdr

from cropkit import errors, formats
from cropkit.formats.jpeg import lossless, segments
from cropkit.formats.options import Jpeg
from cropkit.formats.turning import turned
from cropkit.geometry import PixelBox, Size, Turn

NAME = "picture.jpg"
BOX = PixelBox(37, 27, 121, 99)
TURNS = [Turn(number) for number in range(2, 9)]
each_turn = pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.text)
_AT = np.arange(8)
_DCT = np.cos((2 * _AT[None] + 1) * _AT[:, None] * np.pi / 16) * np.where(
    _AT[:, None], 0.5, 8**-0.5
)
Samples = npt.NDArray[np.float64]


def cropped(data: bytes, box: PixelBox, turn: Turn, **how: Any) -> formats.Candidate:
    options = formats.Options(**how)
    candidate = formats.crop(data, NAME, box, options, turn)
    assert formats.applied(formats.read_header(data, NAME), box, options, turn) == (
        candidate.box_applied
    )
    return formats.verify(candidate.data, candidate, NAME)


def planes(image: Decoded) -> list[Samples]:
    """Return the samples of each component, of whole blocks, as real numbers."""
    made = []
    for plane in image.planes:
        table = np.asarray(image.tables[plane.table], float)
        blocks = (plane.blocks * table).reshape(plane.rows, plane.columns, 8, 8)
        squares = np.einsum("uy,rcuv,vx->rcyx", _DCT, blocks, _DCT)
        made.append(squares.swapaxes(1, 2).reshape(8 * plane.rows, 8 * plane.columns))
    return made


def inside(image: Decoded, box: PixelBox) -> list[Samples]:
    """Return what a stored box with its corner on the grid has of each component."""
    most = image.most
    return [
        samples[
            box.top * p.v // most[1] : -(-box.bottom * p.v // most[1]),
            box.left * p.h // most[0] : -(-box.right * p.h // most[0]),
        ]
        for p, samples in zip(image.planes, planes(image), strict=True)
    ]


def same_in_whole_blocks(after: Samples, meant: Samples) -> bool:
    height, width = (side // 8 * 8 for side in meant.shape)
    return np.allclose(after[:height, :width], meant[:height, :width], atol=1e-6)


@each_turn
@pytest.mark.parametrize("kind", SOURCES)
def test_whole_blocks_show_what_they_showed(kind: str, turn: Turn) -> None:
    """By another decoder, and an inverse transform in real numbers, of any coding and sampling."""
    data = SOURCES[kind]
    try:
        candidate = cropped(data, BOX, turn)
    except errors.UnsuitableTurn:  # the grid is coarser than what is left beside the box
        grid = lossless.grid(segments.parse(data, NAME))
        assert -BOX.right % grid.width > SIZE[0] - BOX.right or (
            -BOX.bottom % grid.height > SIZE[1] - BOX.bottom
        )
        return
    before, after = jpeg_decoder.decode(data), jpeg_decoder.decode(candidate.data)
    for was, now in zip(inside(before, candidate.box_applied), planes(after), strict=True):
        assert same_in_whole_blocks(now, turned(was, turn.orientation))
    assert Size(*after.size) == candidate.box_applied.size.turned(turn)
    assert (after.restart, after.progressive) == (before.restart, before.progressive)
    assert candidate.psnr is None
    assert candidate.degraded is None


@each_turn
def test_back_and_forth_is_the_same_file_in_numbers(turn: Turn) -> None:
    data = SOURCES["4:2:0"]
    whole = PixelBox(0, 0, *SIZE)
    there = cropped(data, whole, turn).data
    size = Size(*SIZE).turned(turn)
    back = cropped(there, PixelBox.full(size), turn.inverse).data
    for was, now in zip(
        jpeg_decoder.decode(data).planes, jpeg_decoder.decode(back).planes, strict=True
    ):
        assert np.array_equal(was.blocks, now.blocks)


@each_turn
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_seen_as_it_was_meant_whatever_it_said_of_itself(
    orientation: int, turn: Turn
) -> None:
    photo = pictures.photo(160, 112)
    exif = pictures.exif_bytes(orientation=orientation)
    data = pictures.encoded(photo, "JPEG", quality=95, subsampling="4:4:4", exif=exif)
    upright = Size(160, 112).oriented(orientation)
    candidate = cropped(data, PixelBox.full(upright), turn)
    picture = Image.open(BytesIO(candidate.data))
    assert picture.getexif()[0x0112] == 1
    plain = np.asarray(Image.open(BytesIO(data)))
    both = Turn(orientation).then(turn)
    apart = np.asarray(picture).astype(int) - turned(plain, both.orientation)
    assert np.abs(apart).max() <= 4  # as two orders of adding up round


def test_an_edge_that_comes_first_moves_out_to_the_grid() -> None:
    data = SOURCES["4:2:0"]
    sides = {turn.text: cropped(data, BOX, turn).box_applied.xyxy for turn in TURNS}
    assert sides["horizontal"] == (32, 16, 128, 99)
    assert sides["vertical"] == (32, 16, 121, 112)
    assert sides["180"] == sides["270 horizontal"] == (32, 16, 128, 112)
    assert sides["90 horizontal"] == (32, 16, 121, 99)
    assert sides["90"] == (32, 16, 121, 112)
    assert sides["270"] == (32, 16, 128, 99)


def test_a_last_block_that_is_not_whole_is_refused_with_the_cure() -> None:
    data = pictures.encoded(pictures.photo(150, 130), "JPEG")
    whole = PixelBox(0, 0, 150, 130)
    with pytest.raises(errors.UnsuitableTurn, match="at 150 instead of 144") as refused:
        cropped(data, whole, Turn.of(0, "horizontal"))
    assert all(cure in str(refused.value) for cure in ("--copy-to", "--jpeg exact"))
    with pytest.raises(errors.UnsuitableTurn, match="height ends within a block, at 130"):
        cropped(data, whole, Turn.of(90))
    cropped(data, PixelBox(0, 0, 144, 130), Turn.of(0, "horizontal"))
    cropped(data, whole, Turn.of(90, "horizontal"))  # what is cut stays behind
    cropped(data, whole, Turn.of(90), jpeg=Jpeg.EXACT)


def refusal(function: Callable[..., object], *arguments: object) -> str:
    try:
        function(*arguments)
    except errors.UnsuitableTurn as error:
        return str(error)
    return ""


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_what_is_refused_is_known_by_the_header(orientation: int) -> None:
    exif = pictures.exif_bytes(orientation=orientation)
    data = pictures.encoded(pictures.photo(150, 130), "JPEG", exif=exif)
    header, refused = formats.read_header(data, NAME), set[bool]()
    boxes = (PixelBox.full(header.size), PixelBox(0, 0, 112, 112), PixelBox(16, 16, 126, 100))
    ways = (formats.Options(), formats.Options(jpeg=Jpeg.EXACT))
    for turn, box, options in itertools.product([*TURNS, Turn(1, 10)], boxes, ways):
        if turn.resamples and box != boxes[2]:
            continue  # they reach outside
        words = refusal(formats.crop, data, NAME, box, options, turn)
        assert refusal(formats.check_turn, header, box, options, turn, NAME) == words
        refused.add(bool(words))
    assert refused == {True, False}


def test_dots_to_an_inch_are_those_of_the_other_side() -> None:
    data = pictures.encoded(pictures.photo(96, 96), "JPEG", dpi=(72, 144))
    candidate = cropped(data, PixelBox(0, 0, 96, 96), Turn.of(90))
    assert Image.open(BytesIO(candidate.data)).info["dpi"] == (144, 72)


def test_what_the_edge_hides_is_made_anew() -> None:
    """Of two sources that differ only in what is cropped out, the turned crops are the same."""
    photo, other = pictures.photo(160, 128), pictures.photo(160, 128)
    data = pictures.encoded(photo, "JPEG", quality=100, subsampling="4:4:4")
    turn = Turn.of(90, "horizontal")
    box = PixelBox(16, 16, 100, 100)
    other.paste((255, 0, 0), (104, 0, 160, 128))
    changed = pictures.encoded(other, "JPEG", quality=100, subsampling="4:4:4")
    first, second = cropped(data, box, turn), cropped(changed, box, turn)
    assert any("blocks at the edge: what they hid is made anew" in item for item in first.patched)
    assert first.data == second.data


@each_turn
def test_a_wrong_place_or_sign_is_noticed_when_it_is_read_back(turn: Turn) -> None:
    data = SOURCES["4:4:4"]
    candidate = formats.crop(data, NAME, PixelBox(0, 0, *SIZE), turn=turn)
    other = formats.crop(data, NAME, PixelBox(0, 0, *SIZE), turn=turn.then(Turn(3)))
    with pytest.raises(errors.VerificationFailed):
        formats.verify(other.data, candidate, NAME)


@each_turn
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_gain_map_is_turned_with_its_image(orientation: int, turn: Turn) -> None:
    data = ultra_hdr(orientation=orientation)
    box = PixelBox(70, 50, 300, 290)
    candidate = cropped(data, box, turn)
    both = Turn(orientation).then(turn)
    image, small = (segments.parse(part, NAME) for part in apart(candidate.data))
    assert (SCALE * small.size.width, SCALE * small.size.height) == (
        image.size.width,
        image.size.height,
    )
    upright = Size(WIDTH, HEIGHT).oriented(orientation)
    stored = candidate.box_applied.stored(upright, orientation)
    left, top, right, bottom = (side // SCALE for side in stored.xyxy)
    meant = turned(samples(gain_map())[top:bottom, left:right], both.orientation)
    read = samples(apart(candidate.data)[1])
    high, wide = (side // 8 * 8 for side in read.shape)
    assert np.abs(read[:high, :wide].astype(int) - meant[:high, :wide]).max() <= 2
