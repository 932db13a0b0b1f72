"""A hidden canvas of the browser, and what it holds."""

from collections.abc import Callable
from dataclasses import dataclass

from ipycanvas import Canvas
from ipywidgets import Image

from cropkit.geometry import Size
from cropkit.review.view.viewport import Rect

_NOWHERE = Rect(0, 0, 1, 1)


@dataclass(eq=False, slots=True)
class OffscreenBuffer:
    """A hidden canvas with the image that was drawn into it last.

    An image's value reaches the browser at once, a drawing waits for its turn: so a new value may
    be sent only when the drawing of the last one is known to be done.

    Parameters
    ----------
    part : where on the canvas the image is, in pixels of it
    """

    canvas: Canvas
    image: Image
    part: Rect = _NOWHERE
    holds: str | None = None
    busy: bool = False
    following: tuple[str, tuple[bytes, Size], Callable[[], None], Size | None] | None = None
