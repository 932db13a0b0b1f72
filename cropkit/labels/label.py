"""One box that a labelling tool or a detector wrote into a file, before it is known where it lies.

Pure: what an image is, and how large, is asked by `cropkit.labels.labelled`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cropkit.errors import BadBox, BadSuggestion
from cropkit.geometry import Size
from cropkit.suggest.convention import Frame, Units
from cropkit.suggest.numbers import confidence, excerpt, number

Edges = tuple[float, float, float, float]

MOST = 100  # boxes of one image that are used
LONGEST = 200  # characters of a category or a model's name


@dataclass(frozen=True, slots=True)
class Label:
    """One box of one image, as a file has it.

    Parameters
    ----------
    where : file, and the place in it, for messages
    image : its name in the file: a path, absolute or relative, or a part of it
    edges : left, top, right, bottom in `units`; the last two are outside of the box
    size : of the image, where the file states it
    frame : stored, where the format says that orientation was not applied; None: what the stated
        size tells, or what was declared
    confidence : 0 to 1
    category : what the box is around
    source : who found it, where the file says so
    folder : of the file among others that were read with it; `image` may be relative to it
    by_stem : the image's name has no suffix: the file speaks for whichever image has that stem
    """

    where: str
    image: str
    edges: Edges
    units: Units = "pixels"
    size: Size | None = None
    frame: Frame | None = None
    confidence: float | None = None
    category: str = ""
    source: str = ""
    version: str = ""
    rank: int = 0
    by_stem: bool = False
    folder: str = ""


Labels = Iterator[Label | BadSuggestion]


def stated_size(width: object, height: object, where: str) -> Size | None:
    """Return a size as a file states it; None where it states none, or zeros for not knowing.

    Raises
    ------
    BadSuggestion
        It is no size.
    """
    if not width and not height:
        return None
    try:
        return Size(int(numeric(width, where)), int(numeric(height, where)))
    except BadBox as error:
        raise BadSuggestion(where, f"states an impossible size: {error.args[1]}") from None


def numeric(value: object, where: str) -> float:
    """Return a finite number, of JSON or of text.

    Raises
    ------
    BadSuggestion
        It is none.
    """
    if isinstance(value, str):
        try:
            value = float(value.replace("_", "?"))  # Python's digit grouping is nobody's number
        except ValueError:
            raise BadSuggestion(where, f"{excerpt(value)} is not a number") from None
    return number(value, where)


def four(values: object, where: str) -> Edges:
    """Return four finite numbers of a list.

    Raises
    ------
    BadSuggestion
        They are not four, or no numbers.
    """
    if not isinstance(values, list | tuple) or len(values) != 4:  # noqa: PLR2004  (a box's)
        raise BadSuggestion(where, f"needs four numbers, not {excerpt(values)}")
    a, b, c, d = (numeric(value, where) for value in values)
    return a, b, c, d


def around_points(points: object, where: str) -> Edges:
    """Return the bounding box of points, each a pair of numbers.

    Raises
    ------
    BadSuggestion
        They are no points, or fewer than two.
    """
    if not isinstance(points, list | tuple) or len(points) < 2:  # noqa: PLR2004  (corners)
        raise BadSuggestion(where, f"needs at least two points, not {excerpt(points)}")
    pairs = [_pair(point, where) for point in points]
    xs, ys = zip(*pairs, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _pair(point: object, where: str) -> tuple[float, float]:
    if not isinstance(point, list | tuple) or len(point) != 2:  # noqa: PLR2004  (x and y)
        raise BadSuggestion(where, f"{excerpt(point)} is not a point")
    return numeric(point[0], where), numeric(point[1], where)


def sure(value: object, where: str, whole: float = 1) -> float | None:
    """Return a confidence in 0..1, None where there is none.

    Parameters
    ----------
    whole : what the file means by certain, such as 100

    Raises
    ------
    BadSuggestion
        It is none.
    """
    return None if value is None else confidence(numeric(value, where) / whole, where)


def text(value: object) -> str:
    """Return a short text of a category or a model's name; '' where it is none."""
    return str(value)[:LONGEST] if isinstance(value, str | int | float) else ""
