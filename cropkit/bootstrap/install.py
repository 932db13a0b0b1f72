"""Install the lock into a new environment, by uv or by whichever pip there is."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from cropkit.bootstrap.clone import Clone
from cropkit.bootstrap.report import SetupFailed, say

TAIL_LINES = 15
TELL_EVERY = 25


def install(clone: Clone, held: Sequence[int]) -> None:
    """Install the lock by the first installer that succeeds.

    An installer outlives this process when that is killed: the descriptors in `held` go to it, and
    with them the lock on the environment.
    """
    failure = ""
    if not home_is_writable():
        say("HOME takes no files: what is downloaded is not kept for another time")
    for name, command in installers(clone):
        ended, output = follow(command, clone, held)
        if ended == 0:
            return
        failure = f"{name} ended with {ended}:\n{output}"
        say(failure)
    if failure:
        raise SetupFailed(
            "the packages of requirements.lock could not be installed (see above). "
            "Is the package index reachable? The next run begins again"
        )
    raise SetupFailed(
        f"no pip for {base_python()}, and no uv. On Debian or Ubuntu: "
        "apt install python3-pip (or python3-venv); then run this again"
    )


def installers(clone: Clone) -> Iterator[tuple[str, list[str]]]:
    """Offer ways to install, best first. A later one is asked for only when one before failed."""
    uv = shutil.which("uv")
    # Nothing is resolved: it is the lock, whole, and no index has a say in what it lacks.
    locked = ["--require-hashes", "--no-deps", "--requirement", str(clone.lock)]
    if uv:
        into = ["--python", str(clone.python), "--no-progress", "--compile-bytecode"]
        yield "uv", [uv, "pip", "install", *into, *locked]
    pip = pip_command(clone)
    if pip:
        quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar=off"]
        yield "pip", [*pip, "install", *quiet, *locked]


def pip_command(clone: Clone) -> list[str] | None:
    """Find a pip for the environment: the base interpreter's, else the one Python carries."""
    if succeeds(base_python(), "-m", "pip", "--version"):
        return [base_python(), "-m", "pip", "--python", str(clone.python)]
    if succeeds(str(clone.python), "-m", "ensurepip"):
        return [str(clone.python), "-m", "pip"]
    return None


def base_python() -> str:
    """Name the interpreter below any environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def succeeds(*command: str) -> bool:
    """Run a program for its exit code alone."""
    with contextlib.suppress(OSError):
        ended = subprocess.run(command, capture_output=True, check=False, env=child_environment())  # noqa: S603  (fixed programs, no shell)
        return ended.returncode == 0
    return False


def follow(command: Sequence[str], clone: Clone, held: Sequence[int]) -> tuple[int, str]:
    """Run an installer, telling how far it is; return its exit code and last lines."""
    total = len(re.findall(r"(?m)^[\w.-]+==", clone.lock.read_text("utf-8")))
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with subprocess.Popen(  # noqa: S603  (fixed programs, no shell)
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        cwd=clone.root,
        env=child_environment(),
        pass_fds=held,
    ) as installer:
        collected = 0
        for line in installer.stdout or ():
            if not line.startswith("Ignoring "):  # another system's packages
                tail.append(line)
            collected += line.startswith("Collecting ")
            if line.startswith("Collecting ") and collected % TELL_EVERY == 0:
                say(f"  {collected} of at most {total} packages")
    return installer.returncode, "".join(tail)


def child_environment() -> dict[str, str]:
    """Give the installers the user's settings, less those that would lead out of .venv."""
    ours = {"PIP_USER": "0", "UV_PYTHON_DOWNLOADS": "never"}
    if not home_is_writable():
        ours |= {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"}
    dropped = {"PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "PYTHONPATH"}
    return {key: value for key, value in os.environ.items() if key not in dropped} | ours


def home_is_writable() -> bool:
    """Whether HOME names a folder that takes files."""
    home = os.environ.get("HOME", os.environ.get("USERPROFILE", ""))
    return bool(home) and Path(home).is_dir() and os.access(home, os.W_OK | os.X_OK)
