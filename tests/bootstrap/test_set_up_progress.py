"""How far an installer is, told each second: by its words, the folder and the kernel's books."""

import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from patience import patient

from cropkit.bootstrap import progress
from cropkit.bootstrap.progress import Progress, written

LOCKED = """\
one==1 \\
    --hash=sha256:00
    # via two
two==2.5 ; python_version < '3.12' \\
    --hash=sha256:00
"""


class Stream(io.StringIO):
    """A stderr that may be a terminal, and tells when enough was written."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal, self._writes = terminal, 0
        self.enough = threading.Event()

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        self._writes += 1
        if self._writes >= 3:
            self.enough.set()
        return super().write(text)


@pytest.fixture
def made(tmp_path: Path) -> Progress:
    lock = tmp_path / "some.lock"
    lock.write_text(LOCKED)
    return Progress("uv", tmp_path, "site/*.dist-info", [lock])


def test_it_counts_what_is_locked_and_what_is_there(made: Progress, tmp_path: Path) -> None:
    assert made.text(1.2, 0).startswith("uv, 1 s: 0 of 2 packages installed, 0 MB written")
    (tmp_path / "site" / "one-1.dist-info").mkdir(parents=True)
    assert "1 of 2 packages" in made.text(2, 0)


@pytest.mark.parametrize(
    ("line", "now"),
    [
        ("Downloading numpy (16.1MiB)\n", "numpy"),
        ("  Downloading jupyter_core-5.9.1-py3-none-any.whl (29 kB)\n", "jupyter_core"),
        ("Collecting argon2-cffi-bindings==25.1.0 (from -r x (line 3))\n", "argon2-cffi-bindings"),
        ("Collecting zope.interface==1\n", "zope.interface"),
    ],
)
def test_it_names_what_is_fetched_now(made: Progress, line: str, now: str) -> None:
    made.see(line)
    assert made.text(1, 0).endswith(f", now {now}")


def test_what_is_for_another_python_is_not_waited_for(made: Progress) -> None:
    made.see("Ignoring two: markers 'python_version < \"3.12\"' don't match your environment\n")
    assert "0 of 1 packages" in made.text(1, 0)


def test_uv_says_itself_how_many_there_are(made: Progress) -> None:
    made.see("Resolved 1 package in 3ms\n")
    assert "0 of 1 packages" in made.text(1, 0)


def test_what_a_child_of_the_installer_writes_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "file"
    writes = f"open({str(file)!r}, 'wb').write(bytes(5_000_000)); print(flush=True); input()"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {writes!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", starts], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        count = written(running.pid)
        running.communicate(b"\n")
    assert 5_000_000 <= count < 6_000_000
    assert written(running.pid) == 0, "it has gone"


@pytest.mark.parametrize("terminal", [False, True])
def test_it_is_told_each_second_in_one_line_on_a_terminal_and_in_lines_elsewhere(
    made: Progress, monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    stream = Stream(terminal=terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.001)
    with made.shown(0):
        assert stream.enough.wait(patient(60))
    text = stream.getvalue()
    if terminal:
        assert "\n" not in text
        assert text.endswith("\r\x1b[K"), "what follows begins on an empty line"
    else:
        assert "\x1b" not in text
        assert all(line.startswith("cropkit: uv, 0 s: 0 of 2") for line in text.splitlines())


def test_the_first_word_comes_after_a_second() -> None:
    assert progress.EVERY_SECONDS == 1
