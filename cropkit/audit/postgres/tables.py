"""The tables on a server: how they are made, and whether they are cropkit's and nothing else.

They are those of `schema`, with a number for each row as SQLite has it by itself. Texts are sorted
by their bytes, as there. A number that nobody gives is the largest one and one more: a sequence
would leave gaps, and would not know of rows that were put in another order.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Float,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import Computed, CreateIndex, CreateTable

from cropkit.audit import schema
from cropkit.audit.dialects import ask
from cropkit.audit.postgres import owners
from cropkit.errors import ForeignState

FORMAT = "format"  # the table of the format, and of the folder whose trail this is
Objects = dict[tuple[str, str], object]

_THERE = f"SELECT to_regclass('{FORMAT}') IS NOT NULL"
_HIDDEN = """SELECT nspname FROM pg_namespace WHERE NOT has_schema_privilege(oid, 'USAGE')
AND nspname = split_part(current_setting('search_path'), ',', 1)"""
_ROW = "rowid"
_MADE_FORMAT = f"""CREATE TABLE {FORMAT} (version bigint NOT NULL,
folder text COLLATE "C" NOT NULL, inode text COLLATE "C")"""
_IS_FORMER = f"""SELECT NOT EXISTS (SELECT FROM pg_attribute
WHERE attrelid = to_regclass('{FORMAT}') AND attname = 'inode' AND NOT attisdropped)"""  # noqa: S608  (a name of ours)
_BROUGHT_UP = (
    f'ALTER TABLE {FORMAT} ADD COLUMN IF NOT EXISTS inode text COLLATE "C"',
    f"""ALTER TABLE {owners.OWNER} DROP COLUMN IF EXISTS is_taken,
ADD COLUMN IF NOT EXISTS taken_by text COLLATE "C\"""",
)
_TYPES = {BigInteger: "bigint", Text: "text", postgresql.DOUBLE_PRECISION: "double precision"}
_BODY = "SELECT coalesce(max({key}), 0) + 1 FROM {table}"
_FUNCTION = "CREATE FUNCTION {name}() RETURNS bigint LANGUAGE sql VOLATILE AS '{body}'"
# All that is in the schema, found by indices: a server may hold thousands of them, each of sixty.
_HERE = """
WITH here AS MATERIALIZED (
  SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass
    AND refobjid = (SELECT current_schema()::regnamespace::oid)),
tables AS MATERIALIZED (SELECT objid AS oid FROM here WHERE classid = 'pg_class'::regclass),
relations AS MATERIALIZED (
  SELECT oid FROM tables
  UNION SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM tables))"""
_RELATIONS = f"""{_HERE}
SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence'
         WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'f' THEN 'table elsewhere'
         ELSE 'relation' END AS kind,
  relname::text AS name,
  coalesce((SELECT indisunique AND indisvalid FROM pg_index WHERE indexrelid = pg_class.oid), false)
    AS is_unique,
  relrowsecurity OR relispartition OR relhassubclass OR relpersistence <> 'p'
    OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = pg_class.oid) AS is_strange
FROM pg_class WHERE oid IN (SELECT oid FROM relations)"""  # noqa: S608  (a text of ours)
_COLUMNS = f"""{_HERE}
SELECT relname::text AS its_table, attname::text AS name, format_type(atttypid, atttypmod) AS type,
  attnotnull AS is_there, coalesce(collname::text, '') AS sorted_by,
  attidentity::text || attgenerated::text AS made,
  coalesce(pg_get_expr(adbin, adrelid), '') AS usual
FROM tables JOIN pg_class ON pg_class.oid = tables.oid JOIN pg_attribute ON attrelid = pg_class.oid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN pg_collation ON pg_collation.oid = attcollation
WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped"""  # noqa: S608  (a text of ours)
_PROGRAMS = f"""{_HERE}
SELECT 'trigger' AS kind, tgname::text AS name FROM pg_trigger
  WHERE tgrelid IN (SELECT oid FROM tables) AND NOT tgisinternal
UNION ALL SELECT 'rule', rulename::text FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM tables)
UNION ALL SELECT 'function', proname::text || '/' || CASE
    WHEN pronargs = 0 AND NOT prosecdef AND lanname = 'sql' AND proconfig IS NULL THEN prosrc
    ELSE 'of another kind' END
  FROM here JOIN pg_proc ON classid = 'pg_proc'::regclass AND pg_proc.oid = objid
  JOIN pg_language ON pg_language.oid = prolang
UNION ALL SELECT 'object', pg_describe_object(classid, objid, 0) FROM here
  WHERE classid NOT IN ('pg_proc'::regclass, 'pg_class'::regclass)"""  # noqa: S608  (a text of ours)
# What a constraint, an index or a usual value would run that is no part of the server itself.
_CALLED = f"""{_HERE},
own AS (
  SELECT 'pg_class'::regclass::oid AS classid, oid AS objid FROM relations
  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint
    WHERE conrelid IN (SELECT oid FROM tables)
  UNION ALL SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef
    WHERE adrelid IN (SELECT oid FROM tables))
SELECT DISTINCT pg_describe_object(refclassid, refobjid, refobjsubid)
FROM own JOIN pg_depend ON pg_depend.classid = own.classid AND pg_depend.objid = own.objid
WHERE refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass)
  AND refobjid NOT IN (SELECT objid FROM here WHERE classid = 'pg_proc'::regclass)"""  # noqa: S608  (a text of ours)


def are_there(db: Connection) -> bool:
    """Whether a schema is one of ours, as far as its beginning tells.

    Raises
    ------
    DBAPIError
        It is there, and this user may not see what is in it.
    """
    is_there = bool(ask(db, _THERE).scalar_one())
    if not is_there and (name := ask(db, _HIDDEN).scalar_one_or_none()) is not None:
        ask(db, f'SELECT FROM "{name}".{FORMAT}')  # the server says why not
    return is_there


def make(db: Connection) -> None:
    """Make all tables, indices and what gives numbers, in a schema that has none."""
    for statement in (*_statements(), *_numbering()):
        db.exec_driver_sql(statement)


def bring_up(db: Connection) -> None:
    """Let what an earlier version made say by whom an owner was taken over, and which folder it is.

    Whoever is at work by that version finds no column to ask, and stops.
    """
    if ask(db, _IS_FORMER).scalar_one():
        for statement in _BROUGHT_UP:
            db.exec_driver_sql(statement)


def begin(db: Connection, place: str, folder: str, inode: str) -> None:
    """Make the schema of a new trail, with its format, 0: nothing is in it yet."""
    db.exec_driver_sql(f'CREATE SCHEMA "{place}"')
    db.exec_driver_sql(_MADE_FORMAT)
    db.exec_driver_sql(owners.MADE)
    ask(db, f"INSERT INTO {FORMAT} VALUES (0, ?, ?)", (folder, inode))  # noqa: S608  (a name of ours)


def check(db: Connection, path: Path, *, whole: bool) -> None:
    """Refuse a schema that is not cropkit's.

    Parameters
    ----------
    path : the record that leads there
    whole : nothing may be missing, as everything may be in one that was just made

    Raises
    ------
    ForeignState
        It names the table, index, trigger, view, function or column; nothing was changed.
    """
    expected, here = _expected(), dict(_objects(db))
    for name, what in here.items():
        if name not in expected or what != expected[name]:
            is_known = name in expected
            words = "is not the one of cropkit" if is_known else "is none of cropkit's"
            raise ForeignState(path, f"on the server, its {' '.join(name)[:200]} {words}")
    for name in expected:
        if whole and name not in here:
            raise ForeignState(path, f"on the server, its {' '.join(name)} is missing")
    for called in ask(db, _CALLED).scalars():
        raise ForeignState(path, f"on the server, it calls {called}")


_FORMAT_COLUMNS = frozenset(
    {
        ("version", "bigint", True, "", "", ""),
        ("folder", "text", True, "C", "", ""),
        ("inode", "text", False, "C", "", ""),
    }
)

# -- making ----------------------------------------------------------------------------------------


@cache
def _statements() -> tuple[str, ...]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's
    tables = _tables()
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in tables]
    for table in schema.metadata.sorted_tables:
        for index in sorted(table.indexes, key=_name):
            where = index.dialect_options["sqlite"]["where"]
            index.dialect_options["postgresql"]["where"] = where
            made.append(str(CreateIndex(index).compile(dialect=dialect)))
    return tuple(statement.replace("%%", "%") for statement in made)


@cache
def _tables() -> tuple[Table, ...]:
    """Return the tables as they are on a server."""
    there = MetaData()
    for table in schema.metadata.sorted_tables:
        table.to_metadata(there)
    for table in there.sorted_tables:
        key = _number(table)
        for column in table.c:
            _translate(column)
        for constraint in tuple(table.constraints):
            if isinstance(constraint, CheckConstraint):
                said = str(constraint.sqltext).replace("before NOT", "before IS NOT")
                constraint.sqltext = text(said.replace("after NOT", "after IS NOT"))
        made: Any = Identity(always=True) if key is None else Computed(key.name, persisted=True)
        table.append_column(Column(_ROW, BigInteger, made, nullable=False))
    return tuple(there.sorted_tables)


def _translate(column: Column[Any]) -> None:
    if isinstance(column.type, Integer):
        column.type = BigInteger()
        column.autoincrement = False
    elif isinstance(column.type, Float):
        column.type = postgresql.DOUBLE_PRECISION()
    else:
        column.type = Text(collation="C")


def _number(table: Table) -> Column[Any] | None:
    """Return the column that numbers the rows, where there is one."""
    (key,) = table.primary_key.columns
    return key if isinstance(key.type, Integer | BigInteger) else None


def _has_function(table: Table) -> bool:
    """Whether rows are written without a number: events have theirs in their hash."""
    return _number(table) is not None and table.name != schema.audit.name


def _numbered() -> Iterator[tuple[Table, str]]:
    for table in schema.metadata.sorted_tables:
        if _has_function(table):
            yield table, f"next_{table.name}"


def _numbering() -> Iterator[str]:
    """Yield what lets rows have their numbers: each function asks a table that has to be there."""
    for table, name in _numbered():
        yield _FUNCTION.format(name=name, body=_body(table))
        yield f"ALTER TABLE {table.name} ALTER {_key(table)} SET DEFAULT {name}()"


def _body(table: Table) -> str:
    return _BODY.format(key=_key(table), table=table.name)


def _key(table: Table) -> str:
    (key,) = table.primary_key.columns
    return key.name


def _name(index: Index) -> str:
    return str(index.name)


# -- looking at it ---------------------------------------------------------------------------------


def _objects(db: Connection) -> Iterator[tuple[tuple[str, str], object]]:
    columns: dict[str, set[tuple[object, ...]]] = {}
    for column in ask(db, _COLUMNS):
        columns.setdefault(column.its_table, set()).add(tuple(column[1:]))
    for row in ask(db, _RELATIONS):
        told = frozenset(columns.get(row.name, ())) if row.kind == "table" else row.is_unique
        yield (row.kind, row.name), "strange" if row.is_strange else told
    for program in ask(db, _PROGRAMS):
        yield (program.kind, program.name), True


@cache
def _expected() -> Mapping[tuple[str, str], object]:
    expected: Objects = {("table", FORMAT): _FORMAT_COLUMNS}
    expected["table", owners.OWNER] = owners.COLUMNS
    expected["index", f"{owners.OWNER}_pkey"] = True
    for table in _tables():
        expected["table", table.name] = frozenset(map(_told, table.c))
        expected["index", f"{table.name}_pkey"] = True
        for column in table.c:
            if column.unique:
                expected["index", f"{table.name}_{column.name}_key"] = True
        if _number(table) is None:
            expected["sequence", f"{table.name}_{_ROW}_seq"] = False
    for table in schema.metadata.sorted_tables:
        for index in table.indexes:
            expected["index", _name(index)] = bool(index.unique)
    for table, name in _numbered():
        expected["function", f"{name}/{_body(table)}"] = True
    return expected


def _told(column: Column[Any]) -> tuple[object, ...]:
    """Return what the server tells of a column."""
    kind = _TYPES[type(column.type)]
    made, usual = "", ""
    if column.name == _ROW:
        made, usual = ("a", "") if column.identity else ("s", _key(column.table))
    elif column.primary_key and _has_function(column.table):
        usual = f"next_{column.table.name}()"
    elif column.server_default is not None:
        usual = "''::text"
    return column.name, kind, not column.nullable, "C" if kind == "text" else "", made, usual
