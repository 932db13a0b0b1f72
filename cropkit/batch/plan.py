"""What a batch would do, as a value that can be shown, tested, and then carried out; pure."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cropkit.audit.operation import OperationKind
from cropkit.errors import CropkitError
from cropkit.records import Decision, Placement, Problem


class Source(StrEnum):
    """Where a batch takes its decisions from."""

    QUEUE = "queue"  # what reviewers decided and nobody has carried out
    SUGGESTIONS = "suggestions"  # the own suggestion of each image that nobody has decided about
    PLAN = "plan"  # the same, of the images that a plan lets through


@dataclass(frozen=True, slots=True)
class Item:
    """One image that a batch will work on, or will refuse.

    Parameters
    ----------
    target : where it will be; relative to the collection, or absolute elsewhere
    size_bytes : of the file
    recorded : whether the decision is in the trail already
    error : why it will be refused; None when nothing is in the way
    """

    decision: Decision
    kind: OperationKind
    target: str
    size_bytes: int
    recorded: bool
    error: CropkitError | None = None

    @property
    def path(self) -> str:
        """The image."""
        return self.decision.path

    @property
    def moves(self) -> bool:
        """Whether it gets another name."""
        return self.target != self.path

    @property
    def is_copy(self) -> bool:
        """Whether its image stays as it is."""
        return self.kind is OperationKind.COPY

    @property
    def folder(self) -> str:
        """The folder that it goes to; beneath that it has the folders of its image."""
        above, beneath = self.target.rpartition("/")[0], self.path.rpartition("/")[0]
        return above.removesuffix(f"/{beneath}") if beneath else above


@dataclass(frozen=True, slots=True)
class Unread:
    """An image that cannot even be decided about, and why."""

    path: str
    error: CropkitError


@dataclass(frozen=True, slots=True)
class Passed:
    """An image that a batch leaves alone, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch would do.

    Parameters
    ----------
    placement : where crops go of which no decision says where
    problems : suggestions, or a kept listing, that are there and cannot be used
    part : the folder of the collection that is meant; '' for all of it
    promised : what is promised of images that are accepted unseen, and what was found of others
    """

    folder: Path
    source: Source
    placement: Placement
    items: tuple[Item, ...] = ()
    unread: tuple[Unread, ...] = ()
    passed: tuple[Passed, ...] = ()
    problems: tuple[Problem, ...] = ()
    part: str = ""
    promised: tuple[str, ...] = ()

    @property
    def ready(self) -> tuple[Item, ...]:
        """Items that nothing is in the way of."""
        return tuple(item for item in self.items if item.error is None)

    @property
    def refused(self) -> tuple[tuple[str, CropkitError], ...]:
        """What will be refused, with the reason."""
        planned = [(item.path, item.error) for item in self.items if item.error is not None]
        return (*planned, *((unread.path, unread.error) for unread in self.unread))

    @property
    def to_settle(self) -> tuple[Item, ...]:
        """Items that the engine has to see: also refusals, where a recorded decision waits."""
        return tuple(item for item in self.items if item.error is None or item.recorded)

    @property
    def size_bytes(self) -> int:
        """Bytes of the images that will be worked on."""
        return sum(item.size_bytes for item in self.ready)

    @property
    def destinations(self) -> tuple[str, ...]:
        """Folders that crops will go to."""
        moving = (item.folder for item in self.ready if item.moves)
        return tuple(dict.fromkeys(moving))
