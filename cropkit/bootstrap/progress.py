"""How far an installer is, told each second: it may be silent itself for a minute."""

import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cropkit.bootstrap.report import say

EVERY_SECONDS = 1.0
MEGABYTE = 1_000_000

_FETCHES = re.compile(r"\s*(?:Collecting|Downloading) ([A-Za-z]\w*(?:[.-][A-Za-z]\w*)*)")
_RESOLVED = re.compile(r"Resolved (\d+) packages?")


class Progress:
    """What an installer has done so far: by its words, the folder and the kernel's books.

    Parameters
    ----------
    installer : its name
    folder : the environment that it fills
    packages : where in it there is one path for each package, a pattern
    locks : what it installs
    """

    def __init__(self, installer: str, folder: Path, packages: str, locks: Sequence[Path]) -> None:
        self._installer = installer
        self._folder, self._packages = folder, packages
        self.total = sum(len(re.findall(r"(?m)^[\w.-]+==", each.read_text())) for each in locks)
        self._fetched = ""
        self._written = 0

    def see(self, line: str) -> None:
        """Take a line of the installer's."""
        if fetches := _FETCHES.match(line):
            self._fetched = fetches[1]
        elif resolved := _RESOLVED.match(line):
            self.total = int(resolved[1])
        elif line.startswith("Ignoring "):  # for another system or Python
            self.total -= 1

    def text(self, seconds: float, pid: int) -> str:
        """Say it in a line."""
        installed = len(list(self._folder.glob(self._packages)))
        self._written = max(self._written, written(pid))
        now = f", now {self._fetched}" if self._fetched and installed < self.total else ""
        return (
            f"{self._installer}, {seconds:.0f} s: {installed} of {self.total} packages installed, "
            f"{self._written / MEGABYTE:.0f} MB written{now}"
        )

    @contextmanager
    def shown(self, pid: int) -> Iterator[None]:
        """Tell it while the installer of that process runs."""
        with each_second(lambda seconds: self.text(seconds, pid)):
            yield


@contextmanager
def each_second(text: Callable[[float], str]) -> Iterator[None]:
    """Tell what takes long: a line that changes on a terminal, lines elsewhere.

    Parameters
    ----------
    text : what to say after so many seconds
    """
    ended = threading.Event()
    telling = threading.Thread(target=_tell, args=(text, ended), daemon=True)
    telling.start()
    try:
        yield
    finally:
        ended.set()
        telling.join()


def _tell(text: Callable[[float], str], ended: threading.Event) -> None:
    began = time.monotonic()
    terminal = sys.stderr.isatty()
    while not ended.wait(EVERY_SECONDS):
        line = text(time.monotonic() - began)
        if terminal:
            columns = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\x1b[K" + f"cropkit: {line}"[:columns])
            sys.stderr.flush()
        else:
            say(line)
    if terminal:
        sys.stderr.write("\r\x1b[K")


def written(pid: int) -> int:
    """Count the bytes that a process and its children have written (proc(5)); 0: unknown."""
    process = Path("/proc", str(pid))
    count, children = 0, ""
    with suppress(OSError):
        count += int(re.findall(r"(?m)^wchar: (\d+)", (process / "io").read_text())[0])
        for each in os.listdir(process / "task"):  # noqa: PTH208  (names alone)
            children += (process / "task" / each / "children").read_text()
    return count + sum(written(int(child)) for child in children.split())
