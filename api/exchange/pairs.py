"""The pairs' actors as the gateway asks them: for what Redis does not have."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np

from actors.book.records import EVENT_DTYPE, RecordArray
from actors.pair.client import RemotePairs
from actors.pair.messages import Fingerprint
from actors.platform.messages import DepthSnapshot
from actors.platform.topology import Topology
from actors.remote.find import pair_actor_name
from actors.writer.client import RemoteWriter
from actors.writer.status import WRITER_NAME, WriterStatus
from analytics.client import CANDLES_NAME, RemoteCandles

_TIMEOUT_S = 3.0


class PairViews(Protocol):
    """Whoever knows the pairs' books. Everything may raise ActorUnavailableError."""

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """Return at most `limit` levels of each side, best first."""
        ...

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """Return bids' and asks' order images (`EVENT_DTYPE` bytes), in priority."""
        ...

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return the pair's position and state hash of one moment."""
        ...

    async def ping(self, actor: str) -> None:
        """Return when the actor of this name answers."""
        ...

    async def writer(self) -> WriterStatus:
        """Return how the Postgres writer stands."""
        ...


def order_images(images: bytes) -> RecordArray:
    """Return the images (`EVENT_DTYPE`) of `PairViews.orders`."""
    return np.frombuffer(images, EVENT_DTYPE)


class RemotePairViews:
    """The `PairViews` of a platform; needs an initialised Ray."""

    def __init__(self, *, topology: Topology, namespace: str) -> None:
        self._pairs = RemotePairs(topology=topology, namespace=namespace, timeout_s=_TIMEOUT_S)
        self._writer = RemoteWriter(namespace=namespace, timeout_s=_TIMEOUT_S)
        candles = RemoteCandles(namespace=namespace, timeout_s=_TIMEOUT_S)
        self._pings: Mapping[str, Callable[[], Awaitable[None]]] = {
            WRITER_NAME: self._writer.ping,
            CANDLES_NAME: candles.ping,
            **{
                pair_actor_name(actor): partial(self._pairs.ping, actor)
                for actor in topology.actors
            },
        }

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """Return at most `limit` levels of each side, best first."""
        return await self._pairs.depth(pair, limit)

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """Return bids' and asks' order images (`EVENT_DTYPE` bytes), in priority."""
        return await self._pairs.orders(pair, limit)

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return the pair's position and state hash of one moment."""
        return await self._pairs.fingerprint(pair)

    async def ping(self, actor: str) -> None:
        """Return when the actor of this name answers."""
        await self._pings[actor]()

    async def writer(self) -> WriterStatus:
        """Return how the Postgres writer stands."""
        return await self._writer.status()
