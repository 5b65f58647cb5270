"""HTTP in pure ASGI: bodies within their bound, and a count of each answer."""

import asyncio
import time
from http import HTTPStatus
from typing import Protocol

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asgi.errors import HttpError

# Methods that change nothing.
READING = frozenset({"GET", "HEAD", "OPTIONS"})
# How much of a body that is too long is read and thrown away, so that its sender, still busy
# writing, gets to read the answer.
_DRAIN_BYTES_MAX = 64 * 1024 * 1024
_UNROUTED = "(none)"
_CLIENT_GONE = 499


class ClientGoneError(Exception):
    """The client went away before its request was complete: nobody reads an answer."""


async def read_body(request: Request, *, limit_bytes: int) -> bytes:
    """Return a request's body. Raises HttpError and ClientGoneError.

    What exceeds the limit is never held in memory.
    """
    receive = request.receive
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit_bytes:
            chunks.append(chunk)
        elif size > _DRAIN_BYTES_MAX:
            break
        else:
            chunks.clear()
        if not message.get("more_body", False):
            break
    if size > limit_bytes:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "BODY_TOO_LARGE",
            f"The body is longer than {limit_bytes:,} bytes.",
        )
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def drain(receive: Receive) -> None:
    """Read what is left of a body and throw it away, so that its sender gets to read the answer."""
    size = 0
    while size <= _DRAIN_BYTES_MAX:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        size += len(message.get("body", b""))


class CountAnswer(Protocol):
    """Whoever counts answers; `route` is the route's template, never the path."""

    def __call__(self, *, method: str, route: str, status: int, seconds: float) -> None: ...


class Measured:
    """Count every answer and its time, by the route's template."""

    def __init__(self, app: ASGIApp, count: CountAnswer) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start_s = time.perf_counter()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        except asyncio.CancelledError:
            status = _CLIENT_GONE
            raise
        finally:
            matched = getattr(scope.get("route"), "path", _UNROUTED)
            self._count(
                method=scope["method"] if scope["method"] in _METHODS else "OTHER",
                route=str(scope.get("route_template", matched)),
                status=status,
                seconds=time.perf_counter() - start_s,
            )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
