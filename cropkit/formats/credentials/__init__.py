"""Content credentials (C2PA) kept true: a manifest of the crop, with that of its image in it.

What is cropped has lost the credentials of its image, as the account says. Signing adds one
manifest to it and changes nothing else; the proof takes that off again, and compares.
"""

from cropkit.formats.account import Candidate
from cropkit.formats.credentials.jumbf import FORMATS
from cropkit.records import SIGNED

# What the rooms of these formats call a manifest that they have left out.
_LEFT_OUT = ("APP11 content credentials", "caBX")
_INDEX = "APP2 MPF"


def is_to_be_signed(candidate: Candidate) -> bool:
    """Whether a crop has lost a manifest, and can have another one.

    An index of several pictures counts the bytes before each, which a manifest would add to.
    """
    lost = any(item in _LEFT_OUT and reason == SIGNED for item, reason in candidate.dropped)
    return lost and candidate.format in FORMATS and _INDEX not in candidate.patched


def without_manifest(dropped: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return what was left out, but for the manifest."""
    return tuple(pair for pair in dropped if pair[0] not in _LEFT_OUT)
