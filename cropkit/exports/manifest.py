"""The manifest of crops, by the suffix of its file: what `cropkit verify` reads.

`cropkit.engine.manifest` has its rows and fields. A box is a list of four in JSON and Parquet, and
four columns in CSV.
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from cropkit.engine.manifest import FIELDS
from cropkit.exports.files import as_json
from cropkit.exports.registry import Writer
from cropkit.exports.rows import Crops
from cropkit.names import all_escaped
from cropkit.verification import parquet
from cropkit.verification.claims import BOXES, EDGES, Row


def _write(file: IO[str], rows: Crops) -> None:
    _FORMS[rows.place.out.suffix.lower()](file, rows)


def _as_json_lines(file: IO[str], each: Iterable[Row]) -> None:
    file.writelines(as_json(row) + "\n" for row in each)


def _as_csv(file: IO[str], each: Iterable[Row]) -> None:
    writer = csv.DictWriter(file, _columns(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(all_escaped(row)) for row in each)


def _as_parquet(file: IO[str], each: Iterable[Row]) -> None:
    parquet.write(file, each, FIELDS)


def _columns() -> list[str]:
    return [name for field in FIELDS for name in _names_of(field)]


def _names_of(field: str) -> list[str]:
    return [f"{field}_{edge}" for edge in EDGES] if field in BOXES else [field]


def _flat(row: Row) -> dict[str, Any]:
    flat = {name: value for name, value in row.items() if name not in BOXES}
    for field in BOXES:
        flat |= dict(zip(_names_of(field), row[field] or [None] * len(EDGES), strict=True))
    return flat


_FORMS: Mapping[str, Callable[[IO[str], Iterable[Row]], None]] = {
    ".jsonl": _as_json_lines,
    ".csv": _as_csv,
    ".parquet": _as_parquet,
}
WRITER = Writer(_write, tuple(_FORMS), of="crops", takes=frozenset(("slot", "beneath")))
