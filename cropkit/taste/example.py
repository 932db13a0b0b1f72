"""One image, and the box that somebody decided on."""

from collections.abc import Callable
from dataclasses import dataclass

from cropkit.geometry import NormalizedBox

MOST_DECISIONS = 1_000  # that a review learns from: the latest


@dataclass(frozen=True, slots=True)
class Source:
    """Who proposed and who decided: what figures are told by; '' where that is not known."""

    suggestion: str = ""
    version: str = ""
    slot: str = ""
    reviewer: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One decision to learn from.

    Parameters
    ----------
    image : its name
    box : that was decided on
    read : returns the bytes of the image as it was shown; a `CropkitError` where they are gone
    suggested : the box that was proposed
    seconds : that the decision took; None where that is not known
    accepted : whether the box was taken as it was proposed
    """

    image: str
    box: NormalizedBox
    read: Callable[[], bytes]
    source: Source = Source()
    suggested: NormalizedBox | None = None
    seconds: float | None = None
    accepted: bool = False
