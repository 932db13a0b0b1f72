"""Rows are believed as far as ours could be so: the database may come from an enemy."""

from collections.abc import Iterator
from contextlib import contextmanager

from cropkit.errors import AuditCorrupt, CropkitError
from cropkit.system.home import DATABASE

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
