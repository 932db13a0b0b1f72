"""How a turned picture is drawn, and what is said of the turn; pure."""

from collections.abc import Mapping
from dataclasses import replace

from cropkit.geometry import Turn

_SIGNS: Mapping[str, tuple[str, str]] = {
    "90": ("↻", "turned right"),
    "180": ("↻↻", "turned upside down"),
    "270": ("↺", "turned left"),
    "horizontal": ("⇆", "mirrored left to right"),
    "vertical": ("⇅", "mirrored top to bottom"),
}


def matrix(turn: Turn) -> tuple[int, int, int, int]:
    """Return a, b, c and d of CSS and of a canvas: about the middle, x' = ax + cy, y' = bx + dy."""
    across, down = (-1 if backwards else 1 for backwards in turn.mirrored)
    return (0, across, down, 0) if turn.swaps else (across, 0, 0, down)


def sign(turn: Turn) -> str:
    """Return what a caption has of a turn; '' for none."""
    fine = f"∠{angle(turn):+g}°" if turn.resamples else ""
    return " ".join((*(_SIGNS[word][0] for word in turn.quarters.text.split()), fine)).strip()


def words(turn: Turn) -> str:
    """Say how a picture is turned; '' for none."""
    fine = f"straightened by {angle(turn):+g}°" if turn.resamples else ""
    quarters = (_SIGNS[word][1] for word in turn.quarters.text.split())
    return ", ".join(filter(None, (*quarters, fine)))


def with_angle(turn: Turn, degrees: float) -> Turn:
    """Return a turn with another fine angle, as it is seen."""
    way = angle(Turn(turn.orientation, 1)) / angle(Turn(1, 1))
    return replace(turn, hundredths=round(100 * way * degrees))


def angle(turn: Turn) -> float:
    """Return the fine angle as it is seen, in degrees clockwise: a mirror has it the other way."""
    return turn.quarters.inverse.then(turn).angle
