"""A row for each decision, as CSV or JSON Lines, with all that is known of it.

`cropkit.Table` reads both: paths and `left`, `top`, `right`, `bottom` in upright pixels. CSV is
quoted by RFC 4180, 2, with lines that end as on Unix; JSON Lines by jsonlines.org.
"""

import csv
from collections.abc import Iterator
from typing import IO, Any

from cropkit import clock
from cropkit.audit.decisions import InForce
from cropkit.errors import CropkitError
from cropkit.exports.files import as_json
from cropkit.exports.registry import Writer
from cropkit.exports.rows import Decisions
from cropkit.formats.copy_options import CopyOptions
from cropkit.geometry import Size
from cropkit.names import all_escaped
from cropkit.records import Decision
from cropkit.targets import conditioning

EDGES = ("left", "top", "right", "bottom")
_SUGGESTED = ("source", "version", "rank", "confidence", *EDGES)
_PAIRS = ("original_size", "crop_top_left", "target_size")
# Of every row, in this order; a pair is a list of two in JSON, and two columns in CSV.
FIELDS = (
    *("path", *EDGES, "upright_width", "upright_height"),
    *(f"normalized_{edge}" for edge in EDGES),
    *("verdict", "status", "slot", "target", "copying", "destination", "before_crop"),
    *("original_size", "crop_top_left", "target_size"),
    *(f"suggestion_{name}" for name in _SUGGESTED),
    *("iou", "reviewer", "session", "shown_at", "decided_at", "sha256", "decision"),
    *("star", "note", "turn"),
)


def record(row: InForce) -> dict[str, Any]:
    """Return all that is known of a decision, by field; None is what it does not have."""
    decision = row.decision
    return dict.fromkeys(FIELDS) | {
        "path": decision.path,
        "upright_width": decision.size.width,
        "upright_height": decision.size.height,
        "verdict": decision.verdict.value,
        "status": row.status.value,
        "slot": decision.slot,
        "target": decision.target,
        "copying": decision.copying,
        "destination": decision.destination,
        "before_crop": row.has_left,
        "iou": decision.iou,
        "reviewer": decision.reviewer,
        "session": decision.session,
        "shown_at": clock.written(decision.shown_at),
        "decided_at": clock.written(decision.decided_at),
        "sha256": decision.sha256,
        "decision": decision.id,
        "star": row.note.star,
        "note": row.note.text or None,
        "turn": decision.turn.text or None,
        **_boxes(decision),
        **_suggested(decision),
    }


def _boxes(decision: Decision) -> dict[str, Any]:
    if decision.box is None:
        return {}
    values: dict[str, Any] = dict(zip(EDGES, decision.box.xyxy, strict=True))
    shares = decision.box.normalized(decision.size).xyxy
    values |= {f"normalized_{e}": share for e, share in zip(EDGES, shares, strict=True)}
    output = output_of(decision)
    if output is None or decision.turn.resamples:  # where its corner is in the image is no pair
        return values
    turn, size = decision.turn, decision.size
    told = conditioning(size.turned(turn), decision.box.turned(size, turn), output)
    return values | {name: list(pair) for name, pair in told._asdict().items()}


def output_of(decision: Decision) -> Size | None:
    """Return the size that the crop of a decision has; None where it cannot be made so."""
    if decision.box is None:
        return None
    try:
        how = CopyOptions.from_text(decision.copying or "")
        return how.output(decision.box.size.turned(decision.turn), decision.path)
    except CropkitError:
        return None


def _suggested(decision: Decision) -> dict[str, Any]:
    suggestion = decision.suggestion
    if suggestion is None:
        return {}
    plain = (suggestion.source, suggestion.version, suggestion.rank, suggestion.confidence)
    values = (*plain, *suggestion.box.xyxy)
    return {f"suggestion_{n}": value for n, value in zip(_SUGGESTED, values, strict=True)}


def _write_json_lines(file: IO[str], rows: Decisions) -> None:
    for row in rows:
        file.write(as_json(record(row)) + "\n")


def _write_csv(file: IO[str], rows: Decisions) -> None:
    writer = csv.DictWriter(file, list(columns()), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(dict(cells(all_escaped(record(row)))))


def columns() -> Iterator[str]:
    """Yield the names of a table's columns: of a pair, two."""
    for field in FIELDS:
        yield from _names_of(field) if field in _PAIRS else (field,)


def cells(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a record's values by the columns of a table."""
    for field, value in values.items():
        if field in _PAIRS:
            yield from zip(_names_of(field), value or (None, None), strict=True)
        else:
            yield field, value


def _names_of(pair: str) -> tuple[str, str]:
    if pair == "crop_top_left":
        return "crop_top", "crop_left"
    stem = pair.removesuffix("_size")
    return f"{stem}_height", f"{stem}_width"


CSV = Writer(_write_csv, (".csv",))
JSON_LINES = Writer(_write_json_lines, (".jsonl",))
