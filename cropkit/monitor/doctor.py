"""What is wrong with where cropkit runs: one line for each thing looked at, with its cure.

Nothing is written but a folder that tries an unknown file system, and goes again.
"""

import os
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cropkit._version import __version__
from cropkit.audit import places, probe
from cropkit.bootstrap.clone import find_clone
from cropkit.bootstrap.requirements import unmet, wanted
from cropkit.errors import CropkitError, NotInstalled
from cropkit.extras import needed
from cropkit.lossless import process
from cropkit.names import printable
from cropkit.system import disk_space, file_system_probe, mounts, state_folder, state_place

_PACKAGE = Path(__file__).resolve().parents[1]
FIRST_PORT, PORTS = 8888, 51  # those that `cropkit review` tries
LITTLE = 1 << 30  # bytes; a thousand originals of a megabyte
_EXTENSIONS = {
    "ipycanvas": "ipycanvas",
    "anywidget": "anywidget",
    "ipywidgets": "@jupyter-widgets/jupyterlab-manager",
}
_LAUNCHER = "cropkit"  # the extension that puts "Crop review" into JupyterLab's launcher
_SERVER = "JPY_PARENT_PID"  # set by a Jupyter server for its kernels


class State(StrEnum):
    """How a thing is: well, worse than it could be, or in the way of work."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    text: str
    cure: str = ""

    def __str__(self) -> str:
        cure = f"\n     {printable(self.cure)}" if self.cure else ""
        return f"{self.state:<5}{self.what}: {printable(self.text)}{cure}"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was looked at; in a notebook, its text."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is in the way of work."""
        return all(each.state is not State.BAD for each in self.findings)

    def __repr__(self) -> str:
        return "\n".join(map(str, self.findings))

    def to_json(self) -> dict[str, Any]:
        """Return it as `cropkit doctor --json` prints it."""
        return {"ok": self.ok, "findings": [asdict(each) for each in self.findings]}


def doctor(folder: str | os.PathLike[str] | None = None) -> Diagnosis:
    """Look at this environment, and at where a collection lies or would lie.

    Parameters
    ----------
    folder : a folder of images; None: what belongs to no folder
    """
    findings = [*_python(), *_packages(), *extensions(), *_launcher(), *_extras()]
    findings += [_sqlite(), _libjpeg(), _ports(), _temporary()]
    if folder is not None:
        findings += _place(Path(folder))
    return Diagnosis(tuple(findings))


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("kernel", State.OK, f"cropkit {__version__}, Python {version}, {sys.executable}")


def _packages() -> Iterator[Finding]:
    stated = wanted(find_clone(_PACKAGE), tests=False)
    lacking = unmet(stated)
    if not lacking:
        yield Finding("packages", State.OK, f"{len(stated)} are there, each in its range")
        return
    command = f"{sys.executable} -m pip install {' '.join(map(shlex.quote, lacking))}"
    yield Finding("packages", State.BAD, f"missing or out of range: {', '.join(lacking)}", command)


def _extras() -> Iterator[Finding]:
    for extra, use in (("lab", "review"), ("batch", "batch"), ("desktop", "alerts on the desktop")):
        try:
            needed(extra)
        except NotInstalled as lack:
            package, python, requirements = lack.args
            cure = f"{python} -m pip install {requirements}"
            yield Finding(use, State.WARN, f"needs {package}, which is not installed", cure)


def extensions() -> Iterator[Finding]:
    """Look whether the server has the browser's parts: without them a review stays empty."""
    prefix = server_prefix()
    if prefix is None:
        text = "which environment this kernel's server runs in cannot be told from here"
        cure = "run `cropkit doctor` in the server's environment"
        yield Finding("server", State.WARN, text, cure)
        return
    yield Finding("server", State.OK, str(prefix))
    for package, name in _EXTENSIONS.items():
        if not _has(prefix, name):
            text = f"its part for JupyterLab is not in {prefix}: the review stays empty"
            cure = f"{prefix}/bin/python -m pip install {package}; then restart JupyterLab"
            state = State.WARN if package == "anywidget" else State.BAD
            yield Finding(package, state, text, cure)


def _launcher() -> Iterator[Finding]:
    """Look for the launcher's entry: it comes with an installed cropkit, not with a clone."""
    prefix = server_prefix()
    clone = find_clone(_PACKAGE)
    if prefix is None or (clone is not None and prefix == Path(sys.prefix)):
        return
    if _has(prefix, _LAUNCHER):
        yield Finding("launcher", State.OK, "JupyterLab's launcher has Crop review")
        return
    text = f"Crop review is not in JupyterLab's launcher: no part of cropkit's is in {prefix}"
    cure = f"install cropkit's wheel by {prefix}/bin/python -m pip, too; then restart JupyterLab"
    yield Finding("launcher", State.WARN, text, cure)


def _has(prefix: Path, extension: str) -> bool:
    return any((place / extension / "package.json").is_file() for place in labextensions(prefix))


def server_prefix() -> Path | None:
    """Return the environment of the JupyterLab that this kernel belongs to, else this one.

    None where it cannot be told.
    """
    pid = os.environ.get(_SERVER, "")
    if not pid.isdecimal():
        return Path(sys.prefix)
    try:
        program = Path("/proc", pid, "cmdline").read_bytes().partition(b"\0")[0]
    except OSError:
        return None
    python = Path(os.fsdecode(program))
    return python.parent.parent if python.is_absolute() else None


def labextensions(prefix: Path) -> tuple[Path, ...]:
    """List the folders that a server of an environment has its extensions from."""
    places = (prefix / "share/jupyter", *_shared())
    return tuple(place / "labextensions" for place in places)


def _shared() -> tuple[Path, ...]:
    """List what servers of all environments look into (Jupyter's own order of data folders)."""
    own = os.environ.get("JUPYTER_DATA_DIR") or Path("~/.local/share/jupyter").expanduser()
    return (Path(own), Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter"))


def _sqlite() -> Finding:
    version = f"SQLite {probe.sqlite_version()}"
    if probe.sqlite_is_dangerous():
        version += ", whose WAL-reset bug is kept away from by a lock of ours"
    return Finding("database", State.OK, version)


def _libjpeg() -> Finding:
    reason = process.unavailable()
    if reason is None:
        return Finding("libjpeg", State.OK, "JPEG is cropped without loss")
    cure = f"{sys.executable} -m pip install --force-reinstall pillow imagecodecs"
    return Finding("libjpeg", State.WARN, f"no JPEG can be cropped without loss: {reason}", cure)


def _ports() -> Finding:
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return Finding("ports", State.OK, f"a review will be at 127.0.0.1:{port}")
    text = f"none of {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free"
    return Finding("ports", State.BAD, text, "cropkit review --port 9999")


def _temporary() -> Finding:
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError:
        text = "there is no folder for temporary files that takes any"
        return Finding("temporary", State.BAD, text, "set TMPDIR to a folder of your own")
    free = shutil.disk_usage(folder).free
    return Finding("temporary", *_room(free, folder))


def _place(folder: Path) -> Iterator[Finding]:
    """Look at the folder, without a change to it."""
    if not folder.is_dir():
        yield Finding("folder", State.BAD, f"{folder} is no folder", "name a folder of images")
        return
    try:
        place = state_place.located(folder.resolve())
        state_folder.check(place.state)
    except CropkitError as error:
        yield Finding("state", State.BAD, str(error))
        return
    nearest = next(each for each in (place.state, *place.state.parents) if each.is_dir())
    yield Finding("state", State.OK, f"{place.state}, since {place.why}")
    if not os.access(nearest, os.W_OK | os.X_OK):
        cure = "give yourself the right to write there, or name another place by --state"
        yield Finding("rights", State.BAD, f"{nearest} cannot be written to", cure)
        return
    yield _file_system(nearest, place.state)
    yield Finding("free space", *_room(shutil.disk_usage(nearest).free, str(nearest)))


def _file_system(folder: Path, state: Path) -> Finding:
    mount = mounts.mount_of(folder)
    try:
        is_on_server = places.is_elsewhere(state) or places.wanted(state) is not None
        file_system_probe.check(folder, mount, is_shared=is_on_server)
    except (CropkitError, OSError) as error:
        return Finding("file system", State.BAD, str(error))
    return Finding("file system", State.OK, mount.kind or "of no known type, and tried")


def _room(free: int, where: str) -> tuple[State, str, str]:
    text = f"{free / 1e9:,.1f} GB in {where}"
    cure = "make room, or `cropkit purge` originals that are no longer wanted"
    if free < disk_space.ENOUGH:
        return State.BAD, text, cure
    return (State.WARN, text, cure) if free < LITTLE else (State.OK, text, "")
