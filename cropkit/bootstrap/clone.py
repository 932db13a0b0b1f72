"""A source tree, the environment it makes for itself, and the lock around that."""

import fcntl
import hashlib
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cropkit.bootstrap.report import SetupFailed


@dataclass(frozen=True, slots=True)
class Clone:
    """A source tree, which can make its own environment."""

    root: Path

    @property
    def lock(self) -> Path:
        """Every package with its hashes."""
        return self.root / "requirements.lock"

    @property
    def venv(self) -> Path:
        """The environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.venv / "bin/python"

    @property
    def stamp(self) -> Path:
        """The file that says the environment is whole."""
        return self.venv / "cropkit-stamp"

    def fingerprint(self) -> str:
        """Name all that an environment made now would be made of."""
        locked = hashlib.sha256(self.lock.read_bytes()).hexdigest()
        running = f"{platform.python_implementation()} {platform.python_version()}"
        return f"{locked}\n{running}\n{self.root!s}\n"

    def ready(self) -> bool:
        """Whether the environment is whole and up to date."""
        try:
            stamped = self.stamp.read_text("utf-8", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return False
        return stamped == self.fingerprint() and self.python.exists()

    def is_running(self) -> bool:
        """Whether this process runs in the environment."""
        return Path(sys.prefix).resolve() == self.venv.resolve()


class EnvironmentLock:
    """Alone for the builder, shared for those who run in the environment."""

    def __init__(self, clone: Clone) -> None:
        name = clone.root / ".venv.lock"
        try:
            self._file: IO[bytes] = name.open("ab")
        except OSError as refusal:
            if not name.exists():
                raise SetupFailed(f"cannot set up in {clone.root}: {refusal.strerror}") from refusal
            self._file = name.open("rb")  # somebody else's clone: enough to run there

    def alone(self) -> bool:
        """Take it for building, unless anybody else holds it."""
        return self._take(fcntl.LOCK_EX)

    def shared(self) -> bool:
        """Take it for running, unless somebody builds."""
        return self._take(fcntl.LOCK_SH)

    def _take(self, kind: int) -> bool:
        # A failed change of kind would keep the old kind on some systems: let go first.
        fcntl.flock(self._file, fcntl.LOCK_UN)
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def inherited(self) -> tuple[int, ...]:
        """Give the descriptor that keeps the lock when a child outlives this process."""
        return (self._file.fileno(),)


def find_clone(package: Path) -> Clone | None:
    """Find the source tree around the package; None when it was installed."""
    clone = Clone(package.parent)
    return clone if clone.lock.is_file() and (clone.root / "pyproject.toml").is_file() else None
