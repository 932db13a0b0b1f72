"""`cropkit.around`, for a DataFrame of the subjects of many images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cropkit.errors import BadFraming
from cropkit.framing import around
from cropkit.geometry import Size
from cropkit.suggest.convention import EDGES, NAMES, Order, xyxy

if TYPE_CHECKING:
    import pandas as pd

_SIZE = ("image_width", "image_height")
_CLASSES = ("class", "class_name", "category", "label")


def around_frame(
    subjects: "pd.DataFrame",
    sizes: Mapping[str, Size] | None = None,
    *,
    order: Order = "xyxy",
    **rule: Any,  # noqa: ANN401  (as `around` takes it)
) -> "pd.DataFrame":
    """Put crops around the subjects of many images: a row for each crop, images in their order.

    Parameters
    ----------
    subjects : a row for each: the image's path, four columns in `order` in upright pixels, and,
        where there are such, a confidence and a class, by their usual names
    sizes : upright, by path; None: columns ``image_width`` and ``image_height``
    order : of the four columns
    rule : as `cropkit.around` takes it, but for `classes`, which the frame has

    Returns
    -------
    frame : ``path``, ``left``, ``top``, ``right``, ``bottom``; ``subjects`` and ``cut``, how many
        are in it and cut by it; ``label``, what it is around

    Raises
    ------
    BadFraming, BadTarget
        A column is missing, a size is unknown, or a subject of the image named makes no sense.
    """
    import pandas as pd  # noqa: PLC0415  (half a second that `around` does not need)

    names = {str(name).casefold(): name for name in subjects.columns}
    path = _column(names, NAMES["path"], "the image's path")
    rows = [
        crop
        for image, of_image in subjects.groupby(path, sort=False)
        for crop in _of_image(str(image), of_image, names, sizes, order=order, rule=rule)
    ]
    columns = ["path", "left", "top", "right", "bottom", "subjects", "cut", "label"]
    return pd.DataFrame(rows, columns=columns)


def _of_image(
    image: str,
    rows: "pd.DataFrame",
    names: Mapping[str, Any],
    sizes: Mapping[str, Size] | None,
    *,
    order: Order,
    rule: Mapping[str, Any],
) -> list[tuple[object, ...]]:
    usual = next((each for each in EDGES[order] if all(edge in names for edge in each)), None)
    if usual is None:
        raise BadFraming("subjects", f"has no columns of {order} boxes")
    numbers = rows[[names[edge] for edge in usual]].astype(float).to_numpy().tolist()
    boxes = [list(xyxy(order, (a, b, c, d))) for a, b, c, d in numbers]
    scores = _values(rows, names, NAMES["confidence"])
    if scores is not None:
        boxes = [[*box, float(score)] for box, score in zip(boxes, scores, strict=True)]
    classes = _values(rows, names, _CLASSES)
    named = None if classes is None else [str(each) for each in classes]
    try:
        size = _size(image, rows, names, sizes)
        crops = around(boxes, size, classes=named, **rule)
    except BadFraming as error:
        raise BadFraming(f"{image}: {error.args[0]}", error.args[1]) from None
    return [(image, *c.xyxy, len(c.subjects), len(c.cut), c.label) for c in crops]


def _size(
    image: str, rows: "pd.DataFrame", names: Mapping[str, Any], sizes: Mapping[str, Size] | None
) -> Size:
    if sizes is not None:
        if image not in sizes:
            raise BadFraming("sizes", "has no size of it")
        return sizes[image]
    if not all(name in names for name in _SIZE):
        raise BadFraming("sizes", f"give them, or columns called {' and '.join(_SIZE)}")
    width, height = (rows[names[name]].iloc[0] for name in _SIZE)
    return Size(int(width), int(height))


def _values(rows: "pd.DataFrame", names: Mapping[str, Any], usual: tuple[str, ...]) -> Any:  # noqa: ANN401  (a column)
    column = next((names[name] for name in usual if name in names), None)
    return None if column is None else rows[column].tolist()


def _column(names: Mapping[str, Any], usual: tuple[str, ...], what: str) -> Any:  # noqa: ANN401  (a name)
    column = next((names[name] for name in usual if name in names), None)
    if column is None:
        raise BadFraming("subjects", f"has no column for {what}: {', '.join(usual)}")
    return column
