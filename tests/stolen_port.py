"""A port that another has taken between the choice of jupyter_client and the kernel.

jupyter_client asks for free ports, lets go of them and tells them to the kernel, which ends with
"Address already in use" where somebody was sooner
(https://github.com/jupyter/jupyter_client/issues/487). As a plugin of pytest, `-p stolen_port`, it
is so for the first kernel of the run.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from jupyter_client.connect import LocalPortCache

PORTS = 5


@contextmanager
def stolen(kernels: int) -> Iterator[list[int]]:
    """Let the first kernels come too late for all of their ports; give what was chosen."""
    chosen: list[int] = []
    with socket.socket() as another, pytest.MonkeyPatch.context() as patch:
        another.bind(("127.0.0.1", 0))
        another.listen()
        choose = LocalPortCache.find_available_port

        def find(cache: LocalPortCache, ip: str) -> int:
            late = len(chosen) < PORTS * kernels
            chosen.append(int(another.getsockname()[1]) if late else int(choose(cache, ip)))
            return chosen[-1]

        patch.setattr(LocalPortCache, "find_available_port", find)
        yield chosen


def pytest_configure(config: pytest.Config) -> None:
    """Let the first kernel of this run come too late."""
    whole_run = ExitStack()
    whole_run.enter_context(stolen(1))
    config.add_cleanup(whole_run.close)
