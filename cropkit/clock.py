"""The one clock: aware UTC, and its written form."""

from datetime import UTC, datetime
from secrets import token_hex


def now() -> datetime:
    """Return the time in UTC, aware."""
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with microseconds and `Z`: sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(text: str) -> datetime:
    """Read what `written` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def session_name(moment: datetime) -> str:
    """Name a session: `crop_YYYYMMDD_HHMMSS` in UTC and a short random suffix."""
    return f"crop_{moment.astimezone(UTC):%Y%m%d_%H%M%S}_{token_hex(3)}"
