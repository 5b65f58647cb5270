"""Stamps of what passes through a process, sent to whoever measures, where that was asked for.

A stamp is one datagram: a step, the partition or market where it was taken, the records it is of,
and the step's begin and end. Without an address nothing is made that could be stamped with, and
nothing is sent; with one, a stamp that nobody receives is lost and no error.
"""

import contextlib
import socket
import struct
import time
from enum import IntEnum

STAMP = struct.Struct("<BIqqqq")


class Step(IntEnum):
    """Where a stamp is taken.

    ROUTED and TOLD are of records of a partition, from when router or hub had read them to when it
    asked for more; APPLIED is of a range of a market, from when the pair was handed it to when its
    answer was here.
    """

    ROUTED = 1
    APPLIED = 2
    TOLD = 3


def now_us() -> int:
    """Return the clock that stamps are of: microseconds since the Unix epoch."""
    return time.time_ns() // 1_000


class Trace:
    """Send stamps to `address`, `host:port`."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._address = (host, int(port))

    def stamp(
        self, step: Step, place: int, *, first_offset: int, next_offset: int, began_us: int
    ) -> None:
        """Say that these offsets (half-open) have come through a step, which ends now."""
        stamp = STAMP.pack(step, place, first_offset, next_offset, began_us, now_us())
        with contextlib.suppress(OSError):
            self._socket.sendto(stamp, self._address)

    def close(self) -> None:
        """Send no more."""
        self._socket.close()
