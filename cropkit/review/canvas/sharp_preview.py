"""A sharper picture of one image, where it is seen more closely than its preview resolves.

It is another preview, larger than the first and never the original, made by the same processes and
kept in the same place. Until it has come, the first one is shown larger than it is.
"""

from collections.abc import Callable

from cropkit.geometry import Size
from cropkit.review.canvas.buffers import OffscreenBuffer
from cropkit.review.canvas.canvases import Canvases
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.prefetch import Arrival, Prefetch
from cropkit.review.view.viewport import Viewport

# Sides of the squares that sharper pictures fit into: each has four times the pixels.
SIDES = (1600, 3200)
ENOUGH = 0.85  # of the pixels that the screen has: what is less is seen as blurred


def resolved(size: Size, fit: Size) -> float:
    """Return how many pixels a preview that fits into `fit` has for one of the image."""
    return min(1.0, fit.width / size.width, fit.height / size.height)


def side_for(size: Size, fit: Size, scale: float) -> int | None:
    """Return the side of the smallest picture that resolves what is seen, None for the first.

    Parameters
    ----------
    fit : of the preview that is there already
    scale : pixels of the screen for one of the image
    """
    wanted = min(1.0, scale) * ENOUGH
    there = resolved(size, fit)
    if there >= wanted:
        return None
    better = [side for side in SIDES if resolved(size, Size(side, side)) > there]
    enough = (side for side in better if resolved(size, Size(side, side)) >= wanted)
    return next(enough, better[-1] if better else None)


class SharpPreviews:
    """Asks for the sharper picture, and knows which buffer has the best one of an image."""

    def __init__(self, canvases: Canvases, prefetch: Prefetch, guard: Guard) -> None:
        self._canvases, self._prefetch, self._guard = canvases, prefetch, guard

    def follow(self, path: str, view: Viewport, changed: Callable[[], None]) -> None:
        """Have the picture that resolves an image as it is seen, as soon as it has come."""
        arrival = self._prefetch.get(path)
        if not isinstance(arrival, Arrival):
            return
        scale = view.scale * self._canvases.scale
        side = side_for(arrival.size, self._prefetch.fit, scale)
        buffer = self._canvases.sharp_buffer
        if side is None or self._holds(buffer, arrival, side):
            return
        fit = Size(side, side)
        jpeg = self._prefetch.closer(arrival, fit)
        name = _name(arrival, side)
        if jpeg and buffer.holds != name and not (buffer.following and buffer.following[0] == name):
            done = self._guard.watch(changed, path)
            self._canvases.upload(buffer, name, (jpeg, arrival.size), done, fit)

    def best_buffer(self, arrival: Arrival, usual: OffscreenBuffer) -> OffscreenBuffer:
        """Return where the best picture of an image is that the browser has."""
        buffer = self._canvases.sharp_buffer
        return buffer if any(self._holds(buffer, arrival, side) for side in SIDES) else usual

    @staticmethod
    def _holds(buffer: OffscreenBuffer, arrival: Arrival, least: int) -> bool:
        return buffer.holds in {_name(arrival, side) for side in SIDES if side >= least}


def _name(arrival: Arrival, side: int) -> str:
    return f"{arrival.name} {side}"
