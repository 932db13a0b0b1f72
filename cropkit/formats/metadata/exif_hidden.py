"""What an EXIF block may hide of the old frame: every tag is looked into, and what none refers to.

The block keeps its length, and every value its place.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice, pairwise

from PIL import ExifTags

from cropkit.errors import Refused
from cropkit.formats.account import Account
from cropkit.formats.metadata import embedded_pictures, inspection, iptc, xmp
from cropkit.formats.metadata.crop_change import SHOWS_MORE, Change
from cropkit.formats.metadata.exif_block import Entry, TiffBlock, TiffDamage

SUB_DIRECTORIES = (0x8769, 0x8825, 0xA005)  # Exif, GPS, Interoperability
_XMP, _IPTC, _PHOTOSHOP, _SUB_IFDS = 0x02BC, 0x83BB, 0x8649, 0x014A
_REMOVED = {_SUB_IFDS: "reduced pictures", _PHOTOSHOP: "Photoshop resources"}
_BYTES = (1, 2, 6, 7)
# MakerNote, PrintIM, ICC profile: of a structure that is known, or nobody's but their maker's.
_MAKER_NOTE, _NOTE_STARTS = 0x927C, (0, 6, 8, 10, 12)
_KNOWN = (_MAKER_NOTE, 0xC4A5, 0x8773)
_HEADER = 8
_KINDS, _LEAST_ENTRIES, _MOST_ENTRIES = range(1, 14), 3, 256


def blanked(block: bytes, change: Change, account: Account, label: str) -> bytes:
    """Return the block, of the same length, without what shows more or cannot be looked into."""
    try:
        tiff = TiffBlock(block)
    except TiffDamage:
        return _without_structure(block, account, label)
    directories = list(_directories(tiff))
    if sum(e.length for ifd in directories for e in tiff.sound_entries(ifd)) > 2 * len(block):
        account.drop(f"{label}: all of it", "its tags share each other's values")
        return bytes(len(block))
    for ifd in directories:
        for entry in tiff.sound_entries(ifd):
            _look_into(tiff, entry, (change, account, label))
    spans = [range(_HEADER), *(span for ifd in directories for span in _spans(tiff, ifd))]
    notes = (e for ifd in directories for e in tiff.sound_entries(ifd) if e.tag == _MAKER_NOTE)
    spans += [span for note in islice(notes, 1) for span in _spans_of_note(tiff, note)]
    spans.sort(key=lambda span: (span.start, span.stop))
    for picture in list(embedded_pictures.pictures(bytes(tiff.data), _ends(spans))):
        tiff.blank(picture)
        account.drop(f"{label} preview", SHOWS_MORE)
    for gap in _gaps(spans, len(block)):
        reason = inspection.unfit(bytes(tiff.data[gap.start : gap.stop]))
        if reason:
            tiff.blank(gap)
            account.drop(f"{label}: bytes that no tag refers to", reason)
    for ifd in directories:  # last of all: the entries behind one that goes move up
        _remove(tiff, ifd, account, label)
    return bytes(tiff.data)


def _without_structure(block: bytes, account: Account, label: str) -> bytes:
    reason = inspection.unfit(block)
    if reason:
        account.drop(f"{label}: it holds no tags", reason)
    return bytes(len(block)) if reason else block


def _directories(tiff: TiffBlock) -> Iterator[int]:
    """Yield each directory once, whatever else of the block is damaged."""
    seen, waiting = set[int](), [tiff.first]
    while waiting and len(seen) < len(SUB_DIRECTORIES) + 1:
        ifd = waiting.pop(0)
        if ifd not in seen:
            seen.add(ifd)
            yield ifd
            links = (e for e in tiff.sound_entries(ifd) if e.tag in SUB_DIRECTORIES)
            waiting += [v for e in links for v in tiff.integers(e)[:1]]


def _spans(tiff: TiffBlock, ifd: int) -> Iterator[range]:
    try:
        yield tiff.table(ifd)
    except TiffDamage:
        return
    for entry in tiff.sound_entries(ifd):
        yield range(entry.value_at, entry.value_at + entry.length)


def _spans_of_note(tiff: TiffBlock, note: Entry) -> Iterator[range]:
    """Yield what a MakerNote refers to outside of itself, as Olympus's and others do.

    It begins with a directory, or with its maker's name and one; offsets are those of the block.
    """
    for start in _NOTE_STARTS:
        entries = [e for e in tiff.sound_entries(note.value_at + start) if e.kind in _KINDS]
        if start + 2 < note.length and _LEAST_ENTRIES <= len(entries) <= _MOST_ENTRIES:
            yield from (range(e.value_at, e.value_at + e.length) for e in entries)
            return


def _ends(spans: list[range]) -> list[int]:
    return sorted({span.stop for span in spans})


def _gaps(spans: list[range], length: int) -> Iterator[range]:
    end = 0
    for before, after in pairwise([*spans, range(length, length)]):
        end = max(end, before.stop)
        if end < after.start:
            yield range(end, after.start)


def _look_into(tiff: TiffBlock, entry: Entry, told_by: tuple[Change, Account, str]) -> None:
    """Look into one value, and blank of it what may not stay."""
    _, account, label = told_by
    item = f"{label} {ExifTags.TAGS.get(entry.tag, f'tag {entry.tag:#06x}')}"
    if entry.tag in _REMOVED:
        tiff.blank(range(entry.value_at, entry.value_at + entry.length))
    elif entry.tag in (_XMP, _IPTC):
        _edit(tiff, entry, told_by)
    elif entry.tag in _KNOWN:
        if embedded_pictures.holds_tiff(tiff.value(entry)):
            tiff.blank(range(entry.value_at, entry.value_at + entry.length))
            account.drop(item, SHOWS_MORE)
    elif entry.kind in _BYTES:
        value = tiff.value(entry)
        if inspection.is_text(value):
            after, reason = inspection.without_hidden(value, in_place=True)
            tiff.data[entry.value_at : entry.value_at + entry.length] = after
        elif reason := inspection.unfit(value):
            tiff.blank(range(entry.value_at, entry.value_at + entry.length))
        if reason:
            account.drop(item, reason)


def _edit(tiff: TiffBlock, entry: Entry, told_by: tuple[Change, Account, str]) -> None:
    """Edit a packet of XMP, or IPTC's datasets; what becomes longer has to go."""
    change, account, label = told_by
    value = tiff.value(entry)
    try:
        after = (
            xmp.restated(value, change, account, f"{label} XMP", label)
            if entry.tag == _XMP
            else iptc.without_pictures(value, account, label)
        )
    except Refused:
        after = b""
        account.drop(f"{label} XMP", SHOWS_MORE)
    if len(after) > len(value):
        account.drop(f"{label} XMP", "there is no room for its new coordinates")
        after = b""
    if after != value:
        tiff.shorten(entry, after)


def _remove(tiff: TiffBlock, ifd: int, account: Account, label: str) -> None:
    """Unlink the tags that have no place in a crop, each once; their values are blank already."""
    there = {entry.tag for entry in tiff.sound_entries(ifd)}
    for tag in _REMOVED.keys() & there:
        with suppress(TiffDamage):
            tiff.remove(ifd, tag)
        account.drop(f"{label} {_REMOVED[tag]}", SHOWS_MORE)
