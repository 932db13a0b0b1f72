"""What a TIFF says of itself in its own tags, as the EXIF block that other formats carry."""

from dataclasses import replace

from cropkit.formats.account import Account
from cropkit.formats.tiff import metadata, writer
from cropkit.formats.tiff.directory import (
    EXIF,
    GPS,
    IFD8,
    LONG,
    LONG8,
    Directory,
    Entry,
    Tiff,
)
from cropkit.formats.tiff.layout import PIXEL_TAGS

# What EXIF takes over from TIFF to describe a picture (CIPA DC-008, table 4), and Windows' texts.
_DESCRIBING = (
    *(270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 316, 33432, EXIF, GPS),
    *range(40091, 40096),
)
_SIGNED_LONG8 = 17
_BIG = (LONG8, _SIGNED_LONG8, IFD8)
# Descriptions that programs keep the shape of the pixels in: ImageJ, tifffile, OME.
_OF_THE_PIXELS = (b"ImageJ=", b'{"shape"', b"<?xml", b"<OME")
_WHY_NOT = "EXIF does not say it, or it describes the old file"


def block(tiff: Tiff, carried: tuple[int, ...], account: Account) -> bytes | None:
    """Return the describing tags as an EXIF block, None without any; each other one is dropped.

    Parameters
    ----------
    carried : tags that the copy carries in another way, such as its profile
    """
    chosen = _chosen(tiff.first, (*PIXEL_TAGS, *carried), account)
    if not chosen.entries:
        return None
    return writer.without_pixels(replace(tiff.form, big=False), chosen)


def _chosen(directory: Directory, passed: tuple[int, ...], account: Account) -> Directory:
    """Return what an EXIF block may hold of a directory, and of those that it points to."""
    for entry in directory.entries:
        if entry.tag not in passed and not _is_describing(entry):
            account.drop(metadata.label(entry.tag), _WHY_NOT)
    subs = {tag: _below(sub, account) for tag, sub in directory.subs.items() if tag in _DESCRIBING}
    kept = (entry for entry in directory.entries if _is_describing(entry))
    return Directory(0, tuple(_pointer(entry, subs) for entry in kept), subs)


def _below(directory: Directory, account: Account) -> Directory:
    """Return one of EXIF's own directories."""
    for entry in directory.entries:
        if not _is_portable(entry, directory):
            account.drop(metadata.label(entry.tag), _WHY_NOT)
    subs = {tag: _below(sub, account) for tag, sub in directory.subs.items()}
    kept = (entry for entry in directory.entries if _is_portable(entry, directory))
    return Directory(0, tuple(_pointer(entry, subs) for entry in kept), subs)


def _is_portable(entry: Entry, directory: Directory) -> bool:
    """Whether it says the same elsewhere: a MakerNote counts from where the old file had it."""
    points = entry.tag in directory.subs
    return points or (entry.kind not in _BIG and entry.tag != metadata.MAKER_NOTE)


def _is_describing(entry: Entry) -> bool:
    if entry.tag in (EXIF, GPS):
        return True
    of_pixels = entry.tag == metadata.DESCRIPTION and entry.data.lstrip().startswith(_OF_THE_PIXELS)
    return entry.tag in _DESCRIBING and entry.kind not in _BIG and not of_pixels


def _pointer(entry: Entry, subs: dict[int, Directory]) -> Entry:
    """Make room for an offset of 32 bits where an entry points to a directory."""
    return Entry(entry.tag, LONG, bytes(4)) if entry.tag in subs else entry
