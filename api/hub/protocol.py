"""The Socket.IO messages of clients: each is understood, or refused with a sentence."""

from typing import Any

import socketio
from socketio import packet
from socketio.packet import Packet

from api.asgi.errors import HttpError
from api.hub import refusals
from api.hub.transport import EngineServer

DEFAULT_NAMESPACE = "/"

_TYPES = frozenset("0123456")
_BINARY = (packet.BINARY_EVENT, packet.BINARY_ACK)


class MessagePacket(Packet):  # type: ignore[misc]
    """The hub's own class of packets: the server sets its JSON module on the class itself.

    Clients in the same process keep theirs.
    """


class MessageServer(socketio.AsyncServer):  # type: ignore[misc]
    """The library's server, which passes over in silence what it does not understand.

    Here the sender is told: by the acknowledgement where the message asks for one, and by the
    event `error` in any case. Messages are JSON; binary ones are refused.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(serializer=MessagePacket, **options)

    def _engineio_server_class(self) -> type[EngineServer]:
        return EngineServer

    async def refuse(
        self, engine_sid: str, error: HttpError, *, namespace: str | None, ack: int | None
    ) -> None:
        """Tell a session what was refused, also one that has not connected to a namespace."""
        content = refusals.content_of(error)
        told = self.packet_class(packet.EVENT, ["error", content], namespace=namespace)
        await self._send_packet(engine_sid, told)
        if ack is not None:
            answer = self.packet_class(packet.ACK, [content], namespace=namespace, id=ack)
            await self._send_packet(engine_sid, answer)

    async def _handle_eio_message(self, engine_sid: str, data: Any) -> None:
        message = self.packet_class()
        try:
            _decode(message, data)
            if message.packet_type == packet.EVENT:
                self._check_event(engine_sid, message)
        except HttpError as error:
            await self.refuse(engine_sid, error, namespace=message.namespace, ack=message.id)
            return
        if message.packet_type == packet.CONNECT:
            await self._handle_connect(engine_sid, message.namespace, message.data)
        elif message.packet_type == packet.DISCONNECT:
            await self._handle_disconnect(engine_sid, message.namespace)
        elif message.packet_type == packet.EVENT:
            await self._handle_event(engine_sid, message.namespace, message.id, message.data)

    async def _handle_connect(self, engine_sid: str, namespace: str | None, data: Any) -> None:
        if (namespace or DEFAULT_NAMESPACE) == DEFAULT_NAMESPACE:
            await super()._handle_connect(engine_sid, namespace, data)
            return
        content = refusals.content_of(refusals.unknown_namespace())
        refusal = {"message": content["message"], "data": content}
        await self._send_packet(
            engine_sid, self.packet_class(packet.CONNECT_ERROR, refusal, namespace=namespace)
        )

    def _check_event(self, engine_sid: str, message: Packet) -> None:
        """Raise HttpError where nobody here would answer an event."""
        if not isinstance(message.data, list) or not message.data:
            raise refusals.malformed("An event is a JSON array of its name and its data.")
        event = message.data[0]
        if not isinstance(event, str):
            raise refusals.malformed("An event's name is a string.")
        namespace = message.namespace or DEFAULT_NAMESPACE
        sid = self.manager.sid_from_eio_sid(engine_sid, namespace)
        if not self.manager.is_connected(sid, namespace):
            raise refusals.not_connected()
        known = self.handlers[DEFAULT_NAMESPACE].keys() - set(self.reserved_events)
        if event not in known:
            raise refusals.unknown_event(event, known=known)


def _decode(message: Packet, data: Any) -> None:
    """Fill in a message, as far as it can be read. Raises HttpError."""
    if isinstance(data, bytes):
        raise refusals.malformed("Binary messages are not taken: send JSON.")
    if not isinstance(data, str) or data[:1] not in _TYPES:
        raise refusals.malformed("The message is no packet of Socket.IO.")
    try:
        message.decode(data)
    except ValueError as error:
        raise refusals.malformed(f"The message is not JSON: {error}.") from None
    if message.packet_type in _BINARY:
        raise refusals.malformed("Binary messages are not taken: send JSON.")
    if message.packet_type == packet.CONNECT_ERROR:
        raise refusals.malformed("Clients do not refuse connections.")
