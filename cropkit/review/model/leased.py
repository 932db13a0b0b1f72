"""What other reviews have before them: pages of it alone are passed over as long as others follow.

Nothing is hidden, and nothing depends on it: whoever goes to such a page may decide there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAMED = 3  # people


@dataclass(frozen=True, slots=True)
class Leased:
    """What somebody has before them in another review, and what comes next there.

    Parameters
    ----------
    reviewer : who; '' : who this review is of
    """

    reviewer: str
    crops: frozenset[str]


def all_of(leases: Iterable[Leased]) -> frozenset[str]:
    """Return what anybody else has."""
    return frozenset().union(*(each.crops for each in leases))


def words(leases: Iterable[Leased], here: Sequence[str]) -> str:
    """Say who has how many of some crops; '' where nobody has any."""
    counts = [(each.reviewer, sum(crop in each.crops for crop in here)) for each in leases]
    several = sorted(((who, n) for who, n in counts if n), key=lambda each: -each[1])
    told = [f"{who} has {n} of these" if who else _of_oneself(n) for who, n in several[:_NAMED]]
    others = len(several) - _NAMED
    return " · ".join([*told, *([f"and {others} more have some"] if others > 0 else [])])


def _of_oneself(number: int) -> str:
    return f"you have {number} of these in another review"
