"""Second opinions: which images get one, and whether two people agree about a content; pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from cropkit.geometry import iou, largest_edge_shift
from cropkit.names import escaped
from cropkit.records import EDGE_TOLERANCE, Decision, Verdict, is_batch

SETTING = "double"  # of a collection
_BYTES = 8  # of a hash: the share is exact to one in 10^19
_TEXT = re.compile(r"(?P<share>[01]\.[0-9]{6}) (?P<seed>[0-9a-f]{16})")
_SECOND = "waits for a second opinion"
_THIRD = "two people disagree: it waits for a third opinion"
_TWO = 2


@dataclass(frozen=True, slots=True)
class Doubling:
    """Which images two people decide about, each for themselves, before anything is carried out.

    Parameters
    ----------
    share : of all images, 0 to 1, in millionths
    seed : 16 hexadecimal digits, by chance: who knows only names cannot tell which images it are
    """

    share: float
    seed: str

    @property
    def text(self) -> str:
        """What the setting holds."""
        return f"{self.share:.6f} {self.seed}"

    @classmethod
    def from_text(cls, text: str) -> "Doubling":
        """Read it.

        Raises
        ------
        ValueError
            Nobody of ours wrote it.
        """
        parts = _TEXT.fullmatch(text)
        if parts is None or float(parts["share"]) > 1:
            raise ValueError(f"{text!r:.60} is no share of images with a seed")
        return cls(float(parts["share"]), parts["seed"])

    def holds(self, path: str) -> bool:
        """Whether an image is one of them: the same answer as long as its name and the seed stay.

        A larger share holds all that a smaller one does.
        """
        drawn = sha256(f"{self.seed}\0{escaped(path)}".encode()).digest()[:_BYTES]
        return int.from_bytes(drawn, "big") < self.share * 2.0 ** (8 * _BYTES)


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


def lacking(decisions: Iterable[Decision]) -> str:
    """Say what one crop of one content waits for; '' where there are opinions enough.

    That is two that agree, or three. Of each person the latest counts.

    Parameters
    ----------
    decisions : about it that nobody took back, oldest first
    """
    latest = list({each.reviewer: each for each in decisions if is_opinion(each)}.values())
    if len(latest) > _TWO:
        return ""
    if len(latest) < _TWO:
        return _SECOND
    return "" if Pair(*latest).is_agreed else _THIRD


def is_opinion(decision: Decision) -> bool:
    """Whether a person looked before they decided: what a program decides takes no time."""
    return decision.decided_at > decision.shown_at and not is_batch(decision.reviewer)


def _kind(decision: Decision) -> Verdict:
    """Return the verdict; one of all that keep a box, since their boxes are compared."""
    return Verdict.ADJUSTED if decision.box is not None else decision.verdict
