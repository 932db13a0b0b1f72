"""The one clock: aware UTC, and its written form."""

import re
from datetime import UTC, datetime
from secrets import token_hex

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def now() -> datetime:
    """Return the time in UTC, aware."""
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with microseconds and `Z`: sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(text: str) -> datetime:
    """Read what `written` wrote.

    Raises
    ------
    ValueError
        It is written otherwise.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f"{text!r} is no moment as it is written here")
    return datetime.fromisoformat(text)


def session_name(moment: datetime) -> str:
    """Name a session: `crop_YYYYMMDD_HHMMSS` in UTC and a short random suffix."""
    return f"crop_{moment.astimezone(UTC):%Y%m%d_%H%M%S}_{token_hex(3)}"
