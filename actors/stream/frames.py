"""Frames: how requests and answers lie in a stream of bytes, and how garbage is known.

    | payload length u32 | kind u8 | number u64 | checksum u32 | payload |

Little-endian. The checksum is the CRC-32 of all that stands before it and of the payload.
"""

import struct
from enum import IntEnum
from typing import NamedTuple
from zlib import crc32

from actors.platform.errors import StreamBrokenError

# A range that takes a whole book away answers with gigabytes at the very most.
FRAME_BYTES_MAX = 1 << 30

_FIELDS = struct.Struct("<IBQ")
_CHECKSUM = struct.Struct("<I")
HEADER_BYTES = _FIELDS.size + _CHECKSUM.size


class FrameKind(IntEnum):
    """What a frame is; numbers that bytes torn out of a message seldom have."""

    REQUEST = 0xA1
    ANSWER = 0xB2
    FAILURE = 0xC3


_KINDS = frozenset(FrameKind)


class Frame(NamedTuple):
    """One message: an answer and a failure have the number of their request."""

    kind: int
    number: int
    payload: bytes


def header(kind: FrameKind, number: int, payload: bytes) -> bytes:
    """Return what goes before a payload. Raises StreamBrokenError for one that is too large."""
    if len(payload) > FRAME_BYTES_MAX:
        raise StreamBrokenError(f"a message of {len(payload)} bytes is larger than a frame may be")
    fields = _FIELDS.pack(len(payload), kind, number)
    return fields + _CHECKSUM.pack(crc32(payload, crc32(fields)))


class FrameDecoder:
    """Bytes in, in whatever pieces they arrive; whole frames out.

    It keeps at most one frame that is not whole yet, of at most `frame_bytes_max`.
    """

    def __init__(self, *, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        self._frame_bytes_max = frame_bytes_max
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are whole now.

        Raises StreamBrokenError at bytes that are no frame; nothing after them can be trusted.
        """
        if self._kept:
            self._kept += data
        with memoryview(self._kept or data) as source:
            frames, at = self._whole(source)
        if self._kept:
            del self._kept[:at]
        elif at < len(data):
            self._kept += data[at:]
        return frames

    def _whole(self, source: memoryview) -> tuple[list[Frame], int]:
        """Return the whole frames, and where the next one begins."""
        frames: list[Frame] = []
        at, end = 0, len(source)
        while end - at >= HEADER_BYTES:
            length, kind, number = _FIELDS.unpack_from(source, at)
            if kind not in _KINDS or length > self._frame_bytes_max:
                raise StreamBrokenError(f"no frame begins with {kind} and {length} bytes")
            begin = at + HEADER_BYTES
            if end - begin < length:
                break
            payload = bytes(source[begin : begin + length])
            (checksum,) = _CHECKSUM.unpack_from(source, at + _FIELDS.size)
            if crc32(payload, crc32(source[at : at + _FIELDS.size])) != checksum:
                raise StreamBrokenError(f"the checksum of frame {number} is wrong")
            at = begin + length
            frames.append(Frame(kind, number, payload))
        return frames, at
