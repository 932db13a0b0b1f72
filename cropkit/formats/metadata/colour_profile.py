"""Colour profiles (ICC.1): whether one holds more than colours.

A profile says what the samples mean, so that it is never edited: where it hides something, the file
is refused.
"""

import struct
from collections.abc import Iterator

from cropkit.formats.metadata import inspection
from cropkit.formats.metadata.embedded_pictures import holds_tiff, pictures

_SIGNATURE, _SIGNATURE_AT = b"acsp", 36
_TAGS_AT, _ENTRY = 128, struct.Struct(">4sII")
_MOST_TAGS = 1024
# Tags that the standards define, and Apple's, Microsoft's and Argyll's (ICC.1:2022, table 28; V2).
_KNOWN = frozenset(
    b"A2B0 A2B1 A2B2 A2B3 A2M0 B2A0 B2A1 B2A2 B2A3 B2D0 B2D1 B2D2 B2D3 D2B0 D2B1 D2B2 D2B3 M2A0"
    b" bTRC bXYZ bfd  bkpt calt chad chrm cicp clro clrt cprt crdi desc devs dmdd dmnd gTRC gXYZ"
    b" gamt kTRC lumi meas meta mmod MS00 ncl2 ncol ndin pre0 pre1 pre2 ps2i ps2s psd0 psd1 psd2"
    b" psd3 pseq psid rTRC rXYZ resp rig0 rig2 scrd scrn targ tech vcgt vcgp vued view wtpt dscm"
    b" aarg aagg aabg aapy AToB BToA CIED DevD Pmtr ciis c2sp csnm gbd0 gbd1 gbd2 gbd3 smwp".split()
)


def hides(profile: bytes) -> bool:
    """Whether a profile holds a picture, or what nobody can look into."""
    if not profile:
        return False
    if profile[_SIGNATURE_AT : _SIGNATURE_AT + 4] != _SIGNATURE:
        return inspection.unfit(profile) is not None
    if any(pictures(profile)) or holds_tiff(profile):
        return True
    tags = list(_tags(profile))
    values = (profile[s.start : s.stop] for name, s in tags if name.strip() not in _KNOWN)
    gaps = _gaps(profile, [span for _, span in tags])
    return any(inspection.unfit(data) for data in (*values, *gaps))


def _tags(profile: bytes) -> Iterator[tuple[bytes, range]]:
    """Yield name and place of each tag, and of the table."""
    count = min(int.from_bytes(profile[_TAGS_AT : _TAGS_AT + 4]), _MOST_TAGS)
    end = _TAGS_AT + 4
    while count and end + _ENTRY.size <= len(profile):
        name, at, length = _ENTRY.unpack_from(profile, end)
        yield name, range(at, min(at + length, len(profile)))
        count, end = count - 1, end + _ENTRY.size
    yield b"desc", range(end)


def _gaps(profile: bytes, spans: list[range]) -> Iterator[bytes]:
    end = 0
    for span in sorted(spans, key=lambda span: span.start):
        if span.start > end:
            yield profile[end : span.start]
        end = max(end, span.stop)
    yield profile[end:]
