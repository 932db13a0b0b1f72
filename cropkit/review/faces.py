"""What is to be seen over each image of a page; pure."""

from collections.abc import Callable
from dataclasses import dataclass

from cropkit.geometry import PixelBox
from cropkit.session import Entry, Open, Session

Applied = Callable[[str, PixelBox], PixelBox]


@dataclass(frozen=True, slots=True)
class Face:
    """All that is painted over one image: two of them that are equal look the same."""

    entry: Entry
    chosen: bool
    written: PixelBox | None = None
    least: int = 0


def faces(session: Session, applied: Applied) -> tuple[Face, ...]:
    """Return what is to be painted over each image of the page.

    Parameters
    ----------
    applied : from a path and a box to what a crop will hold, which is dimmed no more than the box
    """
    return tuple(
        _face(session, position, entry, applied) for position, entry in enumerate(session.entries)
    )


def _face(session: Session, position: int, entry: Entry, applied: Applied) -> Face:
    chosen = position == session.chosen
    if not isinstance(entry, Open):
        return Face(entry, chosen)
    least = session.minimum if session.too_small(entry) else 0
    return Face(entry, chosen, applied(entry.path, entry.box), least)
