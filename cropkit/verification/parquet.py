"""A manifest as Parquet, by pyarrow, which is there where somebody has installed it.

Boxes are lists, times are timestamps in UTC, and all other fields have the types of JSON.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import islice
from typing import IO, Any

from cropkit import clock
from cropkit.extras import explained
from cropkit.names import all_escaped, all_unescaped
from cropkit.verification.claims import Row

_GROUP = 1000  # rows that are held at once
_READ = 256  # of a file that anybody may have written
_TIMES = ("shown_at", "decided_at")
_WHOLE = ("upright_width", "upright_height", "suggestion_rank", "crop_width", "crop_height")
_NUMBERS = ("psnr", "suggestion_confidence", "iou")
_PIXELS, _FRACTIONS = ("box_asked", "box_applied"), ("suggestion_box",)


def arrow(name: str = "pyarrow") -> Any:  # noqa: ANN401  (a module without types)
    """Return a module of pyarrow's.

    Raises
    ------
    NotInstalled
        It is not there; the sentence names the extra that brings it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise explained(error) from error


def write(file: IO[str], each: Iterable[Row], fields: Iterable[str]) -> int:
    """Write rows into a file that was opened for text; return how many there are.

    Raises
    ------
    NotInstalled
    """
    pa, parquet = arrow(), arrow("pyarrow.parquet")
    schema = pa.schema([(field, _type(pa, field)) for field in fields])
    rows, count = iter(each), 0
    with parquet.ParquetWriter(file.buffer, schema, compression="zstd") as writer:  # type: ignore[attr-defined]  # of a text file
        while group := [_with_times(row) for row in islice(rows, _GROUP)]:
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _type(pa: Any, field: str) -> object:  # noqa: ANN401  (a module without types)
    kinds: list[tuple[tuple[str, ...], Callable[[], object]]] = [
        (_TIMES, lambda: pa.timestamp("us", tz="UTC")),
        (_WHOLE, pa.int64),
        (_NUMBERS, pa.float64),
        (_PIXELS, lambda: pa.list_(pa.int64())),
        (_FRACTIONS, lambda: pa.list_(pa.float64())),
        (("linear_light",), pa.bool_),
    ]
    return next((kind() for names, kind in kinds if field in names), pa.string())


def _with_times(row: Row) -> Row:
    times = {field: clock.read(row[field]) for field in _TIMES if row.get(field)}
    escaped: Row = all_escaped(row)
    return {**escaped, **times}


def rows(file: IO[bytes], fields: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a file, of the named fields alone, a few of them at a time.

    Raises
    ------
    NotInstalled
    ValueError, OSError, RuntimeError, TypeError, KeyError
        It is no Parquet.
    """
    table = arrow("pyarrow.parquet").ParquetFile(file)
    there = [name for name in fields if name in table.schema_arrow.names]
    for batch in table.iter_batches(batch_size=_READ, columns=there):
        yield from all_unescaped(batch.to_pylist())
