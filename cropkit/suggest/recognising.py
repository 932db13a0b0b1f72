"""What a detector answers, recognised by shape and by the names of attributes; no package is named.

Arrays hold left, top, right, bottom, then a confidence and a class where they have more columns.
Objects and dicts say by name what they hold. Where a name leaves open what four numbers mean
(``bbox`` is left, top, width, height to some and left, top, right, bottom to others), the order has
to be declared.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cropkit.errors import BadFraming, BadSuggestion
from cropkit.geometry import NormalizedBox
from cropkit.subjects import plain_array
from cropkit.suggest.convention import EDGES, NAMES, Order, Units
from cropkit.suggest.numbers import excerpt

Answer = Any  # of some model

_BOX, _SCORED, _CLASSED = 4, 5, 6
MOST_ROWS = 10_000  # boxes of one answer
_DEPTH = 5  # results in lists in results
# Many boxes under one name: their order; and whether people disagree about it.
_MANY: Mapping[str, tuple[Order | None, bool]] = {
    "boxes": (None, False),
    "bboxes": (None, True),
    "xyxy": ("xyxy", False),
    "xywh": ("xywh", False),
    "cxcywh": ("cxcywh", False),
}
_PLURAL = ("boxes", "bboxes")
_SCORES = ("scores", "confidences", *NAMES["confidence"])
_LABELS = ("labels", "classes", "label", "class", "class_id", "cls")
# A single box under a name of its own: its order, None where people disagree; its units.
_SINGLE: Mapping[str, tuple[Order | None, Units | None]] = {
    "xyxy": ("xyxy", None),
    "xywh": ("xywh", None),
    "cxcywh": ("cxcywh", None),
    "xyxyn": ("xyxy", "normalized"),
    "box": (None, None),
    "bbox": (None, None),
    "bounding_box": (None, None),
}
_ORIGIN = ("origin_x", "origin_y", "width", "height")


@dataclass(frozen=True, slots=True)
class Seen:
    """One box as it was answered.

    Parameters
    ----------
    numbers : four, in `order` and `units`; None there: as was declared
    is_open : whether an order has to be declared, because the name leaves it open
    """

    numbers: tuple[float, float, float, float]
    order: Order | None = None
    units: Units | None = None
    confidence: float | None = None
    label: str = ""
    is_open: bool = False


def recognised(answer: Answer) -> list[Seen]:
    """Return the boxes of an answer, in its order.

    Raises
    ------
    BadSuggestion
        When nobody knows what it is.
    """
    rows = list(islice(_seen(answer, 0), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise _too_many()
    return rows


def _too_many() -> BadSuggestion:
    return BadSuggestion("answer", f"has more than {MOST_ROWS:,} boxes")


def _seen(answer: Answer, depth: int) -> Iterator[Seen]:
    if depth > _DEPTH:
        raise BadSuggestion("answer", "is nested too deeply")
    for is_meant, read in _KINDS:
        if is_meant(answer):
            yield from read(answer, depth)
            return
    yield from _rows(answer)


def _each(answers: Sequence[Answer], depth: int) -> Iterator[Seen]:
    whole = [each for each in answers if _holds_many(each)]
    if len(whole) > 1:
        raise BadSuggestion(
            "answer", f"holds the results of {len(whole)} images; return those of one"
        )
    for each in answers:
        yield from _seen(each, depth + 1)


def _is_structured(value: Answer) -> bool:
    names = ("xyxy", "boxes", "bounding_box", "detections")
    return isinstance(value, Mapping) or any(hasattr(value, name) for name in names)


def _is_frame(answer: Answer) -> bool:
    return callable(getattr(answer, "to_dict", None)) and hasattr(answer, "columns")


def _is_list(answer: Answer) -> bool:
    return isinstance(answer, list | tuple) and any(_is_structured(each) for each in answer)


def _holds_many(value: Answer) -> bool:
    if isinstance(value, Mapping):
        return _many(value) is not None
    return hasattr(value, "boxes") or hasattr(value, "detections")


def _many(answer: Mapping[Any, Answer]) -> str | None:
    """Return the name under which a dict has several boxes; ``boxes`` may be one all the same."""
    there = (name for name in _MANY if _size_of(answer.get(name)))
    plural = (name for name in there if name in _PLURAL or plain_array(answer[name]).ndim > 1)
    return next(plural, None)


def _of_detections(answer: Answer, _depth: int) -> Iterator[Seen]:
    """Read an object that has ``xyxy``, and perhaps a confidence and a class for each row."""
    scores = _first_attribute(answer, ("confidence", "conf"))
    labels = _first_attribute(answer, ("class_name", "class_id", "cls"))
    yield from _together(answer.xyxy, scores, labels, ("xyxy", False))


def _of_mapping(answer: Mapping[Any, Answer], depth: int) -> Iterator[Seen]:
    many = _many(answer)
    if many is not None and _is_list(answer[many]):
        yield from _each(answer[many], depth)
    elif many is not None:
        scores, labels = _first_value(answer, _SCORES), _first_value(answer, _LABELS)
        yield from _together(answer[many], scores, labels, _MANY[many])
    elif (single := _single(answer)) is not None:
        yield single
    elif any(name in answer for name in _MANY):  # nothing was found
        return
    elif len(answer) == 1:  # one task's results, under the name of the task
        yield from _seen(next(iter(answer.values())), depth + 1)
    elif answer:
        keys = excerpt(list(answer))
        raise BadSuggestion("answer", f"is a dict of {keys}: no box by a known name is in it")


def _single(answer: Mapping[Any, Answer]) -> Seen | None:
    score = _first_value(answer, _SCORES)
    label = _first_value(answer, _LABELS)
    named = _by_edges(answer)
    for name, (order, units) in _SINGLE.items():
        if named is None and _size_of(answer.get(name)):
            value = answer[name]
            named = _by_edges(value) if isinstance(value, Mapping) else None
            named = named or (_numbers(value), order, units)
    if named is None:
        return None
    numbers, order, units = named
    return Seen(numbers, order, units, _score(score), _label(label), order is None)


def _size_of(value: Answer) -> int:
    return 0 if value is None else len(value)


def _by_edges(
    answer: Mapping[Any, Answer],
) -> tuple[tuple[float, float, float, float], Order | None, Units | None] | None:
    """Read four numbers that are named each by itself."""
    for order, names in EDGES.items():
        for edges in names:
            if all(edge in answer for edge in edges):
                return _numbers([answer[edge] for edge in edges]), order, None  # type: ignore[return-value]  # EDGES' keys are the orders
    return None


def _of_object(answer: Answer) -> Seen:
    """Read one detection: its ``bounding_box`` is four fractions, or an object of four numbers."""
    box = answer.bounding_box
    score, label = getattr(answer, "confidence", None), getattr(answer, "label", "")
    if all(hasattr(box, name) for name in _ORIGIN):
        numbers = _numbers([getattr(box, name) for name in _ORIGIN])
        return Seen(numbers, "xywh", "pixels", _score(score), _label(label))
    return Seen(_numbers(box), "xywh", "normalized", _score(score), _label(label))


def _together(
    boxes: Answer, scores: Answer, labels: Answer, meaning: tuple[Order | None, bool]
) -> Iterator[Seen]:
    rows, (order, is_open) = _table(boxes), meaning
    sure, names = _column(scores, len(rows), "confidences"), _column(labels, len(rows), "classes")
    for row, score, label in zip(rows, sure, names, strict=True):
        yield Seen(_four(row), order, None, _score(score), _label(label), is_open)


def _rows(answer: Answer) -> Iterator[Seen]:
    for row in _table(answer):
        score = row[_BOX] if len(row) >= _SCORED else None
        label = f"{row[_SCORED]:g}" if len(row) == _CLASSED else ""
        yield Seen(_four(row), None, None, score, label)


def _table(values: Answer) -> list[list[float]]:
    try:
        array = plain_array(values)
    except BadFraming as error:
        raise BadSuggestion("answer", str(error.args[1])) from None
    if array.size == 0:
        return []
    table = array[None] if array.ndim == 1 else array
    if table.ndim and len(table) > MOST_ROWS:
        raise _too_many()
    if table.ndim != 2 or not _BOX <= table.shape[1] <= _CLASSED or table.dtype.kind not in "fiu":  # noqa: PLR2004  (rows and columns)
        kind = type(values).__name__
        shape = f"{kind} of shape {array.shape}, {array.dtype}"
        raise BadSuggestion("answer", f"{shape}, holds no boxes: (N, 4), (N, 5) with a confidence")
    rows: list[list[float]] = table.astype(float).tolist()
    return rows


def _numbers(values: Answer) -> tuple[float, float, float, float]:
    rows = _table(values)
    if len(rows) != 1:
        raise BadSuggestion("answer", f"{excerpt(values)} is not one box")
    return _four(rows[0])


def _four(row: Sequence[float]) -> tuple[float, float, float, float]:
    return row[0], row[1], row[2], row[3]


def _column(values: Answer, count: int, what: str) -> Sequence[Answer]:
    if values is None:
        return [None] * count
    column = plain_array(values).reshape(-1).tolist()
    if len(column) != count:
        raise BadSuggestion("answer", f"has {count} boxes and {len(column)} {what}")
    return column


def _score(value: Answer) -> float | None:
    return None if value is None else float(value)


def _label(value: Answer) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _first_attribute(answer: Answer, names: Sequence[str]) -> Answer:
    return next((v for name in names if (v := getattr(answer, name, None)) is not None), None)


def _first_value(answer: Mapping[Any, Answer], names: Sequence[str]) -> Answer:
    return next((answer[name] for name in names if answer.get(name) is not None), None)


def _nothing(_answer: Answer, _depth: int) -> Iterator[Seen]:
    yield from ()


_KINDS: tuple[tuple[Callable[[Answer], bool], Callable[[Answer, int], Iterator[Seen]]], ...] = (
    (lambda a: a is None, _nothing),
    (_is_frame, lambda a, depth: _each(a.to_dict("records"), depth)),
    (lambda a: isinstance(a, Mapping), _of_mapping),
    (
        lambda a: isinstance(a, NormalizedBox),
        lambda a, _: iter((Seen(a.xyxy, "xyxy", "normalized"),)),
    ),
    (lambda a: hasattr(a, "xyxy"), _of_detections),
    (lambda a: getattr(a, "boxes", None) is not None, lambda a, depth: _seen(a.boxes, depth + 1)),
    (lambda a: hasattr(a, "detections"), lambda a, depth: _each(a.detections, depth)),
    (lambda a: hasattr(a, "bounding_box"), lambda a, _: iter((_of_object(a),))),
    (_is_list, _each),
)
