"""A small live platform for the hub's tests: real servers, some markets, router and candles."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import socketio
import uvicorn
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from actors.book.market import Market
from actors.book.records import RecordArray
from actors.book.warm import warm
from actors.log.commands import KafkaCommandLog
from actors.log.ends import KafkaLogEnds
from actors.platform.config import Servers
from actors.platform.errors import LogError
from actors.router.router import OrderRouter
from analytics.aggregator import CandleAggregator
from analytics.client import CandleSource
from api.exchange.exchange import open_exchange
from api.exchange.pairs import RemotePairViews
from api.hub.desk import ExchangeDesk
from api.hub.frames import FrameProtocol
from api.hub.hub import Hub
from api.hub.server import HubServer
from cluster.plan import Platform
from cluster.platform.local_actors import LocalCandles, LocalPair, local_pair
from tests.beds.held import hold_event
from tests.beds.leases import TOPICS, MarketLeases
from tests.beds.routing import (
    command_log,
    make_platform,
    running,
)
from tests.beds.waiting import until

_MARKETS = 11


@dataclass(kw_only=True)
class LiveMarket:
    """One market of the running platform, with its pair in this process."""

    market: Market
    pair: LocalPair
    log: KafkaCommandLog

    @property
    def room(self) -> str:
        return self.market.pair

    async def send(self, commands: RecordArray) -> None:
        """Append commands in one record."""
        await self.log.append(self.market, commands)


@dataclass(kw_only=True)
class Live:
    """What a test needs of the running platform; each takes a market that nobody has used."""

    unused: list[LiveMarket]
    hub: Hub
    candles: LocalCandles
    redis: Redis
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=websocket"


@dataclass
class Heard:
    """A Socket.IO client and what it has heard, by event, in order."""

    client: Any
    events: list[tuple[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def of(self, event: str) -> list[Any]:
        return [payload for name, payload in self.events if name == event]

    async def ask(self, event: str, data: object = None) -> Any:
        return await self.client.call(event, data, timeout=15)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        async def holds() -> bool:
            return bool(condition())

        await until(holds, what=what)


@asynccontextmanager
async def live_platform(
    servers: Servers,
    leases: MarketLeases,
    folder: Path,
    *,
    allowed_origins: tuple[str, ...],
    markets_unused: int = _MARKETS,
    **limits: int,
) -> AsyncIterator[Live]:
    """Run markets, router, candle aggregator and hub; the hub listens on a free port."""
    # Compiling in the middle of a test would stop the loop that all of this runs in.
    warm()
    markets = await leases.markets(markets_unused)
    platform = replace(
        make_platform(servers, markets, folder, **limits), allowed_origins=allowed_origins
    )
    await until_led(platform)
    pairs = {one.pair: local_pair(platform, one) for one in markets}
    aggregator = CandleAggregator(
        platform.candles, consumer=f"candles-{uuid.uuid4().hex[:8]}", rest_s=0.02
    )
    candles = LocalCandles(aggregator)
    hub = Hub(platform.exchange, candles=candles)
    async with AsyncExitStack() as stack:
        router = OrderRouter(platform.router(), connect=lambda one: pairs[one.pair])
        await stack.enter_async_context(running(router))
        log = await stack.enter_async_context(command_log(platform))
        aggregator.start()
        stack.push_async_callback(aggregator.stop)
        await hub.start()
        stack.push_async_callback(hub.stop)
        server = await stack.enter_async_context(answering(hub, platform, candles))
        port = await stack.enter_async_context(serving(server))
        redis = Redis.from_url(servers.redis_url)
        stack.push_async_callback(redis.aclose)
        yield Live(
            unused=[LiveMarket(market=one, pair=pairs[one.pair], log=log) for one in markets],
            hub=hub,
            candles=candles,
            redis=redis,
            port=port,
        )
        hub.check_health()


async def until_led(platform: Platform) -> None:
    """Return when the broker leads every partition; new ones take it a moment."""
    partitions = range(platform.topology.partitions)
    for topic in TOPICS:
        ends = KafkaLogEnds(
            bootstrap=platform.servers.kafka_bootstrap, topic=topic, client_id="until-led"
        )
        await ends.start()

        async def led(ends: KafkaLogEnds = ends) -> bool:
            try:
                return len(await ends.end_offsets(partitions)) == len(partitions)
            except LogError:
                return False

        try:
            await until(led, within_s=60, what=f"leaders of {topic}")
        finally:
            await ends.stop()


@asynccontextmanager
async def answering(
    hub: Hub, platform: Platform, candles: CandleSource
) -> AsyncIterator[HubServer]:
    """Put the hub and the gateway's services behind Socket.IO."""
    desk = ExchangeDesk(
        lambda: open_exchange(
            platform.exchange,
            registry=CollectorRegistry(),
            pairs=RemotePairViews(topology=platform.topology, namespace=platform.namespace),
            candles=candles,
        )
    )
    server = HubServer(
        hub,
        desk=desk,
        allowed_origins=platform.allowed_origins,
        client_messages=platform.limits.hub_client_messages,
        levels_max=4_000,
    )
    try:
        yield server
    finally:
        await server.stop()
        await desk.close()


@asynccontextmanager
async def serving(server: HubServer) -> AsyncIterator[int]:
    """Serve over uvicorn on a free loopback port; yield the port.

    With small buffers, so that a client which does not read is noticed soon.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        server.asgi,
        lifespan="off",
        log_config=None,
        ws=FrameProtocol,
        timeout_graceful_shutdown=1,
    )
    listening = uvicorn.Server(config)
    task = asyncio.create_task(listening.serve(sockets=[listener]))

    async def started() -> bool:
        return listening.started

    await until(started, what="uvicorn")
    try:
        yield listener.getsockname()[1]
    finally:
        listening.should_exit = True
        await task


@asynccontextmanager
async def hearing(live: Live, *transports: str) -> AsyncIterator[Heard]:
    """Connect a client that may use these transports only, and disconnect it."""
    # The library leaves a WebSocket's connection to the garbage collector: this session ends it.
    async with aiohttp.ClientSession() as session:
        client = socketio.AsyncClient(reconnection=False, http_session=session)
        heard = Heard(client)

        async def note(event: str, payload: Any) -> None:
            heard.events.append((event, payload))
            try:
                hold_event(event, payload)
            except AssertionError as error:
                heard.faults.append(str(error))

        client.on("*", note)
        await client.connect(live.url, transports=list(transports) or None, wait_timeout=20)
        try:
            yield heard
        finally:
            await client.disconnect()
        assert not heard.faults, heard.faults[0]
