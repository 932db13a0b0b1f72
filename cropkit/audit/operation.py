"""One operation on one image: what the write protocol plans, keeps durably and settles; pure.

Every kind has the same states::

    planned ─► prepared ─► done
       │          └──► aborting ─► aborted        (the files are put back)
       └─────────────────────────► aborted        (nothing was touched)
    prepared, aborting ─► conflict ─► aborted     (foreign content: nothing is touched)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import uuid4

from cropkit.geometry import PixelBox
from cropkit.system.home import ASIDE, ORIGINALS, STAGE


class OperationKind(StrEnum):
    """What an operation is for."""

    CROP = "crop"
    COPY = "copy"
    REJECT = "reject"
    RESTORE = "restore"
    PURGE = "purge"


class OperationState(StrEnum):
    """How far an operation has come."""

    PLANNED = "planned"
    PREPARED = "prepared"
    DONE = "done"
    ABORTING = "aborting"
    ABORTED = "aborted"
    CONFLICT = "conflict"


OPEN_STATES = (
    OperationState.PLANNED,
    OperationState.PREPARED,
    OperationState.ABORTING,
    OperationState.CONFLICT,
)
# state -> from which states it may be reached: the drawing above, and what recovery may try again
REACHED_FROM: Mapping[OperationState, tuple[OperationState, ...]] = {
    OperationState.PREPARED: (OperationState.PLANNED,),
    OperationState.DONE: (OperationState.PREPARED,),
    OperationState.ABORTING: (OperationState.PREPARED, OperationState.ABORTING),
    OperationState.ABORTED: OPEN_STATES,
    OperationState.CONFLICT: OPEN_STATES[1:],
}

ID = re.compile("[0-9a-f]{32}")
_SHA256 = re.compile("[0-9a-f]{64}")

# Events of the trail: what an operation came to, and that it had been taken back all the same.
OUTCOMES = ("cropped", "rejected", "restored", "purged")
TAKEN_BACK = "taken-back"
# A collection that lay inside this one was joined to it.
MERGED = "merged"
# What that one left was removed on purpose.
MERGED_PURGED = "merged-purged"


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that follows its image, or that is exchanged as its image is cropped.

    Parameters
    ----------
    sha256 : of what stands for `target` in the end; '' until it is known
    keeps_source : siblings still need it, or it is staged and goes with the stage
    aside : where what stands for `target` goes; '' where nothing does, and nothing may
    replaces : SHA-256 of that; '' until it is known
    """

    source: str
    target: str
    sha256: str = ""
    keeps_source: bool = False
    aside: str = ""
    replaces: str = ""

    @property
    def is_staged(self) -> bool:
        """Whether its bytes were made for this operation."""
        return self.source.startswith(f"{STAGE}/")

    @property
    def put_aside(self) -> str:
        """Where what stood beside the image is kept for undo; '' where nothing is."""
        return self.aside or (self.target if self.target.startswith(f"{ASIDE}/") else "")

    @property
    def takes_a_name_over(self) -> bool:
        """Whether its target is a name that something has, and is to lose."""
        return bool(self.aside) and (
            self.source == self.target or self.is_staged or self.source.startswith(f"{ASIDE}/")
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that changes with it."""
        if self.is_staged or self.aside:
            return tuple(filter(None, (self.source, self.target, self.aside)))
        return () if self.keeps_source else (self.source, self.target)


@dataclass(frozen=True, slots=True)
class Operation:
    """Where an image comes from, where it goes, and with which content.

    One try of a `Request`, which says what was wanted and knows nothing of owner, state or disk.

    Parameters
    ----------
    source, target : relative to the collection; a target elsewhere is absolute
    sha256_before, sha256_after : of the content; None until it is known
    box : upright pixels, for a crop
    attributes : of the file before, as `Attributes.to_json` writes them
    undoes : the operation that a restore takes back
    """

    kind: OperationKind
    source: str
    target: str
    session: str
    owner: str
    sha256_before: str | None = None
    sha256_after: str | None = None
    box: PixelBox | None = None
    decision: str | None = None
    undoes: str | None = None
    companions: tuple[Companion, ...] = ()
    attributes: dict[str, Any] | None = None
    report: dict[str, Any] = field(default_factory=dict)
    state: OperationState = OperationState.PLANNED
    id: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        """Refuse what could become another path than was meant: ids and hashes name files."""
        for name in (self.id, self.owner):
            _check_is_hex(name, ID)
        for sha256 in (self.sha256_before, self.sha256_after):
            if sha256:
                _check_is_hex(sha256, _SHA256)

    @property
    def in_place(self) -> bool:
        """Whether the name stays."""
        return self.source == self.target

    @property
    def is_copy(self) -> bool:
        """Whether a crop is made beside its source, which is read and nothing else."""
        return self.kind is OperationKind.COPY

    @property
    def same_content(self) -> bool:
        """Whether only the name changes, so that the very same inode can stay."""
        return self.sha256_before == self.sha256_after

    @property
    def stages(self) -> bool:
        """Whether new bytes are staged for it: a copy is a file of its own, whatever it holds."""
        return self.is_copy or (self.kind is not OperationKind.PURGE and not self.same_content)

    @property
    def brings_back(self) -> bool:
        """Whether a kept original is copied to its name, because nothing stands for the crop."""
        return self.kind is OperationKind.RESTORE and self.source.startswith(f"{ORIGINALS}/")

    @property
    def image(self) -> str:
        """The name that a person knows it by."""
        return self.target if self.brings_back else self.source

    @property
    def lets_names_go(self) -> bool:
        """Whether an old name has to go once the new ones are there."""
        return not self.in_place or not all(each.is_staged for each in self.companions)

    @property
    def keeps_an_original(self) -> bool:
        """Whether new bytes take a name, so that the old ones have to be kept."""
        return self.kind in (OperationKind.CROP, OperationKind.RESTORE)

    @property
    def kept_its_original(self) -> bool:
        """Whether there is an original that this one has put out of its place."""
        return self.keeps_an_original and not self.same_content

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that the operation touches and so claims; of a copy's source nothing is."""
        if self.is_copy:
            return (self.target,)
        moved = [name for companion in self.companions for name in companion.names]
        return tuple(dict.fromkeys((self.source, self.target, *moved)))


def check_sha256(text: str) -> None:
    """Refuse what is no SHA-256 as we write it."""
    _check_is_hex(text, _SHA256)


def _check_is_hex(text: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is not {pattern.pattern}")
