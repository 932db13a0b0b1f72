"""Make .venv when it is missing or out of date, and run the command in it."""

import os
import shlex
import shutil
import sys
import sysconfig
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from cropkit.bootstrap.clone import Clone, EnvironmentLock, find_clone
from cropkit.bootstrap.install import install
from cropkit.bootstrap.report import SetupFailed, say
from cropkit.bootstrap.requirements import unmet, wanted

POLL_SECONDS = 0.2

_KEPT: list[EnvironmentLock] = []  # a lock lives as long as its file is referred to


def ensure(arguments: Sequence[str]) -> None:
    """Return when this process can run the command.

    Otherwise make the environment, and replace this process by the command there.
    """
    clone = find_clone(Path(__file__).resolve().parents[1])
    missing = unmet(wanted(clone, tests=arguments[:1] == ["test"]))
    if clone is None:
        if missing:
            named = " ".join(shlex.quote(requirement) for requirement in missing)
            say(f"missing here: {', '.join(missing)}; commands that need them will not work")
            say(f"install them: {sys.executable} -m pip install {named}")
        return
    if not missing and not clone.is_running():
        return
    held = EnvironmentLock(clone)
    built = make_ready(clone, held)
    if clone.is_running() and not built:
        _KEPT.append(held)
        return
    hand_over(clone, held, arguments)


def make_ready(clone: Clone, held: EnvironmentLock) -> bool:
    """Make the environment unless it is there; return whether this process made it.

    On return the lock is held shared. Waits while another process builds, or runs in an
    environment that must be replaced, and says so once.
    """
    built = waits = False
    while True:
        if clone.ready() and held.shared():
            if clone.ready():
                return built
        elif held.alone():
            if not clone.ready():
                build(clone, held)
                built = True
        elif not waits:
            say("waiting for another cropkit that sets up .venv, or still runs in an older one")
            waits = True
        else:
            time.sleep(POLL_SECONDS)


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


def hand_over(clone: Clone, held: EnvironmentLock, arguments: Sequence[str]) -> NoReturn:
    """Run the command in the environment: this process becomes it, and keeps its share of it."""
    command = [str(clone.python), "-m", "cropkit", *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    for descriptor in held.inherited():
        os.set_inheritable(descriptor, True)  # noqa: FBT003  (os has no keyword for it)
    os.execv(command[0], command)  # noqa: S606  (ourselves, no shell)
