"""A line that delays: a TCP proxy in front of a server on this machine."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_CHUNK = 1 << 16


@contextmanager
def slowed(url: str, seconds: float) -> Iterator[str]:
    """Give an address of the same server that is so many seconds farther away, each way."""
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), [0]

    async def serve() -> None:
        target = urlsplit(url).port or 80

        async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(_pass(reader, back, seconds), _pass(there, writer, seconds))

        server = await asyncio.start_server(joined, "127.0.0.1", 0)
        port[0] = server.sockets[0].getsockname()[1]
        ready.set()

    task = loop.create_task(serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield urlsplit(url)._replace(netloc=f"127.0.0.1:{port[0]}").geturl()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        task.cancel()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Hand on what comes, each piece so much later and in order: the line is long, not narrow."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(_CHUNK):
        loop.call_later(seconds, writer.write, data)
    loop.call_later(seconds, writer.close)
