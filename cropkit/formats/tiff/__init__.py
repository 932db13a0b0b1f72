"""TIFF: tags carried around pixels that are cut out of their strips or tiles, byte for byte."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from itertools import accumulate

import numpy as np
from PIL.TiffImagePlugin import TiffImageFile

from cropkit.errors import VerificationFailed
from cropkit.formats import bit_rows
from cropkit.formats.account import Account, Bare, Candidate, Header
from cropkit.formats.bit_rows import Rows
from cropkit.formats.decoder_errors import reading
from cropkit.formats.metadata.crop_change import Change, Resampling
from cropkit.formats.options import Options
from cropkit.formats.tiff import directory, display, metadata, pixels, second_decoder, writer
from cropkit.formats.tiff.codecs import DEFLATE, NONE, OLD_DEFLATE, Bytes, reversed_bits
from cropkit.formats.tiff.directory import EXIF, Directory, Tiff
from cropkit.formats.tiff.layout import (
    LENGTH,
    ROWS_PER_STRIP,
    STRIP_COUNTS,
    STRIP_OFFSETS,
    TILE_COUNTS,
    TILE_OFFSETS,
    WIDTH,
    Layout,
    Segments,
    read_layout,
    read_segments,
)
from cropkit.formats.turning import turned_rows
from cropkit.formats.zlib_streams import engine
from cropkit.geometry import PixelBox, Turn

_ALL_ROWS = (1 << 32) - 1
# What needs no libtiff to be checked: libdeflate compresses, zlib-ng is quick to look into that.
_PLAIN = (NONE, DEFLATE, OLD_DEFLATE)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the written file must hold: these tags, and these rows of each plane."""

    directory: Directory
    spans: tuple[tuple[int, int], ...]
    layout: Layout
    planes: tuple[Rows, ...]


@dataclass(frozen=True, slots=True)
class OpenedTiff:
    """A TIFF whose directories were read; its strips and tiles stand in `data`."""

    name: str
    header: Header
    data: bytes
    tiff: Tiff
    layout: Layout

    def crop(self, box: PixelBox, turn: Turn) -> Candidate:
        """Crop to an upright box; see `cropkit.formats.Opened.crop`."""
        stored = box.stored(self.header.size, self.header.orientation)
        return _cropped(self, box, self.header.change(stored, turn))


def opened(data: bytes, name: str, options: Options) -> OpenedTiff:
    """Read the directories; see `cropkit.formats.opened`."""
    tiff, layout = _parsed(data, name, options.drop)
    orientation = metadata.orientation(tiff)
    header = Header("tiff", layout.size.oriented(orientation), orientation)
    return OpenedTiff(name, header, data, tiff, layout)


def _cropped(image: OpenedTiff, box: PixelBox, change: Change) -> Candidate:
    """Return the crop to an upright box, by what it changes of the stored image."""
    name, data, tiff, layout = image.name, image.data, image.tiff, image.layout
    stored = change.box
    segments = read_segments(tiff.first, tiff.form, layout, data, name)
    planes = _turned(pixels.decoded_box(data, layout, segments, stored), layout, change)
    after = layout.sized(change.result)
    level = pixels.level(data, layout, segments, stored)
    coded = pixels.encoded(planes, after, level)
    account = Account("tiff")
    account.tell_of_turn(change)
    stated = _stated(tiff, after, coded)
    edit = metadata.Edit(change, stated, tiff.form, tiff.first, account, name)
    carried = metadata.edited(tiff, edit)
    offsets_tag = TILE_OFFSETS if TILE_OFFSETS in stated else STRIP_OFFSETS
    first = int(segments.offsets.min())
    written = writer.assembled(tiff.form, carried, coded, offsets_tag, first)
    _tell_of_moves(tiff.first, written.directory, account)
    _tell_of_unclaimed(data, tiff, segments, account)
    proof = Proof(written.directory, written.spans, after, planes)
    return account.candidate(written.data, (box, box), proof)


def _turned(planes: tuple[Rows, ...], layout: Layout, change: Change) -> tuple[Rows, ...]:
    """Return the rows of each plane as they are to be stored."""
    if not isinstance(change, Resampling):
        return planes
    shape = (change.box.size.width, layout.pixel_bits, change.orientation)
    return tuple(turned_rows(plane, *shape) for plane in planes)


def bare(data: bytes, name: str) -> Bare:
    """Hand Pillow what it knows, which it turns upright by itself; draw the rest for it."""
    tiff = directory.parse(data, name)
    entry = tiff.first.first(metadata.ICC)
    profile = entry.data if entry else None
    try:
        TiffImageFile(BytesIO(data))
    except (SyntaxError, OSError):
        layout = read_layout(tiff.first, tiff.form, name)
        drawn = display.shown(data, tiff, layout, name)
        return Bare(drawn, metadata.orientation(tiff), profile)
    return Bare(data, 1, profile)


def verify(written: bytes, proof: Proof, name: str) -> None:
    """Hold what was read back against the proof: every tag, then every byte of every row.

    tifffile finds the strips or tiles, and libtiff or zlib-ng decompresses them; our own writer
    said where they are, and imagecodecs compressed them.
    """
    with reading(name):
        parsed = directory.parse(written, name)
        if parsed.first.said != proof.directory.said or parsed.pages or parsed.children:
            raise VerificationFailed(name, "the tags are not those meant")
        if _as_tifffile_sees(written) != _as_meant(proof):
            raise VerificationFailed(name, "tifffile sees another layout than was meant")
        rows = _rows_of_planes(written, proof)
        same = all(bit_rows.same(a, b) for a, b in rows)
    if not same:
        raise VerificationFailed(name, "the pixels are not those inside the box")


def _parsed(data: bytes, name: str, drop: frozenset[str]) -> tuple[Tiff, Layout]:
    tiff = directory.parse(data, name)
    metadata.refuse(tiff, name, drop)
    return tiff, read_layout(tiff.first, tiff.form, name)


def _stated(tiff: Tiff, after: Layout, pixels: Sequence[Bytes]) -> dict[int, tuple[int, ...]]:
    """Return the values of the tags that lay the pixels out; offsets are filled in later."""
    lengths = tuple(map(len, pixels))
    stated = {WIDTH: (after.size.width,), LENGTH: (after.size.height,)}
    rows = tiff.first.first(ROWS_PER_STRIP)
    if rows is not None and not after.tiled and rows.numbers(tiff.form)[0] < _ALL_ROWS:
        stated[ROWS_PER_STRIP] = (after.segment.height,)
    largest = (1 << 63 if tiff.form.big else _ALL_ROWS,) * len(pixels)
    places = {STRIP_OFFSETS: largest, TILE_OFFSETS: largest}
    places |= {STRIP_COUNTS: lengths, TILE_COUNTS: lengths}
    present = {tag: values for tag, values in places.items() if tiff.first.first(tag)}
    if not {STRIP_COUNTS, TILE_COUNTS} & present.keys():  # some writers leave them out
        present[TILE_COUNTS if TILE_OFFSETS in present else STRIP_COUNTS] = lengths
    return stated | present


def _tell_of_moves(before: Directory, after: Directory, account: Account) -> None:
    notes = [
        d.subs[EXIF].first(metadata.MAKER_NOTE) if EXIF in d.subs else None for d in (before, after)
    ]
    if notes[0] and notes[1] and notes[0].at != notes[1].at:
        account.patch("MakerNote: moved; what it counts from the start of the file is off")


def _tell_of_unclaimed(data: bytes, tiff: Tiff, segments: Segments, account: Account) -> None:
    """Tell how many bytes, other than zeros, nothing refers to: they are not carried."""
    claimed = [
        *tiff.claimed,
        *zip(segments.offsets.tolist(), segments.counts.tolist(), strict=True),
    ]
    free, end = 0, 0
    for at, length in [*sorted(claimed), (len(data), 0)]:
        gap = data[end:at]
        free += len(gap) - gap.count(0)
        end = max(end, at + length)
    if free:
        account.drop(f"{free} bytes that no tag refers to", "they may show what was cropped out")


def _as_tifffile_sees(written: bytes) -> tuple[object, ...]:
    tifffile = import_module("tifffile")
    with tifffile.TiffFile(BytesIO(written)) as file:
        (page,) = file.pages
        spans = tuple(zip(page.dataoffsets, page.databytecounts, strict=True))
        tile = (page.tilewidth, page.tilelength) if page.is_tiled else None
        return (
            (page.imagewidth, page.imagelength),
            (page.bitspersample, page.samplesperpixel),
            (int(page.compression), int(page.predictor), tile),
            spans,
        )


def _as_meant(proof: Proof) -> tuple[object, ...]:
    layout = proof.layout
    tile = (layout.segment.width, layout.segment.height) if layout.tiled else None
    return (
        (layout.size.width, layout.size.height),
        (layout.bits, layout.samples * layout.planes),
        (layout.compression, layout.predictor, tile),
        proof.spans,
    )


def _rows_of_planes(written: bytes, proof: Proof) -> Iterator[tuple[Rows, Rows]]:
    """Yield what strips and tiles of each plane hold, and what they should."""
    layout = proof.layout
    columns, down = layout.grid
    each = columns * down
    for number, plane in enumerate(proof.planes):
        spans = proof.spans[number * each : (number + 1) * each]
        rows = [layout.rows(i // columns) for i in range(each)]
        meant = pixels.cut([plane], layout)
        decoded = _found(written, layout, second_decoder.Stack(spans, rows, layout.stride))
        yield from zip(decoded, meant, strict=True)


def _found(written: bytes, layout: Layout, stack: second_decoder.Stack) -> Iterator[Rows]:
    """Yield what another decoder than the one that belongs to the encoder finds."""
    if layout.compression not in _PLAIN:
        every = second_decoder.decompressed(written, layout, stack)
        ends = accumulate(stack.rows)
        decoded = (every[end - rows : end] for end, rows in zip(ends, stack.rows, strict=True))
    else:
        decoded = (_plain(written, layout, span, stack.stride) for span in stack.spans)
    return (pixels.restored(rows, layout) for rows in decoded)


def _plain(written: bytes, layout: Layout, span: tuple[int, int], stride: int) -> Rows:
    stored = memoryview(written)[span[0] : span[0] + span[1]]
    plain = reversed_bits(stored) if layout.reversed_bits else stored
    raw = plain if layout.compression == NONE else engine.decompress(plain)
    return np.frombuffer(raw, np.uint8).reshape(-1, stride)
