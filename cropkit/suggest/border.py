"""What becomes of boxes that reach outside of their image: cut at the border, or refused."""

from dataclasses import dataclass
from threading import Lock
from typing import Literal

from cropkit.errors import BadSuggestion
from cropkit.geometry import NormalizedBox, Size
from cropkit.suggest.numbers import FLOAT_NOISE, normalized_box
from cropkit.system import parameters

Outside = Literal["clip", "refuse"]
Edges = tuple[float, float, float, float]

PIXEL_NOISE = 0.5  # a detector's edge may lie half a pixel outside; more is another image's box
TOLERANCE = 0.05  # of the side: more is a box of another size, order or frame


@dataclass(frozen=True, slots=True)
class Clipped:
    """How many boxes were cut at the border, and by how many pixels at most."""

    count: int = 0
    most: float = 0.0

    def __str__(self) -> str:
        boxes = "1 box" if self.count == 1 else f"{self.count:,} boxes"
        return f"{boxes} clipped at the border, at most {self.most:.3g} px"


class Border:
    """Brings boxes inside of their images, and counts those that it cut. Safe from any thread.

    Parameters
    ----------
    outside : clip, up to the tolerance; or refuse whatever is more than half a pixel outside
    tolerance : fraction of the side; what reaches farther is refused
    """

    def __init__(self, outside: Outside = "clip", tolerance: float = TOLERANCE) -> None:
        self._clips = parameters.choice("outside", outside, ("clip", "refuse")) == "clip"
        self._tolerance = parameters.share("tolerance", tolerance)
        self._lock = Lock()
        self._clipped = Clipped()

    @property
    def clipped(self) -> Clipped:
        """What was cut until now."""
        return self._clipped

    def box(self, edges: Edges, size: Size, where: str) -> NormalizedBox:
        """Return the box of edges in pixels of an image of that size.

        Raises
        ------
        BadSuggestion
            When it is empty or inverted, or reaches too far outside.
        """
        noise = max(PIXEL_NOISE, FLOAT_NOISE * max(size.width, size.height))
        far = max(-edges[0], -edges[1], edges[2] - size.width, edges[3] - size.height)
        allowed = [max(noise, self._tolerance * n) if self._clips else noise for n in _sides(size)]
        w, h = size.width, size.height
        fractions = (edges[0] / w, edges[1] / h, edges[2] / w, edges[3] / h)
        try:
            box = normalized_box(fractions, where, (allowed[0] / w, allowed[1] / h))
        except BadSuggestion:
            if self._clips:
                self._explain(edges, allowed, far, size, where)
            raise
        if far > noise:
            self._count(far)
        return box

    def _explain(
        self, edges: Edges, allowed: list[float], far: float, size: Size, where: str
    ) -> None:
        """Say in pixels by how much it is outside, where that is why it was refused."""
        x, y = max(-edges[0], edges[2] - size.width), max(-edges[1], edges[3] - size.height)
        if x > allowed[0] or y > allowed[1]:
            share = f"{self._tolerance:.3g} of the side"
            image = f"the {size.width} x {size.height} image"
            reason = (
                f"box {_listed(edges)} is {far:.4g} px outside of {image}; at most {share} is cut"
            )
            raise BadSuggestion(where, reason) from None

    def _count(self, far: float) -> None:
        with self._lock:
            self._clipped = Clipped(self._clipped.count + 1, max(self._clipped.most, far))


def _sides(size: Size) -> tuple[int, int]:
    return size.width, size.height


def _listed(edges: Edges) -> str:
    return "(" + ", ".join(f"{edge:.7g}" for edge in edges) + ")"
