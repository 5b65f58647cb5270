"""A whole exchange in one event loop: no Ray, no Kafka; for notebooks and for tests.

Books, router, writer, candle aggregator and gateways are the platform's own classes. The log is one
in memory, so what is traded ends with the process; Postgres and Valkey are real.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import FastAPI

from actors.book.warm import warm
from actors.log.memory import MemoryLog
from actors.log.ports import Log
from actors.platform.config import GatewayConfig, Limits, Servers
from actors.platform.topology import Topology
from actors.router.router import OrderRouter
from actors.writer.writer import PostgresWriter
from analytics.aggregator import CandleAggregator
from analytics.client import CandleSource
from api.application import create_app
from api.exchange.exchange import Exchange
from api.exchange.pairs import PairViews
from cluster.data.migrate import migrate
from cluster.embedded.servers import EmbeddedServers
from cluster.markets import default_topology
from cluster.plan import Platform
from cluster.platform.local_actors import LocalCandles, LocalPair, LocalViews, local_pair

_ADDRESS = "http://127.0.0.1"
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class LocalGateway:
    """One running gateway: its application, the exchange behind it, and an HTTP client of it."""

    app: FastAPI
    exchange: Exchange
    client: httpx.AsyncClient


@dataclass(kw_only=True)
class LocalExchange:
    """The parts of a running exchange."""

    platform: Platform
    log: Log
    pairs: dict[str, LocalPair]
    views: PairViews
    candles: CandleSource
    router: OrderRouter
    writer: PostgresWriter
    gateways: list[LocalGateway] = field(default_factory=list)

    @property
    def client(self) -> httpx.AsyncClient:
        """Return an HTTP client of the first gateway; it needs no port."""
        return self.gateways[0].client

    @property
    def exchange(self) -> Exchange:
        """Return the exchange of the first gateway, which takes values."""
        return self.gateways[0].exchange

    def app(self, config: GatewayConfig | None = None) -> FastAPI:
        """Return the application of one more gateway, which connects when it is started."""
        return create_app(
            config or self.platform.gateway,
            pairs=self.views,
            candles=self.candles,
            log=self.log,
        )


@asynccontextmanager
async def open_local(
    topology: Topology,
    *,
    postgres_url: str,
    redis_url: str,
    folder: Path,
    gateways: int = 1,
    log: Log | None = None,
    kafka_bootstrap: str = "",
    operator_token: str = "",
    limits: Limits | None = None,
) -> AsyncIterator[LocalExchange]:
    """Run an exchange on an empty database; its books keep snapshots in `folder`, empty too.

    Without `log` it has one in memory, which begins with nothing. Raises MigrationError,
    ServerUnreachableError and ForkastError.
    """
    # Compiling takes seconds, in which this process's loop would answer nobody.
    warm()
    await migrate(postgres_url, topology)
    platform = Platform(
        servers=Servers(
            kafka_bootstrap=kafka_bootstrap, postgres_url=postgres_url, redis_url=redis_url
        ),
        topology=topology,
        data_directory=str(folder),
        limits=limits or Limits(),
        gateway_replicas=max(gateways, 1),
        operator_token=operator_token,
    )
    log = MemoryLog() if log is None else log
    async with AsyncExitStack() as stack:
        running = await _parts(platform, log, stack)
        for _ in range(gateways):
            running.gateways.append(await _gateway(running.app(), stack))
        yield running


@asynccontextmanager
async def local_exchange(
    topology: Topology | None = None, *, gateways: int = 1, limits: Limits | None = None
) -> AsyncIterator[LocalExchange]:
    """Run an exchange on a Postgres and a Valkey of its own; nothing of it is left behind.

    It has the default markets unless told otherwise. Call from the main thread, as a notebook
    does. Raises as `open_local`, and ServerStartError.
    """
    with tempfile.TemporaryDirectory(prefix="forkast-local-") as directory:
        folder = Path(directory)
        servers = EmbeddedServers(folder, kafka=False)
        addresses = await servers.start()
        try:
            async with open_local(
                topology or default_topology(),
                postgres_url=addresses.postgres_url,
                redis_url=addresses.redis_url,
                folder=folder,
                gateways=gateways,
                limits=limits,
            ) as running:
                yield running
        finally:
            await servers.stop()


async def _parts(platform: Platform, log: Log, stack: AsyncExitStack) -> LocalExchange:
    """Start everything behind the gateways."""
    pairs = {market.pair: local_pair(platform, market) for market in platform.topology}
    writer = PostgresWriter(platform.writer, log=log)
    aggregator = CandleAggregator(platform.candles, log=log)
    router = OrderRouter(platform.router(), connect=lambda market: pairs[market.pair], log=log)
    writer.start()
    stack.push_async_callback(writer.stop)
    aggregator.start()
    stack.push_async_callback(aggregator.stop)
    stack.push_async_callback(router.stop)
    await router.start()
    return LocalExchange(
        platform=platform,
        log=log,
        pairs=pairs,
        views=LocalViews(pairs, writer),
        candles=LocalCandles(aggregator),
        router=router,
        writer=writer,
    )


async def _gateway(app: FastAPI, stack: AsyncExitStack) -> LocalGateway:
    await stack.enter_async_context(app.router.lifespan_context(app))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=_ADDRESS, timeout=_TIMEOUT_S
    )
    await stack.enter_async_context(client)
    return LocalGateway(app=app, exchange=app.state.exchange, client=client)
