"""What collections that were joined to this one have left is removed on purpose.

Theory of operation. `.cropkit/merged/*` are the inner states as they were. One may go when the
outer collection has all that was in it: its trail tells that a trail with this very end was joined,
and each image in it is an original that is kept, stands where the trail says, or was purged. An
event tells of it before anything goes, and the database goes after the images: whoever is cut off
finds a state that is looked at in the same way, and removes the rest.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import PurePosixPath

from cropkit.audit.presence import recovering
from cropkit.audit.trail import AuditTrail
from cropkit.audit.trail_copy import head_of_home
from cropkit.engine.executor import refusal
from cropkit.engine.locations import Locations
from cropkit.engine.merging import Joining, aside, joined
from cropkit.errors import AuditError, CropkitError, MissingFile, StillNeeded
from cropkit.records import CropResult, Status
from cropkit.system.home import DATABASE, HOME, MERGED, ORIGINALS, REJECTED, REMOVED, kept

_IMAGES = frozenset(PurePosixPath(name).name for name in (ORIGINALS, REJECTED, REMOVED))


class MergedHomes:
    """The states of collections that were joined to one; names are relative to that one."""

    def __init__(self, locations: Locations, trail: AuditTrail) -> None:
        self._root, self._trail = locations.state, trail
        self._holds = locations.holds

    def since(self) -> dict[str, str]:
        """Return them with when each was joined; '' where the trail does not tell of it.

        Of a part of the collection, none: they are the collection's own.
        """
        places = self._root.folders(MERGED) if self._trail.scope.is_whole else []
        joinings = joined(self._trail) if places else []
        return {f"{MERGED}/{name}": _last_joined(name, joinings) for name in places}

    def size(self, home: str) -> int:
        """Return the bytes that its files free, as far as one can look: none with other names."""
        total = 0
        with suppress(CropkitError):
            for name in self._root.files(home):
                identity = self._root.identity(name)
                total += identity.size if identity is not None and identity.links == 1 else 0
        return total

    def remove(self, home: str) -> CropResult:
        """Remove one; where it holds what the collection has not, that is told, and it stays.

        Raises
        ------
        AuditError
            Work must stop: the trail cannot tell of it, and it stays.
        """
        with recovering(self._root.path, self._trail.store.deadline):
            try:
                part, head = self._checked(home)
            except AuditError:
                raise
            except CropkitError as error:
                return refusal(home, None, error)
            facts = {"aside": home, "head": head, "bytes": self.size(home)}
            self._trail.tell_removed(part, facts)
            return self._removed(home)

    def _removed(self, home: str) -> CropResult:
        try:
            for name in self._root.folders(home):
                self._root.remove_folder(f"{home}/{name}")
            self._root.unlink(_database(home), missing_ok=True)
            self._root.remove_folder(home)
            self._root.sync_folder(MERGED)
        except CropkitError as error:
            return refusal(home, None, error)
        return CropResult(Status.PURGED, home)

    # -- what has to be so ---------------------------------------------------------------------

    def _checked(self, home: str) -> tuple[str, str]:
        """Return the folder that it lay in, and what its trail ended with.

        Raises
        ------
        StillNeeded, CropkitError
            Something in it is not the outer collection's, or somebody else has removed it.
        """
        name = PurePosixPath(home).name
        if name not in self._root.folders(MERGED):
            raise MissingFile(home)
        joinings = [each for each in joined(self._trail) if _is_of(name, each.head)]
        head = self._head(home)
        same = [each for each in joinings if head in (None, each.head)]
        if not same:
            raise StillNeeded(home, "this trail does not tell that it was joined")
        for lost in self._only_here(home):
            raise StillNeeded(home, f"it has the only copy of {lost}")
        return same[-1].part, same[-1].head

    def _head(self, home: str) -> str | None:
        """Return what its trail ends with; None where a removal was cut off behind that."""
        if self._root.identity(_database(home)) is None:
            return None
        try:
            return head_of_home(self._root.path, home, self._trail.store.deadline)
        except AuditError as error:
            raise StillNeeded(home, f"its trail cannot be read: {error}") from error

    def _only_here(self, home: str) -> Iterator[str]:
        """Yield the images in it whose content the collection has nowhere."""
        for name in self._root.files(home):
            parts = PurePosixPath(name.removeprefix(f"{home}/")).parts
            if _IMAGES.isdisjoint(parts[:-1]):
                continue
            sha256 = self._root.digest(name) or ""
            is_rotten = parts[-2] == PurePosixPath(ORIGINALS).name and sha256 != parts[-1]
            if not is_rotten and not self._has(sha256, "/".join(parts)):
                yield name

    def _has(self, sha256: str, name: str) -> bool:
        names = (kept(sha256), f"{HOME}/{name}")
        if any(self._root.digest(each) == sha256 for each in names):
            return True
        if any(self._stands(each, sha256) for each in self._trail.contents.names_of(sha256)):
            return True
        return self._trail.contents.was_purged(sha256)

    def _stands(self, name: str, sha256: str) -> bool:
        try:
            return self._holds(name, sha256)
        except CropkitError:  # where nobody can look, it does not
            return False


def _is_of(name: str, head: str) -> bool:
    """Whether a place is the one of a trail that ended so; several may have."""
    return re.fullmatch(rf"{PurePosixPath(aside(head)).name}(-[0-9]+)?", name) is not None


def _last_joined(name: str, joinings: Sequence[Joining]) -> str:
    return max((each.at for each in joinings if _is_of(name, each.head)), default="")


def _database(home: str) -> str:
    return f"{home}/{PurePosixPath(DATABASE).name}"
