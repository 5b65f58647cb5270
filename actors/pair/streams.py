"""The pairs' actors seen from a router: found through Ray, spoken to by stream.

All pairs of an actor share one connection. One that breaks is the same event as an actor that dies:
each pair's next `position` finds the actor anew, and connects where there is no sound connection.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import structlog

from actors.book.market import Market
from actors.pair.messages import (
    AcknowledgeRequest,
    DepthRequest,
    PairRequest,
    Position,
    PositionRequest,
    RangeAnswer,
    RangeRequest,
    RewindRequest,
    StatsRequest,
)
from actors.pair.ports import PairInterface
from actors.pair.remote import answered, pair_host
from actors.platform.config import RouterConfig
from actors.platform.errors import PairUnavailableError
from actors.platform.tasks import end
from actors.remote.find import own_node_id
from actors.stream.client import Dialer, Stream
from actors.stream.endpoint import Endpoint

_log = structlog.get_logger(__name__)
_TIMEOUT_S = 10.0
_T = TypeVar("_T")

_encode = msgspec.msgpack.Encoder().encode
_POSITION = msgspec.msgpack.Decoder(Position).decode
_RANGE = msgspec.msgpack.Decoder(RangeAnswer).decode
_DEPTHS = msgspec.msgpack.Decoder(tuple[bytes, bytes]).decode
_STATS = msgspec.msgpack.Decoder(dict[str, Any]).decode
_NOTHING = msgspec.msgpack.Decoder(None).decode


class ActorStream:
    """The connection of this process to one pairs' actor, which any of its pairs may make anew."""

    def __init__(self, actor: str, *, namespace: str, token: str, timeout_s: float) -> None:
        self._name = actor
        self._actor = pair_host(actor, namespace=namespace, timeout_s=timeout_s)
        self._timeout_s = timeout_s
        self._dialer = Dialer(token=token, timeout_s=timeout_s, unavailable=PairUnavailableError)
        self._endpoint: Endpoint | None = None
        self._stream: Stream | None = None
        self._reaching: asyncio.Task[None] | None = None

    async def reach(self) -> None:
        """Find the actor anew, and have a sound connection with it; pairs that ask share a search.

        Raises PairUnavailableError.
        """
        if self._reaching is None or self._reaching.done():
            self._reaching = asyncio.create_task(self._reach(), name=f"reach {self._name}")
        await asyncio.shield(self._reaching)

    def request(self, asked: PairRequest, decode: Callable[[bytes], _T]) -> asyncio.Future[_T]:
        """Send a request now. Raises as `Stream.request`."""
        if self._stream is None:
            raise PairUnavailableError(f"{self._name} has not been found yet")
        return self._stream.request(_encode(asked), decode)

    async def close(self) -> None:
        """End the connection and what would make one."""
        if self._reaching is not None:
            await end([self._reaching])
        if self._stream is not None:
            self._stream.close()

    async def _reach(self) -> None:
        endpoint = await self._offered()
        stream = self._stream
        if stream is not None and not stream.broken and endpoint == self._endpoint:
            return
        self._stream = await self._dialer.connect(endpoint, node_id=own_node_id())
        self._endpoint = endpoint
        if stream is not None:
            stream.close("the actor was found elsewhere")

    async def _offered(self) -> Endpoint:
        """Ask the newest actor where it is. Where Ray's head is away, it is where it was."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._actor.find()
                return await answered(self._actor.submit(PairInterface.endpoint))
        except (TimeoutError, PairUnavailableError) as error:
            if self._endpoint is None:
                raise PairUnavailableError(f"{self._name} was not found: {error}") from error
            _log.info("actor_not_found", actor=self._name, why=str(error))
            return self._endpoint


class RemotePair:
    """The `PairClient` of one pair, which lives behind `stream`; needs an initialised Ray.

    Requests are done in the order in which they are sent. What a broken connection leaves without
    an answer may have been done: offsets make that harmless.
    """

    def __init__(self, pair: str, stream: ActorStream) -> None:
        self._pair = pair
        self._stream = stream

    async def position(self) -> Position:
        """Find the actor by name again and ask where the pair stands."""
        await self._stream.reach()
        return await self._stream.request(PositionRequest(self._pair), _POSITION)

    async def rewind(self) -> Position:
        """Send the pair back to its last snapshot; return where it stands then."""
        return await self._stream.request(RewindRequest(self._pair), _POSITION)

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        """Send a range now; await its outcome."""
        return self._stream.request(request, _RANGE)

    async def acknowledge(self, next_offset: int) -> None:
        """Say that the events of all commands before this offset are in Kafka."""
        await self._stream.request(AcknowledgeRequest(self._pair, next_offset), _NOTHING)

    async def depth_messages(self, *, limit: int, top: int) -> tuple[bytes, bytes]:
        """Return the depth as two MessagePack `DepthSnapshot`s."""
        return await self._stream.request(DepthRequest(self._pair, limit, top), _DEPTHS)

    async def stats(self) -> dict[str, Any]:
        """Return the pair's counts."""
        return await self._stream.request(StatsRequest(self._pair), _STATS)


class ActorStreams:
    """The connections of one router to the actors of its shard."""

    def __init__(self, config: RouterConfig, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._topology = config.topology
        self._streams = {
            actor: ActorStream(
                actor,
                namespace=config.namespace,
                token=config.stream_token,
                timeout_s=timeout_s,
            )
            for actor in config.topology.actors
        }

    def pair(self, market: Market) -> RemotePair:
        """Return the client of a market's pair."""
        return RemotePair(market.pair, self._streams[self._topology.actor(market.pair)])

    async def close(self) -> None:
        """End all connections."""
        for stream in self._streams.values():
            await stream.close()
