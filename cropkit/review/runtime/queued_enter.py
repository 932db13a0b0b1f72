"""One Enter may wait for the page that the one before it has turned to, and for no other."""

from cropkit.review.model import Open, ReviewState

STILL_LOADING = "Not taken: the page is not on the screen yet"
WAITS = "Enter waits for the page that is being drawn"
_ONE_WAITS = "Not taken: one Enter waits for the page already"
DROPPED = "Enter was dropped: another page came than the one that it was pressed for"
_Page = tuple[str, ...]


class QueuedEnter:
    """Knows which page was announced by a decision, and the Enter that waits for it."""

    def __init__(self) -> None:
        self._announced: _Page = ()
        self._waits_for: _Page | None = None

    def announce(self, session: ReviewState) -> None:
        """Take note of the page that a decision has turned to."""
        self._announced = _page(session)

    def forget(self) -> None:
        """Have no page announced: a browser page has come that has seen none."""
        self._announced = ()

    def press(self, session: ReviewState) -> str:
        """Let an Enter wait where it may; return what is said of it."""
        if self._waits_for is not None:
            return _ONE_WAITS
        if self._announced != _page(session) or not session.entries:
            return STILL_LOADING
        self._waits_for = self._announced
        return WAITS

    def taken(self, session: ReviewState) -> str | None:
        """Return what is said of an Enter that waited, now that a page is on the screen.

        '' where it is to be taken; None where none has waited.
        """
        waited, self._waits_for = self._waits_for, None
        if waited is None:
            return None
        same = waited == self._announced == _page(session)
        return "" if same and all(isinstance(e, Open) for e in session.entries) else DROPPED


def _page(session: ReviewState) -> _Page:
    return tuple(entry.path for entry in session.entries)
