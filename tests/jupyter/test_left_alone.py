"""However a review's launcher ends, nothing that it started outlives it: real processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pictures
import pytest
from patience import patient

ROOT = Path(__file__).parents[2]
ENDED_WITHIN = patient(25.0)
SHOWN_WITHIN = patient(90.0)
ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)/")


@dataclass
class Launched:
    """A `cropkit review` whose address is known; `beneath` is where its temporary files are.

    `heard` has what it told.
    """

    process: subprocess.Popen[bytes]
    port: int
    beneath: Path
    heard: Path

    def processes(self) -> list[int]:
        """Return all that runs with this temporary folder, in whichever session."""
        pids = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal())
        return [pid for pid in pids if self.has(pid)]

    def has(self, pid: int) -> bool:
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # somebody else's
            return False
        return os.fsencode(self.beneath) in environment  # a zombie has none

    def answers(self) -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    def left(self) -> tuple[list[int], bool, list[Path]]:
        return self.processes(), self.answers(), list(self.beneath.iterdir())


def until(condition: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Launched]:
    beneath = tmp_path / "temporary"
    beneath.mkdir()
    folder = pictures.write_folder(tmp_path / "collection")
    heard = tmp_path / "stderr"
    with heard.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "cropkit", "review", str(folder), "--no-browser"],
            stderr=stderr,
            env={**os.environ, "TMPDIR": str(beneath), "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
    review = Launched(process, 0, beneath, heard)
    try:
        assert until(lambda: ADDRESS.search(heard.read_bytes()), SHOWN_WITHIN), heard.read_text()
        match = ADDRESS.search(heard.read_bytes())
        review.port = int(match[1]) if match else 0
        assert review.answers()
        assert len(review.processes()) >= 3, "launcher, server, kernel"
        yield review
    finally:
        for pid in review.processes():
            os.kill(pid, signal.SIGKILL)
        process.wait()


@pytest.mark.timeout(patient(180.0))
@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM], ids=lambda number: number.name
)
def test_a_launcher_that_ends_takes_server_kernels_and_files_along(
    launched: Launched, number: signal.Signals
) -> None:
    launched.process.send_signal(number)
    launched.process.wait(ENDED_WITHIN)
    until(lambda: launched.left() == ([], False, []), ENDED_WITHIN)
    assert launched.left() == ([], False, [])


@pytest.mark.timeout(patient(180.0))
def test_a_server_that_is_killed_leaves_nothing_and_that_is_told(launched: Launched) -> None:
    (guardian,) = (
        pid
        for pid in launched.processes()
        if b"cropkit.jupyter.guardian" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(guardian, signal.SIGKILL)
    until(lambda: launched.left() == ([], False, []), ENDED_WITHIN)
    assert launched.left() == ([], False, [])
    assert launched.process.wait(ENDED_WITHIN) == 1
    *_, last = launched.heard.read_text().splitlines()
    assert "JupyterLab ended by itself (exit code -9); every decision made is kept" in last
