"""Kept originals, listed and copied out: to look at, to compare, to keep elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cropkit.audit.operation import Operation
from cropkit.engine.locations import Locations
from cropkit.engine.originals import original_of
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
    rows = [row for row in undoable if row.kept_its_original]
    return [
        KeptOriginal(row.source, row.id, sha256, _size(locations.state, sha256))
        for row in rows
        if (sha256 := row.sha256_before)
    ]


def copied(locations: Locations, operation: Operation, folder: Path, name: str) -> Path:
    """Write the original of an operation to a new file in a folder, durably, and prove it.

    Parameters
    ----------
    folder : one that a person named; it is made where it is not there
    name : beneath it, with forward slashes; a row may have told it

    Raises
    ------
    PathOutsideRoot, NameTaken, OriginalPurged, OriginalDamaged, ReadOnly, NoSpace
        Nothing was written over, or outside of the folder.
    """
    locations.check(operation)
    original = original_of(locations, operation)
    folder.mkdir(parents=True, exist_ok=True)
    root, above = Root(folder, locations.root.system), name.rpartition("/")[0]
    if above:
        root.make_folder(above)
    if root.identity(name) is not None:
        raise NameTaken(operation.source, str(folder / name))
    root.write_new(name, original.data, original.attributes)
    root.set_times(name, original.attributes.times)
    root.sync(name)
    if root.digest(name) != operation.sha256_before:
        raise OriginalDamaged(operation.source, str(folder / name))
    root.sync_folder(above)
    return folder / name


def _size(root: Root, sha256: str) -> int | None:
    identity = root.identity(kept(sha256))
    return identity.size if identity else None
