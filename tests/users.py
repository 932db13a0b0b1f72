"""Tests as several real users: what a function does in a process that has given root away.

They are users that the system has anyway, two of whom have one group: nothing is added to it.
"""

import encodings
import importlib
import os
import pickle
import pkgutil
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pictures
import pytest
import shell

import cropkit
from cropkit.batch import Batch

_CROPKIT = "import sys; from cropkit.cli import main; sys.exit(main(sys.argv[1:]))"
_PACKAGES = (sysconfig.get_path("purelib"), str(Path(cropkit.__file__).parent.parent))

_FORKING = threading.Lock()


@dataclass(frozen=True)
class User:
    """Somebody with a state of their own; `umask` is the strictest that people have."""

    uid: int
    gid: int
    state: Path
    umask: int = 0o077
    groups: tuple[int, ...] = ()

    def does(self, what: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function returns, or raise what it raises, in a process of this user."""
        ended, outcome = self.dies(what, *arguments)
        assert ended == 0, ended
        fine, value = outcome
        if not fine:
            raise value
        return value

    def dies(self, what: Callable[..., Any], *arguments: Any) -> tuple[int, Any]:
        """Return how such a process ended: as `subprocess` has it, and what it returned."""
        with _FORKING:  # or one has the end of another's pipe, which then never ends
            reading, writing = os.pipe()
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # other threads of this process do nothing meanwhile
                child = os.fork()
            if child == 0:
                os.close(reading)
                self._be(writing, what, *arguments)
            os.close(writing)
        with open(reading, "rb") as pipe:  # noqa: PTH123  (a descriptor)
            answer = pipe.read()
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return ended, pickle.loads(answer) if answer else None  # noqa: S301  (our own)

    def runs(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Return how a command of cropkit's ended, in a program that this user has started.

        What that starts in its turn, libjpeg and kernels, is this user's, too.
        """
        command = [_python_of_all(), "-P", "-c", _CROPKIT, *map(str, words)]
        return subprocess.run(
            command,
            env={
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "HOME": str(self.state),
                "PYTHONPATH": os.pathsep.join(_PACKAGES),
            },
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
            umask=self.umask,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )

    def _be(self, pipe: int, what: Callable[..., Any], *arguments: Any) -> None:
        try:
            os.environ["XDG_STATE_HOME"] = str(self.state)
            os.environ["XDG_CONFIG_HOME"] = str(self.state / "config")
            os.environ.pop("CROPKIT_KEY", None)
            os.chdir("/")
            os.umask(self.umask)
            if self.uid:
                os.setgroups(self.groups)
                os.setresgid(self.gid, self.gid, self.gid)
                os.setresuid(self.uid, self.uid, self.uid)
            try:
                answer = pickle.dumps((True, what(*arguments)))
            except Exception as error:  # noqa: BLE001  (it is raised where it is asked for)
                error.add_note(traceback.format_exc())
                answer = pickle.dumps((False, error))
            while answer:
                answer = answer[os.write(pipe, answer) :]
        finally:
            os._exit(0)


@cache
def _python_of_all() -> str:
    """Return a Python of this version that everybody may start; skip where there is none."""
    python = shutil.which("python{}.{}".format(*sys.version_info), path="/usr/local/bin:/usr/bin")
    if python is None:
        pytest.skip("no Python of this version that another user may start")
    return python


@cache
def _all_imported() -> None:
    """Import everything now: another user may not read root's own Python."""
    for package in (cropkit, encodings):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "mbcs", "oem", "cp65001")):
                importlib.import_module(module.name)
    with tempfile.TemporaryDirectory() as place:
        _use_all(pictures.write_folder(Path(place) / "album"))


def _use_all(folder: Path) -> None:
    """Do once what imports more when it is first done."""
    with Batch(folder, source="suggestions", workers=1) as batch:
        batch.apply()
    for command in ("undo", "history", "fsck", "health", "stats", "originals"):
        shell.run(command, folder)


def _of_one_group() -> tuple[int, int, int, int] | None:
    """Return two users of one group, the group, and a user who is not in it; no root."""
    groups = defaultdict(list)
    for entry in pwd.getpwall():
        if entry.pw_uid and entry.pw_gid:
            groups[entry.pw_gid].append(entry.pw_uid)
    for gid, uids in groups.items():
        apart = [uid for other, those in groups.items() if other != gid for uid in those]
        if len(uids) > 1 and apart:
            return uids[0], uids[1], gid, apart[0]
    return None


@dataclass(frozen=True)
class People:
    """Anna and Ben share a group, Carl is not in it; `root` is the administrator."""

    place: Path
    anna: User
    ben: User
    carl: User
    root: User


@contextmanager
def people() -> Iterator[People]:
    """Give out users, and a place that all of them may enter; skip where there can be none."""
    known = _of_one_group()
    if os.geteuid() != 0:
        pytest.skip("only root can be several users")
    if known is None:
        pytest.skip("no two users of this system have one group")
    _all_imported()
    place = Path(tempfile.mkdtemp(prefix="cropkit-people-"))
    place.chmod(0o755)
    anna, ben, group, carl = known
    try:
        yield People(
            place,
            _user(place, anna, group),
            _user(place, ben, group),
            _user(place, carl, pwd.getpwuid(carl).pw_gid),
            _user(place, 0, 0),
        )
    finally:
        shutil.rmtree(place)


def _user(place: Path, uid: int, gid: int) -> User:
    state = place / f"state of {uid}"
    state.mkdir(mode=0o700)
    os.chown(state, uid, gid)
    return User(uid, gid, state)


def give(folder: Path, user: User, folders: int = 0o2775, files: int = 0o664) -> Path:
    """Make somebody the owner of a folder of images, which their group may use."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.uid, user.gid)
        path.chmod(folders if path.is_dir() else files)
    return folder
