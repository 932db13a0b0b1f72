"""Which images are shown as if nothing were learned, and how what was learned is recorded; pure.

One in twenty is chosen by its content, which is as good as chance: by these the saving is measured.
"""

import re

_ONE_OF = 20
_DIGITS = 8  # hexadecimal: of which the share is exact to a ten-millionth
_COUNTED = re.compile(r"[0-9][0-9,]* reviews\Z")


def is_control(sha256: str) -> bool:
    """Whether a content is one of those that nothing learned is shown for.

    Raises
    ------
    ValueError
        It is no hash.
    """
    return int(sha256[:_DIGITS], 16) % _ONE_OF == 0


def reviews(count: int) -> str:
    """Return how the version of a box ends that was learned from so many decisions."""
    return f"{count:,} reviews"


def is_learned(version: str) -> bool:
    """Whether the version of a box is that of one that was learned in a review."""
    return _COUNTED.search(version) is not None
