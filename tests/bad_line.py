"""A bad line between a client and its PostgreSQL: cut around a statement, slow, silent, or refused.

It listens on a port of its own and knows as much of the protocol as tells statements apart: what a
client sends is taken message by message, so that a cut is before a statement or after it, and never
somewhere else by chance.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto

_STARTUP = 196_608  # version 3.0 of the protocol; what has another number there is asked before it
_PIECE = 65_536


class Cut(Enum):
    """Where a line breaks."""

    BEFORE = auto()
    """The server never sees the statement, and loses its client."""

    AFTER = auto()
    """The server has done the statement; its answer does not arrive."""


class BadLine:
    """A port that leads to a server, as well or as badly as it is told.

    Parameters
    ----------
    port : of the server, on 127.0.0.1
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.delay = 0.0
        """Seconds that each piece is under way, to either side."""
        self.connections = 0
        """How many were let through."""
        self.cuts = 0
        """How many statements have met a cut."""
        self._refusing = False
        self._flows = threading.Event()
        self._flows.set()
        self._plan: tuple[bytes, Cut | Callable[[], object], int] | None = None
        self._guarded = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    # -- what a test says ----------------------------------------------------------------------

    def cut_at(self, statement: bytes, where: Cut, *, skip: int = 0) -> None:
        """Break the connection that sends a statement next; those after it are whole again.

        Parameters
        ----------
        skip : so many of these statements pass before
        """
        with self._guarded:
            self._plan = (statement, where, skip)

    def at(self, statement: bytes, does: Callable[[], object], *, skip: int = 0) -> None:
        """Do something when a statement is about to go on, such as killing the server."""
        with self._guarded:
            self._plan = (statement, does, skip)

    def cut(self) -> None:
        """Break every connection now."""
        with self._guarded:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _break(*pair)

    def stall(self) -> None:
        """Let nothing through, and break nothing: as a cable that was pulled out."""
        self._flows.clear()

    def go_on(self) -> None:
        """Let through again, and first what has waited."""
        self._flows.set()

    def refuse(self) -> None:
        """Break everything, and refuse whoever comes, as where nothing listens."""
        self._refusing = True
        self.cut()

    def mend(self) -> None:
        """Be a good line."""
        self._refusing, self.delay = False, 0.0
        with self._guarded:
            self._plan = None
        self.go_on()

    def close(self) -> None:
        """Be gone."""
        self.refuse()
        self.go_on()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    # -- what flows ----------------------------------------------------------------------------

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._let_in(self._listening.accept()[0])

    def _let_in(self, client: socket.socket) -> None:
        if self._refusing:
            _break(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._server))
        except OSError:
            _break(client)
            return
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        with self._guarded:
            self._pairs.append((client, server))
        heard = threading.Event()  # whether the client hears of the server
        heard.set()
        for flow in (self._to_server, self._to_client):
            threading.Thread(target=flow, args=(client, server, heard), daemon=True).start()

    def _to_server(
        self, client: socket.socket, server: socket.socket, heard: threading.Event
    ) -> None:
        with _until_broken(client, server):
            for message in _messages(client.recv):
                self._under_way()
                where = self._meets(message)
                if where is Cut.BEFORE:
                    return
                if where is Cut.AFTER:
                    heard.clear()  # from here on: the answer is waited for, and kept
                server.sendall(message)

    def _to_client(
        self, client: socket.socket, server: socket.socket, heard: threading.Event
    ) -> None:
        with _until_broken(client, server):
            while piece := server.recv(_PIECE):
                self._under_way()
                if not heard.is_set():
                    return
                client.sendall(piece)

    def _under_way(self) -> None:
        self._flows.wait()
        time.sleep(self.delay)

    def _meets(self, message: bytes) -> Cut | None:
        with self._guarded:
            if self._plan is None or self._plan[0] not in message:
                return None
            statement, where, skip = self._plan
            if skip:
                self._plan = (statement, where, skip - 1)
                return None
            self._plan = None
            self.cuts += 1
        if isinstance(where, Cut):
            return where
        where()
        return None


@contextmanager
def bad_line(port: int) -> Iterator[BadLine]:
    """Lend a line to a server, which is good until it is told otherwise."""
    line = BadLine(port)
    try:
        yield line
    finally:
        line.close()


def _messages(receive: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield what a client sends, message by message: the first ones have no letter before them."""
    held, started = b"", False
    while piece := receive(_PIECE):
        held += piece
        while True:
            letter = 1 if started else 0
            if len(held) < letter + 4:
                break
            size = letter + struct.unpack_from("!I", held, letter)[0]
            if len(held) < size:
                break
            message, held = held[:size], held[size:]
            started = started or struct.unpack_from("!I", message, 4)[0] == _STARTUP
            yield message


@contextmanager
def _until_broken(*ends: socket.socket) -> Iterator[None]:
    try:
        with suppress(OSError):
            yield
    finally:
        _break(*ends)


def _break(*ends: socket.socket) -> None:
    """Reset, so that neither side takes it for an end in order; wakes who waits for it."""
    for end in ends:
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.shutdown(socket.SHUT_RDWR)
        end.close()
