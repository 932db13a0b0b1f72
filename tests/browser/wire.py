"""A line to a server on this machine that can be cut and mended."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_CHUNK = 1 << 16


class Wire:
    """Hands on what comes, both ways; cut, it ends every connection and takes no new one."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._there = ("127.0.0.1", parts.port or 80)
        self._whole = threading.Event()
        self._whole.set()
        self._ends: set[socket.socket] = set()
        self._mutex = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.url = parts._replace(netloc=f"127.0.0.1:{port}").geturl()
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """End every connection."""
        with self._mutex:
            self._whole.clear()
            ends, self._ends = self._ends, set()
        for end in ends:
            _shut(end)

    def mend(self) -> None:
        """Take connections again."""
        self._whole.set()

    def close(self) -> None:
        """Serve no more."""
        _shut(self._listening)
        self.cut()

    def _serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                here, _ = self._listening.accept()
                self._join(here)

    def _join(self, here: socket.socket) -> None:
        with self._mutex:
            if not self._whole.is_set():
                _shut(here)
                return
            there = socket.create_connection(self._there)
            self._ends |= {here, there}
        for source, target in ((here, there), (there, here)):
            threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # the other end was cut
            while data := source.recv(_CHUNK):
                target.sendall(data)
        with self._mutex:
            self._ends -= {source, target}
        for end in (source, target):
            _shut(end)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):  # it is shut already
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    wire = Wire(url)
    try:
        yield wire
    finally:
        wire.close()
