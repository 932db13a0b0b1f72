"""Open a collection's trail wherever it is: in a file of its own, or on a server."""

from typing import TYPE_CHECKING

from cropkit.audit import places
from cropkit.audit.store import DEADLINE, Accept, Store
from cropkit.audit.store_reader import StoreReader
from cropkit.errors import NoCollection, PersonalStateUnusable
from cropkit.system import state_folder
from cropkit.system.files import Root

if TYPE_CHECKING:
    from cropkit.audit.places import Place


def to_write(
    root: Root,
    deadline: float = DEADLINE,
    *,
    accept: Accept | None = None,
    trail: str | None = None,
) -> Store:
    """Open it to read and to write; one that is not there is made.

    Parameters
    ----------
    trail : the address of the server, or sqlite; None: as in the environment, or as it was

    Raises
    ------
    AuditError, BadTrail, NotInstalled
        When it cannot be opened. Nothing was changed.
    """
    state_folder.check(root.path)
    place = places.wanted(root.path, trail)
    if place is None:
        return Store(root, deadline, accept=accept)
    from cropkit.audit.postgres.store import ServerStore  # noqa: PLC0415  (an extra)

    return ServerStore(root, place, deadline, accept=accept)


def to_read(root: Root, deadline: float = DEADLINE, trail: str | None = None) -> StoreReader:
    """Open it to read.

    Raises
    ------
    NoCollection, AuditError, BadTrail, NotInstalled
        When it cannot be opened. Nothing was changed.
    """
    if not state_folder.exists(root.path):
        raise NoCollection(root.path)
    state_folder.check(root.path)
    place = places.known(root.path, trail)
    if place is None:
        return StoreReader(root, deadline)
    from cropkit.audit.postgres.store import ServerReader  # noqa: PLC0415  (an extra)

    return ServerReader(root, place, deadline)


def moved_here(root: Root, trail: str | None = None) -> "Place | None":
    """Say that a trail on a server is that of this folder from now on.

    Return where it is; None where it is in a file.

    Raises
    ------
    NoCollection, AuditError, BadTrail, NotInstalled
        It cannot be opened, somebody is at work on another machine, or the folder that it was
        that of is there. Nothing was changed.
    """
    if not state_folder.exists(root.path):
        raise NoCollection(root.path)
    state_folder.check(root.path)
    place = places.known(root.path, trail)
    if place is not None:
        from cropkit.audit.postgres.store import ServerStore  # noqa: PLC0415  (an extra)

        ServerStore(root, place, is_moved=True).close()
    return place


def remembered(store: Store) -> list[str]:
    """Keep that this person has named the server of a trail; return what has to be told of that."""
    place: Place | None = getattr(store, "place", None)
    try:
        if place is not None:
            places.remember(place)
    except PersonalStateUnusable as error:
        return [f"on which server the trail is has to be said each time: {error}"]
    return []
