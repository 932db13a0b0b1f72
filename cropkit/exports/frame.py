"""The decisions in force as a table in memory, each column of one type."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cropkit.audit.reader import TrailReader
from cropkit.exports.registry import Options
from cropkit.exports.rows import Decisions, Place
from cropkit.exports.tables import EDGES, cells, columns, record
from cropkit.records import Status, Verdict

if TYPE_CHECKING:
    import pandas as pd

_SHARES = (*(f"normalized_{edge}" for edge in EDGES), *(f"suggestion_{edge}" for edge in EDGES))
_NUMBERS = ("suggestion_confidence", "iou", *_SHARES)
_TIMES = ("shown_at", "decided_at")
_TEXTS = (
    *("path", "slot", "target", "copying", "destination", "suggestion_source"),
    *("suggestion_version", "reviewer", "session", "sha256", "decision", "note", "turn"),
)
_OTHERS: Mapping[str, str] = {
    **dict.fromkeys(_TEXTS, "string"),
    **dict.fromkeys(_NUMBERS, "float64"),
    "before_crop": "bool",
    "star": "bool",
}


def frame(trail: TrailReader, root: Path) -> "pd.DataFrame":
    """Return a row for each decision in force, whatever its verdict, in the order of names.

    Whole numbers may be missing (`Int64`), texts are `string`, verdict and status are categories of
    all there are, times are aware, in UTC.

    Raises
    ------
    AuditError
        The trail cannot be read.
    """
    import pandas as pd  # noqa: PLC0415  (half a second that an export does not need)

    rows = Decisions(Place(root, root, Options(verdicts=tuple(Verdict))), trail)
    held = pd.DataFrame([dict(cells(record(row))) for row in rows], columns=list(columns()))
    for name in _TIMES:
        held[name] = pd.to_datetime(held[name], utc=True).astype("datetime64[us, UTC]")
    held["verdict"] = pd.Categorical(held["verdict"], [each.value for each in Verdict])
    held["status"] = pd.Categorical(held["status"], [each.value for each in Status])
    typed = {*_TIMES, "verdict", "status"}
    return held.astype({n: _OTHERS.get(n, "Int64") for n in columns() if n not in typed})
