"""Rows: CSV, JSON Lines, JSON lists and Parquet, a box in each, or several under one name.

Four columns say by their names in which order they are (``x1 y1 x2 y2``, ``x y width height``, …);
a list of four under ``box`` or ``bbox`` does not, as some mean widths and others edges: its order
is declared. Hugging Face, "Image Dataset", object detection: a line of ``metadata.jsonl`` has a
``file_name`` and ``objects`` with ``bbox`` in COCO's order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from cropkit.errors import BadSuggestion
from cropkit.extras import lacking
from cropkit.geometry import Size
from cropkit.labels import iiif
from cropkit.labels.documents import Document, each_object, parsed, without_raising
from cropkit.labels.label import Edges, Label, Labels, four, numeric, stated_size, sure, text
from cropkit.suggest import csv_rows
from cropkit.suggest.convention import EDGES, NAMES, Order, Units, xyxy
from cropkit.suggest.numbers import excerpt

Row = Mapping[str, Any]
Records = Iterable[tuple[str, Row] | BadSuggestion]

_BOXES = ("box", "bbox", "bounding_box", *EDGES)
_SIZES = (
    ("image_width", "image_height"),
    ("img_width", "img_height"),
    ("upright_width", "upright_height"),
    ("original_width", "original_height"),
)
_PLAIN_SIZE = ("width", "height")  # of the image, where they are not those of the box
_CATEGORIES = ("category", "class", "label", "class_name", "categories")
_MOST = 1_000  # boxes in one row


@dataclass(frozen=True, slots=True)
class Declared:
    """What a person says of four numbers.

    Parameters
    ----------
    order : None: as their names tell
    units : of all boxes whose names do not tell
    columns : columns with other than the usual names, such as ``{"path": "img"}``
    """

    order: Order | None = None
    units: Units | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def is_list(document: object) -> bool:
    """Whether a JSON document is a list of rows that name images."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and _path_in({str(key).casefold(): key for key in first}) != ""


def from_csv(path: Path, declared: Declared) -> Labels:
    """Yield the boxes of a CSV file.

    Raises
    ------
    BadSuggestion
        It is no table, or has no columns for images and boxes.
    """
    header, records = csv_rows.opened(path)
    _check(header, path.name, declared)
    return read(records, declared)


def from_lines(document: Document, declared: Declared) -> Labels:
    """Yield the boxes of JSON Lines."""
    return read(_in_lines(document), declared)


def from_list(document: list[Any], where: str, declared: Declared) -> Labels:
    """Yield the boxes of a JSON list of objects."""
    yield from each_object(document, where, partial(_row, declared=declared))


def from_parquet(path: Path, declared: Declared) -> Labels:
    """Yield the boxes of a Parquet file.

    Raises
    ------
    BadSuggestion
        It cannot be read, or nothing here reads Parquet.
    """
    import pandas as pd  # noqa: PLC0415  (where there is such a file)

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        reason = f"is Parquet; {lacking('parquet', ['pyarrow'])}"
        raise BadSuggestion(path.name, reason) from None
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # what pyarrow raises
        raise BadSuggestion(path.name, f"is not Parquet ({error})") from None
    _check([str(name) for name in frame.columns], path.name, declared)
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[assignment]  # keys are text
    return read(((f"{path.name}: row {n}", row) for n, row in enumerate(rows)), declared)


def read(records: Records, declared: Declared) -> Labels:
    """Yield the boxes of rows."""
    read_one = partial(_row, declared=declared)
    for record in records:
        if isinstance(record, BadSuggestion):
            yield record
        else:
            yield from without_raising(read_one, record[1], record[0])


def _check(header: Sequence[str], where: str, declared: Declared) -> None:
    """Refuse a table whose columns hold no boxes, instead of each of its rows."""
    row = dict.fromkeys(header, 0)
    names = _names(row, declared)
    if not _path_in(names):
        usual = ", ".join(NAMES["path"])
        shown = excerpt(", ".join(header))
        raise BadSuggestion(where, f"has no column for the image ({usual}); it has {shown}")
    has_list = any(name in names for name in (*_BOXES, "objects", "region"))
    if not has_list and _edges_in(names, declared.order) is None:
        shown = excerpt(", ".join(header))
        kind = f"{declared.order} boxes" if declared.order else "boxes"
        usual = "; ".join(", ".join(edges) for each in EDGES.values() for edges in each[:1])
        cure = f"give columns their usual names ({usual}), or one called bbox"
        raise BadSuggestion(where, f"has no columns for {kind}; it has {shown}: {cure}")


def _in_lines(document: Document) -> Iterator[tuple[str, Row] | BadSuggestion]:
    for where, line in document.lines():
        try:
            yield where, _object(parsed(line, where), where)
        except BadSuggestion as error:
            yield error


def _object(row: object, where: str) -> Row:
    if not isinstance(row, dict):
        raise BadSuggestion(where, f"needs an object, not {excerpt(row)}")
    return row


def _names(row: Row, declared: Declared) -> dict[str, str]:
    """Return a row's own names by the usual ones, in lower case."""
    names = {str(name).strip().casefold(): name for name in row}
    return names | {usual: own for usual, own in declared.columns.items() if own in row}


def _path_in(names: Mapping[str, str]) -> str:
    return next((names[name] for name in NAMES["path"] if name in names), "")


def _row(row: Row, where: str, *, declared: Declared) -> Labels:
    names = _names(row, declared)
    path = row.get(_path_in(names))
    if not isinstance(path, str) or not path.strip():
        raise BadSuggestion(where, f"names no image: {excerpt(path)}")
    size = _size(row, names, where)
    many = row.get(names.get("objects", ""))
    if isinstance(many, dict):
        yield from _objects(many, path.strip(), size, where, declared)
        return
    boxes, units = _boxes(row, names, where, declared)
    score = _cell(row, names, NAMES["confidence"])
    rank = _cell(row, names, NAMES["rank"])
    for edges in boxes:
        if units == "pixels" and declared.units is None and max(map(abs, edges)) <= 1:
            raise BadSuggestion(where, "looks normalized; its unit is to be declared (`--units`)")
        yield Label(
            where,
            path.strip(),
            edges,
            units,
            size,
            confidence=sure(score, where),
            category=text(_cell(row, names, _CATEGORIES)),
            source=text(_cell(row, names, NAMES["source"])),
            version=text(_cell(row, names, NAMES["version"])),
            rank=0 if rank is None else int(numeric(rank, where)),
        )


def _cell(row: Row, names: Mapping[str, str], usual: Sequence[str]) -> Any:  # noqa: ANN401  (a cell)
    value = next((row[names[name]] for name in usual if name in names), None)
    return None if isinstance(value, str) and not value.strip() else value


def _size(row: Row, names: Mapping[str, str], where: str) -> Size | None:
    named = _edges_in(names, None)
    edges = () if named is None else named[1]
    for width, height in (*_SIZES, _PLAIN_SIZE):
        if width in names and height in names and names[width] not in edges:
            stated = (row[names[width]] or 0, row[names[height]] or 0)
            return stated_size(*stated, where)
    return None


def _boxes(
    row: Row, names: Mapping[str, str], where: str, declared: Declared
) -> tuple[list[Edges], Units]:
    """Return the boxes of a row; a row without any has none."""
    units: Units = declared.units or "pixels"
    if "region" in names and isinstance(row[names["region"]], str):
        edges, units = iiif.region_edges(row[names["region"]], where)
        return [edges], units
    named = _edges_in(names, declared.order)
    if named is not None:
        order, columns = named
        cells = [row.get(column) for column in columns]
        if all(cell is None or cell == "" for cell in cells):
            return [], units
        a, b, c, d = (numeric(cell, where) for cell in cells)
        return [xyxy(order, (a, b, c, d))], units
    listed = next((name for name in _BOXES if name in names), None)
    if listed is None:
        raise BadSuggestion(where, f"holds no box: {excerpt(list(row))}")
    value = row[names[listed]]
    if isinstance(value, dict):
        inner = {str(name).casefold(): name for name in value}
        return _boxes(value, inner, where, declared)
    order_of = listed if listed in EDGES else declared.order
    values = _listed(value, where)
    if values and order_of is None:
        reason = f"the order of {listed} {excerpt(values[0])} is to be declared (`--order`)"
        raise BadSuggestion(where, reason)
    return [xyxy(order_of, four(each, where)) for each in values], units  # type: ignore[arg-type]  # EDGES' keys are the orders


def _edges_in(names: Mapping[str, str], order: Order | None) -> tuple[Order, list[str]] | None:
    """Return the order of a row's four columns, and their names; a declared order alone counts."""
    for each in EDGES if order is None else (order,):
        for usual in EDGES[each]:
            if all(edge in names for edge in usual):
                return each, [names[edge] for edge in usual]  # type: ignore[return-value]  # as above
    return None


def _listed(value: object, where: str) -> list[Any]:
    """Return the boxes of a cell: one, or a list of them; in a table they are written as JSON."""
    if isinstance(value, str):
        value = parsed(value, where) if value.strip() else []
    if value is None:
        return []
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise BadSuggestion(where, f"{excerpt(value)} is no box")
    nested = [each for each in value if isinstance(each, list | tuple) or hasattr(each, "tolist")]
    boxes = [each.tolist() if hasattr(each, "tolist") else each for each in nested]
    if len(boxes) > _MOST:
        raise BadSuggestion(where, f"has {len(boxes):,} boxes; at most {_MOST:,}")
    return boxes if nested else [list(value)] if value else []


def _objects(
    many: Mapping[str, Any], path: str, size: Size | None, where: str, declared: Declared
) -> Labels:
    """Yield the boxes of Hugging Face's ``objects``."""
    boxes = _listed(many.get("bbox", many.get("boxes")), f"{where}: objects")
    categories = many.get("categories", many.get("category"))
    named = categories if isinstance(categories, list) and len(categories) == len(boxes) else None
    for place, box in enumerate(boxes):
        label = Label(
            where,
            path,
            (0, 0, 0, 0),
            declared.units or "pixels",
            size,
            category="" if named is None else text(named[place]),
        )
        read_one = partial(_with_box, label=label, order=declared.order or "xywh")
        yield from without_raising(read_one, box, f"{where}: objects[{place}]")


def _with_box(box: object, where: str, *, label: Label, order: Order) -> Labels:
    yield replace(label, where=where, edges=xyxy(order, four(box, where)))
