"""A plan and a record as tables, as notebooks show them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cropkit.audit.operation import OperationKind
from cropkit.batch.plan import Item, Plan
from cropkit.errors import CropkitError
from cropkit.names import all_printable
from cropkit.runs.record import Entry, RunRecord

if TYPE_CHECKING:
    import pandas as pd

Digest = Callable[[str], tuple[str, str]]
_DIGESTS = 60  # rows whose pixels are read back: as many as pandas shows
_PLANNED = ("path", "to do", "box", "to", "reason")
_ENDED = ("path", "status", "box", "size", "pixels", "texts", "code")


def planned(plan: Plan) -> "pd.DataFrame":
    """Return a plan: what is to be done, what will be refused, what is left alone."""
    import pandas as pd  # noqa: PLC0415  (half a second that the shell does not need)

    rows = [_planned(item) for item in plan.items]
    rows += [(unread.path, "refuse", "", "", str(unread.error)) for unread in plan.unread]
    rows += [(passed.path, "leave", "", "", passed.reason) for passed in plan.passed]
    return pd.DataFrame(all_printable(rows), columns=list(_PLANNED))


def _planned(item: Item) -> tuple[str, ...]:
    box = _edges(item.decision.box.xyxy) if item.decision.box else ""
    if item.error is not None:
        return item.path, "refuse", box, "", str(item.error)
    where = item.target if item.is_copy else item.folder if item.moves else "in place"
    aside = item.kind is OperationKind.REJECT
    return item.path, item.kind.value, box, "kept aside" if aside else where, ""


def ended(run: RunRecord, digest: Digest) -> "pd.DataFrame":
    """Return how each item ended.

    Parameters
    ----------
    digest : of the pixels, and of the texts and profiles, of the file with a name
    """
    import pandas as pd  # noqa: PLC0415  (as above)

    rows = [_row(entry, digest if n < _DIGESTS else None) for n, entry in enumerate(run.entries)]
    return pd.DataFrame(all_printable(rows), columns=list(_ENDED))


def _row(entry: Entry, digest: Digest | None) -> tuple[str, ...]:
    size, pixels, texts = "", "", ""
    if entry.box is not None and entry.status == "cropped":
        left, top, right, bottom = entry.box
        size = f"{right - left:g} x {bottom - top:g}"
        pixels, texts = _digests(entry, digest)
    box = _edges(entry.box) if entry.box else ""
    return entry.path, entry.status, box, size, pixels, texts, entry.code or ""


def _digests(entry: Entry, digest: Digest | None) -> tuple[str, str]:
    if digest is None:
        return "", ""
    try:
        return digest(entry.target or entry.path)
    except CropkitError as error:  # gone or changed since: the row says so
        return error.code, ""


def _edges(edges: tuple[float, ...]) -> str:
    return ",".join(f"{edge:g}" for edge in edges)
