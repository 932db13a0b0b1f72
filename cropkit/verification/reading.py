"""The rows of a manifest as they come, of bounded length, with the SHA-256 of all that was read."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

from cropkit.errors import MissingFile, NotRegularFile
from cropkit.names import all_unescaped, read_json
from cropkit.system import parameters
from cropkit.verification import parquet
from cropkit.verification.claims import FIELDS, Row

NAMES = ("manifest.jsonl", "manifest.csv", "manifest.parquet")
LONGEST = 1 << 20  # bytes of a row
_MOST_COLUMNS = 1000
# (line in the file, or row of a table; the row, or a sentence that says why it is none)
Read = tuple[int, Row | str]


class Manifest:
    """A manifest that is read once from its beginning; it is never held whole.

    Raises
    ------
    MissingFile, NotRegularFile, BadParameterValue
        It is not there, no file, or of no form that is read.
    NotInstalled
        It is Parquet, and pyarrow is not there.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise MissingFile(str(path))
        if not path.is_file():  # a pipe would be waited for
            raise NotRegularFile(str(path))
        if path.suffix.lower() not in _READERS:
            raise parameters.wrong("manifest", str(path), f"file that ends with {_ENDS}")
        if path.suffix.lower() == ".parquet":
            parquet.arrow()
        self.path = path
        self.sha256 = ""

    def rows(self) -> Iterator[Read]:
        """Yield each row with its line; `sha256` is that of the whole file when they are at an end.

        A row that is none is a sentence; nothing behind a row that is too long can be read.
        """
        with self.path.open("rb") as file:
            hashed = _Hashed(file)
            yield from _READERS[self.path.suffix.lower()](hashed)
            self.sha256 = hashed.finished()


class _Hashed:
    """Bytes of a file as they are asked for, hashed on the way."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self._hash = hashlib.sha256()

    def line(self) -> bytes:
        """Return a line, or as much of it as is longer than a row may be; b'' at the end."""
        line = self.file.readline(LONGEST + 1)
        self._hash.update(line)
        return line

    def finished(self) -> str:
        while rest := self.file.read(LONGEST):
            self._hash.update(rest)
        return self._hash.hexdigest()


def _json_lines(file: _Hashed) -> Iterator[Read]:
    number = 0
    while line := file.line():
        number += 1
        if len(line) > LONGEST:
            yield number, _TOO_LONG
            return
        if line.strip():
            yield number, _parsed(line)


def _parsed(line: bytes) -> Row | str:
    try:
        text = line.decode("utf-8")
        _check(text)
        value = read_json(text)
    except (ValueError, RecursionError) as error:
        return f"it is no JSON: {str(error)[:100]}"
    return value if isinstance(value, dict) else "it is no JSON object"


def _check(text: str) -> None:
    """Refuse what JSON readers do not agree on: a field that is there twice, and no numbers."""
    json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)


def _once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a field is there twice")
    return row


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


class _CsvLines:
    """Lines of a table; a row of several lines is no longer than one of one."""

    def __init__(self, file: _Hashed) -> None:
        self._file, self._left, self.number = file, LONGEST, 0

    def begin(self) -> None:
        self._left = LONGEST

    def __iter__(self) -> Iterator[str]:
        while line := self._file.line():
            self.number += 1
            self._left -= len(line)
            if self._left < 0:
                raise csv.Error(_TOO_LONG)
            yield line.decode("utf-8")


def _csv(file: _Hashed) -> Iterator[Read]:
    lines = _CsvLines(file)
    table = csv.reader(iter(lines), strict=True)
    header: list[str] | None = None
    try:
        for cells in table:
            if header is None:
                header = _header(cells)
            elif cells:
                yield lines.number, _row_of(header, cells)
            lines.begin()
    except (csv.Error, UnicodeDecodeError, ValueError) as error:
        yield lines.number, f"the table cannot be read from here on: {error}"


def _header(cells: list[str]) -> list[str]:
    if len(set(cells)) != len(cells) or len(cells) > _MOST_COLUMNS:
        raise ValueError("its columns are not named once each")
    return cells


def _row_of(header: list[str], cells: list[str]) -> Row | str:
    if len(cells) != len(header):
        return f"it has {len(cells)} columns, not {len(header)}"
    row: Row = all_unescaped(dict(zip(header, cells, strict=True)))
    return row


def _parquet(file: _Hashed) -> Iterator[Read]:
    number = 0
    try:
        for number, row in enumerate(parquet.rows(file.file, FIELDS), 1):
            yield number, row
    except (ValueError, OSError, RuntimeError, TypeError, KeyError) as error:
        words = str(error).partition("\n")[0][:200]
        yield number + 1, f"the table cannot be read from here on: {words}"
    file.file.seek(0)  # pyarrow reads it in an order of its own


_TOO_LONG = f"it is longer than {LONGEST} bytes; nothing behind it was read"
_READERS: Mapping[str, Callable[[_Hashed], Iterator[Read]]] = {
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".parquet": _parquet,
}
_ENDS = ".jsonl, .csv or .parquet"
