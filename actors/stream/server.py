"""The side that answers: requests of many connections, each answered by one function.

What arrives together is answered together, in one write. All of it happens on the loop's thread.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import cast

import structlog

from actors.platform.errors import ForkastError, StreamBrokenError
from actors.stream.endpoint import keep_alive
from actors.stream.frames import Frame, FrameDecoder, FrameKind, header
from actors.stream.handshake import HELLO_BYTES, ServerHandshake

_log = structlog.get_logger(__name__)
_HANDSHAKE_S = 5.0
_CONNECTIONS_MAX = 256
_UNANSWERED_MAX = 1_024

# An answer, or the promise of one for what takes time; promises may overtake each other.
Handler = Callable[[bytes], bytes | Awaitable[bytes]]


class StreamServer:
    """Answer the requests of all who connect and know the token.

    A request whose handler raises is answered with the error's sentence. A client that connects
    again takes the place of its older connection, of which nothing more is read: what it sent there
    and gave up is not done after what it sends now.
    """

    def __init__(self, handler: Handler, *, token: str) -> None:
        self.handler = handler
        self.token = token
        self._servers: list[asyncio.Server] = []
        self._connections: set[_Connection] = set()
        self._admitted: dict[bytes, _Connection] = {}

    async def start(self, listening: Sequence[socket.socket]) -> None:
        """Accept on sockets that listen."""
        loop = asyncio.get_running_loop()
        make = partial(_Connection, self)
        for one in listening:
            if one.family == socket.AF_UNIX:
                self._servers.append(await loop.create_unix_server(make, sock=one))
            else:
                self._servers.append(await loop.create_server(make, sock=one))

    async def stop(self) -> None:
        """Accept no more, and cut all connections."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.cut()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def made(self, connection: "_Connection") -> bool:
        """Note a connection; say whether there is room for it."""
        if len(self._connections) >= _CONNECTIONS_MAX:
            _log.error("stream_connections_full", connections=len(self._connections))
            return False
        self._connections.add(connection)
        return True

    def admit(self, connection: "_Connection", client_id: bytes) -> None:
        """Note whose connection this is; cut the one that it had before."""
        older = self._admitted.get(client_id)
        if older is not None:
            older.cut()
        self._admitted[client_id] = connection

    def lost(self, connection: "_Connection", client_id: bytes) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        if self._admitted.get(client_id) is connection:
            del self._admitted[client_id]


class _Connection(asyncio.Protocol):
    """One client. It is not read while it has many answers to wait for or does not take them."""

    _transport: asyncio.Transport

    def __init__(self, server: StreamServer) -> None:
        self._server = server
        self._handshake = ServerHandshake(server.token)
        self._hello = b""
        self._client_id = b""
        self._late: asyncio.TimerHandle | None = None
        self._decoder = FrameDecoder()
        self._outgoing: list[bytes] = []
        self._promised: set[asyncio.Future[bytes]] = set()
        self._clogged = False
        self._cut = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._server.made(self):
            self.cut()
            return
        keep_alive(transport.get_extra_info("socket"))
        self._late = asyncio.get_running_loop().call_later(_HANDSHAKE_S, self.cut)
        self._transport.write(self._handshake.greeting())

    def connection_lost(self, exc: Exception | None) -> None:
        self._cut = True
        if self._late is not None:
            self._late.cancel()
        for promise in self._promised:
            promise.cancel()
        self._server.lost(self, self._client_id)

    def data_received(self, data: bytes) -> None:
        if self._cut:
            return
        try:
            if not self._client_id:
                data = self._shake_hands(data)
            if data:
                for frame in self._decoder.feed(data):
                    self._take(frame)
        except StreamBrokenError as error:
            _log.warning("stream_refused", why=str(error))
            self.cut()
        self._flush()

    def pause_writing(self) -> None:
        self._clogged = True
        self._pace()

    def resume_writing(self) -> None:
        self._clogged = False
        self._pace()

    def cut(self) -> None:
        """End the connection now; nothing that has arrived or is to be sent counts any more."""
        self._cut = True
        self._transport.abort()

    def _shake_hands(self, data: bytes) -> bytes:
        """Take the client's hello; return what came after it."""
        self._hello += data
        if len(self._hello) < HELLO_BYTES:
            return b""
        hello, rest = self._hello[:HELLO_BYTES], self._hello[HELLO_BYTES:]
        client_id, proof = self._handshake.admit(hello)
        self._client_id, self._hello = client_id, b""
        if self._late is not None:
            self._late.cancel()
        self._server.admit(self, client_id)
        self._outgoing.append(proof)
        return rest

    def _take(self, frame: Frame) -> None:
        if self._cut:
            return
        if frame.kind != FrameKind.REQUEST:
            raise StreamBrokenError("a client sends requests alone")
        try:
            answer = self._server.handler(frame.payload)
        except Exception as error:
            self._fail(frame.number, error)
            return
        if isinstance(answer, bytes):
            self._answer(frame.number, answer)
        else:
            promise = asyncio.ensure_future(answer)
            self._promised.add(promise)
            promise.add_done_callback(partial(self._keep, frame.number))
            self._pace()

    def _keep(self, number: int, promise: asyncio.Future[bytes]) -> None:
        """Answer what was promised."""
        self._promised.discard(promise)
        if promise.cancelled():
            return
        error = promise.exception()
        if error is not None:
            self._fail(number, error)
        else:
            self._answer(number, promise.result())
        self._flush()
        self._pace()

    def _answer(self, number: int, payload: bytes) -> None:
        try:
            self._outgoing += (header(FrameKind.ANSWER, number, payload), payload)
        except StreamBrokenError as error:
            self._fail(number, error)

    def _fail(self, number: int, error: BaseException) -> None:
        sentence = f"{type(error).__name__}: {error}"
        trace = None if isinstance(error, ForkastError) else error
        _log.error("stream_request_failed", why=sentence, exc_info=trace)
        payload = sentence.encode()
        self._outgoing += (header(FrameKind.FAILURE, number, payload), payload)

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if outgoing and not self._cut:
            self._transport.writelines(outgoing)

    def _pace(self) -> None:
        if self._cut:
            return
        if self._clogged or len(self._promised) >= _UNANSWERED_MAX:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
