"""Packets as they go over the wire: each is encoded once, however many clients get it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket

from api.hub.frames import text_frame
from api.json.numbers import exact

EVENT = "2"

_decoder = msgspec.json.Decoder(float_hook=exact)


class ExactJson:
    """The JSON module that Socket.IO is given: numbers keep their decimals on the way in."""

    @staticmethod
    def loads(text: str) -> Any:
        """Return the decoded value. Raises ValueError, whatever the text is."""
        try:
            return _decoder.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise ValueError(str(error)) from None

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Return the value as JSON without blanks."""
        return msgspec.json.encode(value).decode()


class EventPacket(EnginePacket):  # type: ignore[misc]
    """A packet that many clients get: it keeps its encoding, and the frame around that."""

    @cached_property
    def frame(self) -> bytes:
        """Return the WebSocket frame that holds this packet."""
        return text_frame(self.encode().encode())


class Batch:
    """Packets that many clients get at a time, and the bytes of all their frames together."""

    def __init__(self, packets: Sequence[EventPacket]) -> None:
        self.packets = packets

    def __len__(self) -> int:
        return len(self.packets)

    @cached_property
    def frames(self) -> bytes:
        """Return the WebSocket frames that hold these packets."""
        return b"".join(packet.frame for packet in self.packets)


def event_packet(event: str, payload: Any) -> EventPacket:
    """Return the packet of an event of the default namespace."""
    return EventPacket(MESSAGE, data=f'{EVENT}["{event}",{msgspec.json.encode(payload).decode()}]')


def frame_of(packet: EnginePacket) -> bytes:
    """Return the WebSocket frame that holds any packet with text."""
    if isinstance(packet, EventPacket):
        return packet.frame
    return text_frame(packet.encode().encode())
