"""When names change: idempotent steps, each right from every mixture of before and after.

New names appear first and are made durable, then old names go. Nothing is ever overwritten but the
image itself, in place, by one rename.
"""

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePosixPath

from cropkit.audit.operation import Companion, Operation, OperationKind
from cropkit.engine.locations import Locations
from cropkit.engine.originals import Originals, original_of
from cropkit.engine.ownership import Ownership
from cropkit.errors import (
    AuditError,
    Conflict,
    MissingFile,
    NameTaken,
    NoSpace,
    PathOutsideRoot,
    ReadOnly,
    StaleDecision,
    VerificationFailed,
    WriteFailed,
)
from cropkit.system.files import Content, Root, is_beneath
from cropkit.system.home import ASIDE, STAGE, being_kept, leaving, staged

_log = logging.getLogger("cropkit")
_RECOGNISABLE = 80  # bytes of an image's name that its partial copy shows; a name has 255


class Publisher:
    """Carries out, completes and takes back what an operation plans.

    Parameters
    ----------
    ownership : of whoever carries out; asked before each name changes
    """

    def __init__(self, locations: Locations, ownership: Ownership) -> None:
        self._ownership = ownership
        self.locations = locations
        self.originals = Originals(locations, ownership)
        self.state = locations.state

    def has_passed(self, operation: Operation) -> bool:
        """Whether the commit point was passed."""
        return (self.locations.digest(operation.target) or "") == operation.sha256_after

    def fence(self, operation: Operation) -> None:
        """Keep an owner who comes back late from the commit point; to be done before one judges.

        They may have been stopped just before the rename, behind every question. A rename takes the
        name of what it renames: where that is gone, it fails. What they make after this they give
        no name, since they ask before that whether they still may.
        """
        self.state.unlink(staged(operation.id), missing_ok=True)
        self.clean_partials(operation)

    def set_aside(self, operation: Operation) -> tuple[str, ...]:
        """Give what loses its name to another companion a second name; to be synced before more.

        Raises
        ------
        StaleDecision
            It is not what it was when it was looked at. It stands, and has no other name.
        """
        lost: list[str] = []
        for companion in _exchanged(operation):
            now = self.locations.digest(companion.target)
            if now == companion.sha256 != companion.replaces:  # somebody came as far before
                continue
            if now != companion.replaces:
                raise StaleDecision(companion.target, companion.replaces, now or "nothing")
            if not self.locations.holds(companion.aside, companion.replaces):
                lost += self._place(companion.target, companion.aside, operation)
        return tuple(lost)

    def forget_aside(self, operation: Operation) -> None:
        """Take the second names away again, durably, where those that they stood in for are."""
        exchanged = _exchanged(operation)
        with suppress(MissingFile):
            for companion in exchanged:
                self._drop(companion.aside, companion.replaces, operation)
            for folder in _folders([companion.aside for companion in exchanged]):
                self.locations.sync_folder(folder)

    def publish(self, operation: Operation, *, again: bool) -> tuple[str, ...]:
        """Let the new names appear; the image's own is the commit point.

        A purge has no new name: its commit point is that the old one is gone, to the stage, from
        where it can be put back until the trail knows. What a copy could not be given is returned.

        Parameters
        ----------
        again : somebody may have come as far before; then what stands there already is left
        """
        lost: list[str] = []
        nothing_to_do = operation.in_place and operation.same_content
        if operation.kind is OperationKind.PURGE:
            if self.state.identity(operation.source) is not None:
                self._ownership.check()
                self._ownership.leave(self.state, operation.source, leaving(operation.id))
        elif not (nothing_to_do or (again and self.has_passed(operation))):
            if operation.in_place:
                lost += self._put_over(staged(operation.id), operation.target, operation)
            else:
                source = staged(operation.id) if operation.stages else operation.source
                lost += self._place(source, operation.target, operation)
        for companion in operation.companions:
            if not self.locations.holds(companion.target, companion.sha256):
                place = self._exchange if companion.replaces else self._place
                missing = place(companion.source, companion.target, operation)
                lost += [f"{item} of {companion.target}" for item in missing]
        return tuple(lost)

    def retire(self, operation: Operation) -> None:
        """Let the old names go, each only if its content is what was planned and stands anew."""
        if operation.is_copy:
            return
        holds = self.locations.holds
        for companion in operation.companions:
            if not companion.keeps_source and holds(companion.target, companion.sha256):
                self._drop(companion.source, companion.sha256, operation)
        if operation.in_place or operation.brings_back:
            return
        if holds(operation.target, operation.sha256_after):
            self._drop(operation.source, operation.sha256_before, operation)

    def put_back(self, operation: Operation) -> None:
        """Undo `publish` and `retire`; the destination goes last, so that recovery reads the way.

        Raises
        ------
        Conflict
            When somebody else's content is in the way: it stays, and so does ours.
        """
        if operation.is_copy:
            self._take_copy_away(operation)
            return
        for companion in operation.companions:
            is_gone = not self.locations.holds(companion.source, companion.sha256)
            if is_gone and not companion.is_staged:
                self._place(companion.target, companion.source, operation)
        if operation.kind is OperationKind.PURGE:
            if self.state.identity(leaving(operation.id)) is not None:
                self.state.replace(leaving(operation.id), operation.source)
            self.sync(operation, new_names=False)
            self.clean(operation)
            return
        self._exchange_back(operation)
        self._put_source_back(operation)
        self.sync(operation, new_names=False)
        for companion in operation.companions:
            if companion.replaces:
                continue
            if companion.is_staged or self.locations.holds(companion.source, companion.sha256):
                self._drop(companion.target, companion.sha256, operation)
        if not operation.in_place:
            self._drop(operation.target, operation.sha256_after, operation)
        self._sync_what_went(operation)
        self.clean(operation)

    def _exchange_back(self, operation: Operation) -> None:
        """Let what was set aside have its name again, when what had taken it is safe."""
        exchanged = _exchanged(operation)
        for folder in _folders([c.source for c in exchanged if not c.is_staged]):
            self.locations.sync_folder(folder)
        for companion in exchanged:
            now = self.locations.digest(companion.target)
            if now not in (None, companion.sha256, companion.replaces):
                raise Conflict(companion.target, operation.id, "changed by another program")
            if now != companion.replaces:
                self._exchange(companion.aside, companion.target, operation)
        for folder in _folders([c.target for c in exchanged]):
            self.locations.sync_folder(folder)
        self.forget_aside(operation)

    def _take_copy_away(self, operation: Operation) -> None:
        for companion in operation.companions:
            self._drop(companion.target, companion.sha256, operation)
        if not operation.report.get("stood"):  # else it is not ours
            self._drop(operation.target, operation.sha256_after, operation)
        self._sync_what_went(operation)
        self.clean(operation)

    def _sync_what_went(self, operation: Operation) -> None:
        """Make durable that new names are gone; a folder that is gone has none."""
        for folder in self.folders(operation, new_names=True):
            with suppress(MissingFile):
                self.locations.sync_folder(folder)

    def clean(self, operation: Operation) -> None:
        """Remove what was staged."""
        for companion in operation.companions:
            for name in (companion.source, companion.target):
                if is_beneath(name, STAGE):
                    self.state.unlink(name, missing_ok=True)
        self.state.unlink(staged(operation.id), missing_ok=True)
        self.state.unlink(being_kept(operation.id), missing_ok=True)
        self.state.unlink(leaving(operation.id), missing_ok=True)
        self.clean_partials(operation)

    def clean_partials(self, operation: Operation) -> None:
        """Remove copies that were cut off on their way to another file system.

        Where a folder is not there any more, or was replaced by a link, nothing of ours is.
        """
        for name in self._partials(operation):
            with suppress(MissingFile, PathOutsideRoot):
                root, path = self.locations.locate(name)
                if root.identity(path) is not None:  # no name can be removed from what is read-only
                    root.unlink(path, missing_ok=True)

    def sync(self, operation: Operation, *, new_names: bool) -> None:
        """Make the names on one side durable."""
        for folder in self.folders(operation, new_names=new_names):
            self.locations.sync_folder(folder)

    def folders(self, operation: Operation, *, new_names: bool) -> list[str]:
        """Return the folders that hold the names on one side."""
        return self.folders_of_new(operation) if new_names else self.folders_of_old(operation)

    def folders_of_new(self, operation: Operation) -> list[str]:
        """Return the folders of the names that appear."""
        return _folders([operation.target, *(c.target for c in operation.companions)])

    def folders_of_old(self, operation: Operation) -> list[str]:
        """Return the folders of the names that go; what was staged goes with the stage."""
        old = (c.source for c in operation.companions if not c.is_staged)
        return _folders([operation.source, *old])

    def folders_before(self, operation: Operation) -> list[str]:
        """Return the folders of the names that have to be durable before any other changes."""
        made = [c.source for c in operation.companions if c.is_staged]
        return _folders([*made, *(c.aside for c in _exchanged(operation))])

    def _put_over(self, source: str, target: str, operation: Operation) -> tuple[str, ...]:
        """Give content the name of an image, by a rename; across file systems, of a synced copy."""
        here, path = self.locations.locate(source)
        there, name = self.locations.locate(target)
        self._ownership.check()
        if here.replace(path, name, there):
            return ()
        content = here.read(path)
        if content.sha256 != operation.sha256_after:
            raise VerificationFailed(target, "what was staged is not what was proven")
        partial, lost = self._copied(content, there, name, operation)
        _warn(target, lost)
        self._ownership.check()
        there.replace(partial, name)
        return lost

    def _exchange(self, source: str, target: str, operation: Operation) -> tuple[str, ...]:
        """Give content the name of another companion, by a rename; it keeps the one that it has."""
        here, path = self.locations.locate(source)
        there, name = self.locations.locate(target)
        partial = _partial(name, operation)
        there.unlink(partial, missing_ok=True)  # ours, from a try that was cut off
        lost: tuple[str, ...] = ()
        if not here.link(path, there, partial):
            partial, lost = self._copied(here.read(path), there, name, operation)
            _warn(target, lost)
        self._ownership.check()
        there.replace(partial, name)
        return lost

    def _place(self, source: str, target: str, operation: Operation) -> tuple[str, ...]:
        """Give content a new name, by a link or, where there can be none, by a synced copy.

        There is none across file systems, nor to what somebody else owns and one may only read.

        Raises
        ------
        NoSpace, ReadOnly, WriteFailed
            It names the file that was to be: no name of ours on the way tells a person anything.
        """
        try:
            return self._placed(source, target, operation)
        except (NoSpace, ReadOnly, WriteFailed) as error:
            raise type(error)(target, *error.args[1:]) from error

    def _placed(self, source: str, target: str, operation: Operation) -> tuple[str, ...]:
        here, path = self.locations.locate(source)
        there, name = self.locations.locate(target)
        may_share = _may_share(operation, source) and not self._is_shared(source, target)
        self._ownership.check()
        if may_share and here.link(path, there, name):
            self._take_late_back(there, name)
            return ()
        content = here.read(path)
        if operation.is_copy:
            content = replace(content, attributes=content.attributes.for_a_copy())
        partial, lost = self._copied(content, there, name, operation)
        _warn(target, lost)
        self._ownership.check()
        if there.link(partial, there, name):
            self._take_late_back(there, name)
        elif there.identity(name) is not None:
            raise NameTaken(source, target)
        else:
            there.replace(partial, name)
        there.unlink(partial, missing_ok=True)
        return lost

    def _take_late_back(self, root: Root, name: str) -> None:
        """Take a name away again that was given when another had taken over: its file has one."""
        if not self._ownership.may_be_late:
            return
        try:
            self._ownership.check()
        except AuditError:
            identity = root.identity(name)
            if identity is not None and identity.links > 1:
                root.unlink(name, missing_ok=True)
            raise

    def _is_shared(self, source: str, target: str) -> bool:
        """Whether what goes aside has other names, through which somebody may write to it."""
        identity = self.locations.identity(source) if is_beneath(target, ASIDE) else None
        return identity is not None and identity.links > 1

    def _copied(
        self, content: Content, there: Root, name: str, operation: Operation
    ) -> tuple[str, tuple[str, ...]]:
        """Write a copy beside the name that it is for, synced and proven; name what it lacks."""
        partial = _partial(name, operation)
        there.unlink(partial, missing_ok=True)  # ours, from a try that was cut off
        lost = there.write_new(partial, content.data, content.attributes)
        there.set_times(partial, content.attributes.times)
        there.sync(partial)
        if there.digest(partial) != content.sha256:
            raise VerificationFailed(name, "the copy is not what was read")
        return partial, lost

    def _put_source_back(self, operation: Operation) -> None:
        sha256 = self.locations.digest(operation.source)
        if sha256 == operation.sha256_before:
            return
        if sha256 not in (None, operation.sha256_after):
            raise Conflict(operation.source, operation.id, "changed by another program")
        if operation.same_content:
            self._place(operation.target, operation.source, operation)
            return
        root, path = self.locations.locate(operation.source)
        partial = _partial(path, operation)
        root.unlink(partial, missing_ok=True)
        original = original_of(self.locations, operation)
        _warn(operation.source, root.write_new(partial, original.data, original.attributes))
        root.set_times(partial, original.attributes.times)
        root.sync(partial)
        self._ownership.check()
        root.replace(partial, path)

    def _drop(self, name: str, sha256: str | None, operation: Operation) -> None:
        root, path = self.locations.locate(name)
        if root.digest(path) == sha256:
            self._ownership.check()
            self._ownership.drop(root, path, _partial(path, operation))

    def _partials(self, operation: Operation) -> Iterable[str]:
        names = (operation.source, operation.target)
        companions = (n for c in operation.companions for n in (c.source, c.target, c.aside) if n)
        return [_partial(name, operation) for name in (*names, *companions)]


def _may_share(operation: Operation, source: str) -> bool:
    """Whether a new name may stand for the very file: whoever edits it changes it under both.

    Never for a kept original, nor for what a copy leaves where it is.
    """
    if operation.is_copy:
        return is_beneath(source, STAGE)
    return not (operation.brings_back and source == operation.source)


def _exchanged(operation: Operation) -> list[Companion]:
    return [each for each in operation.companions if each.replaces]


def _folders(names: Iterable[str]) -> list[str]:
    return sorted({str(PurePosixPath(name).parent) for name in names})


def _warn(name: str, lost: Iterable[str]) -> None:
    for item in lost:
        _log.warning("%s: without its %s, which needs the administrator", name, item)


def _partial(name: str, operation: Operation) -> str:
    """Name a copy on its way, in the folder that it goes to; no longer than a name may be."""
    path = PurePosixPath(name)
    beginning = os.fsencode(path.name)[:_RECOGNISABLE].decode("utf-8", "ignore")
    return str(path.with_name(f".cropkit-{operation.id[:12]}-{beginning}.part"))
