"""Plans of what a person has to see, for tests of what is done with one."""

from collections.abc import Sequence

from cropkit.geometry import PixelBox, Size
from cropkit.taste import promise
from cropkit.taste.promise import Terms
from cropkit.taste.review_plan import Planned, ReviewPlan

SIZE = Size(8, 8)


def of_anything(reviewer: str, paths: Sequence[str]) -> ReviewPlan:
    """Return a plan of some images, drawn in the order given; half of the rest may be changed."""
    whole = PixelBox.full(SIZE)
    images = tuple(Planned(path, "0" * 64, SIZE, whole, 0.5) for path in paths)
    return ReviewPlan(reviewer, "", 1, 1, Terms(error=0.5), images)


def needed(plan: ReviewPlan) -> int:
    """Return how many images its sample has to begin with."""
    count = promise.needed(plan.places, plan.terms)
    assert count is not None
    return count
