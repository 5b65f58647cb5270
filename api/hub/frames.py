"""WebSocket frames written by the hub itself: one frame, encoded once, for all who get it.

A server's frames are not masked, so the bytes of an event are the same for every client. ASGI has
no word for that: it takes each message of each client apart from all others, through a coroutine
and an encoder of its own.
"""

import asyncio
from asyncio import BaseTransport
from collections.abc import Callable
from typing import Any, Protocol, cast

import uvicorn.config
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_EXTENSION = "forkast.frames"
# A client that reads is seen to read soon after its buffer was full, and is not taken for a deaf
# one: by default three quarters of the buffer have to be gone first.
_BUFFER_BYTES_MAX, _BUFFER_BYTES_AGAIN = 64 * 1024, 48 * 1024
# How long a client that sends what is not taken may go on before its connection is closed.
_REFUSED_S = 2.0
_FINAL_TEXT = 0x81
_SHORT_MAX, _MEDIUM_MAX = 125, 0xFFFF
_MEDIUM, _LONG = 126, 127


def text_frame(payload: bytes) -> bytes:
    """Return a whole message of text as one frame, as a server sends it (RFC 6455, 5.2)."""
    size = len(payload)
    if size <= _SHORT_MAX:
        return bytes((_FINAL_TEXT, size)) + payload
    if size <= _MEDIUM_MAX:
        return bytes((_FINAL_TEXT, _MEDIUM)) + size.to_bytes(2, "big") + payload
    return bytes((_FINAL_TEXT, _LONG)) + size.to_bytes(8, "big") + payload


class Wire(Protocol):
    """One client's WebSocket that takes whole frames, as long as its buffer has room."""

    on_writable: Callable[[], None]

    @property
    def is_writable(self) -> bool:
        """Say whether frames may be written now; after False, `on_writable` is called."""
        ...

    def write_frames(self, frames: bytes) -> None:
        """Write whole frames; the buffer takes them, and may be full afterwards."""
        ...

    def abort(self) -> None:
        """Close the connection at once; what was written and not read is lost."""
        ...


def wire_of(scope: Scope) -> Wire | None:
    """Return the way to write frames to this scope's client, None where its server has none."""
    found: Wire | None = (scope.get("extensions") or {}).get(_EXTENSION)
    return found


class FrameProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own protocol for WebSockets, which also takes whole frames.

    Messages are not compressed: a compressed frame is one client's alone, and costs more than all
    the rest of its way.
    """

    def __init__(self, config: Config, *arguments: Any, **options: Any) -> None:
        config.ws_per_message_deflate = False
        super().__init__(config, *arguments, **options)
        self.on_writable: Callable[[], None] = _nothing
        self._refused = False

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin with a buffer of this hub's size."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=_BUFFER_BYTES_MAX, low=_BUFFER_BYTES_AGAIN)

    @property
    def is_writable(self) -> bool:
        """Say whether frames may be written now."""
        return self.writable.is_set() and not self.close_sent and not self.transport.is_closing()

    def write_frames(self, frames: bytes) -> None:
        """Write whole frames."""
        self.transport.write(frames)

    def abort(self) -> None:
        """Close the connection at once, unless it ends by itself."""
        if not self._refused:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what a client sends; nothing more after what could not be taken."""
        if not self._refused:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        """Say why nothing more is taken, and leave the client the time to read it.

        A connection that is closed with bytes unread is reset, and the code would be lost.
        """
        assert self.conn.close_sent is not None  # noqa: S101
        self._refused = self.close_sent = True
        told = {"code": self.conn.close_sent.code, "reason": self.conn.close_sent.reason}
        self.queue.put_nowait(cast(Any, {"type": "websocket.disconnect", **told}))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(_REFUSED_S, self.transport.close)

    def resume_writing(self) -> None:
        """Let the application write again."""
        super().resume_writing()
        self.on_writable()

    async def run_asgi(self) -> None:
        """Run the application, which finds this protocol among the extensions of its scope."""
        cast(dict[str, Any], self.scope["extensions"])[_EXTENSION] = self
        await super().run_asgi()


def serve_frames() -> None:
    """Let every uvicorn server that this process starts from now on take frames."""
    uvicorn.config.WS_PROTOCOLS["auto"] = f"{__name__}:{FrameProtocol.__name__}"


class Outbox(asyncio.Queue[Any]):
    """A session's packets on their way out: written at once where nothing waits.

    Until a wire is attached it is a queue like any other. Then what does not fit the wire's buffer
    waits here, and follows as soon as there is room. None ends a session: with a wire at once.
    """

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._encode = encode
        self._wire: Wire | None = None
        self._ended = asyncio.Event()

    @property
    def is_attached(self) -> bool:
        """Say whether packets go to a wire."""
        return self._wire is not None

    def attach(self, wire: Wire) -> None:
        """Send what waits, and all that follows, through a wire."""
        self._wire = wire
        wire.on_writable = self._flush
        self._flush()

    async def ended(self) -> None:
        """Return when the session has ended; a wire that its client does not read is closed."""
        await self._ended.wait()
        if self._wire is not None and not self._wire.is_writable:
            self._wire.abort()

    def write(self, frames: bytes) -> bool:
        """Write frames at once; False where they have to wait as packets."""
        wire = self._wire
        if wire is None or not wire.is_writable or not self.empty():
            return False
        wire.write_frames(frames)
        return True

    def put_nowait(self, item: Any) -> None:
        """Send a packet, or None as the end of the session."""
        if item is None:
            self._ended.set()
        if self._wire is None or (item is not None and not self.write(self._encode(item))):
            super().put_nowait(item)

    def _flush(self) -> None:
        wire = self._wire
        while wire is not None and wire.is_writable and not self.empty():
            item = self.get_nowait()
            self.task_done()
            if item is not None:
                wire.write_frames(self._encode(item))


def _nothing() -> None:
    pass
