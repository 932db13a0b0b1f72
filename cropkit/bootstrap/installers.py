"""Which programs install: uv from PATH, or fetched by pip, or pip itself."""

import ast
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cropkit.bootstrap.child import (
    Installer,
    base_python,
    child_environment,
    follow,
    succeeds,
)
from cropkit.bootstrap.clone import Clone, Environment
from cropkit.bootstrap.progress import Progress
from cropkit.bootstrap.report import say

TOOLS = ("uv", "python")
"""What lies beside the environments: uv, and interpreters that it has brought."""

# Nothing is resolved: it is the locks, whole, and no index has a say in what they lack.
_LOCKED = ("--require-hashes", "--no-deps")
_QUIET = ("--no-input", "--disable-pip-version-check", "--progress-bar=off", "--no-compile")
# pip's settings of where packages come from, and uv's names for them.
_INDEXES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
}


class Pip(NamedTuple):
    """A pip: whose it is, and how it is told of the environment."""

    python: str
    into: tuple[str, ...]

    def install(self, into: Sequence[str], locks: Sequence[Path]) -> list[str]:
        """Return the command that installs locks."""
        place = [*self.into] if not into else []
        return [self.python, "-m", "pip", *place, "install", *_QUIET, *into, *locked(locks)]


def installers(
    clone: Clone, environment: Environment, locks: Sequence[Path], held: Sequence[int]
) -> Iterator[Installer]:
    """Offer ways to install, best first; a later one is asked for only when one before failed."""
    pip = pip_for(environment)
    uv = uv_on_path() or fetched_uv(clone, pip, held)
    if uv:
        into = ("--python", str(environment.python), "--no-progress")
        yield Installer("uv", [uv, "pip", "install", *into, *locked(locks)], indexes(pip))
    if pip:
        yield Installer("pip", pip.install((), locks), {})


def locked(locks: Sequence[Path]) -> list[str]:
    """Return the options that install locks, by their hashes alone."""
    return [*_LOCKED, *(word for lock in locks for word in ("--requirement", str(lock)))]


def pip_for(environment: Environment) -> Pip | None:
    """Find a pip for the environment: the base interpreter's, else the one Python carries."""
    if succeeds(base_python(), "-m", "pip", "--version"):
        return Pip(base_python(), ("--python", str(environment.python)))
    if succeeds(str(environment.python), "-m", "ensurepip"):
        return Pip(str(environment.python), ())
    return None


def uv_on_path() -> str | None:
    """Find a uv that starts."""
    uv = shutil.which("uv")
    return uv if uv and succeeds(uv, "--version") else None


def fetched_uv(clone: Clone, pip: Pip | None, held: Sequence[int]) -> str | None:
    """Return the clone's own uv, fetched where it is missing; None, and said why, without one."""
    folder = clone.made / TOOLS[0]
    program, stamp = folder / "bin/uv", folder / "cropkit-stamp"
    wanted = hashlib.sha256(clone.uv_lock.read_bytes()).hexdigest()
    if (
        stamp.is_file()
        and stamp.read_text("utf-8") == wanted
        and succeeds(str(program), "--version")
    ):
        return str(program)
    if pip is None:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    into = ("--only-binary=:all:", "--target", str(folder))
    progress = Progress("fetching uv", folder, "*.dist-info", [clone.uv_lock])
    fetch = Installer("pip", pip.install(into, [clone.uv_lock]), {})
    ended, output = follow(fetch, held, progress)
    if ended == 0 and succeeds(str(program), "--version"):
        stamp.write_text(wanted, "utf-8")
        return str(program)
    last = (output.strip().splitlines() or [""])[-1] if ended else "it does not start here"
    say(f"no uv, so pip installs the packages, which takes a minute or two: {last}")
    return None


def indexes(pip: Pip | None) -> dict[str, str]:
    """Let uv ask where pip was told to ask, unless uv itself was told something."""
    if pip is None or any(name in os.environ for name in (*_INDEXES.values(), "UV_INDEX_URL")):
        return {}
    settings = pip_settings(pip)
    if not {"index-url", "no-index"} & settings.keys():
        return {}
    named = {_INDEXES[name]: value for name, value in settings.items() if name in _INDEXES}
    # Any index may have the version that is locked: its hash says that it is the one.
    return {**named, "UV_INDEX_STRATEGY": "unsafe-best-match"}


def pip_settings(pip: Pip) -> dict[str, str]:
    """Read pip's own settings, from its files and variables, a later one over an earlier one."""
    asked = subprocess.run(  # noqa: S603  (fixed programs, no shell)
        [pip.python, "-m", "pip", "config", "list"],
        capture_output=True,
        check=False,
        env=child_environment(),
        encoding="utf-8",
        errors="replace",
    )
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"(?m)^{section}\.([\w-]+)=(.+)$", asked.stdout):
            with contextlib.suppress(ValueError, SyntaxError):
                settings[name] = " ".join(str(ast.literal_eval(value)).split())
    return settings
