"""Rows are believed as far as ours could be so: the database may come from an enemy."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select
from sqlalchemy.exc import OperationalError

from cropkit.audit.dialects import ask, cells
from cropkit.errors import AuditCorrupt, CropkitError
from cropkit.names import unescaped
from cropkit.system.home import DATABASE

T = TypeVar("T")
NOT_OURS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_SENTENCE = 200  # characters of a reason
_LONGEST = 4 * 4096  # bytes of a path, each of them escaped


@contextmanager
def read(what: str) -> Iterator[None]:
    """Make a record of a row; what no record can be made of is a corrupt trail.

    Raises
    ------
    AuditCorrupt
        It names the row.
    """
    try:
        yield
    except CropkitError as error:  # a box or a decision that makes no sense
        raise AuditCorrupt(DATABASE, f"{what}: {error}") from error
    except NOT_OURS as error:
        raise AuditCorrupt(DATABASE, f"{what} is none of ours: {error}") from error
    except OperationalError as error:
        if "decode" not in str(error.orig):  # the database itself cannot be read
            raise
        raise AuditCorrupt(DATABASE, f"{what} is none of ours: {error.orig}") from error.orig


class Unread(NamedTuple):
    """A row that no record can be made of: where it is, and why."""

    number: int
    reason: str


def one_by_one(numbers: Iterable[int], make: Callable[[int], T]) -> Iterator[T | Unread]:
    """Make a record of each row by itself, in the order of the numbers: none stops another."""
    for number in numbers:
        try:
            with read("it"):
                record = make(number)
        except AuditCorrupt as error:
            yield Unread(number, reason_of(error))
        else:
            yield record


def each(
    db: Connection, query: Select[Any], number: ColumnElement[int], make: Callable[[Row[Any]], T]
) -> tuple[list[T], list[Unread]]:
    """Make records of rows; return also which of them none can be made of, and why.

    Parameters
    ----------
    number : the column by which a row is found again
    """
    return parted(in_order(db, query, number, make))


def in_order(
    db: Connection, query: Select[Any], number: ColumnElement[int], make: Callable[[Row[Any]], T]
) -> Sequence[T | Unread]:
    """Return the same as one sequence, in the query's order.

    Only where there is one of which no record can be made each is read by itself.
    """
    try:
        with read("a row"):
            return [make(row) for row in db.execute(query)]
    except AuditCorrupt:
        pass

    def made(wanted: int) -> T:
        return make(db.execute(query.where(number == wanted)).one())

    numbers = query.with_only_columns(number, maintain_column_froms=True)
    return list(one_by_one(db.execute(numbers).scalars().all(), made))


def parted(every: Iterable[T | Unread]) -> tuple[list[T], list[Unread]]:
    """Part the records from what none can be made of."""
    records, unread = list[T](), list[Unread]()
    for row in every:
        if isinstance(row, Unread):
            unread.append(row)
        else:
            records.append(row)
    return records, unread


def reason_of(error: AuditCorrupt) -> str:
    """Tell in one sentence why no record can be made of a row."""
    why: BaseException = error
    while isinstance(why, AuditCorrupt) and why.__cause__ is not None:
        why = why.__cause__
    return str(why.args[1] if isinstance(why, AuditCorrupt) else why)[:_SENTENCE]


def texts(db: Connection, table: str, names: Sequence[str], seq: int) -> list[str]:
    """Return cells of a row as far as they are text; '' for each that is none, or too long."""
    # as bytes: what is no text at all is read, too
    query = cells(db, table, names, _LONGEST + 1)
    return [text(cell) for cell in ask(db, query, (seq,)).one()]


def names(cells: Iterable[bytes | None]) -> Iterator[str]:
    """Read names of files, asked for by their bytes; what is none of ours is left out."""
    return (unescaped(name) for name in map(text, cells) if name)


def text(cell: bytes | None) -> str:
    """Return a cell as text; '' where it is none, or too long for any of ours."""
    if cell is None or len(cell) > _LONGEST:
        return ""
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return ""
