"""The manifest of a collection's crops: what each was made of, and how; one row after the other.

Everything in it is what the trail says. Rows are read as they are asked for, newest first, so that
a million of them take no more room than a thousand; `cropkit.exports.manifest` writes them.
"""

from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from cropkit import clock
from cropkit.audit.operation import Operation, OperationKind
from cropkit.audit.operation_reader import readable
from cropkit.audit.reader import TrailReader
from cropkit.errors import TrailDisagrees
from cropkit.geometry import NO_TURN, PixelBox, Turn
from cropkit.records import Decision, Suggestion
from cropkit.verification.claims import CAPTIONS, CARRIED, SRGB, Row, resampled

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
    *("crop_width", "crop_height", "filter", "linear_light", "colour", "turn"),
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
    turn = NO_TURN if decided is None else decided.turn
    row |= _shape(made, row["box_applied"], turn) | _captions(made, root, folder)
    return row if decided is None else row | _decided(decided)


def _shape(made: Operation, applied: list[int] | None, turn: Turn) -> dict[str, Any]:
    """Return size and colours of the crop, and by which filter it came to the size."""
    colours = {"colour": CARRIED if _patched(made, _CONVERTED) is None else SRGB}
    resized = resampled(_resampling(made) or "")
    if resized is not None:
        sides = {"crop_width": resized.size.width, "crop_height": resized.size.height}
        by = {"filter": resized.by.value, "linear_light": resized.linear_light}
        return colours | sides | by
    if applied is None:
        return colours
    size = PixelBox(*applied).size.turned(turn)
    return colours | {"crop_width": size.width, "crop_height": size.height}


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
        "turn": decided.turn.text or None,
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
    return suggestion.words | {"suggestion_box": list(suggestion.box.xyxy)}


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
