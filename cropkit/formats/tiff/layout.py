"""How the pixels of a TIFF are laid out: what its tags say of strips, tiles and samples."""

from dataclasses import dataclass, replace

import numpy as np

from cropkit.errors import (
    CorruptImage,
    TooLarge,
    Truncated,
    UnsupportedDepth,
    UnsupportedFormat,
)
from cropkit.formats.limits import check_parts, check_pixels, max_pixels
from cropkit.formats.tiff.codecs import COMPRESSIONS, FLOATING, HORIZONTAL, name_of
from cropkit.formats.tiff.directory import BYTE, Directory, Form, Numbers
from cropkit.geometry import PixelBox, Size

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_COUNTS, PLANAR = 273, 277, 278, 279, 284
PREDICTOR, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 317, 322, 323, 324, 325
SAMPLE_FORMAT, SUBSAMPLING, IMAGE_DEPTH = 339, 530, 32997
PIXEL_TAGS = {
    *(WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIP_OFFSETS, SAMPLES),
    *(ROWS_PER_STRIP, STRIP_COUNTS, PLANAR, PREDICTOR, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS),
    *(TILE_COUNTS, SAMPLE_FORMAT, SUBSAMPLING),
}
_YCBCR = 6
_RAW_CAMERA = (32803, 34892)
_SEPARATE = 2
_BYTES_A_PIXEL = 8  # as many as four channels of 16 bits take
_PREDICTED_BITS = {HORIZONTAL: (8, 16, 32, 64), FLOATING: (16, 32, 64)}
_FLOAT = 3
_TILE_STEP = 16


@dataclass(frozen=True, slots=True)
class Layout:
    """The facts that decoding needs.

    Parameters
    ----------
    samples : in a pixel of one plane
    planes : 1, or as many as there are samples when each has a plane of its own
    segment : width and height of a strip or a tile; strips are as wide as the image
    """

    size: Size
    bits: int
    samples: int
    planes: int
    segment: Size
    tiled: bool
    compression: int
    predictor: int
    reversed_bits: bool
    order: str

    @property
    def pixel_bits(self) -> int:
        """Bits of a pixel in one plane."""
        return self.bits * self.samples

    @property
    def stride(self) -> int:
        """Bytes in a row of a segment."""
        return (self.segment.width * self.pixel_bits + 7) // 8

    @property
    def grid(self) -> tuple[int, int]:
        """Columns and rows of segments in a plane."""
        return -(-self.size.width // self.segment.width), -(
            -self.size.height // self.segment.height
        )

    def rows(self, row: int) -> int:
        """Return how many rows of pixels a segment of that row of the grid holds."""
        whole = self.segment.height
        return whole if self.tiled else min(whole, self.size.height - row * whole)

    def sized(self, size: Size) -> "Layout":
        """Return the layout of an image of another size, cut the same way."""
        if self.tiled:
            return replace(self, size=size)
        in_one = self.segment.height >= self.size.height  # as some say by leaving the tag out
        height = size.height if in_one else min(self.segment.height, size.height)
        return replace(self, size=size, segment=Size(size.width, height))


@dataclass(frozen=True, slots=True)
class Segments:
    """Where each strip or tile is in the file."""

    offsets: Numbers
    counts: Numbers


def read_layout(directory: Directory, form: Form, name: str) -> Layout:
    """Read the layout, and refuse the ones that would not come back the same.

    Raises
    ------
    TooLarge, CorruptImage, UnsupportedFormat, UnsupportedDepth
    """
    stated = _Stated(directory, form, name)
    stated.refuse_twice()
    stated.refuse_bytes()
    size = check_pixels(name, _size(stated))
    _refuse(stated, name)
    samples = stated.one(SAMPLES, 1)
    planes = samples if stated.one(PLANAR, 1) == _SEPARATE else 1
    layout = Layout(
        size=size,
        bits=stated.one(BITS, 1),
        samples=samples // planes if samples else 0,
        planes=planes,
        segment=_segment(stated, size, name),
        tiled=stated.has(TILE_WIDTH),
        compression=stated.one(COMPRESSION, 1),
        predictor=stated.one(PREDICTOR, 1),
        reversed_bits=stated.one(FILL_ORDER, 1) == 2,  # noqa: PLR2004  (the other one)
        order=form.order,
    )
    _check(layout, stated, name)
    return layout


def read_number(directory: Directory, form: Form, tag: int, default: int) -> int:
    """Return the first number of a tag."""
    entry = directory.first(tag)
    values = entry.numbers(form).tolist() if entry else []
    return int(values[0]) if values else default


def read_segments(
    directory: Directory, form: Form, layout: Layout, data: bytes, name: str
) -> Segments:
    """Return where the pixels are; each segment is inside the file.

    Raises
    ------
    Truncated, CorruptImage, UnsupportedFormat
    """
    stated = _Stated(directory, form, name)
    tags = (TILE_OFFSETS, TILE_COUNTS) if layout.tiled else (STRIP_OFFSETS, STRIP_COUNTS)
    # Some writers put tiles under the tags of strips.
    offsets, counts = (
        stated.all(t if stated.has(t) else u) for t, u in zip(tags, _STRIPS, strict=True)
    )
    columns, rows = layout.grid
    expected = columns * rows * layout.planes
    check_parts(name, "strips or tiles", expected)
    if not counts.size and layout.compression == 1:
        whole = [layout.rows(i // columns % rows) * layout.stride for i in range(len(offsets))]
        counts = np.asarray(whole, np.uint64)
    if len(offsets) != expected or len(counts) != expected:
        raise CorruptImage(name, f"{len(offsets)} and {len(counts)} of {expected} strips or tiles")
    if not counts.all() or not offsets.all():
        raise UnsupportedFormat(name, "a TIFF with strips or tiles left out")
    if int(offsets.max()) > len(data) or (offsets + counts).max() > len(data):
        raise Truncated(name, "inside the pixels")
    return Segments(offsets, counts)


_STRIPS = (STRIP_OFFSETS, STRIP_COUNTS)


class _Stated:
    """What a directory says, with the defaults that TIFF gives."""

    def __init__(self, directory: Directory, form: Form, name: str) -> None:
        self._directory, self._form, self._name = directory, form, name

    def refuse_twice(self) -> None:
        """Refuse a tag that says two things: readers differ in which they believe."""
        tags = [e.tag for e in self._directory.entries if e.tag in PIXEL_TAGS]
        if len(set(tags)) < len(tags):
            raise CorruptImage(self._name, "a tag about the pixels stands there twice")

    def refuse_bytes(self) -> None:
        """Refuse numbers that stand in bytes: libtiff reads them, the decoder of the proof not."""
        tags = {e.tag for e in self._directory.entries if e.kind == BYTE}
        for tag in sorted(tags & PIXEL_TAGS):
            raise UnsupportedFormat(self._name, f"a TIFF whose tag {tag} is in bytes")

    def has(self, tag: int) -> bool:
        return self._directory.first(tag) is not None

    def all(self, tag: int) -> Numbers:
        entry = self._directory.first(tag)
        return np.zeros(0, np.uint64) if entry is None else entry.numbers(self._form)

    def one(self, tag: int, default: int) -> int:
        """Return the value that all of them have."""
        values = self.all(tag)
        if self.has(tag) and not values.size:
            raise CorruptImage(self._name, f"tag {tag} holds no number")
        if values.size and (values != values[0]).any():
            raise UnsupportedDepth(self._name, f"tag {tag} of {values.tolist()[:8]}")
        return int(values[0]) if values.size else default


def _size(stated: _Stated) -> Size:
    sides = stated.one(WIDTH, 0), stated.one(LENGTH, 0)
    if not all(sides):
        raise CorruptImage(stated._name, "it says no width or no height")  # noqa: SLF001  (this module's own)
    return Size(*sides)


def _segment(stated: _Stated, size: Size, name: str) -> Size:
    if not stated.has(TILE_WIDTH):
        return Size(size.width, min(max(1, stated.one(ROWS_PER_STRIP, size.height)), size.height))
    sides = stated.one(TILE_WIDTH, 0), stated.one(TILE_LENGTH, 0)
    if not all(sides) or any(side % _TILE_STEP for side in sides):
        raise CorruptImage(name, f"tiles of {sides[0]} x {sides[1]}")
    return Size(*sides)


def _refuse(stated: _Stated, name: str) -> None:
    compression, photometric = stated.one(COMPRESSION, 1), stated.one(PHOTOMETRIC, 0)
    if compression not in COMPRESSIONS:
        raise UnsupportedFormat(name, f"a TIFF compressed as {name_of(compression)}")
    if photometric in _RAW_CAMERA:
        raise UnsupportedFormat(name, "a camera's raw TIFF")
    if photometric == _YCBCR and set(stated.all(SUBSAMPLING).tolist() or [2]) != {1}:
        raise UnsupportedDepth(name, "YCbCr of reduced resolution")
    if stated.one(IMAGE_DEPTH, 1) != 1:
        raise UnsupportedFormat(name, "a TIFF of a volume")


def _check(layout: Layout, stated: _Stated, name: str) -> None:
    if not 1 <= layout.bits <= 64 or not 1 <= layout.samples * layout.planes < 1 << 16:  # noqa: PLR2004  (bits of a number)
        raise CorruptImage(name, f"{layout.samples} samples of {layout.bits} bits")
    limit = max_pixels(name) * _BYTES_A_PIXEL
    whole = layout.size.area * layout.pixel_bits * layout.planes // 8
    if max(whole, layout.stride * layout.segment.height) > limit:
        raise TooLarge(name, f"{layout.size.area} of {whole // layout.size.area} bytes", limit)
    if layout.predictor == 1:
        return
    is_float = stated.one(SAMPLE_FORMAT, 1) == _FLOAT
    fits = layout.bits in _PREDICTED_BITS.get(layout.predictor, ())
    if not fits or (layout.predictor == FLOATING and not is_float):
        raise UnsupportedFormat(name, f"a TIFF with predictor {layout.predictor}")


def touched(layout: Layout, box: PixelBox) -> tuple[range, range]:
    """Return the columns and rows of the grid that a stored box touches."""
    wide, high = layout.segment.width, layout.segment.height
    columns = range(box.left // wide, -(-box.right // wide))
    return columns, range(box.top // high, -(-box.bottom // high))
