"""The Engine.IO ground of the hub: sessions whose messages are bounded, judged and never lost.

The library answers `OK` to a payload that it then drops, drains a whole queue into one answer of
a poll, and ends a WebSocket without a word when a message is too large. What is refused here is
said aloud: by the HTTP status of a payload, and by an `error` event.
"""

import asyncio
from typing import Any

import engineio
import msgspec
import structlog
from engineio import packet
from engineio.async_socket import AsyncSocket
from engineio.exceptions import QueueEmpty, SocketIsClosedError, UnknownPacketError
from engineio.packet import Packet
from engineio.payload import Payload

from api.asgi.errors import HttpError
from api.hub import refusals
from api.hub.frames import Outbox, Wire, wire_of
from api.hub.packets import event_packet, frame_of
from api.hub.refusals import MESSAGE_BYTES_MAX

_log = structlog.get_logger(__name__)

# The Python client gives up where one polling answer holds more; browsers have no such limit.
POLL_PACKETS_MAX = 16

_TOO_LARGE = 1009
_REFUSAL = "forkast.refusal"
_FROM_CLIENTS = frozenset(
    (packet.CLOSE, packet.PING, packet.PONG, packet.MESSAGE, packet.UPGRADE, packet.NOOP)
)
_TEXT_TYPES = frozenset(str(number) for number in _FROM_CLIENTS)


class _ClientPayload(Payload):  # type: ignore[misc]
    """What a client posts: whatever fits its bytes has room, so bytes are the only bound.

    A packet has one byte or more, and one byte stands between two.
    """

    max_decode_packets = (MESSAGE_BYTES_MAX + 1) // 2


class HubSocket(AsyncSocket):  # type: ignore[misc]
    """One session of either transport."""

    _wire: Wire | None = None

    async def poll(self) -> list[Packet]:
        """Wait for packets and return as many as a client takes at a time; none at the end.

        A WebSocket that takes frames is written without the library's task, which only waits for
        the end here.
        """
        if self._wire is not None and self.upgraded:
            self.queue.attach(self._wire)
            await self.queue.ended()
            return []
        patience_s = self.server.ping_interval + self.server.ping_timeout
        try:
            packets = [await asyncio.wait_for(self.queue.get(), patience_s)]
        except (TimeoutError, asyncio.CancelledError):
            raise QueueEmpty from None
        self.queue.task_done()
        if packets == [None]:
            return []
        while len(packets) < POLL_PACKETS_MAX and not self.queue.empty():
            following = self.queue.get_nowait()
            self.queue.task_done()
            if following is None:
                self.queue.put_nowait(None)
                break
            packets.append(following)
        return packets

    async def receive(self, pkt: Packet) -> None:
        """Take a packet of the client. Raises SocketIsClosedError where it is not taken."""
        if self.closing:
            raise SocketIsClosedError
        if self.queue.qsize() >= self.server.unread_max:
            await self.cut()
            raise SocketIsClosedError
        if pkt.packet_type == packet.MESSAGE:
            await self._handle(pkt.data)
        else:
            await super().receive(pkt)

    async def _handle(self, message: Any) -> None:
        """Hand a message on. By way of the library's own call an error would count as success."""
        try:
            await self.server.handlers["message"](self.sid, message)
        except SocketIsClosedError:
            raise
        except Exception:
            _log.exception("message_failed", sid=self.sid)
            self.tell(refusals.failed())

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Take the packets of a payload in their order; what is not taken is refused aloud.

        A payload that is too large or not well formed is refused whole, before its first packet.
        """
        try:
            packets = await _posted(environ)
        except HttpError as error:
            environ[_REFUSAL] = error
            self.tell(error)
            return
        for number, pkt in enumerate(packets):
            try:
                await self.receive(pkt)
            except UnknownPacketError:
                continue
            except SocketIsClosedError:
                environ[_REFUSAL] = refusals.ended_after(number, of=len(packets))
                return

    def tell(self, error: HttpError) -> None:
        """Send a refusal as an event."""
        if self.queue.qsize() < self.server.unread_max:
            self.queue.put_nowait(event_packet("error", refusals.content_of(error)))

    async def cut(self) -> None:
        """End the session at once, without waiting for what the client has not read."""
        while not self.queue.empty():
            self.queue.get_nowait()
            self.queue.task_done()
        await self.close(wait=False, abort=True)
        # Ends the task that writes to the client, or its poll.
        self.queue.put_nowait(None)

    async def close(
        self, wait: bool = True, abort: bool = False, reason: str | None = None
    ) -> None:
        """End the session; requests that still name it are refused as those of no session."""
        await super().close(wait=wait, abort=abort, reason=reason)
        if self.closed:
            self.server.sockets.pop(self.sid, None)

    async def _upgrade_websocket(self, environ: dict[str, Any]) -> Any:
        if not self.upgraded:
            self._wire = wire_of(environ["asgi.scope"])
        return await super()._upgrade_websocket(environ)

    async def _websocket_handler(self, ws: Any) -> None:
        try:
            await super()._websocket_handler(_JudgedWebSocket(ws, self))
        finally:
            # After a failed upgrade the library would answer every poll with nothing, for ever.
            self.upgrading = False


class _JudgedWebSocket:
    """The library's WebSocket, with messages that are judged before it reads them."""

    def __init__(self, ws: Any, session: HubSocket) -> None:
        self._ws = ws
        self._session = session
        self._too_large = False

    async def wait(self) -> str | bytes:
        """Return the next message. Raises OSError where there is none, or one too large."""
        while True:
            data: str | bytes = await self._ws.wait()
            if _size(data) > MESSAGE_BYTES_MAX:
                self._too_large = True
                self._session.tell(refusals.too_large())
                raise OSError("message too large")
            if isinstance(data, bytes) or data[:1] in _TEXT_TYPES:
                return data
            self._session.tell(refusals.malformed("The message is no packet of Engine.IO."))

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        await self._ws.send(message)

    async def close(self) -> None:
        """Close the connection; the code says so where a message was too large."""
        if not self._too_large:
            await self._ws.close()
            return
        close = {"type": "websocket.close", "code": _TOO_LARGE, "reason": "Message too large"}
        await self._ws.asgi_send(close)


class EngineServer(engineio.AsyncServer):  # type: ignore[misc]
    """The library's server, with sessions of ours.

    A session that leaves `unread_max` packets unread and asks for more is ended.
    """

    def __init__(self, *, unread_max: int, **options: Any) -> None:
        super().__init__(max_http_buffer_size=MESSAGE_BYTES_MAX, **options)
        self.unread_max = unread_max

    def create_queue(self, *_: Any, **__: Any) -> Outbox:
        """Return the way out of a new session."""
        return Outbox(frame_of)

    async def _trigger_event(self, event: str, *args: Any, **options: Any) -> Any:
        if event == "connect":
            # The library names the class of its sessions in the middle of a long function; this
            # is the first that is heard of a new one.
            self.sockets[args[0]].__class__ = HubSocket
        return await super()._trigger_event(event, *args, **options)

    async def _make_response(self, response_dict: dict[str, Any], environ: dict[str, Any]) -> Any:
        refusal = environ.pop(_REFUSAL, None)
        if refusal is not None:
            response_dict = {
                "status": f"{refusal.status.value} {refusal.status.phrase}",
                "headers": [("Content-Type", "application/json")],
                "response": msgspec.json.encode(refusals.content_of(refusal)),
            }
        return await super()._make_response(response_dict, environ)


async def _posted(environ: dict[str, Any]) -> list[Packet]:
    """Return the packets of a payload. Raises HttpError."""
    stream = environ["wsgi.input"]
    body = await stream.read(MESSAGE_BYTES_MAX + 1)
    if len(body) > MESSAGE_BYTES_MAX:
        raise refusals.too_large()
    if stream.event["type"] != "http.request":
        raise refusals.malformed("The payload has no end.")
    try:
        packets: list[Packet] = _ClientPayload(encoded_payload=body.decode()).packets
    except (ValueError, KeyError) as error:
        raise refusals.malformed(f"The payload is not one of Engine.IO: {error}.") from None
    if any(pkt.packet_type not in _FROM_CLIENTS for pkt in packets):
        raise refusals.malformed("The payload holds a packet that clients do not send.")
    return packets


def _size(data: str | bytes) -> int:
    if isinstance(data, bytes) or data.isascii():
        return len(data)
    return len(data.encode("utf-8", "surrogatepass"))
