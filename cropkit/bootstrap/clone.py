"""A source tree, the environments that it has made for itself, and the locks on them."""

import fcntl
import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, Self

from cropkit.bootstrap.report import SetupFailed

NAME = "CROPKIT_VENV"
"""Variable that names another link than `.venv`: the tests of another Python have their own."""

WITHOUT_TESTS = "-"


class Stamp(NamedTuple):
    """What an environment was made of, a line each."""

    lock: str
    test_lock: str
    python: str
    root: str

    def serves(self, wanted: "Stamp") -> bool:
        """Whether an environment of this stamp will do: one with more than is wanted does."""
        lighter = self._replace(test_lock=WITHOUT_TESTS)
        return wanted in (self, lighter)


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment: a folder that keeps its name, since its scripts hold it."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin/python"

    @property
    def stamp(self) -> Path:
        """The file that says it is whole, written last."""
        return self.folder / "cropkit-stamp"

    def stamped(self) -> Stamp | None:
        """Read the stamp; None when there is none, or the interpreter beneath has gone.

        One of before there were two locks has three lines: it was made for tests, too.
        """
        try:
            text = self.stamp.read_text("utf-8", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return None
        parts = len(Stamp._fields)
        lines = text.removesuffix("\n").split("\n", parts - 1)  # a path may hold line ends
        if len(lines) == parts - 1:
            lines.insert(1, "before")
        return Stamp(*lines) if len(lines) == parts and self.python.exists() else None

    def is_running(self) -> bool:
        """Whether this process runs in it, by its own name or by the link."""
        return Path(sys.prefix).resolve() == self.folder

    def keep_to(self) -> None:
        """Let this process, which runs in it, import from it even when the link has moved on."""
        link, own = sys.prefix, str(self.folder)

        def renamed(path: str) -> str:
            return own + path.removeprefix(link) if path.startswith(link) else path

        sys.path[:] = [renamed(each) for each in sys.path]
        sys.executable = renamed(sys.executable)
        sys.prefix = sys.exec_prefix = own


@dataclass(frozen=True, slots=True)
class Clone:
    """A source tree, which can make its own environment."""

    root: Path

    @property
    def lock(self) -> Path:
        """Every package that the commands need, with its hashes."""
        return self.root / "requirements.lock"

    @property
    def test_lock(self) -> Path:
        """What the tests need beyond."""
        return self.root / "requirements-test.lock"

    @property
    def uv_lock(self) -> Path:
        """Uv itself, for who has none."""
        return self.root / "requirements-uv.lock"

    @property
    def venv(self) -> Path:
        """The link to the environment in force."""
        return self.root / os.environ.get(NAME, ".venv")

    @property
    def made(self) -> Path:
        """The folder of all environments, and of uv where it was fetched."""
        return self.root / ".venv.d"

    def locks(self, *, tests: bool) -> list[Path]:
        """List the locks that are installed together."""
        return [self.lock, self.test_lock] if tests else [self.lock]

    def fingerprint(self, *, tests: bool) -> Stamp:
        """Name all that an environment made now would be made of."""
        hashes = [hashlib.sha256(each.read_bytes()).hexdigest() for each in self.locks(tests=tests)]
        running = f"{platform.python_implementation()} {platform.python_version()}"
        return Stamp(hashes[0], hashes[1] if tests else WITHOUT_TESTS, running, str(self.root))

    def current(self) -> Environment | None:
        """Return the environment in force, if it is whole and was made for this place."""
        environment = Environment(self.venv.resolve())
        stamp = environment.stamped()
        return environment if stamp is not None and stamp.root == str(self.root) else None

    def has_tests(self) -> bool:
        """Whether the environment in force was made for tests, too."""
        stamp = Environment(self.venv.resolve()).stamped()
        return stamp is not None and stamp.test_lock != WITHOUT_TESTS

    def up_to_date(self, *, tests: bool) -> Environment | None:
        """Return the environment in force, if it is what would be made now."""
        environment = self.current()
        stamp = environment.stamped() if environment else None
        ready = stamp is not None and stamp.serves(self.fingerprint(tests=tests))
        return environment if ready else None

    def is_running(self) -> bool:
        """Whether this process runs in an environment of this clone, in force or not."""
        running = Path(sys.prefix).resolve()
        return running == self.venv.resolve() or running.parent == self.made.resolve()


class FileLock:
    """A lock of the kernel's on an open file; it lives as long as the file, or a child's copy."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def alone(self) -> bool:
        """Take it, unless anybody else holds it."""
        return self._take(fcntl.LOCK_EX)

    def shared(self) -> bool:
        """Take it, unless somebody holds it alone."""
        return self._take(fcntl.LOCK_SH)

    def _take(self, kind: int) -> bool:
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_named(self) -> bool:
        """Whether the file still has a name: it was not removed before the lock was taken."""
        return os.fstat(self._file.fileno()).st_nlink > 0

    def inherited(self) -> tuple[int, ...]:
        """Give the descriptor that keeps the lock when a child outlives this process."""
        return (self._file.fileno(),)

    def close(self) -> None:
        """Let go, as far as no child has a copy."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def building_lock(clone: Clone) -> FileLock:
    """Open the lock that whoever builds holds alone.

    Raises
    ------
    SetupFailed
        Where it can neither be made nor read.
    """
    name = clone.root / ".venv.lock"
    try:
        return FileLock(name.open("ab"))
    except OSError as refusal:
        if not name.exists():
            raise SetupFailed(f"cannot set up in {clone.root}: {refusal.strerror}") from refusal
        return FileLock(name.open("rb"))  # somebody else's clone


def use(environment: Environment | None) -> FileLock | None:
    """Share the lock on an environment; None where it is gone, or about to go."""
    if environment is None:
        return None
    try:
        held = FileLock(environment.stamp.open("rb"))
    except FileNotFoundError:
        return None
    if held.shared() and held.is_named():
        return held
    held.close()
    return None


def find_clone(package: Path) -> Clone | None:
    """Find the source tree around the package; None when it was installed."""
    clone = Clone(package.parent)
    return clone if clone.lock.is_file() and (clone.root / "pyproject.toml").is_file() else None
