"""The scan script of a JPEG: in which order components, frequencies and bits are coded; pure."""

from collections.abc import Iterable, Sequence

from cropkit.formats.jpeg.segments import Jpeg, Scan

_AC_END = 63
_WHOLE = ((0, _AC_END), (0, 0))
_MOST_SHIFT = 10  # MAX_AH_AL of libjpeg, for 8 bits


def script(jpeg: Jpeg) -> tuple[Scan, ...]:
    """Return the scans to write the image in again; none where an encoder's own are the same.

    A script that leaves bits out, or that an encoder would not take, is not kept: the scans are
    then those that libjpeg makes, progressive or not as the source.
    """
    scans, count = jpeg.scans, len(jpeg.components)
    if not jpeg.progressive:
        together = len(scans) == 1 and scans[0].components == tuple(range(count))
        return () if together or not _sequential(scans, count) else scans
    return scans if _progressive(scans, count) else ()


def _sequential(scans: Sequence[Scan], count: int) -> bool:
    """Whether every component is sent once, whole (G.1.1 leaves no other way)."""
    sent = [number for scan in scans for number in scan.components]
    whole = all((scan.spectral, scan.bits) == _WHOLE for scan in scans)
    return whole and _in_order(scans) and sorted(sent) == list(range(count))


def _progressive(scans: Sequence[Scan], count: int) -> bool:
    """Whether every bit of every coefficient is sent once, DC first, high bits first (G.1.1.1)."""
    known: dict[tuple[int, int], int] = {}
    for scan in scans:
        (start, end), (high, low) = scan.spectral, scan.bits
        is_dc = start == 0
        if not 0 <= start <= end <= _AC_END or low > _MOST_SHIFT or high > _MOST_SHIFT:
            return False
        if is_dc != (end == 0) or (not is_dc and len(scan.components) != 1):
            return False
        if not is_dc and (scan.components[0], 0) not in known:
            return False
        for place in ((c, k) for c in scan.components for k in range(start, end + 1)):
            if high != known.get(place, 0) or (place in known and low != high - 1):
                return False
            known[place] = low
    complete = len(known) == count * (_AC_END + 1) and not any(known.values())
    return complete and _in_order(scans)


def _in_order(scans: Iterable[Scan]) -> bool:
    return all(list(s.components) == sorted(set(s.components)) for s in scans)
