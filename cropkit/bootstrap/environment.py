"""Make .venv when it is missing or out of date, and run the command in it."""

import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from cropkit.bootstrap.clone import Clone, EnvironmentLock, find_clone
from cropkit.bootstrap.report import say

POLL_SECONDS = 0.2

_KEPT: list[EnvironmentLock] = []  # a lock lives as long as its file is referred to


def ensure(arguments: Sequence[str]) -> None:
    """Return when this process can run the command.

    Otherwise make the environment, and replace this process by the command there.
    """
    clone = find_clone(Path(__file__).resolve().parents[1])
    inside = clone is not None and clone.is_running()  # then the stamp says what is there
    missing = [] if inside else _missing(clone, arguments)
    if clone is None:
        if missing:
            named = " ".join(shlex.quote(requirement) for requirement in missing)
            say(f"missing here: {', '.join(missing)}; commands that need them will not work")
            say(f"install them: {sys.executable} -m pip install {named}")
        return
    if not missing and not inside:
        return
    held = EnvironmentLock(clone)
    built = make_ready(clone, held)
    if inside and not built:
        _KEPT.append(held)
        return
    hand_over(clone, held, arguments)


def _missing(clone: Clone | None, arguments: Sequence[str]) -> list[str]:
    from cropkit.bootstrap.requirements import unmet, wanted  # noqa: PLC0415  (only where asked)

    return unmet(wanted(clone, tests=arguments[:1] == ["test"]))


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
                from cropkit.bootstrap.building import build  # noqa: PLC0415  (once a clone)

                build(clone, held)
                built = True
        elif not waits:
            say("waiting for another cropkit that sets up .venv, or still runs in an older one")
            waits = True
        else:
            time.sleep(POLL_SECONDS)


def hand_over(clone: Clone, held: EnvironmentLock, arguments: Sequence[str]) -> NoReturn:
    """Run the command in the environment: this process becomes it, and keeps its share of it."""
    command = [str(clone.python), "-m", "cropkit", *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    for descriptor in held.inherited():
        os.set_inheritable(descriptor, True)  # noqa: FBT003  (os has no keyword for it)
    os.execv(command[0], command)  # noqa: S606  (ourselves, no shell)
