"""Whether two people who decided about one content, each for themselves, agree; pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cropkit.geometry import iou, largest_edge_shift
from cropkit.records import EDGE_TOLERANCE, Decision, Verdict, is_batch


class Pair(NamedTuple):
    """Two opinions of one crop of one content, the earlier one first."""

    first: Decision
    second: Decision

    @property
    def is_same_verdict(self) -> bool:
        """Whether both keep a box of it, both reject it, or both skip it."""
        return _kind(self.first) == _kind(self.second)

    @property
    def iou(self) -> float | None:
        """Overlap of the two boxes, None where either keeps none."""
        a, b = self.first.box, self.second.box
        return None if a is None or b is None else iou(a, b)

    @property
    def are_edges_near(self) -> bool | None:
        """Whether each edge is within 5 % of the side, and what they hold turned alike.

        None where either keeps no box.
        """
        a, b = self.first.box, self.second.box
        if a is None or b is None:
            return None
        is_near = largest_edge_shift(a, b, self.first.size) <= EDGE_TOLERANCE
        return is_near and self.first.turn == self.second.turn

    @property
    def is_agreed(self) -> bool:
        """Whether one may stand for the other."""
        return self.is_same_verdict and self.are_edges_near is not False


def pairs(decisions: Iterable[Decision]) -> Iterator[Pair]:
    """Yield what each two people thought of one crop of one content, before they could compare.

    Of who decided several times it is the latest before the other decided for the first time.

    Parameters
    ----------
    decisions : about that crop and content, oldest first
    """
    latest: dict[str, Decision] = {}
    for each in filter(is_opinion, decisions):
        if each.reviewer not in latest:
            yield from (Pair(other, each) for other in latest.values())
        latest[each.reviewer] = each


def is_opinion(decision: Decision) -> bool:
    """Whether a person looked before they decided: what a program decides takes no time."""
    return decision.decided_at > decision.shown_at and not is_batch(decision.reviewer)


def _kind(decision: Decision) -> Verdict:
    """Return the verdict; one of all that keep a box, since their boxes are compared."""
    return Verdict.ADJUSTED if decision.box is not None else decision.verdict
