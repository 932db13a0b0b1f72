"""What a person has chosen and learned in reviews, kept in their own state for the next one."""

import logging
from typing import Any

from cropkit.errors import PersonalStateUnusable
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.system import personal_state

_DOCUMENT = "hints"
_log = logging.getLogger("cropkit.review")


class Preferences:
    """Read once, at the beginning; each change is written beside everything else.

    Where nothing can be kept, what is chosen holds for this review, and the reviewer is told once.
    """

    def __init__(self, thread: BackgroundThread, guard: Guard) -> None:
        self._thread, self._guard = thread, guard
        self._told = False
        try:
            self._known: dict[str, Any] = personal_state.read(_DOCUMENT)
        except PersonalStateUnusable as error:
            self._known = {}
            self._tell(str(error))

    def is_chosen(self, name: str) -> bool:
        """Whether something was chosen, or learned."""
        return self._known.get(name) is True

    def choose(self, name: str, *, chosen: bool = True) -> None:
        """Keep that something was chosen or learned, or was not."""
        if self.is_chosen(name) != chosen:
            self._known = {**self._known, name: chosen}
            self._thread.submit("", lambda: _keep(name, chosen=chosen), self._tell)

    def _tell(self, error: str) -> None:
        if error and not self._told:
            self._told = True
            _log.warning("preferences are not kept: %s", error)
            self._guard.note(f"What you choose is not kept for the next review: {error}")


def _keep(name: str, *, chosen: bool) -> str:
    """Write one choice; return why it is not kept, '' where it is."""
    try:
        with personal_state.changing(_DOCUMENT) as document:
            document[name] = chosen
    except PersonalStateUnusable as error:
        return str(error)
    return ""
