"""A whole exchange in this process: gateways under uvicorn, router, books, writer, candles."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from actors.book.market import Market
from actors.log.kafka import KafkaLog
from actors.pair.messages import Fingerprint
from actors.platform.config import Servers
from actors.platform.errors import PairUnavailableError
from actors.platform.messages import DepthSnapshot
from actors.platform.topology import Topology
from actors.writer.status import WriterStatus
from actors.writer.writer import PostgresWriter
from cluster.plan import Platform
from cluster.platform.local import LocalExchange, open_local
from cluster.platform.local_actors import LocalPair, LocalViews
from tests.beds.databases import own_database
from tests.beds.held import HeldClient
from tests.beds.waiting import until

OPERATOR_TOKEN = "operator-of-the-contract"
BTC, ETH, XRP = "BTC-USD", "ETH-USD", "XRP-USD"
_DEADLINE_S = 20.0


def topology(market_ids: Sequence[int]) -> Topology:
    """Return three markets with these ids."""
    return Topology(
        tuple(
            Market(
                market_id=market_id,
                pair=pair,
                tick_size="0.01",
                lot_size="0.0001",
                min_notional_units=10_000,
                max_price_ticks=100_000_000,
                max_quantity_lots=10_000_000,
            )
            for market_id, pair in zip(market_ids, (BTC, ETH, XRP), strict=True)
        )
    )


class Views(LocalViews):
    """Views of which the `silent` ones do not answer."""

    def __init__(self, pairs: Mapping[str, LocalPair], writer: PostgresWriter) -> None:
        super().__init__(pairs, writer)
        self.silent: set[str] = set()

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        self._check(pair)
        return await super().depth(pair, limit)

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        self._check(pair)
        return await super().orders(pair, limit)

    async def fingerprint(self, pair: str) -> Fingerprint:
        self._check(pair)
        return await super().fingerprint(pair)

    async def ping(self, actor: str) -> None:
        self._check(actor)

    async def writer(self) -> WriterStatus:
        self._check("writer")
        return await super().writer()

    def _check(self, name: str) -> None:
        if name in self.silent:
            raise PairUnavailableError(f"{name} was told to be silent")


@dataclass(kw_only=True)
class Exchange:
    """What a test holds of the exchange; `clients` are one per gateway replica."""

    local: LocalExchange
    views: Views
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def platform(self) -> Platform:
        return self.local.platform

    @property
    def writer(self) -> PostgresWriter:
        return self.local.writer

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
    servers: Servers, folder: Path, *, market_ids: Sequence[int], replicas: int
) -> AsyncIterator[Exchange]:
    """Run an exchange on a database of its own; take it all away at the end.

    Its log is the servers' Kafka, or one in memory where they have none.
    """
    markets = topology(market_ids)
    kafka_bootstrap = servers.kafka_bootstrap
    async with (
        own_database(servers.postgres_url) as postgres_url,
        open_local(
            markets,
            postgres_url=postgres_url,
            redis_url=servers.redis_url,
            folder=folder,
            gateways=0,
            log=KafkaLog(kafka_bootstrap) if kafka_bootstrap else None,
            kafka_bootstrap=kafka_bootstrap,
            operator_token=OPERATOR_TOKEN,
        ) as local,
        AsyncExitStack() as stack,
    ):
        local.views = views = Views(local.pairs, local.writer)
        exchange = Exchange(local=local, views=views)
        for _ in range(replicas):
            exchange.clients.append(await stack.enter_async_context(served(local.app())))
        yield exchange


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Run an application under uvicorn on a free port; yield a client that holds its answers."""
    # Named as TCP, or asyncio would leave Nagle's algorithm on and each answer would wait 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_level="warning",
            lifespan="on",
            loop="none",
            # Longer than the client keeps an idle connection, or it may write to one just closed.
            timeout_keep_alive=60,
        )
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


async def _is(value: bool) -> bool:
    return value
