"""Rows are believed as far as ours could be so: the database may come from an enemy."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from cropkit.errors import AuditCorrupt, CropkitError
from cropkit.system.home import DATABASE

_Record = TypeVar("_Record")
_Row = TypeVar("_Row", bound=tuple[object, ...])
NOT_OURS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


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


def read_all(what: str, made: Callable[[_Row], _Record], every: Iterable[_Row]) -> list[_Record]:
    """Make a record of each row, as `read` does, without its price for each.

    Parameters
    ----------
    what : a row is; the first value of one names it

    Raises
    ------
    AuditCorrupt
        It names the row.
    """
    records = []
    for row in every:
        try:
            records.append(made(row))
        except (CropkitError, *NOT_OURS):
            with read(f"{what} {row[0]!r}"):
                raise
    return records
