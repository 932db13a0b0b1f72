"""The tables, and the checks that keep nonsense out of them.

Times are ISO 8601 text in UTC, paths are relative to the collection, hashes are lower-case hex.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    and_,
    func,
    literal,
    or_,
)

from cropkit.audit.dialects import (
    POSTGRESQL,
    Within,
    leading_integer,
    with_nul_read,
    with_nul_written,
)
from cropkit.audit.operation import OUTCOMES
from cropkit.errors import AuditCorrupt
from cropkit.names import escaped, unescaped
from cropkit.system.home import DATABASE

VERSION = 9

metadata = MetaData()


class Told(TypeDecorator[str]):
    """A text and nothing else: SQLite keeps whatever somebody puts into a column."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write it."""
        return _with_nul(with_nul_written, value, dialect)

    def process_result_value(self, value: object, dialect: Dialect) -> str | None:
        """Read it.

        Raises
        ------
        AuditCorrupt
            It is no text.
        """
        return _with_nul(with_nul_read, text_or_none(value), dialect)


class ToldText(Told):
    """The same, however long."""

    impl = Text
    cache_ok = True


def text_or_none(value: object) -> str | None:
    """Return a text as it is.

    Raises
    ------
    AuditCorrupt
        It is none.
    """
    if value is None or isinstance(value, str):
        return value
    raise AuditCorrupt(DATABASE, f"{value!r:.40}, where a text belongs, is none of ours")


class Written(TypeDecorator[str]):
    """A text that may hold a file's name, whatever its bytes: kept as `names.escaped` writes it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  (SQLAlchemy's)
        """Write it."""
        return None if value is None else escaped(value)

    def process_result_value(self, value: object, dialect: Dialect) -> str | None:  # noqa: ARG002  (as above)
        """Read it.

        Raises
        ------
        AuditCorrupt
            It is no text.
        """
        written = text_or_none(value)
        return None if written is None else unescaped(written)


class Said(Written):
    """The same of what a program, a person or a file says, which may hold a NUL, as no name can."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write it."""
        return _with_nul(with_nul_written, super().process_bind_param(value, dialect), dialect)

    def process_result_value(self, value: object, dialect: Dialect) -> str | None:
        """Read it.

        Raises
        ------
        AuditCorrupt
            It is no text.
        """
        read = _with_nul(with_nul_read, text_or_none(value), dialect)
        return super().process_result_value(read, dialect)


class SaidText(Said):
    """The same, for sentences."""

    impl = Text
    cache_ok = True


def _with_nul(change: Callable[[str], str], value: str | None, dialect: Dialect) -> str | None:
    return change(value) if value is not None and dialect.name == POSTGRESQL else value


def _stated(value: str | int) -> ColumnElement[Any]:
    """Return a value that stands in the statement: only then a partial index serves."""
    return literal(value, literal_execute=True)


def written_in(column: Column[str], *values: str) -> ColumnElement[bool]:
    """Return a condition whose values stand in the statement."""
    each = [_stated(value) for value in values]
    return column == each[0] if len(each) == 1 else column.in_(each)


session = Table(
    "session",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("host", Said, nullable=False),
    Column("reviewer", Said, nullable=False),
    Column("version", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("ended_at", String),
    Column("ended_how", String),
    Column("beat_at", String),  # none where nobody was to beat
    Column("counts", Text),
)

decision = Table(
    "decision",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("path", Written, nullable=False, index=True),
    Column("sha256", String, CheckConstraint("length(sha256) = 64"), nullable=False),
    Column("width", Integer, CheckConstraint("width > 0"), nullable=False),
    Column("height", Integer, CheckConstraint("height > 0"), nullable=False),
    Column("slot", Written, nullable=False, server_default=""),  # '': the image's only crop
    Column("verdict", String, nullable=False),
    Column("box_left", Integer),
    Column("box_top", Integer),
    Column("box_right", Integer),
    Column("box_bottom", Integer),
    Column("normalized_left", Float),
    Column("normalized_top", Float),
    Column("normalized_right", Float),
    Column("normalized_bottom", Float),
    Column("suggestion_source", Said),
    Column("suggestion_version", Said),
    Column("suggestion_rank", Integer),
    Column("suggestion_confidence", Float),
    Column("suggestion_left", Float),
    Column("suggestion_top", Float),
    Column("suggestion_right", Float),
    Column("suggestion_bottom", Float),
    Column("iou", Float, CheckConstraint("iou IS NULL OR iou BETWEEN 0 AND 1")),
    Column("edges_within_5_percent", Integer),
    Column("reviewer", Said, nullable=False),
    Column("session", String, ForeignKey("session.id"), nullable=False),
    Column("shown_left", Integer),  # of the box that the crop would hold by what was shown
    Column("shown_top", Integer),
    Column("shown_right", Integer),
    Column("shown_bottom", Integer),
    Column("shown_at", String, nullable=False),
    Column("decided_at", String, nullable=False),
    Column("target", Said),  # the size or ratio that the box was meant for
    Column("copying", Said),  # how a copy is made; none where the image itself is cropped
    Column("turn", String),  # of what the box holds; none where it stays as it is
    CheckConstraint("verdict IN ('accept', 'adjusted', 'reject', 'skip')"),
    CheckConstraint("(box_left IS NULL) = (verdict IN ('reject', 'skip'))"),
    CheckConstraint(
        "box_left IS NULL OR (0 <= box_left AND box_left < box_right AND box_right <= width"
        " AND 0 <= box_top AND box_top < box_bottom AND box_bottom <= height)"
    ),
    CheckConstraint("decided_at >= shown_at"),
)

queue = Table(
    "queue",
    metadata,
    Column("decision", String, ForeignKey("decision.id"), primary_key=True),
    Column("path", Written, nullable=False, index=True),
    Column("slot", Written, nullable=False, server_default=""),
    Column("status", String, nullable=False),
    Column("destination", Written),
    Column("operation", String),
    Column("code", String),
    Column("message", SaidText),
    Column("updated_at", String, nullable=False),
    Column("stands", Integer),  # 1: the latest decision of its image that nobody took back
)
stands = queue.c.stands == _stated(1)
waits = written_in(queue.c.status, "waiting")

operation = Table(
    "operation",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("session", String, nullable=False),
    Column("decision", String),
    Column("undoes", String),
    Column("undone_by", String),
    Column("source", Written, nullable=False, index=True),
    Column("target", Written, nullable=False, index=True),
    Column("before", String, index=True),
    Column("after", String, index=True),
    Column("plan", Text, nullable=False),
    Column("planned_at", String, nullable=False),
    Column("settled_at", String),
    Column("key", String),  # who vouches for it as long as it is open (`vouching`)
    Column("mac", String),
    CheckConstraint("state IN ('planned', 'prepared', 'done', 'aborting', 'aborted', 'conflict')"),
    CheckConstraint("state IN ('planned', 'aborted') OR (before NOT NULL AND after NOT NULL)"),
)

# A name or inode that an open operation works on. The primary key is what makes rivals fail.
claim = Table(
    "claim",
    metadata,
    Column("name", Written, primary_key=True),
    Column("operation", String, ForeignKey("operation.id"), nullable=False, index=True),
)

is_done = written_in(operation.c.state, "done")
is_not_done = operation.c.state != _stated("done")
in_effect = and_(is_done, operation.c.undone_by.is_(None))
_IS_WORK = written_in(operation.c.kind, "copy", "crop", "reject")
can_be_undone = and_(in_effect, _IS_WORK)
can_be_redone = and_(in_effect, written_in(operation.c.kind, "restore"))
is_purge = written_in(operation.c.kind, "purge")

# As it is exported and hashed: `chain.append` writes names by their escape.
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Told, nullable=False),
    Column("session", Told, nullable=False),
    Column("event", Told, nullable=False),
    Column("path", Told),
    Column("operation", Told),
    Column("body", ToldText, nullable=False),
    Column("previous", Told, nullable=False),
    Column("hash", Told, nullable=False, unique=True),
)

# One outcome for each operation, however often recovery runs.
is_outcome = written_in(audit.c.event, *OUTCOMES)
Index("one_outcome", audit.c.operation, unique=True, sqlite_where=is_outcome)
is_no_outcome = and_(audit.c.operation.is_not(None), ~is_outcome)
tells_of_a_crop = written_in(audit.c.event, "cropped", "rejected")
is_acknowledgement = written_in(audit.c.event, "acknowledged")

# Who vouches for the trail up to where: one row for each stretch of events by one key (`seals`).
seal = Table(
    "seal",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("key", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String, nullable=False),
    Column("mac", String, nullable=False),
)

problem = Table(
    "problem",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("session", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("path", Said, nullable=False),
    Column("reason", SaidText, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", String, nullable=False),
)

place = Table(
    "place",
    metadata,
    Column("reviewer", Said, primary_key=True),
    Column("path", Written, nullable=False),
    Column("updated_at", String, nullable=False),
)


def _holds(column: Column[str], text: str) -> ColumnElement[bool]:
    return Within(column, _stated(text)) > _stated(0)


# What recovery settled: forward with a mark, back by letting the decision wait again.
carried_on = _holds(audit.c.body, '"recovered":true')
let_wait = and_(written_in(audit.c.event, "waiting"), _holds(audit.c.body, '"code":null'))
is_recovery = and_(audit.c.operation.is_not(None), or_(carried_on, let_wait))
# A done operation that needs what its image was before, unless that was purged later.
needs_original = and_(
    is_done,
    ~written_in(operation.c.kind, "copy", "purge"),
    operation.c.before != operation.c.after,
)
# All that is asked of it: they are counted without a look at a hundred thousand rows.
_OF_AN_ORIGINAL = tuple(operation.c[name] for name in ("before", "seq", "after", "kind", "state"))
_OF_A_PURGE = tuple(operation.c[name] for name in ("before", "seq", "kind", "state"))
is_work = and_(is_done, _IS_WORK)
is_run = session.c.beat_at.is_not(None)
has_not_ended = and_(is_run, session.c.ended_at.is_(None))
has_degraded = Within(session.c.counts, _stated('"degraded": {}')) == _stated(0)


def _count(name: str) -> ColumnElement[int]:
    """Read a number of a session's counts; SQLite has no function of JSON in an index."""
    counts, key = session.c.counts, f'"{name}": '
    place = Within(counts, _stated(key)) + _stated(len(key))
    return leading_integer(func.substr(counts, place))


work_done = _count("cropped") + _count("set_aside")

# Nearly all operations are done in the end: an index over all states would serve no question, and
# was taken for many.
FORMER = {
    "ix_operation_state": "CREATE INDEX ix_operation_state ON operation (state)",
    "ix_queue_status": "CREATE INDEX ix_queue_status ON queue (status)",
    # of format 7, before there were copies
    "operations_to_undo": "CREATE INDEX operations_to_undo ON operation (seq) WHERE"
    " state = 'done' AND undone_by IS NULL AND kind IN ('crop', 'reject')",
    "originals_needed": 'CREATE INDEX originals_needed ON operation ("before", seq, "after", kind,'
    " state) WHERE state = 'done' AND kind != 'purge' AND \"before\" != \"after\"",
    "work_of_session": "CREATE INDEX work_of_session ON operation (session, seq) WHERE"
    " state = 'done' AND kind IN ('crop', 'reject')",
    # of format 6, before these had the columns that they have now
    "standing_by_status": "CREATE INDEX standing_by_status ON queue (status) WHERE stands = 1",
    "purges": "CREATE INDEX purges ON operation (\"before\", seq) WHERE kind = 'purge'",
}
NEW_IN_6 = (
    Index("standing_by_status", queue.c.status, queue.c.stands, sqlite_where=stands),
    Index("waiting", queue.c.decision, sqlite_where=waits),
    Index("operations_not_done", operation.c.state, sqlite_where=is_not_done),
    Index("operations_to_undo", operation.c.seq, sqlite_where=can_be_undone),
    Index("operations_to_redo", operation.c.seq, sqlite_where=can_be_redone),
    Index("purges", *_OF_A_PURGE, sqlite_where=is_purge),
    Index("ix_audit_path", audit.c.path),
    Index("ix_problem_session", problem.c.session),
    Index("crops", audit.c.seq, sqlite_where=tells_of_a_crop),
    Index("acknowledgements", audit.c.seq, sqlite_where=is_acknowledgement),
    Index("recoveries", audit.c.seq, sqlite_where=is_recovery),
    Index("originals_needed", *_OF_AN_ORIGINAL, sqlite_where=needs_original),
    Index("work_of_session", operation.c.session, operation.c.seq, sqlite_where=is_work),
    Index("sessions_in_order", session.c.started_at),
    Index("runs_in_order", session.c.started_at, sqlite_where=is_run),
    Index("runs_not_ended", session.c.started_at, sqlite_where=has_not_ended),
    Index("sessions_degraded", session.c.started_at, sqlite_where=has_degraded),
    Index("sessions_by_work", work_done),
)
NEW_IN_7 = (Index("events_without_outcome", audit.c.operation, sqlite_where=is_no_outcome),)
CHANGED_IN_8 = tuple(
    index
    for index in NEW_IN_6
    if index.name in ("operations_to_undo", "originals_needed", "work_of_session")
)
