"""Where things are in an image: boxes, masks and polygons, read as bounding boxes; pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cropkit.errors import BadFraming
from cropkit.geometry import PixelBox, Size

Row = tuple[float, float, float, float]

MOST = 100_000  # subjects of one image
_BOX, _SCORED, _POINT = 4, 5, 2
_PLANE, _STACK = 2, 3  # dimensions of one mask, and of several
_LEAST_POINTS = 3


def subjects_of(subjects: object, size: Size) -> tuple[list[PixelBox], list[float] | None]:
    """Return the bounding boxes of subjects, and their confidences where there are any.

    Parameters
    ----------
    subjects : as `cropkit.around` takes them
    size : of the image, upright

    Raises
    ------
    BadFraming
        When they are none, or one is wholly outside of the image.
    """
    if isinstance(subjects, list | tuple) and any(_is_shape(each) for each in subjects):
        parts = [_shape(plain_array(each), size) for each in subjects]
        return [box for part in parts for box in part], None
    array = plain_array(subjects)
    if array.size == 0:
        return [], None
    if array.dtype == bool or (array.ndim, array.shape[-1]) == (_PLANE, _POINT):
        return _shape(array, size), None
    return _boxes(array, size)


def plain_array(values: Any) -> "np.ndarray[Any, Any]":  # noqa: ANN401  (of many makers)
    """Return an array of this process's memory: of tensors, too, on whatever device.

    Raises
    ------
    BadFraming
        When no array can be made of it.
    """
    for step in ("detach", "cpu"):
        if callable(method := getattr(values, step, None)):
            values = method()
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise BadFraming("subjects", f"no array can be made of them ({error})") from None


def _is_shape(subject: object) -> bool:
    """Whether one of a list is a mask or a polygon of its own, rather than a row or a corner."""
    return not np.isscalar(subject) and np.ndim(subject) >= _PLANE  # type: ignore[arg-type]  # what is no array has no dimension


def _shape(array: "np.ndarray[Any, Any]", size: Size) -> list[PixelBox]:
    if array.dtype == bool:
        return _masks(array, size)
    if array.ndim != _PLANE or array.shape[1] != _POINT or len(array) < _LEAST_POINTS:
        raise BadFraming("subjects", f"an array of {array.shape} is neither mask nor polygon")
    low, high = array.min(axis=0), array.max(axis=0)
    return [_clipped((low[0], low[1], high[0], high[1]), size, 0)]


def _masks(masks: "np.ndarray[Any, Any]", size: Size) -> list[PixelBox]:
    stack = masks if masks.ndim == _STACK else masks[np.newaxis]
    if stack.shape[1:] != (size.height, size.width):
        shape = f"a mask of {stack.shape[1:]} (height, width)"
        raise BadFraming("subjects", f"{shape} is not of the {size.width} x {size.height} image")
    return [_mask_box(mask) for mask in stack if mask.any()]


def _mask_box(mask: "np.ndarray[Any, Any]") -> PixelBox:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return PixelBox(*(int(edge) for edge in edges))


def _boxes(array: "np.ndarray[Any, Any]", size: Size) -> tuple[list[PixelBox], list[float] | None]:
    table = array[np.newaxis] if array.ndim == 1 else array
    if (
        table.ndim != _PLANE
        or table.shape[1] not in (_BOX, _SCORED)
        or table.dtype.kind not in "fiu"
    ):
        raise BadFraming("subjects", f"an array of {array.shape} holds no boxes: (N, 4) or (N, 5)")
    if len(table) > MOST:
        raise BadFraming("subjects", f"{len(table):,} of one image; at most {MOST:,}")
    rows = table.astype(float).tolist()
    boxes = [_clipped((row[0], row[1], row[2], row[3]), size, n) for n, row in enumerate(rows)]
    return boxes, [row[_BOX] for row in rows] if table.shape[1] == _SCORED else None


def _clipped(edges: Row, size: Size, row: int) -> PixelBox:
    """Round outward, so that nothing of a subject is outside of its box, and stay in the image."""
    where = f"subject {row}"
    if not np.isfinite(edges).all():
        raise BadFraming(where, "has an edge that is no finite number")
    left, top, right, bottom = (float(edge) for edge in edges)
    if right < left or bottom < top:
        raise BadFraming(where, f"{_listed(edges)} is inverted: left, top, right, bottom?")
    if left >= size.width or top >= size.height or right <= 0 or bottom <= 0:
        image = f"the {size.width} x {size.height} image"
        raise BadFraming(where, f"{_listed(edges)} is outside of {image}")
    x, y = _whole(left, right, size.width), _whole(top, bottom, size.height)
    return PixelBox(x[0], y[0], x[1], y[1])


def _whole(low: float, high: float, extent: int) -> tuple[int, int]:
    first = max(0, int(np.floor(low)))
    return first, min(extent, max(int(np.ceil(high)), first + 1))


def _listed(edges: Sequence[float]) -> str:
    return "(" + ", ".join(f"{float(edge):.7g}" for edge in edges) + ")"
