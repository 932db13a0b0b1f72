"""What undo brings back: the content that an operation began with, kept under its SHA-256."""

import logging
from collections.abc import Callable
from dataclasses import replace

from cropkit.audit.operation import Operation
from cropkit.engine.locations import Locations
from cropkit.engine.ownership import Ownership
from cropkit.errors import OriginalDamaged, OriginalPurged, PathOutsideRoot, VerificationFailed
from cropkit.system.attributes import Attributes
from cropkit.system.files import Content, Identity
from cropkit.system.home import ORIGINALS, being_kept, kept, leaving

_log = logging.getLogger("cropkit")


class Originals:
    """Keeps originals of one collection, proves them and lets them go."""

    def __init__(self, locations: Locations, ownership: Ownership) -> None:
        self.locations = locations
        self._ownership = ownership
        self.state = locations.state

    def keep(self, operation: Operation, sha256: str) -> None:
        """Keep the content of an operation's source, as a second name for it where that is safe.

        A file with other names is copied instead: whoever writes through those would change the
        original that we keep.
        """
        root, path = self.locations.locate(operation.source)
        if not self._is_kept(root.identity(path), sha256, operation):
            identity = root.identity(path)
            alone = identity is not None and identity.links == 1
            if not (alone and root.link(path, self.state, kept(sha256))):
                why = "no second name can be given to it" if alone else "it has other names"
                _log.info("%s: its original is kept as a copy: %s", operation.source, why)
                self._keep_copy(root.read(path), operation)

    def check(self, operation: Operation) -> None:
        """Prove that the original is kept, by what is on disk.

        Raises
        ------
        VerificationFailed
            Nothing was switched; the image stands.
        """
        if self.state.digest(kept(operation.sha256_before or "")) != operation.sha256_before:
            raise VerificationFailed(operation.source, "the kept original is not what was read")

    def let_go(self, operation: Operation, *, is_needed: Callable[[str], bool]) -> None:
        """Remove the original of an operation that came to nothing, unless others need it.

        The claim on it keeps away whoever works on the same content under another name.
        """
        before = operation.sha256_before
        if not operation.keeps_an_original or before is None or is_needed(before):
            return
        if self.state.identity(kept(before)) and self._stands(operation.source, before):
            self._ownership.drop(self.state, kept(before), leaving(operation.id))
            self.state.sync_folder(ORIGINALS)

    def _stands(self, name: str, sha256: str) -> bool:
        """Whether a name is known to stand for this content; where nobody can look, it is not."""
        try:
            return self.locations.holds(name, sha256)
        except PathOutsideRoot:  # a folder on the way was replaced by a link
            return False

    def _is_kept(self, source: Identity | None, sha256: str, operation: Operation) -> bool:
        """Whether the content is kept already; a broken or shared left-over is removed."""
        entry = self.state.identity(kept(sha256))
        if entry is None:
            return False
        shared = entry.same_inode(source) and entry.links > 2  # noqa: PLR2004  (its name and ours)
        if not shared and self.state.digest(kept(sha256)) == sha256:
            return True
        self._ownership.drop(self.state, kept(sha256), leaving(operation.id))
        return False

    def _keep_copy(self, content: Content, operation: Operation) -> None:
        # by way of the stage: a name in the originals never stands for half a file
        partial = being_kept(operation.id)
        self.state.unlink(partial, missing_ok=True)
        self.state.write_new(partial, content.data, content.attributes)
        self.state.sync(partial)
        self.state.replace(partial, kept(content.sha256))


def original_of(locations: Locations, operation: Operation) -> Content:
    """Return what an operation began with: its content, and what the file was besides.

    Raises
    ------
    OriginalPurged, OriginalDamaged
        When it is not there any more, or not what it was; the image stands as it is.
    """
    before = operation.sha256_before or ""
    if locations.state.identity(kept(before)) is None:
        raise OriginalPurged(operation.image, before)
    content = locations.state.read(kept(before))
    if content.sha256 != before:
        raise OriginalDamaged(operation.image, kept(before))
    recorded = operation.attributes and Attributes.from_json(operation.attributes)
    attributes = (recorded or content.attributes).owned_as(content.attributes)
    return replace(content, attributes=attributes)
