"""Segments that no rule names: what is text stays, and what nobody can look into does not."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cropkit.formats.jpeg.segments import Segment
from cropkit.formats.metadata import inspection

_LONGEST_NAME = 32


def unfit(segments: Mapping[int, Segment]) -> dict[int, str]:
    """Return by their places which of the segments may not stay, and why.

    Parameters
    ----------
    segments : those that no rule names, by their places
    """
    reasons: dict[int, str] = {}
    kinds: defaultdict[tuple[int, bool], list[int]] = defaultdict(list)
    for place, segment in segments.items():
        kinds[segment.marker, inspection.is_text(segment.data)].append(place)
    for (_, is_text), places in kinds.items():
        parts = [segments[place].data for place in places]
        reason = _of_text(parts) if is_text else _of_bytes(parts)
        reasons |= dict.fromkeys(places, reason) if reason else {}
    return reasons


def _of_bytes(parts: Sequence[bytes]) -> str | None:
    """Judge pieces that may belong together: as they stand, and without the name before each."""
    name = _common(parts)
    joined = (b"".join(parts), b"".join(part[name:] for part in parts))
    return inspection.unfit(joined[0]) or inspection.unfit(joined[1])


def _common(parts: Sequence[bytes]) -> int:
    """Return how many bytes all of them begin with."""
    first, last = min(parts)[:_LONGEST_NAME], max(parts)[:_LONGEST_NAME]
    same = (a == b for a, b in zip(first, last, strict=False))
    return next((n for n, is_same in enumerate(same) if not is_same), min(len(first), len(last)))


def _of_text(parts: Sequence[bytes]) -> str | None:
    """Judge what several texts spell out only together."""
    cleaned = [inspection.without_hidden(part)[0] for part in parts]
    return inspection.unfit(b"".join(cleaned)) if len(parts) > 1 else None
