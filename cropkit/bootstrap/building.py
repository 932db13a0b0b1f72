"""Make .venv from the lock, from nothing."""

import os
import shlex
import shutil
import sysconfig
import time
import venv
from pathlib import Path

from cropkit.bootstrap.clone import Clone, EnvironmentLock
from cropkit.bootstrap.install import install
from cropkit.bootstrap.report import SetupFailed, say


def build(clone: Clone, held: EnvironmentLock) -> None:
    """Make the environment from the lock. Interrupted anywhere, it counts as not made."""
    began = time.monotonic()
    say(f"setting up {clone.venv} (once; one to two minutes)")
    try:
        clear(clone)
        venv.create(clone.venv, symlinks=True, with_pip=False)
        install(clone, held.inherited())
        see_the_clone(clone)
        write_scripts(clone)
        clone.stamp.write_text(clone.fingerprint(), "utf-8", "surrogateescape")
    except OSError as refusal:
        raise SetupFailed(f"cannot set up {clone.venv}: {refusal}") from refusal
    except KeyboardInterrupt:
        raise SetupFailed("set-up interrupted; the next run begins it again") from None
    say(f"set up in {time.monotonic() - began:.0f} s")


def clear(clone: Clone) -> None:
    """Leave nothing in .venv but a stamp that says unfinished.

    A .venv that cropkit did not make is moved aside, never removed.
    """
    foreign = clone.venv.is_symlink() or not clone.venv.is_dir() or any(clone.venv.iterdir())
    if os.path.lexists(clone.venv) and foreign and not clone.stamp.is_file():
        aside = clone.venv.with_name(f".venv.{time.time_ns()}")
        clone.venv.rename(aside)
        say(f".venv was not made by cropkit: moved to {aside.name}")
    clone.venv.mkdir(exist_ok=True)
    clone.stamp.write_text("unfinished\n", "utf-8")
    for left in clone.venv.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left != clone.stamp:
            left.unlink()


def see_the_clone(clone: Clone) -> None:
    """Let the environment import the clone: one line in a .pth file, nothing is built."""
    where = {"base": str(clone.venv), "platbase": str(clone.venv)}
    purelib = Path(sysconfig.get_path("purelib", "venv", where))
    (purelib / "cropkit-clone.pth").write_bytes(os.fsencode(clone.root) + b"\n")


def write_scripts(clone: Clone) -> None:
    """Write `cropkit` and `jupyter-cropkit`, for who activates the environment."""
    for name in ("cropkit", "jupyter-cropkit"):
        script = clone.python.with_name(name)
        script.write_bytes(b'#!/bin/sh\nexec %s -m cropkit "$@"\n' % quoted(clone.python))
        script.chmod(0o755)


def quoted(path: Path) -> bytes:
    """Quote a path, whatever bytes it is made of, for a shell."""
    return os.fsencode(shlex.quote(str(path)))
