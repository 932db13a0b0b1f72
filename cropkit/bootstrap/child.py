"""Run the programs that install: with which variables, and what they say."""

import contextlib
import os
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cropkit.bootstrap.progress import Progress

TAIL_LINES = 15


class Installer(NamedTuple):
    """A way to install: its name, how it is called, and its variables."""

    name: str
    command: Sequence[str]
    settings: dict[str, str]


def follow(installer: Installer, held: Sequence[int], progress: Progress) -> tuple[int, str]:
    """Run an installer, telling how far it is; return its exit code and last lines."""
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with (
        subprocess.Popen(  # noqa: S603  (fixed programs, no shell)
            installer.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            cwd=Path(sys.prefix).anchor,  # in the clone, uv would read its pyproject.toml, too
            env={**child_environment(), **installer.settings},
            pass_fds=held,
        ) as running,
        progress.shown(running.pid),
    ):
        for line in running.stdout or ():
            progress.see(line)
            if not line.startswith("Ignoring "):  # another system's packages
                tail.append(line)
    return running.returncode, "".join(tail)


def succeeds(*command: str) -> bool:
    """Run a program for its exit code alone."""
    with contextlib.suppress(OSError):
        ended = subprocess.run(command, capture_output=True, check=False, env=child_environment())  # noqa: S603  (fixed programs, no shell)
        return ended.returncode == 0
    return False


def base_python() -> str:
    """Name the interpreter below any environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def child_environment() -> dict[str, str]:
    """Give the installers the user's settings, less those that would lead out of .venv."""
    ours = {"PIP_USER": "0", "UV_PYTHON_DOWNLOADS": "never"}
    if not home_is_writable():
        ours |= {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"}
    # uv carries certificates of its own; this machine's are those that its index has.
    usual = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    dropped = {"PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "PYTHONPATH"}
    theirs = {key: value for key, value in os.environ.items() if key not in dropped}
    return usual | theirs | ours


def home_is_writable() -> bool:
    """Whether HOME names a folder that takes files."""
    home = os.environ.get("HOME", "")
    return bool(home) and Path(home).is_dir() and os.access(home, os.W_OK | os.X_OK)
