"""Where a trail is: in a file of the collection's own, or on a server that this person has named.

`.cropkit/trail.json` says that it is elsewhere, and where: host, port, database and schema, no user
and no password. It may come from a stranger, so that nothing is asked of anybody because it says
so. Who opens it has named the server: for this time, in `CROPKIT_TRAIL`, or once before, which is
kept in their own state, without the password.
"""

import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from cropkit import extras
from cropkit.errors import AuditUnavailable, BadTrail, ForeignState, PersonalStateUnusable
from cropkit.names import printable
from cropkit.system import personal_state, state_folder
from cropkit.system.files import write_all
from cropkit.system.home import DATABASE, EXPORT, TRAIL_PLACE
from cropkit.system.state_folder import open_file, reader

VARIABLE = "CROPKIT_TRAIL"
_SAID_FOR = "CROPKIT_TRAIL_OF"  # the schemas that it was said for: there it goes before all else
SQLITE = "sqlite"  # said instead of an address: a file of its own
NEW_RECORD = f"{TRAIL_PLACE}.new"
_SCHEMES = ("postgresql://", "postgres://")
_SCHEMA = re.compile(r"cropkit_[0-9a-f]{32}")
_SECRET = ("password", "sslpassword")
_LONGEST = 1_000  # characters of a host, or of the name of a database
_LARGEST = 10_000  # bytes of the record
_DOCUMENT = "trails"
_MOST = 1_000  # trails whose servers are remembered
_FORMAT = 1
_TWO = (
    "the trail is on a server by this, and {} lies beside it. If a move was cut off, `cropkit"
    " migrate-trail FOLDER --to postgresql://USER@HOST/DATABASE` again ends it: it looks whether"
    " both are the same"
)
_NOT_NAMED = (
    "it is said to be on the server {}, which you have not named: `--trail postgresql://USER@HOST/"
    "DATABASE`, or CROPKIT_TRAIL, does so; nobody was asked"
)
_IS_HERE = "it is in {} already: `cropkit migrate-trail FOLDER --to URL` brings it to a server"
_IS_THERE = "it is on the server {}: `cropkit migrate-trail FOLDER --to sqlite` brings it back"

_named_here: dict[str, "Address"] = {}  # in this process, with the password, by schema


class Address:
    """A server and a database of it, as a person has named them; nobody sees the password.

    Raises
    ------
    BadTrail
        It names none.
    NotInstalled
        What speaks to such a server is not there.
    """

    def __init__(self, text: str) -> None:
        if not text.startswith(_SCHEMES):
            raise BadTrail(_without_secret(text), "it begins with neither postgresql:// nor sqlite")
        extras.needed("postgres")
        from psycopg import Error, conninfo  # noqa: PLC0415  (an extra)

        try:
            parameters = conninfo.conninfo_to_dict(text)
        except Error:  # its words may hold any part of the text
            raise BadTrail(_without_secret(text), "it cannot be read") from None
        self.parameters = {name: str(value) for name, value in parameters.items() if value}

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Address":
        """Return an address by what libpq calls its parts."""
        address = cls.__new__(cls)
        address.parameters = dict(parameters)
        return address

    @property
    def kept(self) -> dict[str, str]:
        """What may be kept of it: all but what is secret."""
        return {name: value for name, value in self.parameters.items() if name not in _SECRET}

    def leads_to(self, record: "Record") -> bool:
        """Whether a record names this server and database, in the same words."""
        of = self.parameters.get
        return (of("host", ""), of("port", ""), of("dbname", "")) == record[:3]

    def without_secrets(self, words: str) -> str:
        """Return what somebody has said about it, in one line, without what nobody may see."""
        said = (self.parameters.get(name) for name in _SECRET)
        for secret in filter(None, (*said, os.environ.get("PGPASSWORD"))):
            words = words.replace(secret, "***")
        return printable(" ".join(words.split()))

    def __str__(self) -> str:
        of = self.parameters.get
        user = f"{of('user')}@" if of("user") else ""
        port = f":{of('port')}" if of("port") else ""
        shown = f"{_SCHEMES[0]}{user}{of('host', '')}{port}/{of('dbname', '')}"
        return self.without_secrets(shown[:_LONGEST])

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __reduce__(self) -> str:
        raise TypeError("an address may hold a password, and is nothing to be written down")


class Record(NamedTuple):
    """What a collection says of where its trail is."""

    host: str
    port: str
    database: str
    schema: str

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return printable(f"{self.host or 'of this machine'}{port}, database {self.database}")


class Place(NamedTuple):
    """Where a trail is that is not in a file: on which server, and there in which schema."""

    address: Address
    schema: str

    def __str__(self) -> str:
        return str(self.address)


def new(address: Address) -> Place:
    """Return a place on a server that no other trail has."""
    return Place(address, f"cropkit_{secrets.token_hex(16)}")


def check(said: str) -> None:
    """Refuse what a person has said of where a trail is, where it is none.

    Raises
    ------
    BadTrail, NotInstalled
        As `Address`.
    """
    if said != SQLITE:
        Address(said)


def recorded(folder: Path) -> Record | None:
    """Return where a collection says that its trail is; None: in a file of its own.

    Raises
    ------
    ForeignState
        It says so in words that are none of ours, or has a trail in a file as well.
    AuditUnavailable
        One may not look.
    """
    path = folder / TRAIL_PLACE
    record = read(folder, TRAIL_PLACE)
    if record is not None and os.path.lexists(folder / DATABASE):
        raise ForeignState(path, _TWO.format(DATABASE))
    return record


def read(folder: Path, name: str) -> Record | None:
    """Return what a record says, whatever lies beside it; None: there is none.

    Raises
    ------
    ForeignState
        It says so in words that are none of ours.
    AuditUnavailable
        One may not look.
    """
    path = folder / name
    try:
        with reader(path) as file:
            text = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuditUnavailable(folder, error.strerror or error) from error
    return _read(path, text)


def in_doubt(folder: Path, address: Address | None = None) -> Place | None:
    """Return the server of a record beside which a file may lie, too; None: there is no record.

    Raises
    ------
    AuditUnavailable
        Nobody named that server. Nobody was asked.
    ForeignState
        As `read`.
    """
    record = read(folder, TRAIL_PLACE)
    if record is None:
        return None
    return _reached(folder, record, address or _address(None, record))


def is_elsewhere(folder: Path) -> bool:
    """Whether a collection has its trail on a server, by what lies in it."""
    return state_folder.holds(folder / TRAIL_PLACE)


def has_one(folder: Path) -> bool:
    """Whether a folder has a trail of its own, wherever that is."""
    return os.path.lexists(folder / DATABASE) or is_elsewhere(folder)


def known(folder: Path, said: str | None = None) -> Place | None:
    """Return where a trail that is there is to be asked; None: in a file of its own.

    Parameters
    ----------
    said : the address that a person gives now; None: the one in the environment, or of last time

    Raises
    ------
    AuditUnavailable
        Nobody named that server, or the trail is elsewhere than they say. Nobody was asked.
    ForeignState, BadTrail, NotInstalled
        As `recorded` and `Address`.
    """
    record = recorded(folder)
    if record is None:
        if said not in (None, SQLITE) and os.path.lexists(folder / DATABASE):
            Address(str(said))
            raise AuditUnavailable(folder, _IS_HERE.format(DATABASE))
        return None
    if said == SQLITE:
        raise AuditUnavailable(folder, _IS_THERE.format(record))
    return _reached(folder, record, _address(said, record))


def _reached(folder: Path, record: Record, address: Address | None) -> Place:
    if address is None:
        raise AuditUnavailable(folder, _NOT_NAMED.format(record))
    return Place(address, record.schema)


def wanted(folder: Path, said: str | None = None) -> Place | None:
    """Return the same; of a trail that is still to be made, where a person wants it."""
    place = known(folder, said)
    if place is not None or said == SQLITE:
        return place
    if any(os.path.lexists(folder / name) for name in (DATABASE, EXPORT)):
        return None
    address = _named(said)
    return new(address) if address else None


@contextmanager
def said_for(folders: Iterable[Path], address: str) -> Iterator[None]:
    """Let all that is started meanwhile ask a server for the trails of these folders, and no other.

    Where they were until now, and which server was named for them, counts for nothing: it may have
    moved. Trails that are to be made are made there.
    """
    schemas = []
    for folder in folders:
        with suppress(ForeignState, AuditUnavailable):  # told by who opens it
            found = read(folder, TRAIL_PLACE)
            schemas += [found.schema] if found else []
    said = {VARIABLE: address, _SAID_FOR: ",".join(schemas)}
    before = {name: os.environ.get(name) for name in said}
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def record(folder: Path, place: Place) -> Place:
    """Write down where a new trail is, durably, unless somebody else was first; return theirs.

    Raises
    ------
    ForeignState, OSError
        It is not written down.
    """
    before = recorded(folder)
    if before is not None:
        return Place(place.address, before.schema)
    write_new(folder, place)
    (folder / NEW_RECORD).rename(folder / TRAIL_PLACE)
    return place


def write_new(folder: Path, place: Place) -> None:
    """Write down where a trail will be; it is there when `NEW_RECORD` is renamed to the record.

    Raises
    ------
    ForeignState, OSError
        It is not written down.
    """
    fd = open_file(folder / NEW_RECORD, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        write_all(os, fd, _written(place))
        os.fsync(fd)
    finally:
        os.close(fd)


def _written(place: Place) -> bytes:
    """Return the record of a place: no user and no password."""
    of = place.address.parameters.get
    said = {"format": _FORMAT, "host": of("host", ""), "port": of("port", "")}
    said |= {"database": of("dbname", ""), "schema": place.schema}
    return f"{json.dumps(said, indent=1)}\n".encode()


def remember(place: Place) -> None:
    """Keep in this person's own state that they have named a server for a trail.

    Raises
    ------
    PersonalStateUnusable
        It is not kept.
    """
    kept = place.address.kept
    _named_here[place.schema] = place.address
    if personal_state.folder() is None:
        return
    if personal_state.read(_DOCUMENT).get(place.schema) == kept:
        return
    with personal_state.changing(_DOCUMENT) as document:
        document.pop(place.schema, None)
        document[place.schema] = kept
        for name in list(document)[:-_MOST]:
            del document[name]


def _address(said: str | None, record: Record) -> Address | None:
    """Choose by whom a server is reached: this trail's own server goes before one for new ones."""
    usual = _named(said)
    is_said = said is not None or record.schema in os.environ.get(_SAID_FOR, "").split(",")
    if is_said or (usual is not None and usual.leads_to(record)):
        return usual
    return _named_here.get(record.schema) or _remembered(record.schema) or usual


def _named(said: str | None) -> Address | None:
    text = os.environ.get(VARIABLE, "") if said is None else said
    return None if text in ("", SQLITE) else Address(text)


def _remembered(schema: str) -> Address | None:
    """Return the server that this person has named for a trail before.

    Raises
    ------
    PersonalStateUnusable
        What is kept cannot be believed.
    """
    kept = personal_state.read(_DOCUMENT).get(schema)
    if kept is None:
        return None
    if not isinstance(kept, dict) or not all(isinstance(each, str) for each in kept.values()):
        raise PersonalStateUnusable(f"{_DOCUMENT}.json", f"what it says of {schema} is no address")
    extras.needed("postgres")
    return Address.of(kept)


def _read(path: Path, text: bytes) -> Record:
    try:
        said: Any = json.loads(text) if len(text) <= _LARGEST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("format") != _FORMAT:
        raise ForeignState(path, "it does not say on which server the trail is")
    parts = [said.get(name) for name in ("host", "port", "database", "schema")]
    if not all(isinstance(part, str) and len(part) <= _LONGEST for part in parts):
        raise ForeignState(path, "it does not say on which server the trail is")
    record = Record(*map(str, parts))
    if not _SCHEMA.fullmatch(record.schema):
        raise ForeignState(path, "the schema that it names is none of cropkit's")
    return record


def _without_secret(text: str) -> str:
    """Return what is no address, without anything that may be meant to be a password."""
    before, is_there, after = text.rpartition("@")
    scheme = before[: before.find("//") + 2] if "//" in before else ""
    shown = f"{scheme}***@{after}" if is_there else text
    return printable(shown.partition("?")[0])[:_LONGEST]
