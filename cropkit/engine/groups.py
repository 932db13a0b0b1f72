"""How many requests go together, and which: what shares a group shares its syncs."""

from collections.abc import Callable, Iterable, Iterator

from cropkit.engine.request import Request


class GroupSize:
    """How many requests go into a group, so that it lets go of its files again within a time.

    A group claims its images until it ends; a person who decides about one of them waits so long.
    The first group is small, since nothing is known yet.

    Parameters
    ----------
    seconds : that a group should take
    most : requests, however fast they are
    """

    def __init__(self, seconds: float, most: int, first: int = 4) -> None:
        self._seconds, self._most = seconds, most
        self.size = min(first, most)

    def took(self, count: int, seconds: float) -> None:
        """Learn from a group; it may at most double, so that one lucky group misleads nobody."""
        fits = int(self._seconds * count / max(seconds, 1e-9))
        self.size = max(1, min(fits, 2 * self.size, self._most))


def groups(requests: Iterable[Request], largest: Callable[[], int]) -> Iterator[list[Request]]:
    """Split requests into groups in which no image and no content stands twice.

    Rivals for a name or an original cannot share a group.

    Parameters
    ----------
    largest : asked again for each group
    """
    group: list[Request] = []
    for request in requests:
        if len(group) >= largest() or any(_are_rivals(request, other) for other in group):
            yield group
            group = []
        group.append(request)
    if group:
        yield group


def _are_rivals(request: Request, other: Request) -> bool:
    return request.expect == other.expect or request.source == other.source
