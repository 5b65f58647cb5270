"""Packets as they go over the wire: each is encoded once, however many clients get it."""

from typing import Any

import msgspec
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket

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


def event_packet(event: str, payload: Any) -> EnginePacket:
    """Return the packet of an event of the default namespace; it caches its own encoding."""
    return EnginePacket(MESSAGE, data=f'{EVENT}["{event}",{msgspec.json.encode(payload).decode()}]')
