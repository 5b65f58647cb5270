"""The gateway's services put together, connected, and taken apart again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    wait_fixed,
)

from actors.log.commands import KafkaCommandLog
from actors.log.ends import LogEnds
from actors.platform.config import Platform
from actors.platform.errors import ForkastError
from actors.platform.topology import COMMANDS_TOPIC
from analytics.client import CandleSource
from api.exchange.barrier import WriterBarrier
from api.exchange.batches import BatchPlacing
from api.exchange.changing import Changing
from api.exchange.decimals import MarketUnits
from api.exchange.drafts import Drafting
from api.exchange.fills import Fills
from api.exchange.ids import IdGenerator
from api.exchange.intake import OrderIntake
from api.exchange.markets import Markets
from api.exchange.metrics import GatewayMetrics
from api.exchange.outcomes import OutcomeReader
from api.exchange.pairs import PairViews
from api.exchange.placing import Placing
from api.exchange.readiness import Readiness
from api.exchange.reading import OrdersReading
from api.exchange.recent import RecentOrders
from api.exchange.sending import Sender
from api.exchange.settling import Settling
from api.exchange.storage.database import Database
from api.exchange.storage.fills import FillsRepository
from api.exchange.storage.orders import OrdersRepository
from api.exchange.storage.positions import PositionsRepository, lease_worker_number
from api.exchange.storage.trades import TradesRepository
from api.exchange.storage.users import UsersRepository
from api.exchange.waiting import OutcomeWaiters
from api.exchange.watch import MarketWatch

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)
_START_S = 30.0
_RETRY_S = 0.5
_TOLD_EVERY = 20
_REDIS_TIMEOUT_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Gateway:
    """What the routes need."""

    platform: Platform
    markets: dict[str, MarketUnits]
    placing: Placing
    batches: BatchPlacing
    changing: Changing
    reading: OrdersReading
    fills: Fills
    market_data: Markets
    users: UsersRepository
    readiness: Readiness
    watch: MarketWatch
    waiters: OutcomeWaiters
    log: KafkaCommandLog
    pairs: PairViews
    metrics: GatewayMetrics
    ended_loops: Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class _Connections:
    database: Database
    redis: Redis
    log: KafkaCommandLog
    ends: LogEnds


@asynccontextmanager
async def open_gateway(
    platform: Platform,
    *,
    metrics: GatewayMetrics,
    pairs: PairViews,
    candles: CandleSource,
    patience_s: float = _START_S,
) -> AsyncIterator[Gateway]:
    """Connect, lease a worker number, set the loops going; take all down at the end.

    Postgres and Kafka are waited for; raises ForkastError where one of them does not answer
    within `patience_s`.
    """
    answering = partial(_answering, patience_s=patience_s)
    async with AsyncExitStack() as stack:
        connections = _connections(platform)
        stack.push_async_callback(connections.database.stop)
        stack.push_async_callback(connections.redis.aclose)
        await connections.database.start()
        await answering(connections.log.start)
        stack.push_async_callback(connections.log.stop)
        await answering(connections.ends.start)
        stack.push_async_callback(connections.ends.stop)
        worker = await answering(lambda: lease_worker_number(connections.database))
        waiters = OutcomeWaiters(worker=worker, bound=platform.limits.waiters)
        watch = MarketWatch(
            redis=connections.redis,
            topology=platform.topology,
            log_lag_commands=platform.limits.log_lag_commands,
        )
        outcomes = OutcomeReader(
            bootstrap=platform.servers.kafka_bootstrap,
            topology=platform.topology,
            waiters=waiters,
            watch=watch,
        )
        await answering(outcomes.start)
        stack.push_async_callback(outcomes.stop)
        await watch.refresh()
        loops = _Loops()
        stack.push_async_callback(loops.stop)
        loops.watch(outcomes.run(), "outcomes")
        loops.watch(watch.run(), "market watch")
        _log.info("gateway_started", worker=worker)
        yield _assemble(
            platform,
            connections,
            loops,
            metrics,
            pairs,
            candles,
            IdGenerator(worker),
            waiters,
            watch,
        )


class _Loops:
    """The gateway's background loops: none may end while it serves."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def watch(self, loop: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(loop, name=name))

    def ended(self) -> list[str]:
        """Name the loops that have ended."""
        return [task.get_name() for task in self._tasks if task.done()]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _connections(platform: Platform) -> _Connections:
    servers = platform.servers
    return _Connections(
        database=Database(servers.postgres_url),
        redis=Redis.from_url(
            servers.redis_url,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        ),
        log=KafkaCommandLog(
            bootstrap=servers.kafka_bootstrap,
            topology=platform.topology,
            pending_commands=platform.limits.produce_pending_commands,
        ),
        ends=LogEnds(
            bootstrap=servers.kafka_bootstrap,
            topic=COMMANDS_TOPIC,
            client_id="forkast-gateway-ends",
        ),
    )


async def _answering(attempt: Callable[[], Awaitable[_T]], *, patience_s: float) -> _T:
    """Try until the server behind it answers; raise its last error after `patience_s`."""
    async for retry in AsyncRetrying(
        retry=retry_if_exception_type(ForkastError),
        wait=wait_fixed(_RETRY_S),
        before_sleep=_tell_of_waiting,
        stop=stop_after_delay(patience_s),
        reraise=True,
    ):
        with retry:
            return await attempt()
    raise AssertionError("tenacity either returns or raises")


def _tell_of_waiting(state: RetryCallState) -> None:
    """Log why the gateway does not start, now and then."""
    if state.attempt_number % _TOLD_EVERY == 1 and state.outcome is not None:
        _log.warning("gateway_waits", why=str(state.outcome.exception()))


def _assemble(
    platform: Platform,
    connections: _Connections,
    loops: _Loops,
    metrics: GatewayMetrics,
    pairs: PairViews,
    candles: CandleSource,
    ids: IdGenerator,
    waiters: OutcomeWaiters,
    watch: MarketWatch,
) -> Gateway:
    topology = platform.topology
    markets = {market.pair: MarketUnits(market) for market in topology}
    users = UsersRepository(connections.database)
    recent = RecentOrders()
    reading = OrdersReading(
        markets=markets,
        topology=topology,
        orders=OrdersRepository(connections.database, topology),
        recent=recent,
        barrier=WriterBarrier(
            ends=connections.ends,
            positions=PositionsRepository(connections.database),
            topology=topology,
        ),
    )
    intake = OrderIntake(
        drafting=Drafting(markets),
        users=users,
        watch=watch,
        ids=ids,
        sender=Sender(log=connections.log, recent=recent, metrics=metrics),
        waiters=waiters,
        recent=recent,
        settling=Settling(recent=recent, reading=reading),
    )
    return Gateway(
        platform=platform,
        markets=markets,
        placing=Placing(intake),
        batches=BatchPlacing(intake, batch_orders=platform.limits.batch_orders),
        changing=Changing(
            markets=markets,
            ids=ids,
            sender=intake.sender,
            waiters=waiters,
            recent=recent,
            reading=reading,
        ),
        reading=reading,
        fills=Fills(markets=markets, fills=FillsRepository(connections.database)),
        market_data=Markets(
            redis=connections.redis,
            pairs=pairs,
            trades=TradesRepository(connections.database),
            candles=candles,
            watch=watch,
        ),
        users=users,
        readiness=Readiness(
            database=connections.database,
            redis=connections.redis,
            ends=connections.ends,
            pairs=pairs,
            topology=topology,
            watch=watch,
            loops=loops.ended,
        ),
        watch=watch,
        waiters=waiters,
        log=connections.log,
        pairs=pairs,
        metrics=metrics,
        ended_loops=loops.ended,
    )
