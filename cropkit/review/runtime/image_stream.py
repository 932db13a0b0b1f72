"""The images of a review, chunk by chunk, with what is decided about each; asks by index.

The first chunk is a whole small collection. Of a large one it is enough for the first pages, and
the others come while these are looked at: those that are listed, then what is decided about images
that are not in the folder, and at last what earlier sessions decided and can be taken back.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cropkit.audit.decisions import Slot, Standing
from cropkit.engine import recut_sets
from cropkit.errors import TrailDisagrees
from cropkit.records import Problem, ProblemKind, Status
from cropkit.review.model import Decided, Listed, ListedAll
from cropkit.review.model.images import Earlier, Images
from cropkit.review.model.slots import is_added, keyed

if TYPE_CHECKING:
    from cropkit.collection import Collection

MOST = 2_048  # images of a chunk: some ten milliseconds of the thread that draws
_ASKED = 500  # images of one question to the database
PATIENCE = 1.0  # seconds until the first page is begun with less than a chunk
TO_PLACE = 0.3  # seconds until it is begun without the place where the review was left
_TURN = 0.1  # seconds until images that have been listed are told


class Known(NamedTuple):
    """What is decided: as the model takes it, with the id of each, and what waits, oldest first."""

    settled: dict[str, Decided]
    stale: tuple[str, ...]
    ids: tuple[tuple[str, str], ...]
    waiting: tuple[str, ...]


class Chunk(NamedTuple):
    """More images, what is decided about them, and what went wrong.

    Parameters
    ----------
    earlier : after the last images, what can be taken back
    """

    paths: tuple[str, ...]
    known: Known
    problems: Sequence[Problem] = ()
    earlier: Earlier | None = None

    @property
    def move(self) -> Listed | ListedAll:
        """What it means to the session."""
        if self.earlier is not None:
            return ListedAll(self.earlier)
        return Listed(self.paths, self.known.settled, self.known.stale)


def known(standing: Iterable[Standing]) -> Known:
    """Return what is decided by these, oldest first: of one crop, the latest counts."""
    latest = {crop_of(each): each for each in standing}
    settled = {
        path: decided_by(s)
        for path, s in latest.items()
        if s.status not in (Status.STALE, Status.RESTORED)
    }
    return Known(
        settled,
        tuple(path for path, s in latest.items() if s.status is Status.STALE),
        tuple((path, latest[path].decision) for path in settled),
        tuple(path for path, s in settled.items() if s.status is Status.WAITING),
    )


def decided_by(standing: Standing) -> Decided:
    """Return a decision as the model takes it."""
    words = standing.message or "", standing.target or ""
    return Decided(standing.verdict, standing.status, standing.box, *words, turn=standing.turn)


def crop_of(standing: Standing) -> str:
    """Return the path of the crop that a decision is about."""
    return keyed(standing.path, standing.slot)


def unreadable(errors: Iterable[TrailDisagrees]) -> list[Problem]:
    """Tell of decisions that cannot be read."""
    return [Problem(ProblemKind.DECISION, error.args[0], str(error)) for error in errors]


class ImageStream:
    """Lists in whichever thread asks, one at a time.

    Parameters
    ----------
    place : where the review was left, None where nobody knows
    now : seconds on any clock
    """

    def __init__(
        self,
        collection: "Collection",
        place: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collection, self._decisions = collection, collection.trail.decisions
        self._opinions = collection.trail.opinions
        self._slots = tuple(each.slot for each in collection.wanted)
        self._recuts = recut_sets.known(collection.trail.settings())
        self._stretches, self._now = collection.streamed(), now
        self._listed: list[str] = []
        self._problems: list[Problem] = []
        self._elsewhere: list[Slot] | None = None
        self.walked = False  # whether nothing is left to be listed
        self._list_first(place)
        self._any = not self.walked and self._decisions.any_stands()

    def _list_first(self, place: str | None) -> None:
        began = self._now()
        is_met = place is None
        while not self.walked and not (is_met and len(self._listed) >= MOST):
            before, taken = len(self._listed), self._now() - began
            if taken > (TO_PLACE if len(self._listed) >= MOST else PATIENCE):
                return
            self._list_on()
            is_met = is_met or place in self._listed[before:]

    def _list_on(self) -> None:
        """List what comes next: one folder, most often."""
        stretch = next(self._stretches, None)
        if stretch is None:
            self.walked = True
            return
        self._listed += stretch.images
        unread = (Problem(ProblemKind.FOLDER, *each) for each in stretch.unread.items())
        self._problems += (*stretch.problems, *unread)

    def first(self) -> Chunk:
        """Return what the review begins with: where all is listed, what is decided of nothing."""
        if self.walked:
            paths, self._listed = tuple(self._listed), []
            return Chunk(paths, known(()), self._taken_problems())
        return self._chunk(len(self._listed))

    def following(self, images: Images) -> Chunk:
        """Return what follows, at last a `ListedAll`.

        Parameters
        ----------
        images : what the review knows when all that came before has been taken in
        """
        began = self._now()
        while not self.walked and len(self._listed) < MOST:
            self._list_on()
            if self._now() - began >= _TURN:
                break
        if self._listed or not self.walked:
            return self._chunk(MOST)
        if self._elsewhere is None:
            self._elsewhere = self._not_in(images)
        if self._elsewhere:
            return self._chunk_elsewhere()
        mine = self._decisions.to_undo(self._collection.reviewer, self._collection.session)
        earlier = images.earlier(keyed(*slot) for slot in mine if self.concerns(slot.name))
        return Chunk((), known(()), self._taken_problems(), earlier)

    def _chunk(self, most: int) -> Chunk:
        paths, self._listed = tuple(self._listed[:most]), self._listed[most:]
        standing = self._standing(paths) if self._any else ()
        decided = known(each for each in standing if self._is_shown(crop_of(each), each.slot))
        return Chunk(paths, decided, self._taken_problems())

    def _is_shown(self, crop: str, slot: str) -> bool:
        return slot in self._slots or is_added(crop, self._slots)

    def concerns(self, slot: str) -> bool:
        """Whether a slot is of this review: crops made anew are, where it is one of their set."""
        return slot in self._slots or not recut_sets.is_in(slot, self._recuts)

    def _chunk_elsewhere(self) -> Chunk:
        wanted, self._elsewhere = (self._elsewhere or [])[:MOST], (self._elsewhere or [])[MOST:]
        standing = self._standing(sorted({slot.path for slot in wanted}))
        crops = {keyed(*slot) for slot in wanted}
        decided = known(each for each in standing if crop_of(each) in crops)
        return Chunk((), decided, self._taken_problems())

    def _standing(self, paths: Sequence[str]) -> list[Standing]:
        standing: list[Standing] = []
        for at in range(0, len(paths), _ASKED):
            some, unread = self._decisions.looked_through_of(paths[at : at + _ASKED])
            standing += self._opinions.shown_to(self._collection.reviewer, some)
            self._problems += unreadable(unread)
        return standing

    def _not_in(self, images: Images) -> list[Slot]:
        """Return the slots that decisions stand for and that are not listed."""
        number = images.index.number
        slots = self._decisions.standing_slots(lambda slot: number(keyed(*slot)) is None)
        if any(not slot.path for slot in slots):  # a name that cannot be read
            self._problems += unreadable(self._decisions.looked_through()[1])
        return sorted(slot for slot in slots if slot.path and self.concerns(slot.name))

    def _taken_problems(self) -> Sequence[Problem]:
        problems, self._problems = self._problems, []
        self._collection.problems.report_once(problems)
        return problems
