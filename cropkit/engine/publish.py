"""When names change: idempotent steps, each right from every mixture of before and after.

New names appear first and are made durable, then old names go. Nothing is ever overwritten but the
image itself, in place, by one rename.
"""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from cropkit.audit.operation import Operation, OperationKind
from cropkit.errors import Conflict, NameTaken, OriginalPurged, VerificationFailed
from cropkit.system.attributes import Attributes
from cropkit.system.files import Content, Identity, Root
from cropkit.system.home import ORIGINALS, being_kept, kept, leaving, staged


class Switch:
    """Carries out, completes and takes back what an operation plans."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._elsewhere: dict[str, Root] = {}

    def locate(self, name: str) -> tuple[Root, str]:
        """Return the root and the path beneath it of a planned name."""
        if not name.startswith("/"):
            return self.root, name
        folder = str(PurePosixPath(name).parent)
        system = self.root.system
        there = self._elsewhere.setdefault(folder, Root(Path(folder), system))
        return there, PurePosixPath(name).name

    def digest(self, name: str) -> str | None:
        """SHA-256 of a planned name's content, None when it is not there."""
        root, path = self.locate(name)
        return root.digest(path)

    def has_passed(self, operation: Operation) -> bool:
        """Whether the commit point was passed."""
        return (self.digest(operation.target) or "") == operation.after

    def publish(self, operation: Operation, *, again: bool) -> None:
        """Let the new names appear; the image's own is the commit point.

        A purge has no new name: its commit point is that the old one is gone, to the stage, from
        where it can be put back until the trail knows.

        Parameters
        ----------
        again : somebody may have come as far before; then what stands there already is left
        """
        if operation.kind is OperationKind.PURGE:
            if self.root.identity(operation.source) is not None:
                self.root.replace(operation.source, leaving(operation.id))
            return
        nothing_to_do = operation.in_place and operation.same_content
        if not (nothing_to_do or (again and self.has_passed(operation))):
            if operation.in_place:
                self.root.replace(staged(operation.id), operation.target)
            else:
                source = operation.source if operation.same_content else staged(operation.id)
                self._place(source, operation.target, operation)
        for one in operation.companions:
            if self.digest(one.target) != one.sha256:
                self._place(one.source, one.target, operation)

    def retire(self, operation: Operation) -> None:
        """Let the old names go, each only if its content is what was planned and stands anew."""
        for one in operation.companions:
            if not one.keeps_source and self.digest(one.target) == one.sha256:
                self._drop(one.source, one.sha256)
        if not operation.in_place and self.digest(operation.target) == operation.after:
            self._drop(operation.source, operation.before)

    def put_back(self, operation: Operation) -> None:
        """Undo `publish` and `retire`; the destination goes last, so that recovery reads the way.

        Raises
        ------
        Conflict
            When somebody else's content is in the way: it stays, and so does ours.
        """
        for one in operation.companions:
            if self.digest(one.source) != one.sha256:
                self._place(one.target, one.source, operation)
        if operation.kind is OperationKind.PURGE:
            if self.root.identity(leaving(operation.id)) is not None:
                self.root.replace(leaving(operation.id), operation.source)
            self.sync(operation, new_names=False)
            return
        self._put_source_back(operation)
        self.sync(operation, new_names=False)
        for one in operation.companions:
            if self.digest(one.source) == one.sha256:
                self._drop(one.target, one.sha256)
        if not operation.in_place:
            self._drop(operation.target, operation.after)
        self.sync(operation, new_names=True)
        self.clean(operation)

    def clean(self, operation: Operation) -> None:
        """Remove what was staged."""
        self.root.unlink(staged(operation.id), missing_ok=True)
        self.root.unlink(being_kept(operation.id), missing_ok=True)
        self.root.unlink(leaving(operation.id), missing_ok=True)
        self.clean_partials(operation)

    def clean_partials(self, operation: Operation) -> None:
        """Remove copies that were cut off on their way to another file system."""
        for name in self._partials(operation):
            root, path = self.locate(name)
            root.unlink(path, missing_ok=True)

    def let_go(self, operation: Operation, *, is_needed: Callable[[str], bool]) -> None:
        """Remove the original of an operation that came to nothing, unless others need it.

        The claim on it keeps away whoever works on the same content under another name.
        """
        before = operation.before
        if not operation.keeps_an_original or before is None or is_needed(before):
            return
        if self.root.identity(kept(before)) and self.digest(operation.source) == before:
            self.root.unlink(kept(before))
            self.root.sync_folder(ORIGINALS)

    def sync(self, operation: Operation, *, new_names: bool) -> None:
        """Make the names on one side durable."""
        for folder in self.folders(operation, new_names=new_names):
            self.sync_folder(folder)

    def folders(self, operation: Operation, *, new_names: bool) -> list[str]:
        """Return the folders that hold the names on one side."""
        names = [(c.target if new_names else c.source) for c in operation.companions]
        names.append(operation.target if new_names else operation.source)
        return sorted({str(PurePosixPath(name).parent) for name in names})

    def sync_folder(self, folder: str) -> None:
        """Make the names in a planned folder durable."""
        if folder.startswith("/"):
            root, _ = self.locate(f"{folder}/-")
            root.sync_folder("")
        else:
            self.root.sync_folder("" if folder == "." else folder)

    def keep(self, operation: Operation, sha256: str) -> None:
        """Keep the content of an operation's source, as a second name for it where that is safe.

        A file with other names is copied instead: whoever writes through those would change the
        original that we keep.
        """
        root, path = self.locate(operation.source)
        if not self._is_kept(root.identity(path), sha256):
            identity = root.identity(path)
            alone = identity is not None and identity.links == 1
            if not (alone and root.link(path, self.root, kept(sha256))):
                self._keep_copy(root.read(path), operation)

    def check_kept(self, operation: Operation) -> None:
        """Prove that the original is kept, by what is on disk."""
        if self.root.digest(kept(operation.before or "")) != operation.before:
            raise VerificationFailed(operation.source, "the kept original is not what was read")

    def _is_kept(self, source: Identity | None, sha256: str) -> bool:
        """Whether the content is kept already; a broken or shared left-over is removed."""
        entry = self.root.identity(kept(sha256))
        if entry is None:
            return False
        shared = entry.same_inode(source) and entry.links > 2  # noqa: PLR2004  (its name and ours)
        if not shared and self.root.digest(kept(sha256)) == sha256:
            return True
        self.root.unlink(kept(sha256))
        return False

    def _keep_copy(self, content: Content, operation: Operation) -> None:
        # by way of the stage: a name in the originals never stands for half a file
        partial = being_kept(operation.id)
        self.root.unlink(partial, missing_ok=True)
        self.root.write_new(partial, content.data, content.attributes)
        self.root.sync(partial)
        self.root.replace(partial, kept(content.sha256))

    def original(self, operation: Operation) -> bytes:
        """Return the content that an operation began with.

        Raises
        ------
        OriginalPurged, VerificationFailed
            When it is not there any more, or not what it was.
        """
        before = operation.before or ""
        if self.root.identity(kept(before)) is None:
            raise OriginalPurged(operation.source, before)
        content = self.root.read(kept(before))
        if content.sha256 != before:
            raise VerificationFailed(operation.source, "the kept original has changed on disk")
        return content.data

    # -- inside --------------------------------------------------------------------------------

    def _place(self, source: str, target: str, operation: Operation) -> None:
        """Give content a new name, by a link or, across file systems, by a synced copy."""
        here, path = self.locate(source)
        there, name = self.locate(target)
        if here.link(path, there, name):
            return
        content = here.read(path)
        partial = _partial(name, operation)
        there.unlink(partial, missing_ok=True)  # ours, from a try that was cut off
        there.write_new(partial, content.data, content.attributes)
        there.set_times(partial, content.attributes.times)
        there.sync(partial)
        if there.digest(partial) != content.sha256:
            raise VerificationFailed(target, "the copy is not what was read")
        if not there.link(partial, there, name):
            if there.identity(name) is not None:
                raise NameTaken(source, target)
            there.replace(partial, name)
        there.unlink(partial, missing_ok=True)

    def _put_source_back(self, operation: Operation) -> None:
        found = self.digest(operation.source)
        if found == operation.before:
            return
        if found not in (None, operation.after):
            raise Conflict(operation.source, operation.id, "changed by another program")
        if operation.same_content:
            self._place(operation.target, operation.source, operation)
            return
        attributes = Attributes.from_json(operation.attributes or {})
        root, path = self.locate(operation.source)
        old = _partial(path, operation)
        root.unlink(old, missing_ok=True)
        root.write_new(old, self.original(operation), attributes)
        root.set_times(old, attributes.times)
        root.sync(old)
        root.replace(old, path)

    def _drop(self, name: str, sha256: str | None) -> None:
        root, path = self.locate(name)
        if root.digest(path) == sha256:
            root.unlink(path, missing_ok=True)

    def _partials(self, operation: Operation) -> Iterable[str]:
        names = (operation.source, operation.target)
        companions = (n for c in operation.companions for n in (c.source, c.target))
        return [_partial(name, operation) for name in (*names, *companions)]


def _partial(name: str, operation: Operation) -> str:
    path = PurePosixPath(name)
    return str(path.with_name(f".cropkit-{operation.id[:12]}-{path.name[:80]}.part"))
