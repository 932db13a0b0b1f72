"""Where a command is called may lie what an enemy wrote: none of it is imported."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cropkit.bootstrap import building, environment
from cropkit.jupyter.server import Lab

ROOT = Path(__file__).parents[2]
SHADOWS = ("json.py", "argparse.py", "signal.py", "cropkit/__init__.py", "jupyterlab/__init__.py")


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose modules tell when they are imported."""
    folder = tmp_path / "hostile"
    for name in SHADOWS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        told = str(folder / "imported")
        path.write_text(f"open({told!r}, 'a').write(__name__ + chr(10))\nraise SystemExit(9)\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


@pytest.mark.parametrize("name", ["cropkit", "jupyter-cropkit"])
def test_a_script_of_an_environment_imports_nothing_from_where_it_is_called(
    name: str, hostile: Path, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    building.write_scripts(cast("Any", SimpleNamespace(python=python)))
    done = subprocess.run([tmp_path / name, "--version"], capture_output=True, check=False)
    assert not (hostile / "imported").exists()
    assert done.stdout.startswith(b"cropkit")


def test_who_hands_over_to_an_environment_imports_nothing_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, command: commands.append(command))
    monkeypatch.setenv(environment.HANDED_OVER, "")
    own = SimpleNamespace(python=Path("python"), folder=Path("environment"))
    held = SimpleNamespace(environment=own, share=SimpleNamespace(inherited=tuple))
    cast("Any", environment).hand_over(held, ["stats"])  # which would not return
    assert commands == [["python", "-P", "-m", "cropkit", "stats"]]


def test_neither_the_server_nor_who_guards_it_imports_from_there(
    hostile: Path, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    session.mkdir()
    lab = Lab(session, 9640)
    try:
        lab.wait_until_ready()
    finally:
        lab.stop()
    assert not (hostile / "imported").exists()
