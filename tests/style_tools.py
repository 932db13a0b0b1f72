"""The tools that judge the style of the whole, run beside the tests and asked by them.

Where workers share the tests, the tools are started once, before them, by the process that hands
the tests out, and no worker waits for mypy from its start. Whoever runs a test alone runs its tool.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parent.parent
BESIDE = "CROPKIT_STYLE_TOOLS"
"""The folder of verdicts, for the workers of one run."""

_SCRIPTS = Path(sysconfig.get_path("scripts"))
TOOLS: dict[str, tuple[str, ...]] = {
    "ruff check": (sys.executable, "-m", "ruff", "check", "--output-format=concise"),
    "ruff format": (sys.executable, "-m", "ruff", "format", "--check"),
    "mypy": (sys.executable, "-m", "mypy"),
    "lint-imports": (str(_SCRIPTS / "lint-imports"), "--no-cache"),
}


def start_beside(config: pytest.Config) -> None:
    """Start the tools where a run of the whole has workers; they end with it."""
    narrowed = config.option.keyword or config.option.markexpr or config.getoption("--fast")
    if config.getoption("numprocesses", None) and not narrowed:
        folder = tempfile.mkdtemp(prefix="cropkit-style-")
        os.environ[BESIDE] = folder
        started = [_Started(name, Path(folder)) for name in TOOLS]
        config.add_cleanup(lambda: _end(started, folder))


def _end(started: "list[_Started]", folder: str) -> None:
    for each in started:
        each.end()
    shutil.rmtree(folder)
    del os.environ[BESIDE]


class _Started:
    """A tool at work, and who waits for its verdict."""

    def __init__(self, name: str, folder: Path) -> None:
        self._process = _process(name)
        self._file = _file_of(folder, name)
        self._waiting = Thread(target=self._keep_verdict)
        self._waiting.start()

    def _keep_verdict(self) -> None:
        whole = self._file.with_suffix(".new")
        whole.write_text(json.dumps(_verdict(self._process)), "utf-8")
        whole.rename(self._file)

    def end(self) -> None:
        self._process.kill()
        self._waiting.join()


def complaint(name: str) -> str:
    """Return what a tool says of the whole when it is not content."""
    folder = os.environ.get(BESIDE)
    if folder is None:
        return _verdict(_process(name))
    verdict = _file_of(Path(folder), name)
    while not verdict.exists():  # as long as the test's own timeout lets it
        time.sleep(0.1)
    return str(json.loads(verdict.read_text("utf-8")))


def _process(name: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(TOOLS[name], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _verdict(process: "subprocess.Popen[bytes]") -> str:
    words = process.communicate()[0].decode("utf-8", "replace")
    return (words or f"it ended with {process.returncode}") if process.returncode else ""


def _file_of(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(' ', '-')}.json"
