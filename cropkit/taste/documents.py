"""What was learned, as JSON in a file that a person names; one that is read may be anybody's."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cropkit.errors import BadTaste
from cropkit.taste.boxes import Array

LARGEST = 1e9  # number: what is learned stays far below, and sums of larger ones may be none


def write(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises
    ------
    FileExistsError
        Nothing is written over.
    """
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


def text_of(path: Path, largest: int) -> bytes:
    """Return what a file holds that a person names.

    Raises
    ------
    BadTaste
        It cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            text = file.read(largest + 1)
    except OSError as error:
        raise BadTaste(path, error.strerror or type(error).__name__) from error
    if len(text) > largest:
        raise BadTaste(path, f"is larger than {largest:,} bytes")
    return text


@contextmanager
def refusing(path: Path, what: str) -> Iterator[None]:
    """Turn what a document of another shape raises into `BadTaste`."""
    try:
        yield
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError) as error:
        raise BadTaste(path, f"{what}: {error}") from error


def parsed(text: str | bytes) -> Any:  # noqa: ANN401  (whatever JSON holds)
    """Return what JSON says; a key that is there twice is an error: each reader takes another one.

    Raises
    ------
    ValueError, RecursionError
        It is none.
    """
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key is there twice")
    return document


def numbers(value: object, shape: tuple[int, ...], most: int) -> Array:
    """Return numbers of a document as an array; what is none is a `ValueError`, or a `TypeError`.

    Parameters
    ----------
    shape : that they have to have; -1: any length
    most : of rows
    """
    array = np.array(value)
    if array.dtype.kind not in "iuf" or array.ndim != len(shape):
        raise ValueError("something else than numbers")
    array = array.astype(np.float64).reshape(shape)
    if not (np.abs(array) <= LARGEST).all() or not array.size or len(array) > most:
        raise ValueError("numbers that are none, or too many")
    return array


def count(value: object) -> int:
    """Return a number of decisions; what is none is a `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST:
        raise ValueError("a count that is none")
    return value
