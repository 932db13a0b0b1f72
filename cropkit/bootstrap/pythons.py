"""``cropkit test --python 3.13``: the same tests in another Python, with its own environment."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cropkit.bootstrap.child import base_python, child_environment, succeeds
from cropkit.bootstrap.clone import NAME, Clone, building_lock
from cropkit.bootstrap.installers import TOOLS, Pip, fetched_uv, uv_on_path
from cropkit.bootstrap.report import SetupFailed, say
from cropkit.bootstrap.selftest import OPTION

IS_IT = "import sys; sys.exit('%d.%d' % sys.version_info[:2] != sys.argv[1])"


def asked_for(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take the option out of the arguments; return its version, and the others.

    Raises
    ------
    SetupFailed
        It names no version.
    """
    others, versions = [], []
    waiting = iter(arguments)
    for each in waiting:
        name, _, value = each.partition("=")
        if name == OPTION:
            versions.append(value or next(waiting, ""))
        else:
            others.append(each)
    if any(re.fullmatch(r"3\.\d+", version) is None for version in versions):
        raise SetupFailed(f"{OPTION} takes a version, such as 3.13")
    return (versions[-1] if versions else None), others


def run_in(version: str, clone: Clone, arguments: Sequence[str]) -> None:
    """Replace this process by the tests in another Python; return where this one is it.

    Raises
    ------
    SetupFailed
        There is none on PATH, and uv brings none.
    """
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return
    python = on_path(version) or brought(version, clone)
    if python is None:
        raise SetupFailed(f"no Python {version} on PATH, and none that uv can bring here")
    say(f"running in {python}")
    environment = {**os.environ, NAME: f".venv.{version}"}
    os.execve(python, [python, "-m", "cropkit", "test", *arguments], environment)  # noqa: S606  (ourselves, no shell)


def on_path(version: str) -> str | None:
    """Find an interpreter that starts and is of the version: a name alone may be a wrapper."""
    python = shutil.which(f"python{version}")
    return python if python and succeeds(python, "-c", IS_IT, version) else None


def brought(version: str, clone: Clone) -> str | None:
    """Let uv find one, or fetch it into the clone's own folder."""
    with building_lock(clone) as building:
        if not building.alone():
            raise SetupFailed("another cropkit sets up here; run this again when it has ended")
        uv = uv_on_path() or fetched_uv(clone, Pip(base_python(), ()), building.inherited())
    if uv is None:
        return None
    own = {"UV_PYTHON_INSTALL_DIR": str(clone.made / TOOLS[1]), "UV_PYTHON_DOWNLOADS": "automatic"}
    environment = {**child_environment(), **own}
    for words in (("find",), ("install",), ("find",)):
        ended = subprocess.run(  # noqa: S603  (uv, no shell)
            [uv, "python", *words, version],
            capture_output=True,
            check=False,
            env=environment,
            encoding="utf-8",
            cwd=Path(sys.prefix).anchor,
        )
        python = ended.stdout.strip()
        if words == ("find",) and ended.returncode == 0 and succeeds(python, "-c", IS_IT, version):
            return python
    return None
