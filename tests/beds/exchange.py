"""A whole exchange in this process: gateways under uvicorn, router, books, writer, candles."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI

from actors.book.market import Market
from actors.book.warm import warm
from actors.pair.messages import Fingerprint
from actors.platform.config import Limits, Servers
from actors.platform.errors import PairUnavailableError
from actors.platform.messages import Candle, DepthSnapshot
from actors.platform.topology import Topology
from actors.router.router import OrderRouter
from actors.writer.status import WriterStatus
from actors.writer.writer import PostgresWriter
from analytics.aggregator import CandleAggregator
from analytics.intervals import Interval
from analytics.messages import IndicatorSeries, LiveCandle, Ticker
from api.application import create_app
from cluster.data.migrate import migrate
from cluster.plan import Platform
from tests.beds.held import HeldClient
from tests.beds.routing import LocalPair, local_pair, widen_topics

OPERATOR_TOKEN = "operator-of-the-contract"
BTC, ETH, XRP = "BTC-USD", "ETH-USD", "XRP-USD"
_FIRST_MARKET_ID = 91
_DEADLINE_S = 20.0


def topology() -> Topology:
    """Return three markets that no other test writes to."""
    return Topology(
        tuple(
            Market(
                market_id=_FIRST_MARKET_ID + index,
                pair=pair,
                tick_size="0.01",
                lot_size="0.0001",
                min_notional_units=10_000,
                max_price_ticks=100_000_000,
                max_quantity_lots=10_000_000,
            )
            for index, pair in enumerate((BTC, ETH, XRP))
        )
    )


class LocalViews:
    """The `PairViews` of pairs that live in this process; `silent` ones do not answer."""

    def __init__(self, pairs: dict[str, LocalPair], writer: PostgresWriter) -> None:
        self._pairs = pairs
        self._writer = writer
        self.silent: set[str] = set()

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        self._check(pair)
        return self._pairs[pair].actor.depth(limit)

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        self._check(pair)
        return self._pairs[pair].actor.orders(limit)

    async def fingerprint(self, pair: str) -> Fingerprint:
        self._check(pair)
        return self._pairs[pair].actor.fingerprint()

    async def ping(self, actor: str) -> None:
        self._check(actor)

    async def writer(self) -> WriterStatus:
        self._check("writer")
        return await self._writer.status()

    def _check(self, name: str) -> None:
        if name in self.silent:
            raise PairUnavailableError(f"{name} was told to be silent")


class LocalCandles:
    """The `CandleSource` of an aggregator in this process."""

    def __init__(self, aggregator: CandleAggregator) -> None:
        self._aggregator = aggregator

    async def candles(
        self, *, pair: str, interval: Interval, limit: int, before_s: int | None, now_s: int
    ) -> list[Candle]:
        return await self._aggregator.candles(pair, interval.value, limit, before_s, now_s)

    async def indicators(
        self,
        *,
        pair: str,
        interval: Interval,
        names: list[str],
        limit: int,
        before_s: int | None,
        now_s: int,
    ) -> IndicatorSeries:
        return await self._aggregator.indicators(
            pair, interval.value, names, limit, before_s, now_s
        )

    async def live(self, *, pair: str, interval: Interval) -> LiveCandle | None:
        return await self._aggregator.live(pair, interval.value)

    async def seconds(self, *, pair: str, since_s: int, limit: int) -> list[Candle] | None:
        return await self._aggregator.seconds(pair, since_s, limit)

    async def ticker(self, *, pair: str, now_s: int) -> Ticker | None:
        return await self._aggregator.ticker(pair, now_s)


@dataclass(kw_only=True)
class Exchange:
    """What a test holds of the exchange; `clients` are one per gateway replica."""

    platform: Platform
    views: LocalViews
    candles: LocalCandles
    router: OrderRouter
    writer: PostgresWriter
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def client(self) -> httpx.AsyncClient:
        return self.clients[0]

    async def place(self, *, expect: int = 201, wait_ms: int = 5_000, **order: Any) -> Any:
        """Place an order (a BTC bid of 1 at 100 unless told otherwise) and return the answer."""
        query = {"wait": wait_ms} if wait_ms else {}
        body = {"tradingPair": BTC, "type": "BUY", "price": 100, "quantity": 1, "userId": 1}
        answer = await self.client.post("/orders", params=query, json=body | order)
        assert answer.status_code == expect, answer.text
        return answer.json()

    async def new_user(self) -> int:
        """Make a user whom no other test knows."""
        answer = await self.client.post("/users", json={"name": "A test's own"})
        assert answer.status_code == 201, answer.text
        user_id: int = answer.json()["id"]
        return user_id

    async def clear(self, pair: str) -> None:
        """Empty a market's book."""
        book = (
            await self.client.get(f"/market/{pair}/orderbook", params={"view": "orders"})
        ).json()
        for user_id in {row["userId"] for row in book["bids"] + book["asks"]}:
            answer = await self.client.delete(
                "/orders", params={"userId": user_id, "tradingPair": pair}
            )
            assert answer.status_code == 200, answer.text


@asynccontextmanager
async def open_exchange(
    servers: Servers, folder: Path, *, replicas: int, **limits: int
) -> AsyncIterator[Exchange]:
    """Run an exchange on a database of its own; take it all away at the end."""
    # Compiling takes seconds, in which this process's loop would answer nobody.
    warm()
    markets = topology()
    await widen_topics(servers, markets.partitions)
    async with AsyncExitStack() as stack:
        platform = Platform(
            servers=await stack.enter_async_context(_own_database(servers, markets)),
            topology=markets,
            data_directory=str(folder),
            limits=Limits(**limits),
            gateway_replicas=replicas,
            operator_token=OPERATOR_TOKEN,
        )
        pairs = {market.pair: local_pair(platform, market) for market in markets}
        router = OrderRouter(platform.router(), connect=lambda market: pairs[market.pair])
        writer = PostgresWriter(platform.writer)
        aggregator = CandleAggregator(platform.candles)
        writer.start()
        stack.push_async_callback(writer.stop)
        aggregator.start()
        stack.push_async_callback(aggregator.stop)
        await router.start()
        stack.push_async_callback(router.stop)
        exchange = Exchange(
            platform=platform,
            views=LocalViews(pairs, writer),
            candles=LocalCandles(aggregator),
            router=router,
            writer=writer,
        )
        for _ in range(replicas):
            app = create_app(platform.gateway, pairs=exchange.views, candles=exchange.candles)
            exchange.clients.append(await stack.enter_async_context(served(app)))
        yield exchange


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Run an application under uvicorn on a free port; yield a client that holds its answers."""
    # Named as TCP, or asyncio would leave Nagle's algorithm on and each answer would wait 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="warning", lifespan="on", loop="none")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: _is(server.started or task.done()), what="uvicorn is up")
        assert server.started
        async with HeldClient(
            app.openapi(), base_url=f"http://127.0.0.1:{port}", timeout=_DEADLINE_S
        ) as client:
            yield client
        server.should_exit = True
        await task


async def until(condition: Callable[[], Awaitable[bool]], *, what: str) -> None:
    """Poll until the condition holds; fail where it does not in time."""
    try:
        async with asyncio.timeout(_DEADLINE_S):
            while not await condition():  # noqa: ASYNC110 - the condition lives in a server
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {_DEADLINE_S:g} s: {what}") from None


async def _is(value: bool) -> bool:
    return value


@asynccontextmanager
async def _own_database(servers: Servers, markets: Topology) -> AsyncIterator[Servers]:
    name = f"contract_{uuid.uuid4().hex[:12]}"
    url = urlsplit(servers.postgres_url)._replace(path=f"/{name}").geturl()
    connection = await asyncpg.connect(servers.postgres_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        await migrate(url, markets)
        yield Servers(
            kafka_bootstrap=servers.kafka_bootstrap,
            postgres_url=url,
            redis_url=servers.redis_url,
        )
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()
