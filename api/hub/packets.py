"""Packets as they go over the wire: each is encoded once, however many clients get it."""

from collections.abc import Sequence
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

    _frame = b""

    @property
    def frame(self) -> bytes:
        """Return the WebSocket frame that holds this packet."""
        if not self._frame:
            self._frame = text_frame(self.encode().encode())
        return self._frame


class Batch:
    """Packets that many clients get at a time, and the bytes of all their frames together."""

    def __init__(self, packets: Sequence[EventPacket]) -> None:
        self.packets = packets
        self._frames = b""

    def __len__(self) -> int:
        return len(self.packets)

    @property
    def frames(self) -> bytes:
        """Return the WebSocket frames that hold these packets."""
        if not self._frames:
            self._frames = b"".join([packet.frame for packet in self.packets])
        return self._frames


def event_packet(event: str, payload: Any) -> EventPacket:
    """Return the packet of an event of the default namespace."""
    return EventPacket(MESSAGE, data=f'{EVENT}["{event}",{msgspec.json.encode(payload).decode()}]')


def frame_of(packet: EnginePacket) -> bytes:
    """Return the WebSocket frame that holds any packet with text."""
    if isinstance(packet, EventPacket):
        return packet.frame
    return text_frame(packet.encode().encode())
