"""Which folder is reviewed next: the one after this, beside it, that has images."""

import os
from itertools import islice
from pathlib import Path

from cropkit.engine.review_order import natural
from cropkit.formats import EXTENSIONS

_MOST, _TRIED = 10_000, 20  # entries that are looked at in a folder; folders that are looked into


def next_folder(folder: Path) -> Path | None:
    """Return the next folder; None where there is none, or what is beside cannot be looked at.

    Links and hidden folders are none, and nothing is opened but folders.
    """
    here = natural(folder.name)
    beside = (name for name, is_folder in _entries(folder.parent) if is_folder)
    later = sorted((name for name in beside if natural(name) > here), key=natural)
    return next(
        (folder.parent / name for name in later[:_TRIED] if _has_images(folder.parent / name)), None
    )


def _has_images(folder: Path) -> bool:
    names = (name for name, is_folder in _entries(folder) if not is_folder)
    return any(Path(name).suffix.lower() in EXTENSIONS for name in names)


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Return names in a folder, and whether each is a folder; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            some = [each for each in islice(entries, _MOST) if not each.name.startswith(".")]
            return [(each.name, each.is_dir(follow_symlinks=False)) for each in some]
    except OSError:
        return []  # nobody has asked for it: it is not offered
