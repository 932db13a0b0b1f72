"""A line to a server: what it has to be, and for how long an answer is waited for."""

import select
import time
from collections.abc import Generator
from functools import cache, partial
from typing import Any, TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.waiting import Ready
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from cropkit.audit.places import Place

OLDEST = 13  # `pg_current_xact_id` and `pg_xact_status` of 64 bits
_INTERVAL = 0.1  # seconds between looks at the clock
_GRACE = 5.0  # seconds for the server's own deadline to be heard of
_SHORTEST, _LONGEST = 2, 30  # seconds to connect; libpq takes no less than 2
_LAST_WORDS = 8  # messages that a server says before it is gone
_LATER = 2.0  # seconds that a statement may take longer than a lock: that one is told as such
T = TypeVar("T")


class Unfit(psycopg.OperationalError):
    """(sentence): a server that could hold no trail."""


class Line(psycopg.Connection[Any]):
    """A connection on which nobody waits for ever: a server that was stopped keeps it open."""

    patience = 60.0

    def wait(
        self,
        gen: Generator[Any, Any, T],
        interval: float = _INTERVAL,
        *_others: Any,  # noqa: ANN401  (newer versions of psycopg have more)
        **_more: Any,  # noqa: ANN401  (as above)
    ) -> T:
        """Wait for an answer, and give the line up when there is none."""
        return super().wait(self._in_time(gen), interval)

    def execute(self, query: Any, params: Any = None, **how: Any) -> Any:  # noqa: ANN401  (psycopg's own)
        """Run what begins, ends and sets: it is not worth to be prepared."""
        return super().execute(query, params, **{"prepare": False, **how})

    def is_lost(self) -> bool:
        """Whether it is known to be of no use any more; nobody is asked, and nothing waited for."""
        for _ in range(_LAST_WORDS):
            if self.closed:
                return True
            heard = select.poll()  # `select.select` knows of no more than 1,024 files
            heard.register(self.pgconn.socket, select.POLLIN)
            if not heard.poll(0):
                return False
            try:
                self.pgconn.consume_input()
            except psycopg.Error:
                return True
        return False

    def _in_time(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        end = time.monotonic() + self.patience
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready == Ready.NONE and time.monotonic() > end:
                    self.pgconn.finish()
                    raise errors.ConnectionException(f"no answer for {self.patience:g} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            answer: T = done.value
            return answer


def connected(place: Place, deadline: float) -> Connection:
    """Return a connection to a server, in the schema of one trail.

    Parameters
    ----------
    deadline : seconds for an answer, and for a lock

    Raises
    ------
    DBAPIError
        What the server or the way to it said.
    """
    from cropkit.audit.connecting import over  # noqa: PLC0415  (it dispatches to here)

    return over(_engine(), partial(_opened, place, deadline))


@cache
def _engine() -> Engine:
    from cropkit.audit.connecting import opened_now  # noqa: PLC0415  (as above)

    return create_engine(
        "postgresql+psycopg://",
        creator=opened_now,
        poolclass=NullPool,
        pool_reset_on_return=None,  # to close a line takes back what was begun on it
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,
    )


def _opened(place: Place, deadline: float) -> Line:
    seconds = int(min(max(deadline, _SHORTEST), _LONGEST))
    usual: dict[str, Any] = {
        "connect_timeout": seconds,
        "application_name": "cropkit",
        "keepalives_idle": seconds,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": seconds * 1000,
    }
    line = Line.connect(
        **(usual | place.address.parameters | {"client_encoding": "UTF8"}), autocommit=True
    )
    try:
        line.patience = deadline + _GRACE
        _check(line)
        _settle(line, place.schema, deadline)
    except BaseException:
        line.close()
        raise
    return line


def _check(line: Line) -> None:
    """Refuse a server that cannot do what is asked of it."""
    version = line.info.server_version // 10_000
    if version < OLDEST:
        raise Unfit(f"it is PostgreSQL {version}, and {OLDEST} or newer is needed")
    encoding = line.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise Unfit(f"its database is in {encoding}: make one WITH ENCODING 'UTF8'")


def _settle(line: Line, schema: str, deadline: float) -> None:
    """Say once what holds for all that is asked on a line."""
    milliseconds = int(deadline * 1000)
    line.execute(
        sql.SQL(
            "SET search_path TO {schema}, pg_temp; SET statement_timeout TO {limit};"
            " SET lock_timeout TO {lock}; SET idle_in_transaction_session_timeout TO {longest};"
            " SET row_security TO off; SET standard_conforming_strings TO on;"
            " SET client_min_messages TO warning; SET extra_float_digits TO 1;"
            " SET quote_all_identifiers TO off"
        ).format(
            schema=sql.Identifier(schema),
            limit=sql.Literal(int((deadline + _LATER) * 1000)),
            lock=sql.Literal(milliseconds),
            longest=sql.Literal(milliseconds * 4),
        )
    )
