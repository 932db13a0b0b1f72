"""Small JSON files that other programs wrote, read with bounds and beneath the collection."""

import errno
import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from cropkit.errors import (
    BadSuggestion,
    Failed,
    MissingFile,
    NotRegularFile,
    PathOutsideRoot,
    ReadOnly,
    Refused,
)
from cropkit.suggest.numbers import excerpt
from cropkit.system.files import Root

_LONGEST_NUMBER = 400  # characters: no double needs more than 309 before its point
LIMIT = 1 << 20  # bytes; the largest sidecar seen in the wild has 700


class JsonFiles:
    """JSON objects beneath one folder."""

    def __init__(self, root: Path) -> None:
        self._root = Root(root)

    def read(self, path: str) -> dict[str, Any] | None:
        """Return the object in a file, None when there is no such file.

        Raises
        ------
        BadSuggestion
            When there is one that is not a small regular file with one JSON object in UTF-8.
        """
        try:
            data = self._bounded(path)
        except (Refused, Failed, OSError) as error:
            if _is_missing(error):
                return None
            raise BadSuggestion(path, _in_plain_words(error)) from error
        return parse(data, path)

    def _bounded(self, path: str) -> bytes:
        identity = self._root.identity(path)
        if identity is None:
            raise MissingFile(path)
        if identity.size > LIMIT:
            raise BadSuggestion(path, f"has {identity.size} bytes; at most {LIMIT} are read")
        return self._root.read(path).data


def parse(data: bytes, path: str) -> dict[str, Any]:
    """Return the one JSON object in `data`, or raise `BadSuggestion`."""
    try:
        record = json.loads(
            data.decode("utf-8"),
            parse_float=_parsed_float,
            object_pairs_hook=partial(_without_doubles, path),
        )
    except UnicodeDecodeError as error:
        raise BadSuggestion(path, f"is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadSuggestion(path, f"is not JSON ({where}: {error.msg})") from None
    except BadSuggestion:
        raise
    except (RecursionError, ValueError) as error:
        raise BadSuggestion(path, f"is not JSON that we read ({_cause(error)})") from None
    if not isinstance(record, dict):
        raise BadSuggestion(path, f"needs one JSON object, holds {excerpt(record)}")
    return record


def _parsed_float(written: str) -> float:
    if len(written) > _LONGEST_NUMBER:
        raise ValueError(written[:_LONGEST_NUMBER])
    return float(written)


def _without_doubles(path: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one that says a thing twice says nothing that can be relied on."""
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name, number in Counter(names).items() if number > 1)
        raise BadSuggestion(path, f"says {excerpt(double)} twice")
    return record


def _cause(error: Exception) -> str:
    return "too deeply nested" if isinstance(error, RecursionError) else "a number too long"


def _is_missing(error: Exception) -> bool:
    # a name that the file system cannot hold is a name that no file has
    system = error.__cause__ or error
    too_long = isinstance(system, OSError) and system.errno == errno.ENAMETOOLONG
    return too_long or isinstance(error, MissingFile)


def _in_plain_words(error: Exception) -> str:
    match error:
        case BadSuggestion():
            return str(error.args[1])
        case NotRegularFile():
            return "is a link, a folder or a device, not a file"
        case PathOutsideRoot():
            return "is reached through a link or lies outside the collection"
        case ReadOnly() | Failed():
            return f"cannot be read ({error.args[-1]})"
        case OSError():
            return f"cannot be read ({error.strerror})"
        case _:
            return str(error)
