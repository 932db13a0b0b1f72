"""BMP: the header is carried around rows of bytes that are cut out as they stand."""

import struct
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile

from cropkit.errors import (
    CorruptImage,
    GainMap,
    TrailingData,
    Truncated,
    UnsupportedFormat,
    VerificationFailed,
)
from cropkit.formats.account import Account, Candidate, Header
from cropkit.formats.bit_rows import Rows, cut_bits
from cropkit.formats.decoder_errors import reading
from cropkit.formats.limits import check_pixels
from cropkit.formats.metadata import colour_profile, inspection
from cropkit.formats.metadata.crop_change import MAY_SHOW, Change, Resampling
from cropkit.formats.options import TRAILING, Options
from cropkit.formats.turning import TRANSPOSES, turned_rows
from cropkit.geometry import PixelBox, Size, Turn

# Windows GDI, "Bitmap Header Types": BITMAPCOREHEADER, BITMAPINFOHEADER and what grew out of it.
_CORE, _INFO, _V4, _V5 = 12, 40, 108, 124
_HEADERS = (_CORE, _INFO, 52, 56, 64, _V4, _V5)
_FILE_HEADER = 14
_MOST_PALETTE, _MASKS = 8, 16  # bits of a pixel that has a palette; bytes of four bit fields
_STORED = {0: (1, 4, 8, 16, 24, 32), 3: (16, 32), 6: (16, 32)}
_CODINGS = {1: "RLE8", 2: "RLE4", 4: "JPEG", 5: "PNG"}
_EMBEDDED = b"DEBM"  # 'MBED', little-endian: the profile is in the file
_PADDING = b"\0"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is; rows stand bottom up but for a negative height."""

    head: bytes
    size: Size
    bits: int
    top_down: bool
    profile: bytes

    @property
    def stride(self) -> int:
        """Bytes in a row: whole words of 32 bits."""
        return (self.size.width * self.bits + 31) // 32 * 4


@dataclass(frozen=True, slots=True)
class Proof:
    """What the written file must hold: its bytes before and after the rows, and its pixels."""

    layout: Layout
    rows: Rows
    picture: Image.Image


@dataclass(frozen=True, slots=True)
class OpenedBmp:
    """A BMP whose header was read; its rows stand in `data`."""

    name: str
    data: bytes
    layout: Layout

    @property
    def header(self) -> Header:
        """The size; a BMP has no orientation."""
        return Header("bmp", self.layout.size, 1)

    def crop(self, box: PixelBox, turn: Turn) -> Candidate:
        """Crop to a box; see `cropkit.formats.Opened.crop`."""
        return _cropped(self, self.header.change(box, turn))


def opened(data: bytes, name: str, options: Options) -> OpenedBmp:
    """Read the header; see `cropkit.formats.opened`."""
    return OpenedBmp(name, data, _parsed(data, name, options.drop))


def _cropped(image: OpenedBmp, change: Change) -> Candidate:
    data, layout, box = image.data, image.layout, change.box
    rows = _rows(data, layout, image.name)
    height = layout.size.height
    span = slice(box.top, box.bottom)
    if not layout.top_down:
        span = slice(height - box.bottom, height - box.top)
    cut = cut_bits(rows[span], box.left * layout.bits, box.size.width * layout.bits)
    cut = _turned(cut, layout, change)
    after, body = _written(layout, cut, change)
    account = Account("bmp")
    account.patch("header: width, height, lengths")
    account.keep("header: the rest, palette")
    account.tell_of_turn(change)
    after = _without_hidden(after, account)
    if layout.profile:
        account.keep("ICC profile")
    end = len(layout.head) + layout.stride * height + len(layout.profile)
    if data[end:].strip(_PADDING):
        account.drop(f"{len(data) - end} bytes after the end", MAY_SHOW)
    meant = _as_pillow_turns(_decoded(data).crop(box.xyxy), change)
    proof = Proof(after, cut.copy(), meant)  # of the file's bytes it holds nothing
    return account.candidate(after.head + body + after.profile, (box, box), proof)


def _turned(rows: Rows, layout: Layout, change: Change) -> Rows:
    """Return rows as they are to be stored, bottom up as ever."""
    if not isinstance(change, Resampling):
        return rows
    way = slice(None, None, 1 if layout.top_down else -1)
    return turned_rows(rows[way], change.box.size.width, layout.bits, change.orientation)[way]


def _as_pillow_turns(picture: Image.Image, change: Change) -> Image.Image:
    """Return what is to be seen, by other code than has turned the rows."""
    way = TRANSPOSES.get(change.orientation) if isinstance(change, Resampling) else None
    return picture if way is None else picture.transpose(way)


def verify(written: bytes, proof: Proof, name: str) -> None:
    """Hold what was read back against the proof: the header and every row, and what Pillow sees."""
    with reading(name):
        layout = _parsed(written, name)
        rows = _rows(written, layout, name)
        picture = _decoded(written)
    if layout != proof.layout:
        raise VerificationFailed(name, "the header is not the one meant")
    same = np.array_equal(rows[:, : proof.rows.shape[1]], proof.rows)
    if not same or picture.mode != proof.picture.mode or _differ(picture, proof.picture):
        raise VerificationFailed(name, "the pixels are not those inside the box")


def _differ(decoded: Image.Image, meant: Image.Image) -> bool:
    return decoded.size != meant.size or decoded.tobytes() != meant.tobytes()


def _parsed(data: bytes, name: str, drop: frozenset[str] = frozenset()) -> Layout:
    if len(data) < _FILE_HEADER + _CORE:
        raise Truncated(name, "inside the header")
    start, header = struct.unpack_from("<II", data, 10)
    if header not in _HEADERS:
        raise CorruptImage(name, f"a header of {header} bytes")
    if start < _FILE_HEADER + header or start > len(data):
        raise Truncated(name, "before the pixels")
    width, height, planes, bits, coding = _fields(data, header)
    if coding in _CODINGS:
        raise UnsupportedFormat(name, f"a BMP coded as {_CODINGS[coding]}")
    if planes != 1 or bits not in _STORED.get(coding, ()) or width < 1 or not height:
        raise CorruptImage(name, f"{width} x {height} pixels of {bits} bits, coding {coding}")
    size = check_pixels(name, Size(width, abs(height)))
    layout = Layout(data[:start], size, bits, height < 0, b"")
    end = start + layout.stride * size.height
    profile = _profile(data, header, end, name)
    if colour_profile.hides(profile):
        raise GainMap(name, "in the colour profile")
    if data[end + len(profile) :].strip(_PADDING) and TRAILING not in drop:
        raise TrailingData(name, len(data) - end - len(profile))
    return Layout(layout.head, size, bits, layout.top_down, profile)


def _fields(data: bytes, header: int) -> tuple[int, int, int, int, int]:
    if header == _CORE:
        return (*struct.unpack_from("<HHHH", data, 18), 0)
    fields: tuple[int, int, int, int, int] = struct.unpack_from("<iiHHI", data, 18)
    return fields


def _profile(data: bytes, header: int, end: int, name: str) -> bytes:
    """Return the colour profile that a V5 header has behind the pixels."""
    if header != _V5 or data[70:74] != _EMBEDDED:
        return b""
    offset, length = struct.unpack_from("<II", data, 126)
    at = _FILE_HEADER + offset
    if at != end or at + length > len(data):
        raise UnsupportedFormat(name, "a BMP with a profile that is not behind its pixels")
    return data[at : at + length]


def _rows(data: bytes, layout: Layout, name: str) -> Rows:
    start, stride, height = len(layout.head), layout.stride, layout.size.height
    if start + stride * height > len(data):
        raise Truncated(name, "inside the pixels")
    return np.frombuffer(data, np.uint8, stride * height, start).reshape(height, stride)


def _written(layout: Layout, rows: Rows, change: Change) -> tuple[Layout, bytes]:
    """Return the layout of the crop, and its rows filled up to whole words."""
    head, size = bytearray(layout.head), change.result
    after = Layout(b"", size, layout.bits, layout.top_down, layout.profile)
    length = after.stride * size.height
    struct.pack_into("<I", head, 2, len(head) + length + len(layout.profile))
    (header,) = struct.unpack_from("<I", head, 14)
    if header == _CORE:
        struct.pack_into("<HH", head, 18, size.width, size.height)
    else:
        struct.pack_into(
            "<ii", head, 18, size.width, -size.height if layout.top_down else size.height
        )
        if change.is_on_side and header >= _INFO:  # pixels to a metre, each way
            head[38:46] = head[42:46] + head[38:42]
        if any(head[34:38]):  # the length may be left at 0
            struct.pack_into("<I", head, 34, length)
    if layout.profile:
        struct.pack_into("<I", head, 126, len(head) - _FILE_HEADER + length)
    filled = np.zeros((size.height, after.stride), np.uint8)
    filled[:, : rows.shape[1]] = rows
    done = Layout(bytes(head), size, layout.bits, layout.top_down, layout.profile)
    return done, filled.tobytes()


def _colours_used(head: bytes, header: int) -> int:
    """Return how many colours the header says that it has; the oldest ones say none."""
    return 0 if header == _CORE else int.from_bytes(head[46:50], "little")


def _without_hidden(layout: Layout, account: Account) -> Layout:
    """Blank what stands between the colours and the pixels, where it may hide something."""
    head = layout.head
    (header,) = struct.unpack_from("<I", head, _FILE_HEADER)
    entry = 3 if header == _CORE else 4
    colours = entry << min(layout.bits, _MOST_PALETTE)
    if layout.bits > _MOST_PALETTE:  # of 16 bits and more it is a mere suggestion
        colours = min(colours, entry * _colours_used(head, header))
    masks = _MASKS if header == _INFO else 0
    end = _FILE_HEADER + header + max(colours, masks)
    reason = inspection.unfit(head[end:])
    if reason is None:
        return layout
    account.drop(f"{len(head) - end} bytes before the pixels", reason)
    return replace(layout, head=head[:end] + bytes(len(head) - end))


def _decoded(data: bytes) -> Image.Image:
    picture = BmpImageFile(BytesIO(data))
    picture.load()
    return picture
