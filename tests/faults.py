"""What the engine's tests share: faults at the file-system seam, and what a folder holds."""

import errno
import hashlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cropkit.audit import heads, schema

ENDS = ("src_dir_fd", "dst_dir_fd")
EFFECTS = frozenset(
    ("open", "write", "fsync", "link", "replace", "unlink", "mkdir", "utime", "fchmod", "setxattr")
)


def deny(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let no folder of that name be listed, as permissions would for anybody but root."""
    real = os.scandir

    def scandir(folder: Any) -> Any:
        if not isinstance(folder, int) and Path(folder).name == name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)


class Faulty(ModuleType):
    """`os`, but the effect with one number does something else first."""

    def __init__(
        self, number: int, instead: Callable[[str], None], *, persistent: bool = False
    ) -> None:
        super().__init__("faulty")
        self.number = number
        self.instead = instead
        self.persistent = persistent
        self.armed = False
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in EFFECTS:
            return real

        def counted(*args: Any, **kwargs: Any) -> Any:
            if self.armed:
                self.calls.append(name)
                reached = len(self.calls)
                if reached == self.number or (self.persistent and reached > self.number):
                    self.instead(name)
            return real(*args, **kwargs)

        return counted


def nowhere() -> Faulty:
    """Count effects and disturb none."""
    return Faulty(-1, lambda _name: None)


def contents(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 of every file in a folder, cropkit's own left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".cropkit" not in path.parts
    }


IN_SLOTS = (("decision", "slot"), ("queue", "slot"))


def _as_before_9(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE decision DROP COLUMN turn")


def _as_before_8(db: sqlite3.Connection) -> None:
    _as_before_9(db)
    for index in schema.CHANGED_IN_8:
        db.execute(f"DROP INDEX {index.name}")
        db.execute(schema.FORMER[str(index.name)])
    for table, column in (*IN_SLOTS, ("decision", "target"), ("decision", "copying")):
        db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _as_before_7(db: sqlite3.Connection) -> None:
    _as_before_8(db)
    for index in schema.NEW_IN_7:
        db.execute(f"DROP INDEX {index.name}")
    for column in ("key", "mac"):
        db.execute(f"ALTER TABLE operation DROP COLUMN {column}")


def _as_before_6(db: sqlite3.Connection) -> None:
    _as_before_7(db)
    for index in schema.NEW_IN_6:
        db.execute(f"DROP INDEX {index.name}")
    db.execute("ALTER TABLE queue DROP COLUMN stands")
    db.execute("CREATE INDEX ix_operation_state ON operation (state)")
    db.execute("CREATE INDEX ix_queue_status ON queue (status)")


def as_format_1(folder: Path) -> None:
    """Make a collection's database look as the first format did; nobody kept its head then."""
    heads.forget(folder)
    newer = [("session", "beat_at"), ("session", "counts")]
    newer += [("decision", f"shown_{edge}") for edge in ("left", "top", "right", "bottom")]
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db", isolation_level=None)) as db:
        db.execute("BEGIN")
        _as_before_6(db)
        db.execute("DROP TABLE setting")
        db.execute("DROP TABLE seal")
        for table, column in newer:
            db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 1")
        db.execute("COMMIT")


def as_format_4(folder: Path) -> None:
    """Make a collection's database look as the format before seals did."""
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db", isolation_level=None)) as db:
        _as_before_6(db)
        db.execute("DROP TABLE seal")
        db.execute("PRAGMA user_version = 4")


def as_format_5(folder: Path) -> None:
    """Make a collection's database look as the format did whose opening grew with its crops."""
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db", isolation_level=None)) as db:
        _as_before_6(db)
        db.execute("PRAGMA user_version = 5")


def as_format_6(folder: Path) -> None:
    """Make a collection's database look as the format did in which nobody vouched for the open."""
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db", isolation_level=None)) as db:
        _as_before_7(db)
        db.execute("PRAGMA user_version = 6")


def as_format_8(folder: Path) -> None:
    """Make a collection's database look as the format did in which nothing was turned."""
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db", isolation_level=None)) as db:
        _as_before_9(db)
        db.execute("PRAGMA user_version = 8")


def as_format_7(folder: Path) -> None:
    """Make a collection's database look as the format did in which an image had one crop."""
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db", isolation_level=None)) as db:
        _as_before_8(db)
        db.execute("PRAGMA user_version = 7")


def as_first_format_6(folder: Path) -> None:
    """Make it look as that format did at first: two indices otherwise, and ten not yet there."""
    as_format_6(folder)
    first = ("waiting", "operations_not_done", "operations_to_undo", "operations_to_redo")
    former = ("standing_by_status", "purges")
    with closing(sqlite3.connect(folder / ".cropkit" / "cropkit.db", isolation_level=None)) as db:
        for index in schema.NEW_IN_6:
            if index.name not in (*first, "ix_audit_path", "ix_problem_session"):
                db.execute(f"DROP INDEX {index.name}")
        for name in former:
            db.execute(schema.FORMER[name])


class TwoDisks(ModuleType):
    """`os`, where one folder is another file system: no link and no rename goes across."""

    def __init__(self, elsewhere: Path) -> None:
        super().__init__("two_disks")
        self.elsewhere = elsewhere

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def link(self, *names: str, **options: Any) -> None:
        self._stay(options)
        os.link(*names, **options)

    def replace(self, *names: str, **options: Any) -> None:
        self._stay(options)
        os.replace(*names, **options)  # noqa: PTH105  (the very call that is stood in for)

    def _stay(self, options: dict[str, Any]) -> None:
        folders = [Path(f"/proc/self/fd/{options[end]}").resolve() for end in ENDS]
        if len({folder.is_relative_to(self.elsewhere) for folder in folders}) > 1:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
