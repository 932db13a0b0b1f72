"""What the columns and the four numbers of a table mean; declared, never guessed; pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal
from unicodedata import normalize

from cropkit.errors import BadSuggestion
from cropkit.geometry import Size
from cropkit.suggest.border import Edges, Outside
from cropkit.suggest.numbers import confidence, excerpt, number
from cropkit.system import parameters

Order = Literal["xyxy", "xywh", "cxcywh"]
Units = Literal["pixels", "normalized", "percent"]
Frame = Literal["upright", "stored"]

_ODD_PARTS = frozenset(("", ".", ".."))
ALLOWED = {
    "order": ("xyxy", "xywh", "cxcywh"),
    "units": ("pixels", "normalized", "percent"),
    "frame": ("upright", "stored"),
    "outside": ("refuse", "clip"),
}
EDGES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "xyxy": (
        ("left", "top", "right", "bottom"),
        ("x1", "y1", "x2", "y2"),
        ("xmin", "ymin", "xmax", "ymax"),
        ("x_min", "y_min", "x_max", "y_max"),
    ),
    "xywh": (
        ("x", "y", "w", "h"),
        ("x", "y", "width", "height"),
        ("left", "top", "width", "height"),
        ("bbox_x", "bbox_y", "bbox_width", "bbox_height"),
    ),
    "cxcywh": (
        ("cx", "cy", "w", "h"),
        ("x_center", "y_center", "width", "height"),
        ("xcenter", "ycenter", "w", "h"),
        ("center_x", "center_y", "width", "height"),
    ),
}
NAMES: dict[str, tuple[str, ...]] = {
    "path": ("path", "filename", "file", "image", "file_name", "filepath", "image_path", "name"),
    "confidence": ("confidence", "score", "conf"),
    "source": ("source",),
    "version": ("version", "model_version"),
    "rank": ("rank",),
}


@dataclass(frozen=True, slots=True)
class Convention:
    """What a table's rows mean.

    Parameters
    ----------
    order : left top right bottom; left top width height (COCO); centre, width, height (YOLO)
    units : pixels of the image, fractions of its width and height, or percent of them
    frame : "upright", as a person sees the image, or "stored", before its EXIF orientation
    outside : "refuse" what reaches more than half a pixel outside, or "clip" it at the border
    orientation : EXIF orientation (1 to 8) of an image, by path; needed for the stored frame
    columns : columns whose names are not the usual ones, such as ``{"path": "img", "x1": "xa"}``
    """

    order: Order = "xyxy"
    units: Units = "pixels"
    frame: Frame = "upright"
    orientation: Callable[[str], int] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    outside: Outside = "refuse"

    def __post_init__(self) -> None:
        for name, values in ALLOWED.items():
            word = parameters.text(name, getattr(self, name))
            if word not in values:
                raise BadSuggestion(name, f"{word!r} is none of {values}")
        if self.frame == "stored" and self.orientation is None:
            raise BadSuggestion("frame", "boxes in stored pixels need each image's orientation")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what, under the table's own names; None where it has none."""

    path: str
    edges: tuple[str, str, str, str]
    confidence: str | None
    source: str | None
    version: str | None
    rank: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row that could be read; `edges` are left, top, right, bottom in the table's units."""

    where: str
    edges: tuple[float, float, float, float]
    confidence: float | None
    source: str
    version: str
    rank: int


def find_columns(header: Sequence[str], convention: Convention, where: str) -> Columns:
    """Find the columns of a convention, upper and lower case alike, or raise `BadSuggestion`."""
    columns = {str(name).strip().casefold(): name for name in header}
    for usual, own in convention.columns.items():
        if own not in header:
            raise BadSuggestion(where, f"has no column {own!r}")
        columns[usual] = own
    named = {key: _first(columns, usual) for key, usual in NAMES.items()}
    edges = next((e for e in EDGES[convention.order] if columns.keys() >= set(e)), None)
    if named["path"] is None or edges is None:
        raise BadSuggestion(where, _missing(header, convention, lacks_path=named["path"] is None))
    left, top, right, bottom = (columns[edge] for edge in edges)
    return Columns(**(named | {"edges": (left, top, right, bottom)}))  # type: ignore[arg-type]  # the keys are the fields


def read_row(record: Mapping[str, Any], columns: Columns, order: Order, where: str) -> Row:
    """Read the numbers of one row, or raise `BadSuggestion`."""
    a, b, c, d = (_number(record.get(name), name, where) for name in columns.edges)
    sure = _cell(record, columns.confidence)
    rank = _cell(record, columns.rank)
    return Row(
        where,
        xyxy(order, (a, b, c, d)),
        None if sure is None else confidence(_number(sure, columns.confidence, where), where),
        str(_cell(record, columns.source) or ""),
        str(_cell(record, columns.version) or ""),
        0 if rank is None else int(_number(rank, columns.rank, where)),
    )


def plain_path(value: object, where: str) -> str:
    """Return a collection path as it is listed: relative, forward slashes, NFC."""
    if not isinstance(value, str) or not value.strip():
        raise BadSuggestion(where, f"names no image: {excerpt(value)}")
    text = value.strip().replace("\\", "/")
    if ":" not in text and _ODD_PARTS.isdisjoint(text.split("/")):
        return normalize("NFC", text)  # nearly all of a million rows are plain already
    path = PurePosixPath(text)
    if path.is_absolute() or PureWindowsPath(value.strip()).drive or ".." in path.parts:
        raise BadSuggestion(where, f"{excerpt(value)} is not a path inside the collection")
    return normalize("NFC", path.as_posix())


def _first(columns: Mapping[str, str], usual: Sequence[str]) -> str | None:
    return next((columns[name] for name in usual if name in columns), None)


def _missing(header: Sequence[str], convention: Convention, *, lacks_path: bool) -> str:
    names = NAMES["path"] if lacks_path else [", ".join(e) for e in EDGES[convention.order]]
    what = "the image's path" if lacks_path else f"{convention.order} boxes"
    return (
        f"has no columns for {what} (usual names: {'; '.join(names)}); it has "
        f"{excerpt(', '.join(map(str, header)))}. Declare another order, or give columns their "
        "usual names (from Python: columns=)"
    )


def _cell(record: Mapping[str, Any], name: str | None) -> Any:  # noqa: ANN401  (a table's cell)
    value = None if name is None else record.get(name)
    return None if isinstance(value, str) and not value.strip() else value


def _number(value: object, name: str | None, where: str) -> float:
    if isinstance(value, str):
        try:
            value = float(value.replace("_", "?"))  # Python's digit grouping is nobody's number
        except ValueError:
            raise BadSuggestion(where, f"{name} is {excerpt(value)}, not a number") from None
    elif hasattr(value, "item"):
        value = value.item()  # numpy's scalars, which DataFrames hold
    elif value is None:
        raise BadSuggestion(where, f"{name} is missing")
    return number(value, where)


def xyxy(
    order: Order, numbers: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Return four numbers of an order as left, top, right, bottom."""
    a, b, c, d = numbers
    if order == "xywh":
        return a, b, a + c, b + d
    if order == "cxcywh":
        return a - c / 2, b - d / 2, a + c / 2, b + d / 2
    return a, b, c, d


def in_pixels(edges: Edges, units: Units, size: Size) -> Edges:
    """Return left, top, right, bottom in pixels of an image of that size."""
    if units == "pixels":
        return edges
    whole = 100 if units == "percent" else 1
    w, h = size.width / whole, size.height / whole
    return edges[0] * w, edges[1] * h, edges[2] * w, edges[3] * h
