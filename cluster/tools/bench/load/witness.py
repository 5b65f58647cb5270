"""Witness of what a client of the realtime feed hears, in a process of its own.

The load generator has no time to listen: its own waits would pass for the platform's.
"""

import asyncio
import multiprocessing as mp
import time
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection

import msgspec
import numpy as np

from cluster.errors import ClusterError
from cluster.tools.bench.latency.feed import Feed

_ANSWER_S = 60.0
_POLL_S = 0.1
_WITHIN_S = 60.0


class WitnessProcess:
    """A client that follows `pairs` and notes when it hears of each order first."""

    def __init__(self, url: str, pairs: Sequence[str]) -> None:
        context = mp.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_witness, args=(url, pairs, theirs), daemon=True)

    def __enter__(self) -> "WitnessProcess":
        self._process.start()
        self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._pipe.send_bytes(b"end")
        self._process.join(timeout=10)

    @property
    def process_id(self) -> int:
        """Return the id of the witness's process."""
        return self._process.pid or 0

    def heard_us(self) -> dict[int, int]:
        """Return when each order was first heard of, in microseconds, since the last call."""
        self._pipe.send_bytes(b"heard")
        return msgspec.msgpack.decode(self._answer(), type=dict[int, int])

    def _answer(self) -> bytes:
        try:
            if self._pipe.poll(_ANSWER_S):
                return self._pipe.recv_bytes()
        except EOFError as error:
            raise ClusterError("the witness of the realtime feed has ended") from error
        raise ClusterError("the witness of the realtime feed does not answer")


class Ways:
    """Orders on their way from the client to the event that names them; times in microseconds."""

    def __init__(self) -> None:
        self._sent_us: dict[int, int] = {}
        self._took_us: list[int] = []

    @property
    def unheard(self) -> int:
        """Return how many orders were sent and not heard of."""
        return len(self._sent_us)

    def sent(self, sent_us: dict[int, int]) -> None:
        """Take accepted orders, by id."""
        self._sent_us |= sent_us

    def heard(self, heard_us: dict[int, int]) -> None:
        """Take what was heard; what these clients did not send is passed over."""
        for order_id in self._sent_us.keys() & heard_us.keys():
            self._took_us.append(heard_us[order_id] - self._sent_us.pop(order_id))

    def took_us(self) -> np.ndarray:
        """Return how long the ways took that have ended since the last call."""
        took, self._took_us = np.array(self._took_us, np.int64), []
        return took


async def drain(witness: WitnessProcess, ways: Ways) -> None:
    """Listen until all that was sent has been heard, a minute at most; see `Ways.unheard`."""
    deadline_s = time.monotonic() + _WITHIN_S
    ways.heard(witness.heard_us())
    while ways.unheard and time.monotonic() < deadline_s:
        await asyncio.sleep(_POLL_S)
        ways.heard(witness.heard_us())


def _witness(url: str, pairs: Iterable[str], pipe: Connection) -> None:
    asyncio.run(_listen(url, list(pairs), pipe))


async def _listen(url: str, pairs: Sequence[str], pipe: Connection) -> None:
    async with Feed(url, pairs) as feed:
        pipe.send_bytes(b"ready")
        while await asyncio.to_thread(pipe.recv_bytes) != b"end":
            feed.check()
            heard, feed.seen_us = feed.seen_us, {}
            pipe.send_bytes(msgspec.msgpack.encode(heard))
