"""Make the environment when it is missing or out of date, and run the command in it."""

import atexit
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from cropkit.bootstrap.clone import (
    Clone,
    Environment,
    FileLock,
    building_lock,
    find_clone,
    use,
)
from cropkit.bootstrap.report import SetupFailed, SetupInterrupted, say

POLL_SECONDS = 0.2
HANDED_OVER = "CROPKIT_ENVIRONMENT"
"""Variable that names the environment to a process that is to run in it, up to date or not."""


class Held(NamedTuple):
    """An environment to run in, and the share that keeps it."""

    environment: Environment
    share: FileLock


def ensure(arguments: Sequence[str]) -> None:
    """Return when this process can run the command.

    Otherwise make the environment, and replace this process by the command there.
    """
    clone = find_clone(Path(__file__).resolve().parents[1])
    tests = arguments[:1] == ["test"]
    inside = clone is not None and clone.is_running()  # then the stamp says what is there
    missing = [] if inside else _missing(clone, tests=tests)
    if clone is None:
        _tell_missing(missing)
        return
    if not missing and not inside:
        return
    held = _handed_over(clone) or make_ready(clone, tests=tests)
    if held.environment.is_running():
        held.environment.keep_to()
        atexit.register(held.share.close)  # a lock lives as long as its file is referred to
        return
    hand_over(held, arguments)


def _handed_over(clone: Clone) -> Held | None:
    """Return the environment that was made or chosen for this process just now."""
    folder = os.environ.pop(HANDED_OVER, "")
    current = clone.current()
    chosen = current is not None and str(current.folder) == folder and current.is_running()
    return _held(current) if chosen else None


def _missing(clone: Clone | None, *, tests: bool) -> list[str]:
    from cropkit.bootstrap.requirements import unmet, wanted  # noqa: PLC0415  (only where asked)

    return unmet(wanted(clone, tests=tests))


def _tell_missing(missing: Sequence[str]) -> None:
    if missing:
        named = " ".join(shlex.quote(requirement) for requirement in missing)
        say(f"missing here: {', '.join(missing)}; commands that need them will not work")
        say(f"install them: {sys.executable} -m pip install {named}")


def make_ready(clone: Clone, *, tests: bool) -> Held:
    """Make the environment unless it is there, and share it.

    Waits while another process builds, and says so once.

    Raises
    ------
    SetupFailed
        When it cannot be made, and there is none of before that would do.
    """
    if held := _held(clone.up_to_date(tests=tests)):
        return held
    waits = False
    with building_lock(clone) as building:
        while not building.alone():
            if not waits:
                say("waiting for another cropkit that sets up .venv")
                waits = True
            time.sleep(POLL_SECONDS)
        return _held(clone.up_to_date(tests=tests)) or _built(clone, building, tests=tests)


def _held(environment: Environment | None) -> Held | None:
    share = use(environment)
    return None if environment is None or share is None else Held(environment, share)


def _built(clone: Clone, building: FileLock, *, tests: bool) -> Held:
    """Make the environment; where that fails, one of before may stay, and that is said."""
    from cropkit.bootstrap.building import build  # noqa: PLC0415  (once a clone)

    try:
        build(clone, building, tests=tests or clone.has_tests())
    except SetupInterrupted:
        raise
    except SetupFailed as failure:
        if tests or clone.current() is None:
            raise
        say(str(failure))
        say("this goes on in the environment of before, which may lack what is new")
    held = _held(clone.current())
    if held is None:
        raise SetupFailed(f"{clone.venv} was removed meanwhile; run this again")
    return held


def hand_over(held: Held, arguments: Sequence[str]) -> NoReturn:
    """Run the command in the environment: this process becomes it, and keeps its share of it."""
    # -P: what lies in the working folder is not imported; the environment knows the clone
    command = [str(held.environment.python), "-P", "-m", "cropkit", *arguments]
    os.environ[HANDED_OVER] = str(held.environment.folder)
    sys.stdout.flush()
    sys.stderr.flush()
    for descriptor in held.share.inherited():
        os.set_inheritable(descriptor, True)  # noqa: FBT003  (os has no keyword for it)
    os.execv(command[0], command)  # noqa: S606  (ourselves, no shell)
