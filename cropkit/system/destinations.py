"""Folders outside of a collection that its crops may go to: those that this person has named.

They are kept in the person's own state, never in the collection: whoever made that cannot send
files anywhere else. A folder is named by opening the collection with it, or by
`cropkit destinations FOLDER --allow DIR`.
"""

import os
from pathlib import Path

from cropkit.errors import BadDestination
from cropkit.system import personal_state
from cropkit.system.home import HOME

StrPath = str | os.PathLike[str]

_DOCUMENT = "destinations"


def resolved(folder: StrPath) -> Path:
    """Return where a destination lies that a person gave, relative to where they are.

    Raises
    ------
    BadDestination
        It is among cropkit's own files, which come and go.
    """
    whole = (Path.cwd() / folder).resolve()
    if HOME in map(str.casefold, whole.parts):
        raise BadDestination(whole, f"what is in a {HOME} is cropkit's own")
    return whole


def named(collection: Path) -> tuple[Path, ...]:
    """Return the destinations that this person has named for a collection, as absolute paths.

    Raises
    ------
    PersonalStateUnusable
        The person's own state cannot be believed.
    """
    folders = personal_state.read(_DOCUMENT).get(str(collection))
    texts = folders if isinstance(folders, list) else ()
    return tuple(Path(text) for text in texts if isinstance(text, str) and text.startswith("/"))


def remember(collection: Path, folder: Path) -> None:
    """Name a destination for this and all later sessions of this person.

    Raises
    ------
    PersonalStateUnusable
        It is not remembered.
    """
    if folder in named(collection):
        return
    with personal_state.changing(_DOCUMENT) as document:
        document[str(collection)] = sorted({*map(str, named(collection)), str(folder)})


def forget(collection: Path, folder: Path) -> bool:
    """Let no crop go to a destination any more; False when it was not named.

    Raises
    ------
    PersonalStateUnusable
        It is still remembered.
    """
    rest = [str(each) for each in named(collection) if each != folder]
    if len(rest) == len(named(collection)):
        return False
    with personal_state.changing(_DOCUMENT) as document:
        document[str(collection)] = rest
    return True
