"""HTTP/1.1 just enough to post JSON over one kept connection, at few microseconds a request.

A general client spends more on a request than the gateway does, and both share the machine.
"""

import asyncio
import contextlib
from typing import Self
from urllib.parse import urlsplit

from cluster.errors import ClusterError


class BenchRequestError(ClusterError):
    """The gateway answered a load generator's request with an error."""


class Connection:
    """One kept connection; one request is on its way at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        if self._reader is None or self._writer is None:
            raise ClusterError("the connection was not opened")
        self._writer.write(
            b"POST %b HTTP/1.1\r\nHost: %b:%d\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b"
            % (path.encode(), self._host.encode(), self._port, len(body), body)
        )
        try:
            return await self._answer(self._reader)
        except asyncio.IncompleteReadError as error:
            raise BenchRequestError("the gateway closed the connection") from error

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        if at >= 0:
            size = int(lowered[at + 15 : lowered.index(b"\r\n", at)])
            return status, await reader.readexactly(size)
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        return status, b"".join(parts)
