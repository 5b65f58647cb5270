"""The exchange of one process: its parts put together, connected, and taken apart again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog
from prometheus_client import CollectorRegistry
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

from actors.log.kafka import KafkaLog
from actors.log.ports import CommandLog, Log, LogEnds
from actors.platform.config import ExchangeConfig
from actors.platform.errors import ForkastError
from actors.platform.tasks import end
from actors.platform.topology import COMMANDS_TOPIC, Topology
from analytics.client import CandleSource
from api.exchange.admission import Admission
from api.exchange.barrier import WriterBarrier
from api.exchange.changes import OrderChanges
from api.exchange.decimals import MarketDecimals
from api.exchange.demand import Demand
from api.exchange.entry import OrderEntry
from api.exchange.fills import TradeHistory
from api.exchange.ids import IdGenerator
from api.exchange.market_data import MarketData
from api.exchange.metrics import OrderMetrics
from api.exchange.orders import Orders
from api.exchange.outcomes import OutcomeReader
from api.exchange.pairs import PairViews
from api.exchange.readiness import Readiness
from api.exchange.recent import RecentEvents
from api.exchange.sender import Sender, SentOrders
from api.exchange.settlement import Settlement
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
class Exchange:
    """What doors ask: values in, values or refusals out."""

    config: ExchangeConfig
    markets: dict[str, MarketDecimals]
    entry: OrderEntry
    changes: OrderChanges
    orders: Orders
    history: TradeHistory
    market_data: MarketData
    users: UsersRepository
    readiness: Readiness
    watch: MarketWatch
    waiters: OutcomeWaiters
    log: CommandLog
    pairs: PairViews
    ended_loops: Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class _Connections:
    database: Database
    redis: Redis
    log: Log
    commands: CommandLog
    ends: LogEnds


@asynccontextmanager
async def open_exchange(
    config: ExchangeConfig,
    *,
    registry: CollectorRegistry,
    pairs: PairViews,
    candles: CandleSource,
    log: Log | None = None,
    patience_s: float = _START_S,
) -> AsyncIterator[Exchange]:
    """Connect, lease a worker number, set the loops going; take all down at the end.

    `log` is the config's Kafka unless it is given. Postgres and the log are waited for; raises
    ForkastError where one of them does not answer within `patience_s`.
    """
    answering = partial(_answering, patience_s=patience_s)
    async with AsyncExitStack() as stack:
        connections = _connections(config, log or KafkaLog(config.servers.kafka_bootstrap))
        stack.push_async_callback(connections.database.stop)
        stack.push_async_callback(connections.redis.aclose)
        await connections.database.start()
        await answering(connections.commands.start)
        stack.push_async_callback(connections.commands.stop)
        await answering(connections.ends.start)
        stack.push_async_callback(connections.ends.stop)
        worker = await answering(lambda: lease_worker_number(connections.database))
        listeners = _listeners(config, connections, worker=worker)
        await answering(listeners.outcomes.start)
        stack.push_async_callback(listeners.outcomes.stop)
        await listeners.watch.refresh()
        loops = _Loops()
        stack.push_async_callback(loops.stop)
        loops.watch(listeners.outcomes.run(), "outcomes")
        loops.watch(listeners.outcomes.run_written(), "written positions")
        loops.watch(listeners.watch.run(), "market watch")
        _log.info("exchange_opened", worker=worker)
        yield _assemble(
            config,
            connections,
            listeners,
            pairs=pairs,
            candles=candles,
            ids=IdGenerator(worker),
            metrics=OrderMetrics(config.topology, registry),
            ended_loops=loops.ended,
        )


class _Loops:
    """Background loops: none may end while the exchange serves."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def watch(self, loop: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(loop, name=name))

    def ended(self) -> list[str]:
        """Name the loops that have ended."""
        return [task.get_name() for task in self._tasks if task.done()]

    async def stop(self) -> None:
        await end(self._tasks)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listeners:
    """Parts that hear of events, and what they tell."""

    waiters: OutcomeWaiters
    watch: MarketWatch
    admission: Admission
    recent: RecentEvents
    outcomes: OutcomeReader


def _listeners(config: ExchangeConfig, connections: _Connections, *, worker: int) -> _Listeners:
    demand = Demand()
    waiters = OutcomeWaiters(worker=worker, bound=config.limits.waiters, demand=demand)
    watch = MarketWatch(
        redis=connections.redis,
        topology=config.topology,
        log_lag_commands=config.limits.log_lag_commands,
    )
    admission = Admission(
        worker=worker,
        topology=config.topology,
        target_s=config.limits.order_delay_ms / 1_000,
        demand=demand,
    )
    recent = RecentEvents(market.market_id for market in config.topology)
    outcomes = OutcomeReader(
        connections.log,
        topology=config.topology,
        demand=demand,
        waiters=waiters,
        watch=watch,
        admission=admission,
        recent=recent,
        positions=PositionsRepository(connections.database),
    )
    return _Listeners(
        waiters=waiters, watch=watch, admission=admission, recent=recent, outcomes=outcomes
    )


def _connections(config: ExchangeConfig, log: Log) -> _Connections:
    servers = config.servers
    return _Connections(
        database=Database(servers.postgres_url),
        redis=Redis.from_url(
            servers.redis_url,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        ),
        log=log,
        commands=log.commands(
            topology=config.topology,
            pending_commands=config.limits.produce_pending_commands,
            client_id="forkast-gateway",
        ),
        ends=log.ends(topic=COMMANDS_TOPIC, client_id="forkast-exchange-commands"),
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
    """Log why the exchange does not open, now and then."""
    if state.attempt_number % _TOLD_EVERY == 1 and state.outcome is not None:
        _log.warning("exchange_waits", why=str(state.outcome.exception()))


def _assemble(
    config: ExchangeConfig,
    connections: _Connections,
    listeners: _Listeners,
    *,
    pairs: PairViews,
    candles: CandleSource,
    ids: IdGenerator,
    metrics: OrderMetrics,
    ended_loops: Callable[[], list[str]],
) -> Exchange:
    topology, database = config.topology, connections.database
    markets = {market.pair: MarketDecimals(market) for market in topology}
    users = UsersRepository(database)
    trades = TradesRepository(database)
    sent = SentOrders()
    sender = Sender(
        log=connections.commands, sent=sent, admission=listeners.admission, metrics=metrics
    )
    orders = Orders(
        topology=topology,
        orders=OrdersRepository(database, topology),
        trades=trades,
        sent=sent,
        recent=listeners.recent,
        outcomes=listeners.outcomes,
        barrier=WriterBarrier(
            ends=connections.ends, positions=PositionsRepository(database), topology=topology
        ),
    )
    return Exchange(
        config=config,
        markets=markets,
        entry=OrderEntry(
            decimals=markets,
            users=users,
            watch=listeners.watch,
            admission=listeners.admission,
            ids=ids,
            sent=sent,
            sender=sender,
            waiters=listeners.waiters,
            settlement=Settlement(orders),
            batch_orders=config.limits.batch_orders,
        ),
        changes=OrderChanges(ids=ids, sent=sent, sender=sender, waiters=listeners.waiters),
        orders=orders,
        history=TradeHistory(
            topology=topology,
            trades_stored=trades,
            fills_stored=FillsRepository(database),
            recent=listeners.recent,
            outcomes=listeners.outcomes,
        ),
        market_data=MarketData(
            redis=connections.redis, pairs=pairs, candle_source=candles, watch=listeners.watch
        ),
        users=users,
        readiness=_readiness(connections, topology, listeners.watch, pairs, ended_loops),
        watch=listeners.watch,
        waiters=listeners.waiters,
        log=connections.commands,
        pairs=pairs,
        ended_loops=ended_loops,
    )


def _readiness(
    connections: _Connections,
    topology: Topology,
    watch: MarketWatch,
    pairs: PairViews,
    ended_loops: Callable[[], list[str]],
) -> Readiness:
    return Readiness(
        database=connections.database,
        redis=connections.redis,
        ends=connections.ends,
        pairs=pairs,
        topology=topology,
        watch=watch,
        loops=ended_loops,
    )
