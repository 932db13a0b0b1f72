"""A program of ours in a process of its own, asked by its standard input."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO, cast

# One thread is all it needs: idle ones of a numerics library would spin.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class ChildProcess:
    """One such process; not for two threads at once.

    Nothing is forked from here without a new program in it, and an interrupt of this one's group
    does not reach it.

    Parameters
    ----------
    program : Python's text; it finds where modules are looked for, as JSON, in its first argument
    path : where modules are looked for
    environment : more of it than this process has
    """

    def __init__(
        self,
        program: str,
        path: Sequence[str],
        *arguments: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603  (our own program, no shell)
            [sys.executable, "-P", "-c", program, json.dumps(path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD, **(environment or {})},
            start_new_session=True,  # an interrupted kernel interrupts its whole group
        )
        self.pid = self._process.pid
        self.stdin = cast("BinaryIO", self._process.stdin)
        self.stdout = cast("BinaryIO", self._process.stdout)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Stop it; what it was asked fails."""
        self._process.kill()

    def wait(self) -> int:
        """Return its exit code, when it has ended."""
        return self._process.wait()

    def end(self) -> None:
        """End it, and leave nothing of it behind."""
        self.kill()
        for stream in (self.stdin, self.stdout):
            with suppress(OSError):  # what was not sent yet need not be sent
                stream.close()
        self.wait()
