"""Kept originals, listed and copied out: to look at, to compare, to keep elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cropkit.audit.operation import Operation
from cropkit.engine.locations import Locations
from cropkit.engine.originals import Originals
from cropkit.errors import NameTaken, OriginalDamaged
from cropkit.system.files import Root
from cropkit.system.home import kept


@dataclass(frozen=True, slots=True)
class KeptOriginal:
    """What an image was before an operation.

    Parameters
    ----------
    path : the image's name then, relative to the collection
    operation : id of the crop or restore that changed it
    size : bytes; None when it was purged
    """

    path: str
    operation: str
    sha256: str
    size: int | None


def listed(locations: Locations, undoable: Sequence[Operation]) -> list[KeptOriginal]:
    """List what the operations that can be taken back keep, in their order."""
    rows = [row for row in undoable if not row.same_content]
    return [
        KeptOriginal(row.source, row.id, sha256, _size(locations.root, sha256))
        for row in rows
        if (sha256 := row.sha256_before)
    ]


def copied(locations: Locations, operation: Operation, to: Path) -> Path:
    """Write the original of an operation to a new file, durably, and prove it.

    Raises
    ------
    NameTaken, OriginalPurged, OriginalDamaged, ReadOnly, NoSpace
        Nothing was written over.
    """
    original = Originals(locations).read(operation)
    folder = to.absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    root = Root(folder, locations.root.system)
    if root.identity(to.name) is not None:
        raise NameTaken(operation.source, str(to))
    root.write_new(to.name, original.data, original.attributes)
    root.set_times(to.name, original.attributes.times)
    root.sync(to.name)
    if root.digest(to.name) != operation.sha256_before:
        raise OriginalDamaged(operation.source, str(to))
    root.sync_folder("")
    return to


def _size(root: Root, sha256: str) -> int | None:
    identity = root.identity(kept(sha256))
    return identity.size if identity else None
