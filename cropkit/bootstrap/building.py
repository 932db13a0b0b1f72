"""Make an environment from the locks, beside the one in force, and put it in force."""

import os
import shlex
import shutil
import subprocess
import sysconfig
import time
import tomllib
import venv
from pathlib import Path

from cropkit.bootstrap.clone import Clone, Environment, FileLock
from cropkit.bootstrap.install import install
from cropkit.bootstrap.installers import TOOLS
from cropkit.bootstrap.progress import each_second
from cropkit.bootstrap.report import SetupFailed, SetupInterrupted, say

TAIL_CHARACTERS = 2000
SITE = "lib*/python*/site-packages"
# 35 MB of the 440 that packages bring, of which nothing is ever loaded in an environment of ours.
SELF_TESTED = ("jupyterlab", "matplotlib", "numpy", "pandas", "papermill", "websocket")
SHED = (
    *(f"{SITE}/{package}/**/tests" for package in SELF_TESTED),
    f"{SITE}/tornado/test",
    # for the classic notebook, before Notebook 7
    f"{SITE}/widgetsnbextension/static",
    "share/jupyter/nbextensions",
)


def build(clone: Clone, building: FileLock, *, tests: bool) -> None:
    """Make the environment, try it and link to it.

    Raises
    ------
    SetupFailed
        Whatever stopped it; the environment in force is the one of before.
    """
    began = time.monotonic()
    say(f"setting up {clone.venv} (once)")
    try:
        clear(clone)
        stamp = clone.fingerprint(tests=tests)
        environment = Environment(new_folder(clone))
        try:
            fill(clone, environment, building, tests=tests)
        except (OSError, SetupFailed):
            shutil.rmtree(environment.folder, ignore_errors=True)
            raise
        text = "".join(f"{line}\n" for line in stamp)
        environment.stamp.write_text(text, "utf-8", "surrogateescape")
        put_in_force(clone, environment)
        clear(clone)
    except OSError as refusal:
        raise SetupFailed(f"cannot set up {clone.venv}: {refusal}") from refusal
    except KeyboardInterrupt:
        raise SetupInterrupted("set-up interrupted; the next run begins it again") from None
    say(f"set up in {time.monotonic() - began:.0f} s")


def new_folder(clone: Clone) -> Path:
    """Make a folder of a name that there has not been."""
    folder = clone.made / f"{time.time_ns():x}"
    folder.mkdir(parents=True)
    return folder


def fill(clone: Clone, environment: Environment, building: FileLock, *, tests: bool) -> None:
    """Make a whole environment in an empty folder."""
    venv.create(environment.folder, symlinks=True, with_pip=False, prompt="cropkit")
    install(clone, environment, clone.locks(tests=tests), building.inherited())
    shed(environment)
    see_the_clone(clone, environment)
    write_scripts(environment)
    activate_the_link(clone, environment)
    try_it(clone, environment)


def shed(environment: Environment) -> None:
    """Remove what nobody loads: what large packages test themselves with, and the like."""
    for pattern in SHED:
        for folder in list(environment.folder.glob(pattern)):
            shutil.rmtree(folder, ignore_errors=True)  # one may lie in another


def see_the_clone(clone: Clone, environment: Environment) -> None:
    """Let the environment import the clone: one line in a .pth file, nothing is built."""
    where = {"base": str(environment.folder), "platbase": str(environment.folder)}
    purelib = Path(sysconfig.get_path("purelib", "venv", where))
    (purelib / "cropkit-clone.pth").write_bytes(os.fsencode(clone.root) + b"\n")


def write_scripts(environment: Environment) -> None:
    """Write `cropkit` and `jupyter-cropkit`, for who activates the environment.

    -P: what lies where they are called may be an enemy's, and is not imported.
    """
    python = os.fsencode(shlex.quote(str(environment.python)))
    for name in ("cropkit", "jupyter-cropkit"):
        script = environment.python.with_name(name)
        script.write_bytes(b'#!/bin/sh\nexec %s -P -m cropkit "$@"\n' % python)
        script.chmod(0o755)


def activate_the_link(clone: Clone, environment: Environment) -> None:
    """Let a shell that activates it see the next one, too: by the link's name."""
    for script in environment.python.parent.glob("activate*"):
        text = script.read_bytes()
        named = text.replace(os.fsencode(environment.folder), os.fsencode(clone.venv))
        script.write_bytes(named)


def try_it(clone: Clone, environment: Environment) -> None:
    """Import what a review imports, each list in a process, all at once.

    That compiles it, too, and nothing else: most of what is installed is never imported.

    Raises
    ------
    SetupFailed
        When something cannot be imported.
    """
    say("trying what was installed")
    stated = tomllib.loads((clone.root / "pyproject.toml").read_text("utf-8"))
    lists = stated.get("tool", {}).get("cropkit", {}).get("tried", [])
    # -I: PYTHONDONTWRITEBYTECODE is about sources that one edits, and these are not.
    tries = [
        subprocess.Popen(  # noqa: S603  (the interpreter just made, no shell)
            [environment.python, "-I", "-c", f"import {', '.join(modules)}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for modules in lists
    ]
    with each_second(lambda seconds: f"trying what was installed, {seconds:.0f} s"):
        complaints = [running.communicate()[1] for running in tries]
    for running, complaint in zip(tries, complaints, strict=True):
        if running.returncode:
            text = complaint.decode("utf-8", "replace")[-TAIL_CHARACTERS:]
            raise SetupFailed(f"what was installed cannot be imported:\n{text}")


def put_in_force(clone: Clone, environment: Environment) -> None:
    """Link to it. An environment that cropkit did not make is moved aside, never removed."""
    if os.path.lexists(clone.venv) and not is_our_link(clone):
        move_aside(clone)
    new = environment.folder.with_name(f"{environment.folder.name}.link")
    new.symlink_to(os.path.relpath(environment.folder, clone.root))
    new.replace(clone.venv)


def is_our_link(clone: Clone) -> bool:
    """Whether the name is a link into the folder of all environments."""
    return clone.venv.is_symlink() and clone.venv.resolve().parent == clone.made.resolve()


def move_aside(clone: Clone) -> None:
    """Move what has the name: to where it is cleared, if it was made here before there were links.

    Somebody else's stays beside the link.
    """
    name = f"{time.time_ns():x}"
    if Environment(clone.venv).stamp.is_file() and not clone.venv.is_symlink():
        clone.venv.rename(clone.made / name)
        return
    aside = clone.venv.with_name(f".venv.{name}")
    clone.venv.rename(aside)
    say(f"{clone.venv.name} was not made by cropkit: moved to {aside.name}")


def clear(clone: Clone) -> None:
    """Remove environments that nothing links to and nobody runs in, and what is unfinished.

    To be called by who holds the building lock alone: then nobody fills a folder.
    """
    clone.made.mkdir(exist_ok=True)
    linked = {link.resolve() for link in clone.root.glob(".venv*") if link.is_symlink()}
    for left in clone.made.iterdir():
        if left.name not in TOOLS and left.resolve() not in linked and not in_use(left):
            remove(left)


def in_use(folder: Path) -> bool:
    """Whether somebody runs in it."""
    try:
        with FileLock(Environment(folder).stamp.open("rb")) as lock:
            return not lock.alone()
    except (FileNotFoundError, NotADirectoryError):
        return False


def remove(left: Path) -> None:
    """Remove it, its stamp first: without that it counts as unfinished."""
    if left.is_symlink() or not left.is_dir():
        left.unlink()
        return
    Environment(left).stamp.unlink(missing_ok=True)
    shutil.rmtree(left)
