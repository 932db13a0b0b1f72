"""A CSV file as rows: in UTF-8, with a header, separated by commas, semicolons or tabs."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cropkit.errors import BadSuggestion, MissingFile

LIMIT = 1 << 27  # bytes of a file: 134 for each of the rows
MOST_ROWS = 1_000_000
MOST_COLUMNS = 1_000

Record = tuple[str, Mapping[str, Any]]
Reader = Any  # csv names no type for it


def opened(path: Path) -> tuple[list[str], Iterator[Record | BadSuggestion]]:
    """Return the header of a file, and its rows: where each is, and its cells by column.

    Raises
    ------
    MissingFile, BadSuggestion
        The file cannot be read, or is no such table.
    """
    text = _read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    return _opened(reader, path.name)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
        if len(data) > LIMIT:
            raise BadSuggestion(
                path.name, f"has more than {LIMIT} bytes, which are all that is read"
            )
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise MissingFile(path) from None
    except UnicodeDecodeError as error:
        raise BadSuggestion(path.name, f"is not UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise BadSuggestion(path.name, f"cannot be read ({error.strerror})") from error


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _opened(reader: Reader, name: str) -> tuple[list[str], Iterator[Record | BadSuggestion]]:
    try:
        header: list[str] = next(reader, [])
    except csv.Error as error:
        raise BadSuggestion(f"{name}:1", f"is not CSV ({error})") from None
    if len(header) > MOST_COLUMNS:
        raise BadSuggestion(f"{name}:1", f"has {len(header)} columns; at most {MOST_COLUMNS}")
    return header, _records(reader, header, name)


def _records(reader: Reader, header: list[str], name: str) -> Iterator[Record | BadSuggestion]:
    """Read row after row; what a row is short of is not there, what it has more is not read."""
    rows = 0
    try:
        for row in reader:
            rows += 1
            if rows > MOST_ROWS:
                where = f"{name}:{reader.line_num}"
                yield BadSuggestion(where, f"is row {rows:,}; nothing from here on was read")
                return
            if row:
                yield f"{name}:{reader.line_num}", dict(zip(header, row, strict=False))
    except csv.Error as error:
        where = f"{name}:{reader.line_num}"
        yield BadSuggestion(where, f"is not CSV ({error}); nothing after it was read")
