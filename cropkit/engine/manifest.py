"""The manifest of a collection's crops: what each was made of, and how; one row after the other.

Everything in it is what the trail says. Rows are read as they are written, newest first, so that a
million of them take no more room than a thousand.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from cropkit import clock
from cropkit.audit.operation import Operation, OperationKind
from cropkit.audit.operation_reader import readable
from cropkit.audit.reader import TrailReader
from cropkit.errors import NameTaken, TrailDisagrees
from cropkit.geometry import PixelBox
from cropkit.names import all_escaped
from cropkit.records import Decision, Suggestion
from cropkit.system import parameters
from cropkit.verification import parquet
from cropkit.verification.claims import BOXES, CAPTIONS, CARRIED, EDGES, SRGB, Row, resampled

KINDS = ("manifest",)
_MADE = (OperationKind.CROP, OperationKind.COPY)
_CONVERTED = "colour: converted to sRGB"
# Of every row, in this order; boxes are lists of four in JSON, and four columns in CSV.
FIELDS = (
    *("operation", "mode", "source", "source_sha256", "crop", "crop_sha256"),
    *("upright_width", "upright_height", "box_asked", "box_applied"),
    *("slot", "target", "copying", "resampling", "psnr", "verdict"),
    *("suggestion_source", "suggestion_version", "suggestion_rank", "suggestion_confidence"),
    *("suggestion_box", "iou", "reviewer", "session", "shown_at", "decided_at"),
    *("caption", "caption_sha256", "second_caption", "second_caption_sha256"),
    *("crop_width", "crop_height", "filter", "linear_light", "colour"),
)


def rows(
    trail: TrailReader, root: Path, folder: Path, lost: Callable[[TrailDisagrees], object]
) -> Iterator[Row]:
    """Yield a row for each crop that stands, newest first: none that was undone or cropped again.

    Parameters
    ----------
    root : of the collection, to which paths of sources are relative
    folder : of the manifest, to which paths of crops beneath it are relative; others are absolute
    lost : told of each crop that is left out, since its row or its decision's cannot be read

    Raises
    ------
    AuditError
        The trail cannot be read.
    """
    for undoable in trail.operations.newest_undoable():
        try:
            made = readable(undoable)
            if made.kind in _MADE and not _is_superseded(made, trail):
                yield _row(made, _decision_of(made, trail), root, folder)
        except TrailDisagrees as error:
            lost(error)


def _decision_of(made: Operation, trail: TrailReader) -> Decision | None:
    if made.decision is None:
        return None
    try:
        return trail.decisions.by_id(made.decision)[0]
    except KeyError:
        raise TrailDisagrees(made.image, "decision", made.decision) from None


def written(out: Path, each: Iterable[Row]) -> int:
    """Write rows to a new file, durably; return how many there are.

    It has its name when it is whole, and its folder is synced after that. Its form is that of its
    suffix, ``.jsonl`` or ``.csv``.

    Raises
    ------
    BadParameterValue
        It has neither: nothing was written.
    NameTaken
        There is such a file already: it stands as it is.
    """
    write = writer_of(out)
    if os.path.lexists(out):
        raise NameTaken(out.name, str(out))
    part = out.with_name(f".cropkit-{uuid4().hex}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as file:
            count = write(file, each)
            file.flush()
            os.fsync(file.fileno())
        _name(part, out)
    finally:
        part.unlink(missing_ok=True)
    return count


def writer_of(out: Path) -> Callable[[IO[str], Iterable[Row]], int]:
    """Return what writes the form that a file's suffix names.

    Raises
    ------
    BadParameterValue
        None does.
    """
    suffix = out.suffix.lower()
    if suffix not in _WRITERS:
        raise parameters.wrong("out", str(out), "file that ends with .jsonl, .csv or .parquet")
    if suffix == ".parquet":
        parquet.arrow()
    return _WRITERS[suffix]


def _name(part: Path, out: Path) -> None:
    """Give a whole file its name; where it cannot have two, the name is taken before it moves."""
    try:
        try:
            os.link(part, out)
        except FileExistsError:
            raise
        except OSError:
            out.touch(exist_ok=False)
            part.rename(out)
    except FileExistsError:
        raise NameTaken(out.name, str(out)) from None
    folder = os.open(out.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some file systems sync no folders
            os.fsync(folder)
    finally:
        os.close(folder)


def _is_superseded(made: Operation, trail: TrailReader) -> bool:
    """Whether its crop was cropped again, moved or rejected: copies leave it as it is."""
    of_image = trail.operations.undoable_of(made.target)
    later = takewhile(lambda each: each.id != made.id, map(readable, of_image))
    return any(each.source == made.target and not each.is_copy for each in later)


def _row(made: Operation, decided: Decision | None, root: Path, folder: Path) -> Row:
    applied = made.report.get("box_applied")
    row: dict[str, Any] = dict.fromkeys(FIELDS) | {
        "operation": made.id,
        "mode": _mode(made),
        "source": made.source,
        "source_sha256": made.sha256_before,
        "crop": _placed(made.target, root, folder),
        "crop_sha256": made.sha256_after,
        "box_asked": _edges(made.box),
        "box_applied": applied or _edges(made.box),
        "resampling": _resampling(made),
        "psnr": made.report.get("psnr"),
        "session": made.session,
    }
    row |= _shape(made, row["box_applied"]) | _captions(made, root, folder)
    return row if decided is None else row | _decided(decided)


def _shape(made: Operation, applied: list[int] | None) -> dict[str, Any]:
    """Return size and colours of the crop, and by which filter it came to the size."""
    colours = {"colour": CARRIED if _patched(made, _CONVERTED) is None else SRGB}
    resized = resampled(_resampling(made) or "")
    if resized is not None:
        sides = {"crop_width": resized.size.width, "crop_height": resized.size.height}
        by = {"filter": resized.by.value, "linear_light": resized.linear_light}
        return colours | sides | by
    if applied is None:
        return colours
    left, top, right, bottom = applied
    return colours | {"crop_width": right - left, "crop_height": bottom - top}


def _captions(made: Operation, root: Path, folder: Path) -> dict[str, Any]:
    captions = [c for c in made.companions if Path(c.target).suffix in CAPTIONS]
    named = zip(("caption", "second_caption"), captions, strict=False)
    return {
        name: value
        for field, caption in named
        for name, value in (
            (field, _placed(caption.target, root, folder)),
            (f"{field}_sha256", caption.sha256),
        )
    }


def _mode(made: Operation) -> str:
    if made.is_copy:
        return "copy"
    return "in-place" if made.in_place else "move"


def _decided(decided: Decision) -> dict[str, Any]:
    return {
        "upright_width": decided.size.width,
        "upright_height": decided.size.height,
        "box_asked": _edges(decided.box),
        "slot": decided.slot,
        "target": decided.target,
        "copying": decided.copying,
        "verdict": decided.verdict.value,
        "iou": decided.iou,
        "reviewer": decided.reviewer,
        "session": decided.session,
        "shown_at": clock.written(decided.shown_at),
        "decided_at": clock.written(decided.decided_at),
    } | _suggested(decided.suggestion)


def _suggested(suggestion: Suggestion | None) -> dict[str, Any]:
    if suggestion is None:
        return {}
    return {
        "suggestion_source": suggestion.source,
        "suggestion_version": suggestion.version,
        "suggestion_rank": suggestion.rank,
        "suggestion_confidence": suggestion.confidence,
        "suggestion_box": list(suggestion.box.xyxy),
    }


def _resampling(made: Operation) -> str | None:
    """Return what the report says of a size that is not the box's."""
    return _patched(made, "size: resampled")


def _patched(made: Operation, begins: str) -> str | None:
    """Return what the account of a crop says that begins with some words."""
    patched = (str(word) for word in made.report.get("patched") or ())
    return next((word for word in patched if word.startswith(begins)), None)


def _edges(box: PixelBox | None) -> list[int] | None:
    return None if box is None else list(box.xyxy)


def _placed(path: str, root: Path, folder: Path) -> str:
    place = root / path
    return str(place.relative_to(folder)) if place.is_relative_to(folder) else str(place)


def _as_json_lines(file: IO[str], each: Iterable[Row]) -> int:
    count = 0
    for row in each:
        file.write(json.dumps(all_escaped(row), ensure_ascii=False) + "\n")
        count += 1
    return count


def _as_csv(file: IO[str], each: Iterable[Row]) -> int:
    writer = csv.DictWriter(file, _columns(), lineterminator="\n")
    writer.writeheader()
    count = 0
    for row in each:
        writer.writerow(_flat(all_escaped(row)))
        count += 1
    return count


def _as_parquet(file: IO[str], each: Iterable[Row]) -> int:
    return parquet.write(file, each, FIELDS)


def _columns() -> list[str]:
    return [name for field in FIELDS for name in _names_of(field)]


def _names_of(field: str) -> list[str]:
    return [f"{field}_{edge}" for edge in EDGES] if field in BOXES else [field]


def _flat(row: Row) -> dict[str, Any]:
    flat = {name: value for name, value in row.items() if name not in BOXES}
    for field in BOXES:
        flat |= dict(zip(_names_of(field), row[field] or [None] * len(EDGES), strict=True))
    return flat


_WRITERS: Mapping[str, Callable[[IO[str], Iterable[Row]], int]] = {
    ".jsonl": _as_json_lines,
    ".csv": _as_csv,
    ".parquet": _as_parquet,
}
