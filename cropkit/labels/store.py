"""What was imported into a collection: boxes that a review finds again, image by image.

A database of its own beside the trail's, since nothing in it is a fact about files: it may be
deleted, and made again from what it was imported from. As everything beneath `.cropkit` it may be a
stranger's: its tables are compared with ours before a row is asked for, and each row is checked.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from cropkit import clock
from cropkit.audit.connecting import distrust
from cropkit.errors import BadBox, BadSuggestion, ForeignState, WriteFailed
from cropkit.geometry import NormalizedBox, Size
from cropkit.labels.label import MOST
from cropkit.names import escaped, unescaped
from cropkit.records import Problem, ProblemKind, Suggestion
from cropkit.suggest.numbers import confidence, excerpt
from cropkit.suggest.sidecar import Sidecars
from cropkit.suggest.suggested import Suggested, Suggester, problem_of
from cropkit.system import parameters
from cropkit.system.home import SUGGESTIONS
from cropkit.system.state_folder import make_file

_PATIENCE = 30.0  # seconds for another program's import
_SCHEMA = (
    """CREATE TABLE source (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, format TEXT NOT NULL,
    imported_at TEXT NOT NULL)""",
    """CREATE TABLE box (
    source INTEGER NOT NULL REFERENCES source (id), path TEXT NOT NULL, sha256 TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL,
    x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL,
    confidence REAL, rank INTEGER NOT NULL, category TEXT NOT NULL,
    author TEXT NOT NULL, version TEXT NOT NULL)""",
    "CREATE INDEX box_path ON box (path, source, rank)",
    "CREATE INDEX box_source ON box (source, path)",
)
OF_IMAGE = (
    "SELECT b.sha256, b.width, b.height, b.x0, b.y0, b.x1, b.y1, b.confidence, b.author, "
    "b.version, s.name FROM box b JOIN source s ON s.id = b.source WHERE b.path = ? "
    "ORDER BY b.source DESC, b.rank LIMIT ?"
)
KNOWN = (
    "SELECT 1 FROM box b JOIN source s ON s.id = b.source "
    "WHERE b.path = ? AND s.name = ? AND b.sha256 = ?"
)
_LABELS = "SELECT DISTINCT category FROM box WHERE category != ''"
_LABELLED = "SELECT DISTINCT path FROM box WHERE category = ?"
_SURE = (
    "SELECT path FROM (SELECT path, confidence, row_number() OVER "
    "(PARTITION BY path ORDER BY source DESC, rank) AS place FROM box) "
    "WHERE place = 1 AND confidence >= ? AND confidence < ?"
)
_INSERT = f"INSERT INTO box VALUES ({','.join('?' * 14)})"  # noqa: S608  (question marks)
_FIRST = "SELECT s.name, b.path FROM source s JOIN box b ON b.source = s.id LIMIT 1"
_SOUND = ("ok",)
_SOURCES = (
    "SELECT s.name, s.format, s.imported_at, COUNT(b.path), COUNT(DISTINCT b.path) "
    "FROM source s LEFT JOIN box b ON b.source = s.id GROUP BY s.id ORDER BY s.id"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One box as it is kept.

    Parameters
    ----------
    path : of the image, relative to the collection
    sha256 : of its content when the box was read for it; '' where that was not looked at
    size : upright
    author, version : who found the box, '' for the file it came from
    """

    path: str
    sha256: str
    size: Size
    box: NormalizedBox
    confidence: float | None = None
    rank: int = 0
    category: str = ""
    author: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What was imported at once, and how much of it there is."""

    name: str
    format: str
    imported_at: str
    boxes: int
    images: int


def usual_suggesters(root: Path, state: Path) -> tuple[Suggester, ...]:
    """Return who proposes boxes where nobody was named: what was imported, then the sidecars.

    Parameters
    ----------
    root, state : folder of the collection, and the one whose `.cropkit` is its own
    """
    return Imported(state), Sidecars(root)


class Imported:
    """Suggestions that were imported into a collection; those of the latest import come first.

    A box for another content, or another size, is stale: a problem, and not proposed. That nothing
    was imported for an image is none: others may have a box for it.

    Parameters
    ----------
    state : the folder whose `.cropkit` holds them
    """

    name = "imported"

    def __init__(self, state: Path) -> None:
        self._path = state / SUGGESTIONS
        self._lock = Lock()

    @property
    def exists(self) -> bool:
        """Whether something was imported."""
        return os.path.isfile(self._path)  # noqa: PTH113  (`Path.is_file` raises where one may not look)

    def suggest(self, path: str, size: Size, sha256: str) -> Suggested:
        """Propose what was imported for the image."""
        try:
            rows = self._rows(path)
        except (sqlite3.Error, ForeignState, OSError) as error:
            reason = _damage(error)
            return Suggested(problems=(Problem(ProblemKind.SUGGESTION, SUGGESTIONS, reason),))
        suggestions: list[Suggestion] = []
        problems: list[Problem] = []
        for row in rows:
            try:
                suggestions.append(_suggestion(row, path, size, sha256, len(suggestions)))
            except BadSuggestion as error:
                problems.append(problem_of(error))
        return Suggested(tuple(suggestions), tuple(dict.fromkeys(problems)))

    def confidence(self, path: str) -> float | None:
        """Return the confidence of the box that would come first; it is not looked at."""
        try:
            rows = self._rows(path)
        except (sqlite3.Error, ForeignState, OSError):
            return None
        sure = rows[0][7] if rows else None
        return sure if isinstance(sure, float) and 0 <= sure <= 1 else None

    def damage(self, *, deep: bool = False) -> str | None:
        """Say why it cannot be used, and what to do; None where it can, or there is nothing.

        Nothing is written: what an import has not ended is not looked at.

        Parameters
        ----------
        deep : look at every page of it
        """
        if not self.exists or self._is_cut_off:
            return None
        try:
            with closing(self._read()) as db:
                db.execute(_FIRST).fetchone()
                checked = db.execute("PRAGMA quick_check(1)").fetchone() if deep else _SOUND
        except (sqlite3.Error, ForeignState, OSError) as error:
            is_busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            return None if is_busy else _damage(error)
        return None if checked == _SOUND else _damage(str(checked[0])[:200])

    def sources(self) -> tuple[Source, ...]:
        """Return what was imported, oldest first.

        Raises
        ------
        BadSuggestion
            It cannot be read: nothing was changed.
        """
        if not self.exists:
            return ()
        with self._readable(), closing(self._read()) as db:
            rows = db.execute(_SOURCES).fetchall()
            return tuple(Source(unescaped(str(name)), *rest) for name, *rest in rows)

    def knows(self, name: str, path: str, sha256: str) -> bool:
        """Whether a source has boxes for an image of that content."""
        if not self.exists:
            return False
        with self._readable(), closing(self._read()) as db:
            known = db.execute(KNOWN, (escaped(path), escaped(name), sha256)).fetchone()
            return known is not None

    def labels(self) -> tuple[str, ...]:
        """Return the labels of all boxes.

        Raises
        ------
        BadSuggestion
            It cannot be read: nothing was changed.
        """
        return tuple(unescaped(str(label)) for (label,) in self._asked(_LABELS))

    def labelled(self, labels: Sequence[str]) -> frozenset[str]:
        """Return the images that have a box of one of these labels.

        Raises
        ------
        BadSuggestion
            It cannot be read: nothing was changed.
        """
        several = (self._asked(_LABELLED, escaped(label)) for label in labels)
        return frozenset(unescaped(str(path)) for rows in several for (path,) in rows)

    def sure(self, low: float, high: float) -> frozenset[str]:
        """Return the images whose first box says how sure it is: from `low` to below `high`.

        Raises
        ------
        BadSuggestion
            It cannot be read: nothing was changed.
        """
        return frozenset(unescaped(str(path)) for (path,) in self._asked(_SURE, low, high))

    def _asked(self, question: str, *values: str | float) -> list[tuple[object, ...]]:
        if not self.exists:
            return []
        with self._readable(), closing(self._read()) as db:
            return db.execute(question, values).fetchall()

    def keep(
        self, name: str, format_name: str, boxes: Iterable[Kept], *, more: bool = False
    ) -> int:
        """Keep boxes under a name, in place of what has that name; return how many there are.

        All of them or none are kept.

        Parameters
        ----------
        more : add to what has that name

        Raises
        ------
        WriteFailed, BadSuggestion
            Nothing was kept: what was there before stands.
        """
        kept = list(boxes)  # whatever makes them: nobody waits for that behind a lock
        with self._writing() as db:
            source = _source(db, escaped(name), format_name, empty=not more)
            db.executemany(_INSERT, (_row(source, each) for each in kept))
        return len(kept)

    def forget(self, name: str) -> int:
        """Remove what has a name; return how many boxes that were.

        Raises
        ------
        BadParameterValue
            Nothing has it.
        WriteFailed, BadSuggestion
            Nothing was removed.
        """
        if all(source.name != name for source in self.sources()):
            raise parameters.wrong("remove", name, "name that `--list` shows")
        with self._writing() as db:
            row = db.execute("SELECT id FROM source WHERE name = ?", (escaped(name),)).fetchone()
            (source,) = row or (0,)
            count = db.execute("DELETE FROM box WHERE source = ?", (source,)).rowcount
            db.execute("DELETE FROM source WHERE id = ?", (source,))
        return count

    def _rows(self, path: str) -> list[tuple[object, ...]]:
        if not self.exists:
            return []
        with closing(self._read()) as db:
            return db.execute(OF_IMAGE, (escaped(path), MOST)).fetchall()

    def _read(self) -> sqlite3.Connection:
        """Open it to read, each time anew: 0.2 ms, and nothing is in another program's way.

        The journal of an import that was killed has to be played back, which is writing.
        """
        uri = f"{self._path.absolute().as_uri()}?mode={'rw' if self._is_cut_off else 'ro'}"
        db = sqlite3.connect(uri, uri=True, timeout=_PATIENCE)
        try:
            distrust(db)
            _check_shape(db, self._path)
        except BaseException:
            db.close()
            raise
        return db

    @property
    def _is_cut_off(self) -> bool:
        return Path(f"{self._path}-journal").exists()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            make_file(self._path)
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as db:
                db.isolation_level = None
                distrust(db)
                db.execute("PRAGMA cache_spill = OFF")  # reviews read on until it is committed
                db.execute("BEGIN IMMEDIATE")
                try:
                    if not db.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]:
                        for statement in _SCHEMA:
                            db.execute(statement)
                    _check_shape(db, self._path)
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        db.execute("ROLLBACK")
                    raise

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise BadSuggestion(SUGGESTIONS, _damage(error)) from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise WriteFailed(SUGGESTIONS, error) from error


def _damage(error: object) -> str:
    return f"cannot be read ({error}): delete it, and import the boxes again"


def _check_shape(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that has other tables, views or triggers than ours."""
    rows = db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL LIMIT 9").fetchall()
    if {sql for (sql,) in rows} != set(_SCHEMA):
        raise ForeignState(path, "a database of another shape")


def _source(db: sqlite3.Connection, name: str, format_name: str, *, empty: bool) -> int:
    """Return the number of a name, and remove what is kept under it where that goes."""
    there = db.execute("SELECT id FROM source WHERE name = ?", (name,)).fetchone()
    if there is not None and not empty:
        return int(there[0])
    if there is not None:
        db.execute("DELETE FROM box WHERE source = ?", there)
        db.execute("DELETE FROM source WHERE id = ?", there)
    row = (name, format_name, clock.written(clock.now()))
    added = db.execute("INSERT INTO source (name, format, imported_at) VALUES (?, ?, ?)", row)
    return int(added.lastrowid or 0)


def _row(source: int, kept: Kept) -> tuple[object, ...]:
    place = (source, escaped(kept.path), kept.sha256, kept.size.width, kept.size.height)
    author, version = escaped(kept.author), escaped(kept.version)
    whose = (kept.confidence, kept.rank, escaped(kept.category), author, version)
    return (*place, *kept.box.xyxy, *whose)


def _suggestion(
    row: tuple[object, ...], path: str, size: Size, sha256: str, rank: int
) -> Suggestion:
    """Return what a row proposes, or raise `BadSuggestion`; nothing in it is believed."""
    content, width, height, *edges, sure, author, version, name = row
    where = f"{SUGGESTIONS}: {path}"
    if content and content != sha256:
        raise BadSuggestion(where, f"{excerpt(name)} is for another content of it (stale)")
    if (width, height) != (size.width, size.height):
        stated = f"{excerpt(width)} x {excerpt(height)}"
        raise BadSuggestion(where, f"is for {stated}; it has {size.width} x {size.height} (stale)")
    if not all(isinstance(edge, float) for edge in edges):
        raise BadSuggestion(where, f"has a box of {excerpt(edges)}")
    try:
        box = NormalizedBox(*edges)  # type: ignore[arg-type]  # they are floats
    except BadBox as error:
        raise BadSuggestion(where, f"has a bad box: {error.args[1]}") from None
    certain = None if sure is None else confidence(sure, where)
    source = unescaped(str(author or name))
    return Suggestion(box, source[:200], unescaped(str(version))[:200], rank, certain)
