"""What has happened in a collection since its reviewer was there last; pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from cropkit.audit.tally import SessionRow

_AWAY = timedelta(minutes=30)  # a shorter break needs no word
_NAMED = 2


def since(rows: Iterable[SessionRow], reviewer: str, now: datetime) -> str:
    """Say in one line when a reviewer was here last, and what others did since; '' for a break.

    Parameters
    ----------
    rows : the sessions but the one at hand, in any order
    """
    every = sorted(rows, key=_left)
    mine = [row for row in every if row.kind == "review" and row.reviewer == reviewer]
    if not mine or now - _left(mine[-1]) < _AWAY:
        return ""
    left = _left(mine[-1])
    later = [row for row in every if _left(row) > left]
    return f"You were here last on {left.astimezone():%d %b, %H:%M}; since then {_done(later)}"


def _left(row: SessionRow) -> datetime:
    return row.ended_at or row.moved_at or row.beat_at or row.started_at


def _done(rows: list[SessionRow]) -> str:
    counts = {
        "decided": sum(row.tally.decided for row in rows),
        "written": sum(row.tally.cropped for row in rows),
        "restored": sum(row.tally.restored for row in rows),
        "failed": sum(row.tally.failed for row in rows),
    }
    words = ", ".join(f"{number:,} {word}" for word, number in counts.items() if number)
    who = sorted({row.reviewer for row in rows if row.tally.decided})
    by = f" (by {', '.join(who[:_NAMED])}{' and others' * (len(who) > _NAMED)})" if who else ""
    return f"{words}{by}" if words else "nothing has changed"
