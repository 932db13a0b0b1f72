"""What a server complains of, in cropkit's words: what happened, and what a person can do."""

from pathlib import Path

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)

from cropkit.audit.places import Place
from cropkit.audit.postgres.server import Unfit
from cropkit.errors import AuditCorrupt, AuditError, AuditLocked, AuditUnavailable

_LONGEST = 300  # characters of what it said
_LOCKED = ("55P03", "40P01")  # a lock that was not to be had, or each waits for the other
AT_WORK = "somebody is at work on it on another machine: end that first, or wait for a minute"
READ_ONLY = "nobody may write there now (a standby, or default_transaction_read_only)"
_WORDS = {
    "53100": "its disk is full: make room there",
    "53200": "it has no memory left",
    "53300": "too many are connected to it: let some go, or give it a larger max_connections",
    "53400": "one of its limits is reached",
    "25006": READ_ONLY,
    "57014": "it has not answered within the deadline",
    "57P01": "it was shut down",
    "57P02": "it died",
    "57P03": "it is starting, or shutting down: try again",
    "25P03": "it gave the line up, since nothing was asked for too long",
    "28P01": "it refuses the password: write it into ~/.pgpass or PGPASSWORD",
    "28000": "it refuses this user",
    "3D000": "it has no such database: `createdb` makes one",
    "42501": "this user may not do that there",
}
# Of a line that never stood there is no number, but what libpq says in the server's words.
_SAID = {
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    "too many clients": "53300",
    "remaining connection slots": "53300",
    "starting up": "57P03",
    "shutting down": "57P03",
    "does not exist": "",
}


def translation(folder: Path, place: Place, deadline: float, error: DBAPIError) -> AuditError:
    """Return what an error of the server, or of the way to it, is here."""
    orig = error.orig
    number = str(getattr(orig, "sqlstate", None) or "") or _by_words(str(orig))
    if number in _LOCKED:
        return AuditLocked(folder, deadline)
    if isinstance(error, IntegrityError | DataError | NotSupportedError):
        return AuditCorrupt(folder, complaint(place, orig))
    if isinstance(error, ProgrammingError) and number and number not in _WORDS:
        return AuditCorrupt(folder, complaint(place, orig))
    if isinstance(orig, Unfit):
        return AuditUnavailable(folder, f"{place} cannot hold it: {orig}")
    words = _WORDS.get(number)
    said = complaint(place, orig)
    reason = f"{words} ({said})" if words else said
    return AuditUnavailable(folder, f"the server {place}: {reason}")


def complaint(place: Place, error: BaseException | None) -> str:
    """Return what it said in one line, bounded, and without what nobody may see."""
    told = str(error).strip() or type(error).__name__
    first = told.partition("\nDETAIL:")[0]
    return place.address.without_secrets(first)[:_LONGEST]


def _by_words(said: str) -> str:
    return next((number for words, number in _SAID.items() if words in said), "")
