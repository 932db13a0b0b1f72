"""Where the state of a folder lies: in it, or in a place that somebody has named for it.

The state is a `.cropkit`. It lies in the folder of images, unless `--state` or `CROPKIT_STATE_HOME`
say otherwise. Elsewhere it holds a document that names its folder (`collection.json`), so that no
state is ever used for another folder than its own: the names in it would mean other images.

Which states elsewhere this person has used is kept in their own state. So a folder is found again
without the option, and a second state of it is noticed: claims are kept in a state, and two of them
know nothing of each other. A folder that is cropped in place gets a small hidden file with a random
name of it, by which it is known again where it was moved to.
"""

import hashlib
import json
import logging
import os
import re
import secrets
import shlex
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from cropkit.errors import BadStatePlace, CropkitError, PersonalStateUnusable
from cropkit.names import escaped, unescaped
from cropkit.system import disk_space, personal_state, state_folder
from cropkit.system.files import Root, not_writable, write_all
from cropkit.system.home import COLLECTION, DATABASE, EXPORT, HOME, TRAIL_PLACE

STATE_HOME = "CROPKIT_STATE_HOME"
IDENTITY = ".cropkit-identity"  # hidden: never listed
_DOCUMENT = "states"
_LARGEST = 20_000  # bytes of a document: a name has at most 4,096, each written in at most 12
_IDENTITY = re.compile(r"[0-9a-f]{32}")
_READABLE = 60  # bytes of a folder's name that the name of its state shows
_LONG = 3600.0  # seconds: nobody writes a document for so long
_MAYBE_NEW = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_Known = Mapping[Path, list[Path]]
_log = logging.getLogger("cropkit")


class Why(StrEnum):
    """Why a state is the one that is used."""

    NAMED = "it was named (--state)"
    INSIDE = "it lies in the folder"
    IN_STATE_HOME = f"{STATE_HOME} holds one for this folder"
    REMEMBERED = "you have used it for this folder before"
    NEW_IN_STATE_HOME = f"there is none yet, and {STATE_HOME} says where new ones go"
    NEW_INSIDE = "there is none yet, and a new one is made in the folder"

    @property
    def is_new(self) -> bool:
        """Whether nothing is there yet, as far as is known."""
        return self in (Why.NEW_IN_STATE_HOME, Why.NEW_INSIDE)


@dataclass(frozen=True, slots=True)
class StatePlace:
    """A folder of images and where its state is.

    Parameters
    ----------
    folder : of the whole collection
    state : the folder that holds `.cropkit`
    """

    folder: Path
    state: Path
    why: Why


@dataclass(frozen=True, slots=True)
class Owner:
    """Which folder a state that lies elsewhere is of, as the state itself says.

    Parameters
    ----------
    identity : what the folder's own hidden file says; '' where none was written
    second : whether a person wants crops in place though the folder has another state
    """

    folder: Path
    identity: str = ""
    second: bool = False


# -- finding it ------------------------------------------------------------------------------------


def located(
    whole: Path, wanted: Path | None = None, environment: Mapping[str, str] | None = None
) -> StatePlace:
    """Return where the state of a folder is, or would be made; the first of these that there is.

    What was named; one inside; one in `CROPKIT_STATE_HOME`, or that this person has used before;
    the same for the folders above; then where a new one goes.

    Parameters
    ----------
    whole : resolved
    wanted : the folder that holds the state, as a person named it

    Raises
    ------
    BadStatePlace
        What was named cannot be its state, several are known, or the one that is known is not
        there: nothing was made.
    ForeignState
        What is there was made by somebody else.
    """
    if wanted is not None and (state := _resolved(wanted)) != whole:
        return _named(whole, state)
    if wanted is not None or state_folder.exists(whole):
        _check_is_its_own(whole)
        return StatePlace(whole, whole, Why.INSIDE if wanted is None else Why.NAMED)
    known, home = _known(environment), state_home(environment)
    for each in (whole, *whole.parents):
        if each != whole and state_folder.is_inside(each):
            return StatePlace(each, each, Why.INSIDE)
        if (place := _elsewhere(each, known, home)) is not None:
            return place
    moved = _moved(whole, known, home)
    if moved is None:
        _check_none_is_hidden(whole, known)
    return moved or _new(whole, home)


def state_home(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return the folder that all new states go to; None: each into its own folder.

    Raises
    ------
    BadStatePlace
        It is relative to wherever one stands.
    """
    stated = (os.environ if environment is None else environment).get(STATE_HOME, "")
    if not stated:
        return None
    if not os.path.isabs(stated):  # noqa: PTH117  (a text, which may be empty)
        raise BadStatePlace(stated, f"{STATE_HOME} is no absolute path")
    return Path(stated).resolve()


def name_in_home(folder: Path) -> str:
    """Name a folder's state in a state home: safe and short, whatever the folder is called."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", folder.name)[:_READABLE].strip("_")
    return "-".join(filter(None, (readable, digest)))


def owner_of(state: Path) -> Owner | None:
    """Return which folder a state elsewhere is of; None: it is its own folder's, or there is none.

    Raises
    ------
    ForeignState
        Somebody else made it.
    BadStatePlace
        It does not tell.
    """
    _remove_second_name(state / COLLECTION)
    try:
        with state_folder.reader(state / COLLECTION) as file:
            data = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadStatePlace(state, error.strerror or error) from error
    return _read_owner(state, data)


def _read_owner(state: Path, data: bytes) -> Owner:
    try:
        value = json.loads(data)
        folder = Path(unescaped(value["folder"]))
        identity, second = value.get("identity", ""), value.get("second", False)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise BadStatePlace(state, f"{COLLECTION} does not tell whose it is: {error}") from error
    if not folder.is_absolute() or not isinstance(identity, str) or len(data) > _LARGEST:
        raise BadStatePlace(state, f"{COLLECTION} does not tell whose it is")
    return Owner(folder, identity, second is True)


def _resolved(wanted: Path) -> Path:
    state = (Path.cwd() / wanted).resolve()
    if HOME in map(str.casefold, state.parts):
        raise BadStatePlace(state, f"what is in a {HOME} is cropkit's own")
    if state.exists() and not state.is_dir():
        raise BadStatePlace(state, "it is a file")
    return state


def _named(whole: Path, state: Path) -> StatePlace:
    """Return what a person named, where it can be the state of the folder."""
    owner = owner_of(state)
    if owner is None:
        _check_can_be_new(whole, state)
        return StatePlace(whole, state, Why.NAMED)
    if whole.is_relative_to(owner.folder):
        _check_is_apart(owner.folder, state)
        return StatePlace(owner.folder, state, Why.NAMED)
    _check_is_moved(whole, state, owner)
    return StatePlace(whole, state, Why.NAMED)


def _check_is_apart(folder: Path, state: Path) -> None:
    if state.is_relative_to(folder):
        raise BadStatePlace(state, f"it lies in {folder} itself, whose images are listed")
    if folder.is_relative_to(state):
        raise BadStatePlace(state, f"{folder} lies in it, and would be a part of it")


def _check_can_be_new(whole: Path, state: Path) -> None:
    _check_is_apart(whole, state)
    if any((state / name).exists() for name in (DATABASE, TRAIL_PLACE, EXPORT)):
        raise BadStatePlace(state, f"its {HOME} is its own: it is a collection of images")
    outer = state_folder.above(state)
    if outer is not None:
        raise BadStatePlace(state, f"it lies in the collection {outer}")


def _check_is_moved(whole: Path, state: Path, owner: Owner) -> None:
    """Refuse a state of another folder, unless that folder was moved here."""
    is_same = bool(owner.identity) and owner.identity == identity_of(whole)
    if not is_same:
        raise BadStatePlace(state, f"it is the state of {owner.folder}, not of {whole}")
    if identity_of(owner.folder) == owner.identity:
        raise BadStatePlace(state, f"it is the state of {owner.folder}, of which {whole} is a copy")


def _check_is_its_own(folder: Path) -> None:
    if not os.path.lexists(folder / COLLECTION):
        return
    owner = owner_of(folder)
    if owner is not None:
        raise BadStatePlace(folder, f"it holds the state of {owner.folder}: name that folder")


def _elsewhere(folder: Path, known: _Known, home: Path | None) -> StatePlace | None:
    """Return the state that is known of a folder, in the state home or anywhere else."""
    entry = None if home is None else home / name_in_home(folder)
    if entry is not None and _is_of(entry, folder):
        return StatePlace(folder, entry, Why.IN_STATE_HOME)
    states = [state for state in known.get(folder, ()) if _is_of(state, folder)]
    if len(states) > 1:
        words = " and ".join(map(str, states))
        raise BadStatePlace(folder, f"it has {len(states)} states, {words}: name one by --state")
    return StatePlace(folder, states[0], Why.REMEMBERED) if states else None


def _is_of(state: Path, folder: Path) -> bool:
    """Whether a state is there, and is the one of a folder."""
    try:
        owner = owner_of(state)
    except BadStatePlace:
        return False
    if owner is None or owner.folder != folder:
        return False
    _check_identity(state, owner)
    return True


def _check_identity(state: Path, owner: Owner) -> None:
    """Refuse a folder that took the name of the one that the state is of."""
    now = identity_of(owner.folder)
    if owner.identity and now != owner.identity:
        reason = f"it is the state of a folder that was {owner.folder}, and is not any more"
        raise BadStatePlace(state, reason)


def _moved(whole: Path, known: _Known, home: Path | None) -> StatePlace | None:
    """Return the state of a folder that was elsewhere before, by what its hidden file says."""
    identity = identity_of(whole)
    if not identity:
        return None
    for state in dict.fromkeys(chain(_entries(home), *known.values())):
        with suppress(CropkitError):
            owner = owner_of(state)
            if owner is None or owner.identity != identity:
                continue
            _check_is_moved(whole, state, owner)
            return StatePlace(whole, state, Why.REMEMBERED)
    return None


def _entries(home: Path | None) -> list[Path]:
    try:
        return [] if home is None else sorted(home.iterdir())
    except OSError:
        return []


def _check_none_is_hidden(whole: Path, known: _Known) -> None:
    """Refuse to begin a second state where one was used that is not there now.

    Its disk is not mounted, perhaps, or something else is mounted over it.
    """
    for folder in (whole, *whole.parents):
        for state in known.get(folder, ()):
            if not os.path.lexists(state / COLLECTION):
                reason = f"the state of {folder} was there and is not now: mount it, or name one by"
                raise BadStatePlace(state, f"{reason} --state; `--state {folder}` begins one there")


def _new(whole: Path, home: Path | None) -> StatePlace:
    if home is None:
        return StatePlace(whole, whole, Why.NEW_INSIDE)
    state = home / name_in_home(whole)
    _check_can_be_new(whole, state)
    return StatePlace(whole, state, Why.NEW_IN_STATE_HOME)


def command_for(folder: Path) -> str:
    """Return a command to copy that reviews a folder with its state in this person's home."""
    state = (personal_state.home() or Path("/")) / "cropkit-state" / (folder.name or "root")
    return f"cropkit review {shlex.quote(str(folder))} --state {shlex.quote(str(state))}"


def lacks_room(folder: Path, state: Path) -> str | None:
    """Say why a folder can hold no state of its own, where it has none and none was named."""
    if state != folder or state_folder.exists(folder):
        return None
    return not_writable(folder)


# -- several of them -------------------------------------------------------------------------------


def others(
    folder: Path, state: Path, environment: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Return the other states of a folder that are known, the one to be believed first."""
    return tuple(each for each in _every(folder, environment) if each != state)


def is_second(
    folder: Path, state: Path, environment: Mapping[str, str] | None = None
) -> Path | None:
    """Return a folder's first state, where the one in use came later, and nobody wants both."""
    first = next(_every(folder, environment), state)
    if first == state:
        return None
    owner = owner_of(state) if state != folder else None
    return None if owner is not None and owner.second else first


def _every(folder: Path, environment: Mapping[str, str] | None) -> Iterator[Path]:
    """Yield the states of a folder: one inside, then in the order in which they were first used."""
    if state_folder.is_inside(folder):
        yield folder
    states = list(_known(environment).get(folder, ()))
    home = state_home(environment)
    if home is not None:
        states.append(home / name_in_home(folder))
    for state in dict.fromkeys(states):
        with suppress(CropkitError):
            owner = owner_of(state)
            if owner is not None and owner.folder == folder:
                yield state


def _known(environment: Mapping[str, str] | None) -> dict[Path, list[Path]]:
    """Return the states that this person has used elsewhere, by folder; none where that is lost."""
    try:
        document = personal_state.read(_DOCUMENT, environment)
    except PersonalStateUnusable as error:
        _log.warning("which states lie elsewhere is not known: %s", error)
        return {}
    return {
        Path(unescaped(folder)): [Path(unescaped(each)) for each in states if _is_path(each)]
        for folder, states in document.items()
        if isinstance(states, list) and _is_path(folder)
    }


def _is_path(text: object) -> bool:
    return isinstance(text, str) and text.startswith("/") and "\0" not in text


# -- making it -------------------------------------------------------------------------------------


def make(
    folder: Path,
    state: Path,
    system: Any = os,  # noqa: ANN401  (os, or a stand-in)
) -> PersonalStateUnusable | None:
    """Make the place of a state elsewhere, say in it which folder it is of, and remember that.

    Durable on return. What was there stays; a folder that was moved is told by its new name. Where
    it cannot be remembered, that is returned: it has to be named the next time, too.

    Raises
    ------
    ForeignState
        Somebody else made what is there.
    ReadOnly, NoSpace, WriteFailed
        It cannot be made: nothing else was.
    """
    above = next(each for each in (state, *state.parents) if each.is_dir())
    if above != state:
        Root(above, system).make_folder(state.relative_to(above).as_posix(), 0o700)
    state_folder.check(state)
    Root(state, system).make_folder(HOME, 0o700)
    owner = owner_of(state)
    if owner is None or owner.folder != folder:
        known = identity_of(folder) if owner is None else owner.identity
        _write_owner(state, replace(owner or Owner(folder), folder=folder, identity=known))
    return remember(folder, state)


def remember(
    folder: Path, state: Path, environment: Mapping[str, str] | None = None
) -> PersonalStateUnusable | None:
    """Keep that a state was used for a folder; return why it could not be kept."""
    try:
        if state not in _known(environment).get(folder, ()):
            with personal_state.changing(_DOCUMENT, environment) as document:
                states = document.setdefault(escaped(str(folder)), [])
                states.append(escaped(str(state)))
    except PersonalStateUnusable as error:
        return error
    return None


def permit_second(state: Path) -> None:
    """Let crops be made in place from a state though its folder has another one.

    Raises
    ------
    BadStatePlace
        It is no state that lies elsewhere.
    """
    owner = owner_of(state)
    if owner is None:
        raise BadStatePlace(state, "no state that lies elsewhere")
    _write_owner(state, replace(owner, second=True))


def identify(folder: Path, state: Path, system: Any = os) -> None:  # noqa: ANN401  (as above)
    """Give a folder a hidden file by which it is known again, and keep in its state what that says.

    Where none can be written the folder goes by its path alone.
    """
    owner = owner_of(state)
    if owner is None or owner.identity:
        return
    identity = identity_of(folder)
    with suppress(OSError, CropkitError):
        identity = identity or _write_identity(folder, system)
        if identity:
            _write_owner(state, replace(owner, identity=identity))


def identity_of(folder: Path) -> str:
    """Return what a folder's hidden file says; '' where there is none that one of ours could be."""
    try:
        fd = os.open(folder / IDENTITY, _FILE)
    except OSError:
        return ""
    try:
        is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        text = os.read(fd, 100).decode("ascii", "replace").strip() if is_file else ""
    finally:
        os.close(fd)
    return text if _IDENTITY.fullmatch(text) else ""


def _write_identity(folder: Path, system: Any) -> str:  # noqa: ANN401  (as above)
    """Write it where there is none, or an empty one that a power cut has left."""
    identity = secrets.token_hex(16)
    fd = system.open(folder / IDENTITY, _MAYBE_NEW, 0o644)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size:
            return ""
        write_all(system, fd, f"{identity}\n".encode())
        system.fsync(fd)
    finally:
        os.close(fd)
    Root(folder, system).sync_folder("")
    return identity


def _write_owner(state: Path, owner: Owner) -> None:
    """Write it, so that a reader sees the old one whole or the new one whole, durably.

    It is the group's where the state is shared, and what a power cut leaves of it is found by its
    name: a person's own documents (`personal_state.put`) are neither.
    """
    document = asdict(owner) | {"folder": escaped(str(owner.folder))}
    path = state / COLLECTION
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with disk_space.translated(state):
        _sweep(path)
        fd = state_folder.open_file(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            write_all(os, fd, json.dumps(document, indent=1).encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        beside.replace(path)
    Root(state).sync_folder(HOME)


def _remove_second_name(path: Path) -> None:
    """Remove what a power cut has left of a rename where that is two steps: two names of one file.

    What has two names is refused, since the other one may be anybody's; this one is ours.
    """
    with suppress(OSError):
        if path.lstat().st_nlink > 1:
            for beside in path.parent.glob(f"{path.name}.*"):
                if os.path.samestat(beside.lstat(), path.lstat()):
                    beside.unlink()


def _sweep(path: Path) -> None:
    """Remove what somebody who was killed has left of it; not what is being written."""
    for beside in path.parent.glob(f"{path.name}.*"):
        with suppress(OSError):
            if beside.lstat().st_mtime + _LONG < time.time():
                beside.unlink()
