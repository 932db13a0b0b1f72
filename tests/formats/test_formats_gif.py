import struct
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pictures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from strategies import boxes_in

from cropkit import errors, formats
from cropkit.formats import gif
from cropkit.geometry import PixelBox, Size

NAME = "picture.gif"
SIZE, BOX = Size(40, 30), PixelBox(5, 3, 31, 27)
COMMENT = b"!\xfe\x05hello\x06 there\0"
CONTROL = b"!\xf9\x04\x01\x0a\0\x03\0"
LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
MAGIC = b"\x01" + bytes(range(255, -1, -1)) + b"\0"  # Adobe's trailer: XMP specification, part 3
XMP = b"!\xff\x0bXMP DataXMP<x tiff:ImageWidth='40' tiff:ImageLength='30'/>" + MAGIC


def indices(size: Size = SIZE, colours: int = 16, seed: int = 0) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, colours, (size.height, size.width), dtype=np.uint8)


def coded(values: npt.NDArray[np.uint8], bits: int, *, interlaced: bool = False) -> bytes:
    """Codes that never use the table: a clear code before it grows (GIF89a, appendix F)."""
    rows = list(range(len(values)))
    if interlaced:
        rows = [y for a, b in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(a, len(values), b)]
    flat = [int(v) for y in rows for v in values[y]]
    clear, width, text = 1 << bits, bits + 1, []
    for at, value in enumerate(flat):
        if at % ((1 << bits) - 2) == 0:
            text.append(clear)
        text.append(value)
    text.append(clear + 1)
    number = sum(code << width * i for i, code in enumerate(text))
    data = number.to_bytes(-(-width * len(text) // 8), "little")
    chunks = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(chunk)]) + chunk for chunk in chunks)


def build(
    values: npt.NDArray[np.uint8],
    *,
    bits: int = 4,
    place: tuple[int, int] = (0, 0),
    screen: Size | None = None,
    interlaced: bool = False,
    local: bool = False,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    height, width = values.shape
    whole = screen or Size(width, height)
    table = bytes((i * 29 + c * 3) % 256 for i in range(1 << bits) for c in range(3))
    has = 0x80 | (bits - 1)
    head = struct.pack("<6sHHBBB", b"GIF89a", whole.width, whole.height, 0x70 | has, 2, 0)
    flags = 0x40 * interlaced | has * local
    descriptor = struct.pack("<BHHHHB", 0x2C, *place, width, height, flags)
    data = bytes([bits]) + coded(values, bits, interlaced=interlaced) + b"\0"
    return head + table + before + descriptor + table * local + data + after + b";"


def cropped(data: bytes, box: PixelBox = BOX) -> formats.Candidate:
    candidate = formats.crop(data, NAME, box)
    return formats.verify(candidate.data, candidate, NAME)


def decoded(data: bytes) -> npt.NDArray[Any]:
    return np.asarray(Image.open(BytesIO(data)))


@settings(max_examples=60, deadline=None)
@given(draw=st.data(), bits=st.integers(2, 8), interlaced=st.booleans(), local=st.booleans())
def test_any_box_holds_exactly_its_indices(
    draw: st.DataObject,
    bits: int,
    interlaced: bool,  # noqa: FBT001  (a parameter of the test)
    local: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    size = Size(draw.draw(st.integers(1, 40)), draw.draw(st.integers(1, 30)))
    box = draw.draw(boxes_in(size))
    values = indices(size, 1 << bits, box.left)
    data = build(values, bits=bits, interlaced=interlaced, local=local)
    after = cropped(data, box).data
    assert np.array_equal(decoded(after), values[box.top : box.bottom, box.left : box.right])
    assert Image.open(BytesIO(after)).getpalette() == Image.open(BytesIO(data)).getpalette()


def test_every_block_is_carried_byte_for_byte() -> None:
    data = build(indices(), before=COMMENT + CONTROL + LOOP, after=XMP + COMMENT)
    candidate = cropped(data)
    after = candidate.data
    assert after[:6] + after[10:61] == data[:6] + data[10:61]
    assert after[6:10] == struct.pack("<HH", 26, 24)
    assert after[61:].startswith(COMMENT + CONTROL + LOOP + b",")
    told = XMP.replace(b"'40'", b"'26'").replace(b"'30'", b"'24'")
    assert after.endswith(told + COMMENT + b";")
    picture = Image.open(BytesIO(after))
    assert picture.info["transparency"] == 3
    assert picture.info["comment"] == b"hello there"
    assert "application NETSCAPE" in candidate.kept


def test_xmp_without_its_end_is_carried_as_it_is() -> None:
    packet = b"<x tiff:ImageWidth='40'/>".ljust(0x3D, b" ") + b"\0"
    block = b"!\xff\x0bXMP DataXMP" + packet
    candidate = cropped(build(indices(), before=block))
    assert block in candidate.data
    assert "application XMP Data" in candidate.kept


def test_interlacing_and_depth_of_codes_are_kept() -> None:
    data = build(indices(), interlaced=True)
    after = cropped(data).data
    start = after.index(b",", 61)
    assert after[start + 9] & 0x40
    assert after[start + 10] == 4


@pytest.mark.parametrize(
    ("box", "place", "size"),
    [
        (PixelBox(0, 0, 60, 50), (10, 8), (40, 30)),
        (PixelBox(20, 20, 60, 50), (0, 0), (30, 18)),
        (PixelBox(5, 2, 15, 12), (5, 6), (5, 4)),
    ],
)
def test_a_picture_that_is_smaller_than_its_screen_stays_in_its_place(
    box: PixelBox, place: tuple[int, int], size: tuple[int, int]
) -> None:
    data = build(indices(), place=(10, 8), screen=Size(60, 50), before=CONTROL)
    after = cropped(data, box).data
    start = after.index(b",", 61) + 1
    assert struct.unpack_from("<HHHH", after, start) == (*place, *size)
    before = Image.open(BytesIO(data)).convert("RGBA").crop(box.xyxy)
    assert Image.open(BytesIO(after)).convert("RGBA").tobytes() == before.tobytes()


def test_a_box_of_the_empty_screen_is_refused() -> None:
    data = build(indices(), place=(10, 8), screen=Size(60, 50))
    with pytest.raises(errors.BadBox):
        formats.crop(data, NAME, PixelBox(0, 0, 10, 50))


@pytest.mark.parametrize("mode", ["P", "L", "1"])
def test_what_pillow_writes_is_cut_as_pillow_sees_it(mode: str) -> None:
    photo = pictures.photo(120, 90)
    source = photo.quantize(200) if mode == "P" else photo.convert(mode)
    data = pictures.encoded(source, "GIF", interlace=mode == "P")
    before, after = Image.open(BytesIO(data)), Image.open(BytesIO(cropped(data).data))
    assert after.mode == before.mode
    assert after.tobytes() == before.crop(BOX.xyxy).tobytes()


PLAIN_TEXT = b"!\x01\x0c" + struct.pack("<HHHHBBBB", 0, 0, 40, 30, 8, 8, 1, 0) + b"\x02hi\0"
MOVING = pictures.encoded(
    pictures.photo(40, 30), "GIF", save_all=True, append_images=[pictures.photo(40, 30, 1)]
)
HUGE = bytearray(build(indices()))
struct.pack_into("<HH", HUGE, 6, 65535, 65535)
REFUSED = {
    "animation": ("AnimatedImage", MOVING),
    "text": ("UnsupportedFormat", build(indices(), before=PLAIN_TEXT)),
    "data after the end": ("TrailingData", build(indices()) + b"more"),
    "no picture": ("CorruptImage", build(indices())[:61] + COMMENT + b";"),
    "many pixels": ("TooLarge", bytes(HUGE)),
    "odd block": ("CorruptImage", build(indices(), before=b"?!")),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_cropped_faithfully_is_refused_by_name(why: str) -> None:
    code, data = REFUSED[why]
    with pytest.raises(getattr(errors, code), match=NAME):
        formats.read_header(data, NAME)


def test_a_file_cut_off_anywhere_is_refused() -> None:
    data = build(indices(), before=COMMENT, local=True)
    for end in range(len(data)):
        with pytest.raises(errors.Refused, match=NAME):
            formats.crop(data[:end], NAME, BOX)


def test_a_byte_that_changed_anywhere_does_not_verify() -> None:
    candidate = formats.crop(build(indices(), before=COMMENT), NAME, BOX)
    for at in range(len(candidate.data)):
        damaged = bytearray(candidate.data)
        damaged[at] ^= 1
        with pytest.raises(errors.VerificationFailed, match=NAME):
            formats.verify(bytes(damaged), candidate, NAME)


def test_other_indices_than_those_meant_do_not_verify() -> None:
    candidate = formats.crop(build(indices()), NAME, BOX)
    proof = candidate.proof
    assert isinstance(proof, gif.Proof)
    wrong = proof.indices.copy()
    wrong[7, 7] ^= 1
    with pytest.raises(errors.VerificationFailed, match="pixels"):
        gif.verify(candidate.data, gif.Proof(proof.container, wrong), NAME)
