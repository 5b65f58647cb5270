"""The side that asks: one connection, requests in order, answers as futures.

There is no task for a request: an answer sets its future, and requests of one turn of the loop
leave in one write.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar, cast

import structlog

from actors.platform.errors import ActorUnavailableError, StreamBrokenError, StreamFullError
from actors.stream.endpoint import Endpoint, keep_alive
from actors.stream.frames import Frame, FrameDecoder, FrameKind, header
from actors.stream.handshake import GREETING_BYTES, ID_BYTES, PROOF_BYTES, ClientHandshake

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Dialer:
    """One client of one process, which it may have to connect to again and again.

    A connection is silent that has had requests to answer for `timeout_s` and has sent no byte
    meanwhile: then it is as dead as one that was cut, and so is one that cannot be made in that
    time. All that goes wrong between the two ends raises `unavailable`.
    """

    def __init__(
        self,
        *,
        token: str,
        timeout_s: float,
        unanswered_max: int = 1_024,
        unavailable: type[ActorUnavailableError] = ActorUnavailableError,
    ) -> None:
        self.timeout_s = timeout_s
        self.unanswered_max = unanswered_max
        self.unavailable = unavailable
        self._token = token
        self._client_id = secrets.token_bytes(ID_BYTES)

    async def connect(self, endpoint: Endpoint, *, node_id: str) -> "Stream":
        """Return a connection from this node to an endpoint, whose peer has cut the one before."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._connected(endpoint, local=endpoint.node_id == node_id)
        except OSError as error:
            raise self.unavailable(
                f"{endpoint.path} at {endpoint.host}:{endpoint.port} does not answer: {error!r}"
            ) from error

    async def _connected(self, endpoint: Endpoint, *, local: bool) -> "Stream":
        if local:
            try:
                return await self._open(endpoint.path, 0)
            except (FileNotFoundError, ConnectionRefusedError) as error:
                # Somebody may have removed the file of a process that lives.
                _log.warning("stream_not_local", path=endpoint.path, why=str(error))
        if not endpoint.port:
            raise self.unavailable(f"{endpoint.host} offers no port")
        return await self._open(endpoint.host, endpoint.port)

    async def _open(self, address: str, port: int) -> "Stream":
        loop = asyncio.get_running_loop()
        stream = Stream(self, ClientHandshake(self._token, self._client_id))
        try:
            if port:
                await loop.create_connection(lambda: stream, address, port)
            else:
                await loop.create_unix_connection(lambda: stream, address)
            await stream.ready
        except BaseException:
            stream.close()
            raise
        return stream


class _Asked(NamedTuple, Generic[_T]):
    """A request that waits for its answer."""

    future: asyncio.Future[_T]
    decode: Callable[[bytes], _T]


class Stream(asyncio.Protocol):
    """A connection that a `Dialer` has made; it works until it is closed or breaks."""

    def __init__(self, dialer: Dialer, handshake: ClientHandshake) -> None:
        self._dialer = dialer
        self._handshake = handshake
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self._greeting = b""
        self._greeted = False
        self._decoder = FrameDecoder()
        self._asked: dict[int, _Asked[Any]] = {}
        self._number = 0
        self._outgoing: list[bytes] = []
        self._heard_s = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._broken = ""

    @property
    def broken(self) -> bool:
        """Say whether the connection is of no use any more."""
        return bool(self._broken)

    def request(self, payload: bytes, decode: Callable[[bytes], _T]) -> asyncio.Future[_T]:
        """Send a request now; return the future of its answer, which `decode` reads.

        The future raises `unavailable` where the connection breaks, or where the peer failed at
        the request; what was done of it is unknown. Raises `unavailable` at once on a connection
        that is broken and StreamFullError where too many requests wait: then nothing was sent.
        """
        if self._broken:
            raise self._dialer.unavailable(self._broken)
        if len(self._asked) >= self._dialer.unanswered_max:
            raise StreamFullError(f"{len(self._asked)} requests wait for an answer")
        self._number += 1
        future: asyncio.Future[_T] = self._loop.create_future()
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing += (header(FrameKind.REQUEST, self._number, payload), payload)
        if not self._asked:
            self._heard_s = self._loop.time()
        self._asked[self._number] = _Asked(future, decode)
        if self._watch is None:
            self._watch = self._loop.call_later(self._dialer.timeout_s, self._look)
        return future

    def close(self, why: str = "the connection was closed") -> None:
        """Break the connection; all that waits for an answer fails."""
        if self._broken:
            return
        self._broken = why
        if self._transport is not None:
            self._transport.abort()
        if self._watch is not None:
            self._watch.cancel()
        self._outgoing.clear()
        asked, self._asked = self._asked, {}
        for future in (self.ready, *(one.future for one in asked.values())):
            if not future.done():
                future.set_exception(self._dialer.unavailable(why))
                # Whoever asked may have gone: an error that nobody fetches would be reported.
                future.exception()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._broken:
            self._transport.abort()
            return
        keep_alive(transport.get_extra_info("socket"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.close(f"the connection broke: {exc!r}" if exc else "the peer closed the connection")

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        self._heard_s = self._loop.time()
        try:
            if not self.ready.done():
                data = self._shake_hands(data)
            if data:
                for frame in self._decoder.feed(data):
                    self._take(frame)
        except StreamBrokenError as error:
            _log.error("stream_broken", why=str(error))
            self.close(str(error))

    def _shake_hands(self, data: bytes) -> bytes:
        """Take greeting and proof; return what came after them."""
        self._greeting += data
        if not self._greeted and len(self._greeting) >= GREETING_BYTES:
            hello = self._handshake.hello(self._greeting[:GREETING_BYTES])
            self._greeting = self._greeting[GREETING_BYTES:]
            self._greeted = True
            if self._transport is not None:
                self._transport.write(hello)
        if not self._greeted or len(self._greeting) < PROOF_BYTES:
            return b""
        self._handshake.check(self._greeting[:PROOF_BYTES])
        self.ready.set_result(None)
        return self._greeting[PROOF_BYTES:]

    def _take(self, frame: Frame) -> None:
        # It stays among those that wait until it is told: `close` fails all of them.
        asked = self._asked.get(frame.number)
        if asked is None or frame.kind == FrameKind.REQUEST:
            raise StreamBrokenError(f"nobody asked for answer {frame.number}")
        if not asked.future.done():
            self._tell(asked, frame)
        del self._asked[frame.number]

    def _tell(self, asked: _Asked[Any], frame: Frame) -> None:
        if frame.kind == FrameKind.FAILURE:
            told = frame.payload.decode(errors="replace")
            asked.future.set_exception(self._dialer.unavailable(f"the peer failed: {told}"))
            return
        try:
            answer = asked.decode(frame.payload)
        except Exception as error:
            raise StreamBrokenError(f"answer {frame.number} is not readable: {error}") from error
        asked.future.set_result(answer)

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if outgoing and self._transport is not None and not self._broken:
            self._transport.writelines(outgoing)

    def _look(self) -> None:
        """See whether the peer is silent. It is looked at only while it has something to answer."""
        self._watch = None
        if not self._asked:
            return
        left_s = self._heard_s + self._dialer.timeout_s - self._loop.time()
        if left_s <= 0:
            self.close(f"no answer within {self._dialer.timeout_s:g} s")
        else:
            self._watch = self._loop.call_later(left_s, self._look)
