"""What a person has chosen of how they look at images, kept outside of every collection.

One document of theirs holds it: under '' what is the person's, under each folder what is its own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cropkit.errors import CropkitError, PersonalStateUnusable
from cropkit.review.runtime.background import BackgroundThread
from cropkit.review.runtime.guard import Guard
from cropkit.review.runtime.loop import Loop, Timer
from cropkit.system import personal_state

DOCUMENT = "review"
_OWN = ""
_MOST = 200  # folders: those that were looked at last
_AFTER = 0.5  # seconds: a wheel that turns is written once


class Chosen(NamedTuple):
    """What a person has chosen everywhere, and what in this folder."""

    own: Mapping[str, Any]
    here: Mapping[str, Any]


class Remembering:
    """Keeps what is chosen, soon after it is."""

    def __init__(self, folder: Path, loop: Loop, guard: Guard) -> None:
        self._name = str(folder.resolve())
        self._loop, self._guard = loop, guard
        self._thread: BackgroundThread | None = None
        self._kept: Chosen | None = None
        self._wanted: Chosen | None = None
        self._due: Timer | None = None

    def read(self) -> Chosen:
        """Return what was chosen last; nothing where it cannot be believed, which is told."""
        try:
            document = personal_state.read(DOCUMENT)
            return Chosen(*(_table(document.get(name, {})) for name in (_OWN, self._name)))
        except (CropkitError, ValueError) as error:
            self.refuse(error)
        return Chosen({}, {})

    def refuse(self, error: Exception) -> None:
        """Tell that what was chosen is not used."""
        self._guard.problem(f"what you chose last is not used: {error}")

    def begin(self, chosen: Chosen, thread: BackgroundThread) -> None:
        """Take what a review begins with as kept: what is not changed is not written.

        Parameters
        ----------
        thread : where it is written
        """
        self._kept, self._thread = chosen, thread

    def follow(self, chosen: Chosen) -> None:
        """Keep what is chosen now, in a moment."""
        latest = self._kept if self._wanted is None else self._wanted
        if latest is None or chosen == latest:
            return
        self._wanted = chosen
        if self._due is None:
            self._due = self._loop.call_later(_AFTER, self._guard.watch(self._submit))

    def close(self) -> None:
        """Keep at once what was to be kept in a moment."""
        if self._due is not None and self._thread is not None:
            self._due.cancel()
            self._thread.here("", self._keep, lambda: None)

    def _submit(self) -> None:
        self._due = None
        if self._thread is not None:
            self._thread.submit("", self._keep, lambda _: None)

    def _keep(self) -> None:
        wanted = self._wanted
        if wanted is None or personal_state.folder() is None:
            return
        with personal_state.changing(DOCUMENT) as document:
            document[_OWN] = dict(wanted.own)
            document.pop(self._name, None)
            document[self._name] = dict(wanted.here)  # last: the one looked at last
            for name in [name for name in document if name != _OWN][:-_MOST]:
                del document[name]
        self._kept = wanted


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PersonalStateUnusable(f"{DOCUMENT}.json", "not a table for each folder")
    return value
