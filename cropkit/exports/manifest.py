"""The manifest of crops: `cropkit.engine.manifest` has its rows, which `cropkit verify` reads."""

from typing import IO

from cropkit.engine import manifest
from cropkit.exports.registry import Writer
from cropkit.exports.rows import Crops


def _write(file: IO[str], rows: Crops) -> None:
    manifest.writer_of(rows.place.out)(file, rows)


WRITER = Writer(_write, (".jsonl", ".csv", ".parquet"), of="crops", takes=frozenset())
