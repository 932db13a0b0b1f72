"""A collection is shared by the users of a group, who each say so themselves.

Theory of operation. Two things are kept apart. What the group *may* do is in the modes of
`.cropkit`, and its owner gives it. Whom a person *believes* is in that person's own state: else
whoever makes a `.cropkit` with a group that many are in could have them open it. The same command
does both, as far as each can: the owner gives and declares, a colleague declares.
"""

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cropkit.audit.presence import alone
from cropkit.audit.store import DEADLINE
from cropkit.engine import listing
from cropkit.errors import ForeignState, InsideCollection, NoCollection, NotShareable
from cropkit.names import printable
from cropkit.system import disk_space, group_modes, sharing, state_folder
from cropkit.system.home import HOME
from cropkit.system.scope import scope_of

_MAY_USE = stat.S_IRWXG | stat.S_ISGID


@dataclass(frozen=True, slots=True)
class Standing:
    """How a collection is shared.

    Parameters
    ----------
    owner : number of the user that `.cropkit` belongs to
    group : the one that may use it by its modes; None: its owner alone
    declared : the group whose members this person believes; None: nobody
    """

    folder: Path
    owner: int
    group: int | None
    declared: int | None

    @property
    def is_own(self) -> bool:
        """Whether this user may give it, and take it back."""
        return os.geteuid() in (0, self.owner)


@dataclass(frozen=True, slots=True)
class Shared:
    """What sharing a collection changed, or sharing it no more.

    Parameters
    ----------
    changed : folders and files of its state
    left : what could not be changed there, by its name, and why
    beyond : what stands in the way of the group beyond the state, as sentences
    """

    standing: Standing
    changed: int
    left: tuple[tuple[str, str], ...]
    beyond: tuple[str, ...] = ()


def standing(folder: Path, state: Path | None = None) -> Standing:
    """Tell how a collection is shared; nothing in its state is believed for it.

    Raises
    ------
    MissingFile, NotAFolder, AuditUnavailable, NoCollection, InsideCollection, ForeignState
        There is none, a part of one is meant, or `.cropkit` is no folder.
    """
    state_folder.check_is_folder(folder)
    root = _holder(folder, state)
    with disk_space.translated(root):
        home = _home(folder, root)
        if not stat.S_ISDIR(home.st_mode):
            raise ForeignState(root / HOME, "a link or a file, where a folder belongs")
    group = home.st_gid if home.st_mode & _MAY_USE == _MAY_USE else None
    return Standing(root, home.st_uid, group, sharing.group_of(root))


def share(folder: Path, group: str, state: Path | None = None) -> Shared:
    """Give a collection's state to a group, and believe its members; a colleague only believes.

    Raises
    ------
    NotShareable, ForeignState
        Besides what `standing` raises: nobody was given anything, and nobody else is believed.
    ReadOnly, WriteFailed
        Some may be given already; nobody else is believed.
    PersonalStateUnusable
        Nobody was given anything, and nobody else is believed.
    """
    now = standing(folder, state)
    gid = sharing.group_named(now.folder, group)
    if not now.is_own:
        _check_given(now, gid)
    with _believing(now, gid), disk_space.translated(now.folder):
        changed = group_modes.give(now.folder, gid)
    images = folder.resolve()
    beyond = (*_others(images), *_out_of_reach(images, gid))
    return Shared(standing(folder, state), changed.changed, tuple(changed.left), beyond)


def stop(folder: Path, state: Path | None = None) -> Shared:
    """Believe nobody else any more; who owns the state takes it back, with nobody at work on it.

    Raises
    ------
    AuditUnavailable, AuditLocked
        Besides what `standing` raises: somebody is at work; it is shared as before.
    ReadOnly, WriteFailed, NoSpace
        It is not taken back as a whole; do it again.
    PersonalStateUnusable
        What was taken back is; this person still believes the group.
    """
    now = standing(folder, state)
    changed = group_modes.Changed()
    if now.is_own:
        state_folder.check(now.folder)
        with disk_space.translated(now.folder), alone(now.folder, DEADLINE):
            changed = group_modes.take_back(now.folder)
    sharing.forget(now.folder)
    return Shared(standing(folder, state), changed.changed, tuple(changed.left))


def _holder(folder: Path, state: Path | None) -> Path:
    """Return the folder that holds the state of a whole collection; else the folder itself."""
    if state is None and state_folder.exists(folder):
        return folder.resolve()
    scope = scope_of(folder, state)
    return scope.state if scope.is_whole else folder.resolve()


def _home(folder: Path, root: Path) -> os.stat_result:
    try:
        return (root / HOME).lstat()
    except FileNotFoundError:
        outer = _around(root)
        if outer is not None:
            raise InsideCollection(folder, outer, "all of it is shared, or nothing") from None
        raise NoCollection(folder) from None


def _around(root: Path) -> Path | None:
    """Return the nearest collection that this one is in, whoever made that."""
    return next((each for each in root.parents if state_folder.exists(each)), None)


def _check_given(now: Standing, gid: int) -> None:
    """Refuse to believe a group that the owner has not given it to, or that they are not in."""
    owner, group = sharing.user_named(now.owner), sharing.name_of(gid)
    if not sharing.is_member(now.owner, gid):
        raise NotShareable(now.folder, f"it belongs to {owner}, who is not in the group {group}")
    if now.group != gid:
        command = f"`cropkit share {shlex.quote(str(now.folder))} --group {shlex.quote(group)}`"
        reason = f"it belongs to {owner}, who has not shared it with {group}; they run {command}"
        raise NotShareable(now.folder, reason)


@contextmanager
def _believing(now: Standing, gid: int) -> Iterator[None]:
    """Remember it, unless no colleague may have made what is there either, or the block fails."""
    sharing.remember(now.folder, gid)
    try:
        state_folder.check(now.folder)
        yield
    except BaseException:
        sharing.forget(now.folder)
        if now.declared is not None:
            sharing.remember(now.folder, now.declared)
        raise


# -- beyond the state ------------------------------------------------------------------------------


def _others(root: Path) -> Iterator[str]:
    """Tell of collections inside this one and around it: each is shared by itself."""
    for name in sorted(listing.nested(root)):
        yield f"{printable(name)} is a collection of its own, and is not shared by this"
    outer = _around(root)
    if outer is not None:
        yield f"it lies in the collection {printable(str(outer))}, which is not shared by this"


def _out_of_reach(root: Path, gid: int) -> Iterator[str]:
    """Tell in one sentence that the group cannot crop the images, and the cure."""
    folders = images = 0
    for folder in listing.folders(root):
        status = (root / folder.name).stat()
        may_change = group_modes.may(status, gid, group_modes.CHANGE)
        folders += bool(not may_change or status.st_mode & stat.S_ISVTX)
        images += sum(not group_modes.may(f.stat(), gid, group_modes.READ) for f in folder.files)
    if folders or images:
        group = shlex.quote(sharing.name_of(gid))
        cure = (
            f"find {shlex.quote(str(root))} -name {HOME} -prune -o '!' -type l"
            f" -exec chgrp {group} {{}} + -exec chmod g+rwX,-t {{}} +"
        )
        yield (
            f"the group cannot crop all of it: {folders} folders that it may not write to,"
            f" {images} images that it may not read; their owner runs `{cure}`"
        )
