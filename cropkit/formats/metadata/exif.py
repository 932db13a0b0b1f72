"""EXIF around a crop: dimensions and subject updated, pictures of the whole scene blanked.

The block keeps its length and every value its place (see `tiff_block`).
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from cropkit.formats.account import Account
from cropkit.formats.metadata import exif_hidden
from cropkit.formats.metadata.crop_change import SHOWS_MORE, Change
from cropkit.formats.metadata.exif_block import TiffBlock, TiffDamage
from cropkit.formats.metadata.exif_hidden import SUB_DIRECTORIES

_ORIENTATION = 0x0112
# Pairs of tags that state the stored size: ImageWidth/ImageLength, PixelX/YDimension.
_DIMENSIONS = ((0x0100, 0x0101), (0xA002, 0xA003))
_SUBJECTS = {0x9214: "SubjectArea", 0xA214: "SubjectLocation"}
# Pairs of tags of both axes: X/YResolution, FocalPlaneX/YResolution.
_BOTH_WAYS = ((0x011A, 0x011B), (0xA20E, 0xA20F))
_HEADER = 8
_THUMBNAIL_DATA = ((0x0201, 0x0202), (0x0111, 0x0117))  # JPEG, or strips: offsets and lengths


def read_orientation(block: bytes) -> int:
    """Return the orientation that an EXIF block states; 1 when it states none that makes sense."""
    try:
        tiff = TiffBlock(block)
        entry = next((e for e in tiff.entries(tiff.first) if e.tag == _ORIENTATION), None)
        stated = tiff.integers(entry)[:1] if entry else ()
    except TiffDamage:
        return 1
    return stated[0] if stated and stated[0] in range(1, 9) else 1


def patched(block: bytes, change: Change, account: Account, label: str) -> bytes:
    """Return the block for the cropped image, of the same length, and account for it.

    A block that does not hold together is carried as it is, but for what may show the old frame,
    and for an orientation that somebody could read in it where the pixels are upright now.
    """
    after = (upright(block) or block) if change.is_upright else block
    with suppress(TiffDamage):
        after = _edited(after, change, account, label)
    after = exif_hidden.blanked(after, change, account, label)
    (account.keep if after == block else account.patch)(label)
    return after


def renewed(block: bytes, change: Change, account: Account, label: str) -> bytes | None:
    """Return the block for pixels that were turned upright, and account for it.

    None, and a word of it, where it does not hold together: a reader might turn them once more.
    """
    try:
        after = _edited(_restated(block), change, account, label)
    except TiffDamage:
        account.drop(label, "it does not hold together")
        return None
    after = exif_hidden.blanked(after, change, account, label)
    (account.keep if after == block else account.patch)(label)
    return after


def upright(block: bytes) -> bytes | None:
    """Return the block of pixels that were turned upright; None where it does not hold together."""
    try:
        return _restated(block)
    except TiffDamage:
        return None


def _restated(block: bytes) -> bytes:
    tiff = TiffBlock(block)
    for entry in tiff.entries(tiff.first):
        if entry.tag == _ORIENTATION and tiff.integers(entry):
            tiff.write(entry, (1,) * entry.count)
    return bytes(tiff.data)


def _edited(block: bytes, change: Change, account: Account, label: str) -> bytes:
    tiff = TiffBlock(block)
    directories = list(_directories(tiff))
    if tiff.next(tiff.first):
        _remove_thumbnail(tiff, directories)
        account.drop(f"{label} thumbnail", SHOWS_MORE)
    if not change.is_none:
        for ifd in directories:
            _restate_dimensions(tiff, ifd, change)
            if change.is_on_side:
                _exchange_axes(tiff, ifd)
            _move_subject(tiff, ifd, change, account)
    return bytes(tiff.data)


def _directories(tiff: TiffBlock) -> Iterator[int]:
    seen: set[int] = set()
    waiting = [tiff.first]
    while waiting:
        ifd = waiting.pop(0)
        if ifd in seen:
            continue
        seen.add(ifd)
        yield ifd
        links = (e for e in tiff.entries(ifd) if e.tag in SUB_DIRECTORIES)
        waiting += [v for e in links for v in tiff.integers(e)[:1]]


def _restate_dimensions(tiff: TiffBlock, ifd: int, change: Change) -> None:
    for pair in _DIMENSIONS:
        entries = {
            e.tag: e for e in tiff.entries(ifd) if e.tag in pair and len(tiff.integers(e)) == 1
        }
        old = [tiff.integers(entries[tag])[0] if tag in entries else None for tag in pair]
        new = change.stated(old[0] or change.before.width, old[1] or change.before.height)
        for tag, value in zip(pair, new, strict=True):
            if tag in entries and not tiff.write(entries[tag], (value,)):
                raise TiffDamage("a dimension tag of one byte")


def _exchange_axes(tiff: TiffBlock, ifd: int) -> None:
    """Let what is said of each axis be said of the other, where both are said alike."""
    entries = {each.tag: each for each in tiff.entries(ifd)}
    for x, y in _BOTH_WAYS:
        if x not in entries or y not in entries:
            continue
        if (entries[x].kind, entries[x].count) == (entries[y].kind, entries[y].count):
            across, down = tiff.value(entries[x]), tiff.value(entries[y])
            tiff.shorten(entries[x], down)
            tiff.shorten(entries[y], across)


def _move_subject(tiff: TiffBlock, ifd: int, change: Change, account: Account) -> None:
    for entry in [e for e in tiff.entries(ifd) if e.tag in _SUBJECTS]:
        x, y, *rest = (*tiff.integers(entry), 0, 0)[: max(2, entry.count)]
        moved = change.moved(x, y)
        if moved is None:
            tiff.remove(ifd, entry.tag)
            account.drop(f"EXIF {_SUBJECTS[entry.tag]}", "the subject was cropped out")
        else:
            tiff.write(entry, (*moved, *change.extents(*rest)))


def _remove_thumbnail(tiff: TiffBlock, directories: Iterable[int]) -> None:
    claimed = [range(_HEADER), *(span for ifd in directories for span in tiff.spans(ifd))]
    second = tiff.next(tiff.first)
    try:
        shown = [*tiff.spans(second), *_thumbnail_data(tiff, second)]
    except TiffDamage:
        shown = []
    tiff.unlink_next(tiff.first)
    # what somebody else's data shares stays
    tiff.blank_where(_covered(shown, len(tiff.data)) & ~_covered(claimed, len(tiff.data)))


def _thumbnail_data(tiff: TiffBlock, ifd: int) -> Iterator[range]:
    entries = {e.tag: e for e in tiff.entries(ifd)}
    for offsets, lengths in _THUMBNAIL_DATA:
        if offsets in entries and lengths in entries:
            pairs = zip(*(tiff.integers(entries[t]) for t in (offsets, lengths)), strict=False)
            yield from (range(at, at + length) for at, length in pairs)


def _covered(spans: Iterable[range], length: int) -> npt.NDArray[np.bool_]:
    """Return which bytes any of the spans holds; each span costs the same, however long."""
    edges = np.zeros(length + 1, np.int64)
    for span in spans:
        if span.start < min(span.stop, length):
            edges[span.start] += 1
            edges[min(span.stop, length)] -= 1
    return np.cumsum(edges)[:-1] > 0
