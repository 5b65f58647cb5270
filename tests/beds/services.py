"""The exchange's services over a log, books and rows in memory: no server, milliseconds a test."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from actors.book.market import Market
from actors.book.vocabulary import OrderType, Side, TimeInForce
from actors.book.warm import warm
from actors.log.commands import BoundedCommandLog
from actors.log.memory import MemoryLog, MemoryProducer
from actors.log.ports import Log
from actors.pair.actor import PairActor
from actors.platform.config import Limits
from actors.platform.errors import LogTimeoutError
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, Topology
from actors.router.depth import DepthFeed
from actors.router.intake import CommandIntake, PairIntake
from actors.router.pipeline import PairPipeline
from actors.router.publisher import PairPublisher
from actors.router.trades import TradeLog
from api.exchange.admission import Admission
from api.exchange.barrier import WriterBarrier
from api.exchange.changes import OrderChanges
from api.exchange.decimals import MarketDecimals
from api.exchange.demand import Demand
from api.exchange.entry import OrderEntry
from api.exchange.fills import TradeHistory
from api.exchange.ids import IdGenerator
from api.exchange.metrics import OrderMetrics
from api.exchange.orders import Orders
from api.exchange.outcomes import OutcomeReader
from api.exchange.recent import RecentEvents
from api.exchange.sender import Sender, SentOrders
from api.exchange.settlement import Settlement
from api.exchange.values import NewOrder, Principal, User
from api.exchange.waiting import OutcomeWaiters
from api.exchange.watch import MarketWatch
from cluster.platform.local_actors import LocalPair
from tests.beds.commands import market
from tests.beds.rows import (
    Rows,
    RowsOfFills,
    RowsOfOrders,
    RowsOfPositions,
    RowsOfTrades,
    RowsOfUsers,
)
from tests.simulation.memory import MemorySnapshots

ALICE, BOB = Principal(1), Principal(2)
WAIT_S = 5.0
_NOWHERE = "redis://127.0.0.1:1"


class StallingLog(MemoryLog):
    """A log that may stop confirming: it has the commands then, and nobody is told."""

    def __init__(self) -> None:
        super().__init__()
        self.confirms = True

    def commands(
        self, *, topology: Topology, pending_commands: int, client_id: str
    ) -> BoundedCommandLog:
        return BoundedCommandLog(
            _StallingProducer(self), topology=topology, pending_commands=pending_commands
        )


class _StallingProducer(MemoryProducer):
    def __init__(self, log: StallingLog) -> None:
        super().__init__(log)
        self._stalling = log

    async def begin(
        self, *, topic: str, partition: int, key: bytes, value: bytes
    ) -> asyncio.Future[int]:
        confirmed = await super().begin(topic=topic, partition=partition, key=key, value=value)
        if not self._stalling.confirms:
            confirmed.set_exception(LogTimeoutError("the log did not confirm in time"))
        return confirmed


@dataclass(kw_only=True)
class Services:
    """The services of one gateway."""

    entry: OrderEntry
    changes: OrderChanges
    orders: Orders
    history: TradeHistory
    watch: MarketWatch
    waiters: OutcomeWaiters
    recent: RecentEvents
    outcomes: OutcomeReader


@dataclass(kw_only=True)
class Floor:
    """Two markets that trade; `rows` are as far as the last `write` let them come."""

    topology: Topology
    log: StallingLog
    rows: Rows
    one: Market
    two: Market

    def write(self) -> None:
        """Let the rows hold all that has been published."""
        self.rows.catch_up(self.log)

    async def published(self, records: int, *, market: Market | None = None) -> None:
        """Return when a market's events fill so many records."""
        partition = self.topology.partition(market or self.one)
        async with asyncio.timeout(WAIT_S):
            while self.log.end(EVENTS_TOPIC, partition) < records:
                await self.log.wait(EVENTS_TOPIC, [partition], timeout_s=WAIT_S)

    @asynccontextmanager
    async def gateway(self, *, worker: int = 1, **limits: int) -> AsyncIterator[Services]:
        """Open one gateway's services, which hear of what happens from now on."""
        bounds = Limits(**limits)
        services = _services(self, worker=worker, limits=bounds)
        await services.outcomes.start()
        reading = asyncio.create_task(services.outcomes.run())
        try:
            yield services
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def trading_floor() -> AsyncIterator[Floor]:
    """Run two markets' books and their pipelines; the users 1 and 2 exist."""
    # Or the first command would be taken seconds late, and nobody would wait for it that long.
    warm()
    one, two = market(1), market(2)
    topology = Topology((one, two))
    rows = Rows(topology)
    for principal in (ALICE, BOB):
        user_id = principal.user_id
        rows.users[user_id] = User(user_id=user_id, name=None, created_us=0)
    floor = Floor(topology=topology, log=StallingLog(), rows=rows, one=one, two=two)
    running = [asyncio.create_task(loop) for loop in _router(floor)]
    try:
        yield floor
        assert not any(task.done() for task in running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def limit_order(
    own: Market,
    side: Side,
    *,
    price_ticks: int = 10_000,
    quantity_lots: int = 100,
    client_order_id: str = "",
    **more: int,
) -> NewOrder:
    """Return a limit order, GTC unless told otherwise."""
    fields = {"time_in_force": TimeInForce.GTC} | more
    return NewOrder(
        market=own,
        side=side,
        order_type=OrderType.LIMIT,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
        client_order_id=client_order_id.encode(),
        **fields,  # type: ignore[arg-type]
    )


def bid(own: Market, **more: object) -> NewOrder:
    """Return a limit order that buys."""
    return limit_order(own, Side.BUY, **more)  # type: ignore[arg-type]


def ask(own: Market, **more: object) -> NewOrder:
    """Return a limit order that sells."""
    return limit_order(own, Side.SELL, **more)  # type: ignore[arg-type]


def _router(floor: Floor) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield the loops of a router that shows no depth."""
    log: Log = floor.log
    topology, limits = floor.topology, Limits()
    sink = log.sink(topology=topology, client_id="router")
    reader = log.reader(topic=COMMANDS_TOPIC, client_id="router")
    intakes = {}
    for own in topology:
        partition = topology.partition(own)
        reader.seek(partition, 0)
        intake = intakes[partition] = PairIntake(
            reader, partition=partition, bytes_max=limits.range_bytes
        )
        trades = TradeLog(
            market=own,
            partition=partition,
            sink=sink,
            events=partial(log.reader, topic=EVENTS_TOPIC, client_id="router"),
        )
        yield trades.run()
        yield PairPipeline(
            market=own,
            intake=intake,
            pair=LocalPair(PairActor(own, MemorySnapshots(), limits)),
            publisher=PairPublisher(market=own, sink=sink, trades=trades),
            # Its queue alone is used, which drops what does not fit.
            depth=DepthFeed(redis_url=_NOWHERE),
            limits=limits,
        ).run()
    yield CommandIntake(reader, intakes).run()


def _services(floor: Floor, *, worker: int, limits: Limits) -> Services:
    topology, rows = floor.topology, floor.rows
    log: Log = floor.log
    positions, trades = RowsOfPositions(rows), RowsOfTrades(rows)
    demand = Demand()
    waiters = OutcomeWaiters(worker=worker, bound=limits.waiters, demand=demand)
    admission = Admission(
        worker=worker, topology=topology, target_s=limits.order_delay_ms / 1_000, demand=demand
    )
    # It is told of lags by the tests: nobody asks this Redis.
    watch = MarketWatch(
        redis=Redis.from_url(_NOWHERE),
        topology=topology,
        log_lag_commands=limits.log_lag_commands,
    )
    recent = RecentEvents(own.market_id for own in topology)
    outcomes = OutcomeReader(
        log,
        topology=topology,
        demand=demand,
        waiters=waiters,
        watch=watch,
        admission=admission,
        recent=recent,
        positions=positions,
    )
    sent, ids = SentOrders(), IdGenerator(worker)
    sender = _sender(floor, sent, admission, limits)
    orders = Orders(
        topology=topology,
        orders=RowsOfOrders(rows),
        trades=trades,
        sent=sent,
        recent=recent,
        outcomes=outcomes,
        barrier=WriterBarrier(
            ends=log.ends(topic=COMMANDS_TOPIC, client_id="gateway"),
            positions=positions,
            topology=topology,
        ),
    )
    return Services(
        entry=OrderEntry(
            decimals={own.pair: MarketDecimals(own) for own in topology},
            users=RowsOfUsers(rows),
            watch=watch,
            admission=admission,
            ids=ids,
            sent=sent,
            sender=sender,
            waiters=waiters,
            settlement=Settlement(orders),
            batch_orders=limits.batch_orders,
        ),
        changes=OrderChanges(ids=ids, sent=sent, sender=sender, waiters=waiters),
        orders=orders,
        history=TradeHistory(
            topology=topology,
            trades_stored=trades,
            fills_stored=RowsOfFills(rows),
            recent=recent,
            outcomes=outcomes,
        ),
        watch=watch,
        waiters=waiters,
        recent=recent,
        outcomes=outcomes,
    )


def _sender(floor: Floor, sent: SentOrders, admission: Admission, limits: Limits) -> Sender:
    return Sender(
        log=floor.log.commands(
            topology=floor.topology,
            pending_commands=limits.produce_pending_commands,
            client_id="gateway",
        ),
        sent=sent,
        admission=admission,
        metrics=OrderMetrics(floor.topology, CollectorRegistry()),
    )
