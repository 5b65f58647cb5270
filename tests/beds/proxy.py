"""A TCP proxy whose connections can go silent and stay open, as over a cable that was pulled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class SwallowingProxy:
    """Carries bytes both ways; `swallow` drops all further answers of today's connections."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._silent: list[asyncio.Event] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    def swallow(self) -> None:
        """Let nothing more come back over the connections that are open now."""
        for silent in self._silent:
            silent.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either end closes it."""
        silent = asyncio.Event()
        self._silent.append(silent)
        answers, requests = await asyncio.open_connection(*self._server)
        there = asyncio.create_task(_pump(reader, requests, asyncio.Event()))
        back = asyncio.create_task(_pump(answers, writer, silent))
        self._tasks |= {there, back}
        await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        for end in (requests, writer):
            end.close()

    async def close(self) -> None:
        """End every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event
) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            if not silent.is_set():
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def swallowing_proxy(url: str) -> AsyncIterator[SwallowingProxy]:
    """A proxy in front of the server at `url`; its own is the `url` of what is returned."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    proxy = SwallowingProxy(parts.hostname, parts.port)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy.url = parts._replace(
        netloc=parts.netloc.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{port}")
    ).geturl()
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
