"""HTTP/1.1 connection that posts one order at a time, as cheaply as Python can.

The load shares the machine with what it measures: a request costs a tenth of a general client's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from cluster.tools.bench.pipeline.http_client import BenchRequestError

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_RETRY_AFTER = b"\r\nretry-after:"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, whether it said when to try again, its body."""

    status: int
    retry_after: bool
    body: bytes


class OrderChannel(asyncio.Protocol):
    """One kept connection; `answered` is called with each answer, or None where it was cut."""

    def __init__(self, answered: Callable[["OrderChannel", Answer | None], None]) -> None:
        self._answered = answered
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._busy = False

    @property
    def open(self) -> bool:
        """Say whether the connection stands."""
        return self._transport is not None

    def post(self, request: bytes) -> None:
        """Send a whole request; the one before must have been answered."""
        if self._transport is None or self._busy:
            raise BenchRequestError("a connection was not free")
        self._busy = True
        self._transport.write(request)

    def close(self) -> None:
        """Close the connection; nothing is answered any more."""
        self._busy = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Answer what was under way with None."""
        self._transport = None
        self._received = b""
        if self._busy:
            self._busy = False
            self._answered(self, None)

    def data_received(self, data: bytes) -> None:
        """Take bytes; hand on the answer once it is whole."""
        received = self._received + data if self._received else data
        answer = parsed(received)
        if answer is None:
            self._received = received
            return
        self._received = b""
        if self._busy:
            self._busy = False
            self._answered(self, answer)


def parsed(received: bytes) -> Answer | None:
    """Return the answer in `received`, None while it is not whole.

    Raises BenchRequestError for one without a length: the platform gives each answer one.
    """
    end = received.find(_HEAD_END)
    if end < 0:
        return None
    head = received[: end + 2].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise BenchRequestError(f"an answer has no length: {received[:end].decode('latin-1')}")
    start = at + len(_LENGTH)
    body = received[end + len(_HEAD_END) :]
    if len(body) < int(head[start : head.index(b"\r\n", start)]):
        return None
    return Answer(status=int(head[9:12]), retry_after=_RETRY_AFTER in head, body=body)


def order_request(url_host: str, body: bytes) -> bytes:
    """Return the bytes of a `POST /orders` to a `host:port` with this body."""
    return (
        b"POST /orders HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (url_host.encode(), len(body), body)
    )
