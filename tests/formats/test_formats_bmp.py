import struct
from io import BytesIO
from typing import Any

import bmp_builder as bmp
import numpy as np
import pictures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from strategies import boxes_in

from cropkit import errors, formats
from cropkit.formats import bmp as written
from cropkit.geometry import PixelBox, Size

NAME = "picture.bmp"
BOX = PixelBox(3, 2, 17, 12)
KINDS: dict[str, dict[str, Any]] = {
    "1 bit": {"bits": 1},
    "4 bits": {"bits": 4},
    "8 bits": {"bits": 8},
    "8 bits, old header": {"bits": 8, "header": bmp.CORE},
    "24 bits": {"bits": 24},
    "24 bits, old header": {"bits": 24, "header": bmp.CORE},
    "24 bits, top down": {"bits": 24, "top_down": True},
    "4 bits, top down": {"bits": 4, "top_down": True},
    "16 bits": {"bits": 16},
    "16 bits, 5-6-5": {"bits": 16, "masks": bmp.MASKS_565},
    "32 bits": {"bits": 32},
    "32 bits, alpha": {"bits": 32, "header": bmp.V4, "masks": bmp.MASKS_8888},
    "32 bits, top down": {"bits": 32, "header": bmp.V5, "masks": bmp.MASKS_8888, "top_down": True},
    "profile": {"bits": 24, "header": bmp.V5, "profile": pictures.icc_profile()},
    "gap": {"bits": 24, "extra": b"whatever stands here"},
}


def values(bits: int, width: int = 21, height: int = 13, seed: int = 0) -> bmp.Values:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << bits, (height, width), dtype=np.uint64).astype(np.uint32)


def cropped(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    candidate = formats.crop(data, NAME, box)
    return formats.verify(candidate.data, candidate, NAME)


@pytest.mark.parametrize("kind", KINDS)
def test_header_palette_and_profile_are_carried_around_the_pixels(kind: str) -> None:
    given_values = values(KINDS[kind]["bits"])
    data = bmp.build(given_values, **KINDS[kind])
    after = cropped(data).data
    head, found, tail = bmp.read(after)
    assert np.array_equal(found, given_values[2:12, 3:17])
    meant = bmp.build(given_values[2:12, 3:17], **KINDS[kind])
    assert (head, tail) == (bmp.read(meant)[0], bmp.read(data)[2])
    assert after == meant


@settings(max_examples=60, deadline=None)
@given(draw=st.data(), kind=st.sampled_from(sorted(KINDS)))
def test_any_box_of_any_kind_holds_exactly_its_pixels(draw: st.DataObject, kind: str) -> None:
    size = Size(draw.draw(st.integers(1, 19)), draw.draw(st.integers(1, 11)))
    box = draw.draw(boxes_in(size))
    given_values = values(KINDS[kind]["bits"], size.width, size.height, box.left)
    _, found, _ = bmp.read(cropped(bmp.build(given_values, **KINDS[kind]), box).data)
    assert np.array_equal(found, given_values[box.top : box.bottom, box.left : box.right])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_pillow_sees_the_same(mode: str) -> None:
    source = pictures.photo(40, 30).convert(mode)
    data = pictures.encoded(source, "BMP", dpi=(300, 300))
    before, after = Image.open(BytesIO(data)), Image.open(BytesIO(cropped(data).data))
    assert after.mode == before.mode
    assert after.tobytes() == before.crop(BOX.xyxy).tobytes()
    assert after.info["dpi"] == before.info["dpi"]


def test_a_length_left_at_zero_stays_so() -> None:
    data = bytearray(bmp.build(values(24), 24))
    data[34:38] = bytes(4)
    assert cropped(bytes(data)).data[34:38] == bytes(4)


def changed(at: int, kind: str, *numbers: int) -> bytes:
    data = bytearray(bmp.build(values(24), 24))
    struct.pack_into(kind, data, at, *numbers)
    return bytes(data)


WITH_PROFILE = bytearray(bmp.build(values(24), **KINDS["profile"]))
struct.pack_into("<I", WITH_PROFILE, 126, 30)
REFUSED = {
    "run lengths": ("UnsupportedFormat", changed(30, "<I", 1)),
    "a picture of another format": ("UnsupportedFormat", changed(30, "<I", 5)),
    "profile elsewhere": ("UnsupportedFormat", bytes(WITH_PROFILE)),
    "many pixels": ("TooLarge", changed(18, "<ii", 1 << 20, 1 << 20)),
    "data after the end": ("TrailingData", bmp.build(values(24), 24) + b"more"),
    "no width": ("CorruptImage", changed(18, "<i", 0)),
    "negative width": ("CorruptImage", changed(18, "<i", -5)),
    "no height": ("CorruptImage", changed(22, "<i", 0)),
    "odd depth": ("CorruptImage", changed(28, "<H", 7)),
    "odd header": ("CorruptImage", changed(14, "<I", 41)),
    "no room": ("Truncated", changed(10, "<I", 20)),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_cropped_faithfully_is_refused_by_name(why: str) -> None:
    code, data = REFUSED[why]
    with pytest.raises(getattr(errors, code), match=NAME):
        formats.read_header(data, NAME)


def test_a_file_cut_off_anywhere_is_refused() -> None:
    data = bmp.build(values(8), 8)
    for end in range(len(data) - 1):
        with pytest.raises(errors.Refused, match=NAME):
            formats.crop(data[:end], NAME, BOX)


def test_a_byte_that_changed_anywhere_does_not_verify() -> None:
    candidate = formats.crop(bmp.build(values(24), 24), NAME, BOX)
    for at in range(len(candidate.data)):
        row = (at - 54) % 44  # 14 pixels of 3 bytes, and 2 of padding
        if at >= 54 and row >= 42:
            continue
        damaged = bytearray(candidate.data)
        damaged[at] ^= 1
        with pytest.raises(errors.VerificationFailed, match=NAME):
            formats.verify(bytes(damaged), candidate, NAME)


def test_other_pixels_than_those_meant_do_not_verify() -> None:
    candidate = formats.crop(bmp.build(values(24), 24), NAME, BOX)
    proof = candidate.proof
    assert isinstance(proof, written.Proof)
    upside_down = proof.picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    wrong = written.Proof(proof.layout, proof.rows, upside_down)
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        written.verify(candidate.data, wrong, NAME)
