"""What a person did to images on purpose is told once, and is no difference any more."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cropkit.audit.chain import body_of
from cropkit.system.home import HOME
from cropkit.system.mounts import mount_points

ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class AcceptedChange:
    """An image that was deleted, renamed or edited on purpose.

    Parameters
    ----------
    was, now : SHA-256 of what cropkit had written and of what is there; None: nothing is
    """

    path: str
    was: str
    now: str | None


def hidden(root: Path, gone: Iterable[str], there: Iterable[str]) -> frozenset[str]:
    """Choose the images that may be there all the same, where nobody can see them.

    Their folder is gone or empty, or another file system is mounted on it, or above, in which no
    image is that the trail knows: a disk is not mounted, or something is mounted over them.

    Parameters
    ----------
    gone, there : images that the trail tells of, relative to the collection or absolute
    """
    shown = {PurePosixPath(path).parent for path in there}
    folders = {PurePosixPath(path).parent for path in gone} - shown
    points = mount_points()
    unseen = {e for e in folders if _is_empty(root / e) or _is_on(points, root, e)}
    return frozenset(path for path in gone if PurePosixPath(path).parent in unseen)


def _is_empty(folder: Path) -> bool:
    try:
        return not any(name != HOME for name in os.listdir(folder))  # noqa: PTH208  (names alone)
    except OSError:
        return True


def _is_on(points: Collection[str], root: Path, folder: PurePosixPath) -> bool:
    """Whether a folder is a mount point, or beneath one that is in the collection."""
    below = () if folder.is_absolute() else (folder, *folder.parents)[:-1]
    return any(str(root / each) in points for each in below)


def accepted(events: Iterable[Mapping[str, Any]]) -> frozenset[AcceptedChange]:
    """Return what was accepted, as the trail's events of that kind tell it."""
    bodies = ((event["path"], body_of(event)) for event in events)
    return frozenset(AcceptedChange(path, body["was"], body["now"]) for path, body in bodies)
