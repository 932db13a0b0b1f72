"""Ends a JupyterLab server with its launcher, however that ends.

The launcher holds the other end of this process's stdin, and the kernel closes that at any death,
`kill -9` included. The server is a child of this process, and so is whatever outlives its own
parent among the kernels and what they started, in whichever session it runs: nothing with a valid
token stays behind. It ends last; the session's folder goes with it where no launcher is left to
remove it. A byte through the pipe asks it to end in order.

It has a session of its own, so that Ctrl-C and a closed terminal reach the launcher alone.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_POLL_SECONDS = 0.2
_SERVER_SECONDS = 10.0  # that a server takes to shut its kernels down, busy ones included
_REST_SECONDS = 2.0  # that others are left between SIGTERM and SIGKILL
_FOLDER_SECONDS = 3.0
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def main(session: Path) -> int:
    """Run a server as long as its launcher lives; then end all that it started."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    told_to_end: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda came, _frame: told_to_end.append(came))
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "jupyterlab"],  # as it was started itself
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509  (one thread)
    )
    while server.poll() is None and not told_to_end and _heard(_POLL_SECONDS) is None:
        pass
    _end(server)
    _end_the_rest()
    if _heard(0) == b"":
        _remove(session)
    return server.returncode


def _heard(seconds: float) -> bytes | None:
    """Return what comes through the pipe meanwhile: nothing at all once its launcher is gone."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return os.read(sys.stdin.fileno(), 1) if readable else None


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_SERVER_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _end_the_rest() -> None:
    """End what outlived the server: asked at first, then killed."""
    _signal_children(signal.SIGTERM)
    if not _within(_REST_SECONDS, _reaped):
        while not _reaped():  # a child of one that was killed becomes ours, and is next
            _signal_children(signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


def _signal_children(number: signal.Signals) -> None:
    for pid in _children():
        os.kill(pid, number)  # a child cannot be somebody else before it was reaped


def _children() -> list[int]:
    own = str(os.getpid())
    stats = (path / "stat" for path in Path("/proc").iterdir() if path.name.isdecimal())
    return [int(path.parent.name) for path in stats if _parent(path) == own]


def _parent(stat: Path) -> str:
    """Return the parent's id: after the name, which may hold anything, and the state (proc(5))."""
    try:
        return stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1]
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return ""


def _reaped() -> bool:
    """Take leave of every child that has ended; whether none is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _remove(session: Path) -> None:
    """Remove the session's folder; what writes into it has ended, or does so in a moment."""

    def is_gone() -> bool:
        shutil.rmtree(session, ignore_errors=True)
        return not session.exists()

    _within(_FOLDER_SECONDS, is_gone)


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_SECONDS / 4)
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
