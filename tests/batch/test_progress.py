"""The bar: for a person at a terminal or in Lab, and for nobody else."""

import os
import pty
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

from cropkit.batch.progress import Progress, bar, followed, told
from cropkit.records import CropResult, Status

ROOT = Path(__file__).parent.parent.parent
RESULT = CropResult(Status.CROPPED, "a.png")
WORK = (
    "import sys; from pathlib import Path; from cropkit.batch.progress import Progress\n"
    "shown = Progress(Path(sys.argv[1]), 3)\n"
    "[shown.ended(None) for _ in range(3)]; shown.close()"
)


def said(folder: Path, stderr: int) -> None:
    command = [sys.executable, "-c", WORK, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    subprocess.run(command, check=True, stderr=stderr, env=environment)


def read_all(terminal: int) -> str:
    said = b""
    with suppress(OSError):  # that is how the end of a terminal is told
        while part := os.read(terminal, 10_000):
            said += part
    os.close(terminal)
    return said.decode()


def test_a_terminal_shows_a_bar_with_its_rate(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    said(tmp_path, slave)
    os.close(slave)
    shown = read_all(master)
    assert "cropping: 100%" in shown
    assert "3/3" in shown
    assert "image/s" in shown


def test_elsewhere_there_is_none(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("wb") as stderr:
        said(tmp_path, stderr.fileno())
    assert (tmp_path / "stderr").read_bytes() == b""


def test_a_kernel_of_lab_shows_a_widget_and_one_of_papermill_nothing(monkeypatch: Any) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert bar(3, "cropping").disable
    monkeypatch.setenv("JPY_SESSION_NAME", "2_batch.ipynb")
    assert not bar(3, "cropping").disable


def test_who_waits_elsewhere_can_read_how_far_it_is(tmp_path: Path) -> None:
    assert told(tmp_path) is None
    progress = Progress(tmp_path, 2)
    assert told(tmp_path) == (0, 2)
    progress.ended(RESULT)
    progress.close()
    assert told(tmp_path) == (1, 2)
    (tmp_path / "progress").write_text("", encoding="ascii")
    assert told(tmp_path) is None


def test_following_ends_when_it_is_told_to(tmp_path: Path) -> None:
    Progress(tmp_path, 2).close()
    asked = iter([False, False, True, False])
    followed(tmp_path, asked)
    assert list(asked) == [False]
