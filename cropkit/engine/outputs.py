"""Folders inside a collection that its crops go to: what is in them is no image to be reviewed.

They are a setting of the collection, so that whoever opens it later does not list its crops as new
images. A row that was changed can hide a folder from the listing and do nothing else; `fsck` names
it.
"""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from cropkit.audit.operation_reader import OperationReader
from cropkit.audit.settings import texts
from cropkit.engine.listing import folders
from cropkit.errors import BadDestination
from cropkit.names import escaped, unescaped

SETTING = "outputs"


def known(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders, relative to the collection; what names none of its folders is left out.

    Parameters
    ----------
    settings : of the collection, as its trail keeps them
    """
    return tuple(unescaped(text) for text in texts(settings, SETTING) if _is_beneath(text))


def with_another(settings: Mapping[str, str], folder: str) -> dict[str, str]:
    """Return what of the settings changes by one more folder; nothing where it is known."""
    names = known(settings)
    if folder in names:
        return {}
    return {SETTING: json.dumps([escaped(name) for name in sorted((*names, folder))])}


def check_hides_nothing(root: Path, folder: str, operations: OperationReader) -> None:
    """Refuse a new output with images in it that nobody of ours put there.

    Raises
    ------
    BadDestination
        They would not be listed from then on.
    """
    there = {f"{folder}/{path}" for each in folders(root / folder) for path in each.paths}
    if there:
        for done in operations.each_finished():
            there -= {done.target, *(companion.target for companion in done.companions)}
    if there:
        what = f"{min(there)} is there, and would not be listed any more"
        raise BadDestination(root / folder, what)


def _is_beneath(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts
