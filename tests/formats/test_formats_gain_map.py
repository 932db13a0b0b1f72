"""An image and its gain map are cropped together: the same samples above the same pixels."""

import json
import re
import struct
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import exiftool
import jpeg_builder as jpg
import numpy as np
import numpy.typing as npt
import pictures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from ultra_hdr_builder import (
    HEIGHT,
    ISO,
    OF_MAP,
    PHOTO,
    SCALE,
    WIDTH,
    XMP,
    gain_map,
    ultra_hdr,
)

from cropkit import errors, formats
from cropkit.formats import credentials
from cropkit.formats.jpeg import lossless
from cropkit.formats.options import Jpeg, Options
from cropkit.geometry import PixelBox, Size

SOURCE = ultra_hdr()


def cropped(data: bytes, box: PixelBox, options: Options = Options()) -> formats.Candidate:  # noqa: B008  (frozen)
    candidate = formats.crop(data, "a.jpg", box, options)
    formats.verify(candidate.data, candidate, "a.jpg")
    return candidate


def both(data: bytes) -> tuple[bytes, bytes]:
    """Return the image and its map, by the index alone."""
    start = data.index(b"MPF\0") + 4
    order = "<" if data[start : start + 2] == b"II" else ">"
    entry = data.index(struct.pack(f"{order}HHI", 0xB002, 7, 32), start)
    at = start + struct.unpack_from(f"{order}I", data, entry + 8)[0]
    own, first, length, offset = (
        struct.unpack_from(f"{order}I", data, at + n)[0] for n in (4, 8, 20, 24)
    )
    assert first == 0
    assert start + offset + length == len(data)
    return data[:own], data[start + offset :][:length]


def samples(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(BytesIO(data)))


@settings(max_examples=30)
@given(st.integers(0, 500), st.integers(0, 380), st.integers(8, 140), st.integers(8, 100))
def test_the_map_lies_above_the_pixels_that_it_was_made_for(
    left: int, top: int, width: int, height: int
) -> None:
    box = PixelBox(left, top, min(WIDTH, left + width), min(HEIGHT, top + height))
    candidate = cropped(SOURCE, box)
    applied = candidate.box_applied
    assert applied == formats.applied(formats.read_header(SOURCE, "a.jpg"), box)
    assert all(side % SCALE == 0 for side in applied.xyxy)
    assert applied.left <= box.left
    assert applied.right >= box.right
    image, small = (samples(part) for part in both(candidate.data))
    assert image.shape[:2] == (SCALE * small.shape[0], SCALE * small.shape[1])
    corner = (applied.left // SCALE, applied.top // SCALE)
    source = samples(gain_map())[corner[1] :, corner[0] :][: small.shape[0], : small.shape[1]]
    whole = (small.shape[0] // 8 * 8, small.shape[1] // 8 * 8)
    assert np.array_equal(small[: whole[0], : whole[1]], source[: whole[0], : whole[1]])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_tells_of_lengths_and_places_is_true_again(order: str, orientation: int) -> None:
    data = ultra_hdr(order=order, orientation=orientation)
    size = formats.read_header(data, "a.jpg").size
    box = PixelBox(70, 50, size.width - 100, size.height - 90)
    candidate = cropped(data, box)
    image, small = both(candidate.data)
    assert image + small == candidate.data
    assert {"APP1 XMP", "APP2 MPF"} <= {*candidate.patched}
    assert "APP1 XMP" not in candidate.kept
    assert re.findall(rb"Item:Length='(\d+)'", candidate.data) == [b"%d" % len(small)]
    header = formats.read_header(candidate.data, "a.jpg")
    assert header.orientation == orientation
    assert header.size == candidate.box_applied.size
    assert header.step == SCALE
    assert b"hdrgm:GainMapMax='2.5'" in small
    assert ISO in small
    assert ISO in image


def test_exiftool_finds_the_map_where_the_index_says(tmp_path: Path) -> None:
    exiftool.needed()
    (tmp_path / "a.jpg").write_bytes(cropped(SOURCE, PixelBox(70, 50, 470, 350)).data)
    told = subprocess.run(
        ["exiftool", "-b", "-MPImage2", tmp_path / "a.jpg"], check=True, capture_output=True
    )
    assert told.stdout == both((tmp_path / "a.jpg").read_bytes())[1]
    told = subprocess.run(
        ["exiftool", "-j", "-warning", tmp_path / "a.jpg"], check=True, capture_output=True
    )
    assert "Warning" not in json.loads(told.stdout)[0]


def test_a_crop_can_be_cropped_again() -> None:
    first = cropped(SOURCE, PixelBox(64, 64, 448, 320)).data
    again = cropped(first, PixelBox(64, 32, 192, 160)).data
    assert both(again)[1] == both(cropped(SOURCE, PixelBox(128, 96, 256, 224)).data)[1]


@pytest.mark.parametrize("at", [-40, -400])
def test_a_map_that_is_not_the_one_meant_does_not_verify(at: int) -> None:
    candidate = formats.crop(SOURCE, "a.jpg", PixelBox(70, 50, 470, 350))
    written = bytearray(candidate.data)
    written[at] ^= 4
    with pytest.raises(errors.VerificationFailed):
        formats.verify(bytes(written), candidate, "a.jpg")


def test_a_map_of_another_place_does_not_verify_even_where_it_is_believed_to_be_meant() -> None:
    meant = formats.crop(SOURCE, "a.jpg", PixelBox(64, 64, 320, 256))
    other = both(formats.crop(SOURCE, "a.jpg", PixelBox(96, 64, 352, 256)).data)[1]
    assert isinstance(meant.proof, lossless.Proof)
    believed = replace(meant, proof=replace(meant.proof, trailer=other))
    written = both(meant.data)[0] + other
    with pytest.raises(errors.VerificationFailed):
        formats.verify(written, believed, "a.jpg")


def test_other_words_for_a_gain_map_are_known() -> None:
    apple = b"<x:x xmlns:x='x' HDRGainMap:HDRGainMapVersion='65536'/>"
    half = gain_map(pictures.photo(WIDTH // 2, HEIGHT // 2).convert("L"), apple)
    candidate = cropped(ultra_hdr(half), PixelBox(70, 50, 470, 350))
    assert "gain map: cropped with the image, without loss" in candidate.patched
    assert apple in both(candidate.data)[1]


REFUSED = {
    "of another shape": gain_map(pictures.photo(161, 120).convert("L")),
    "that does not divide the image": gain_map(pictures.photo(300, 225).convert("L")),
    "with a video behind it": gain_map() + b"\0\0\0\x18ftypmp42" + bytes(300),
    "with a third picture behind it": gain_map() + gain_map(),
    "that is cut off": gain_map()[:-2],
    "beside a depth map": gain_map(words=OF_MAP.replace(b"hdrgm:G", b"GDepth:Near='1' a:G")),
    "that moves": gain_map(words=OF_MAP.replace(b"hdrgm:Gain", b"GCamera:MotionPhoto='1' a:G")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_map_that_is_no_plain_one_refuses_the_file(what: str) -> None:
    with pytest.raises((errors.GainMap, errors.MultiPage)):
        formats.read_header(ultra_hdr(REFUSED[what]), "a.jpg")


VIDEO = b"\0\0\0\x18ftypmp42" + bytes(12) + b"\0\0\4\0mdat" + bytes(range(256)) * 4


def test_a_video_goes_where_the_person_says_so_and_the_map_stays() -> None:
    moving = ultra_hdr(more=VIDEO)
    with pytest.raises((errors.GainMap, errors.MultiPage)):
        formats.read_header(moving, "a.jpg")
    candidate = cropped(moving, PixelBox(70, 50, 470, 350), Options(drop=frozenset({"motion"})))
    still = cropped(SOURCE, PixelBox(70, 50, 470, 350))
    assert both(candidate.data) == both(still.data)
    assert candidate.dropped[-1][0] == f"video of the motion photo, {len(VIDEO)} bytes"


def test_a_video_behind_a_plain_image_goes_as_well() -> None:
    words = b"<x GCamera:MotionPhoto='1' GCamera:MicroVideoOffset='1060' b='2'/>"
    data = jpg.build([(0xE1, XMP + words)], PHOTO)
    for mode in Jpeg:
        options = Options(jpeg=mode, drop=frozenset({"motion"}))
        candidate = cropped(data + VIDEO, PixelBox(70, 50, 470, 350), options)
        assert candidate.data.endswith(b"\xff\xd9")
        assert (0xE1, XMP + b"<x b='2'/>") in jpg.metadata(candidate.data)
        with pytest.raises(errors.MultiPage):
            formats.read_header(data + VIDEO, "a.jpg", Options(jpeg=mode))


def test_the_very_box_has_no_grid_for_a_map_and_is_refused() -> None:
    with pytest.raises(errors.GainMap):
        formats.read_header(SOURCE, "a.jpg", Options(jpeg=Jpeg.EXACT))


@pytest.mark.parametrize("mode", Jpeg)
def test_a_map_goes_where_the_person_says_so(mode: Jpeg) -> None:
    options = Options(jpeg=mode, drop=frozenset({"gain-map"}))
    candidate = cropped(SOURCE, PixelBox(70, 50, 470, 350), options)
    assert b"hdrgm" not in candidate.data
    assert candidate.data.count(b"\xff\xd8\xff") == 1


def test_an_image_that_is_kept_whole_keeps_its_map_coefficient_by_coefficient() -> None:
    candidate = cropped(SOURCE, PixelBox.full(Size(WIDTH, HEIGHT)))
    assert np.array_equal(samples(both(candidate.data)[1]), samples(gain_map()))


def test_an_image_whose_gain_map_is_cropped_along_is_not_signed() -> None:
    """A manifest before it would shift the places that the index of pictures tells."""
    signed = jpg.segment(0xEB, b"JP\0\1\0\0\0\1....jumbc2pa")
    plain = ultra_hdr()
    at = plain.index(b"\xff\xe2")
    data = plain[:at] + signed + plain[at:]
    with pytest.raises(errors.Provenance):
        formats.opened(data, "x.jpg", Options(signs=True))
    both = Options(drop=frozenset({"provenance"}), signs=True)
    candidate = formats.crop(data, "x.jpg", PixelBox(0, 0, 256, 256), both)
    assert not credentials.is_to_be_signed(candidate)
    alone = Options(drop=frozenset({"gain-map"}), signs=True)
    assert credentials.is_to_be_signed(formats.crop(data, "x.jpg", PixelBox(0, 0, 256, 256), alone))
