"""One platform in one loop: the product's classes over memory, and the crashes of its processes."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from actors.book.codec import decode_events
from actors.fold.ports import StoredSnapshot
from actors.follow.follower import Follower
from actors.pair.actor import PairActor
from actors.platform.config import Limits, Servers
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC, Topology
from actors.router.depth import DepthFeed
from actors.router.intake import CommandIntake, PairIntake
from actors.router.pipeline import PairPipeline
from actors.router.publisher import PairPublisher
from actors.router.trades import TradeLog
from actors.writer.store import OrderStore
from actors.writer.writer import PostgresWriter
from analytics.fold import CandleFold
from analytics.intake import TradeBatch
from analytics.store import CandleStore
from cluster.plan import Platform
from tests.simulation.actor import ActorProcess, SimulatedPair
from tests.simulation.candles import MemoryCandles, MemoryCandleStore
from tests.simulation.judge import Judge
from tests.simulation.loop import VirtualLoop
from tests.simulation.memory import (
    MemoryOrderStore,
    MemoryRows,
    MemorySnapshots,
    SimulatedLog,
)
from tests.simulation.network import Network
from tests.simulation.schedule import Fault, Schedule
from tests.simulation.story import MARKET, Story

# Ranges of one or two records and a snapshot every few commands: small enough for every rule of
# the pipeline to meet every fault within a few dozen operations.
LIMITS = Limits(
    ranges_in_flight=3,
    range_bytes=600,
    snapshot_every_commands=4,
    depth_levels=5,
)
ROUTERS_MAX = 2
APPEND_EVERY_S = 0.002
POLL_S = 0.05
POLLS_MAX = 1_200
SECONDS_HELD = 1_000
TRADES_PER_FLUSH = 4
REST_S = 0.02
# Only its queue is used, which drops what does not fit; it connects when it runs, and it does not.
_DEPTH = DepthFeed(redis_url="redis://127.0.0.1:1")


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes under test; a planted bug is a subclass in its place."""

    actor: type[PairActor] = PairActor
    pipeline: type[PairPipeline] = PairPipeline
    publisher: type[PairPublisher] = PairPublisher
    trades: type[TradeLog] = TradeLog
    store: type[MemoryOrderStore] = MemoryOrderStore


class Writer(PostgresWriter):
    """The product's writer over memory."""

    def __init__(self, world: "World") -> None:
        super().__init__(
            world.platform.writer, log=world.log, events_per_transaction=4, rest_s=REST_S
        )
        self._world = world

    async def open_store(self) -> OrderStore:
        """Return the rows in memory."""
        return self._world.parts.store(self._world.network, self._world.rows)


class Candles(CandleFold):
    """The product's candle fold over memory."""

    def __init__(self, world: "World", stored: MemoryCandles) -> None:
        super().__init__(
            world.platform.candles,
            world.log,
            consumer="candles",
            topic=TRADES_TOPIC,
            seconds_in_memory=SECONDS_HELD,
            tell=lambda _market_id, _candles: None,
        )
        self._world = world
        self._stored = stored

    async def open_store(self) -> CandleStore:
        """Return the candles in memory."""
        return MemoryCandleStore(self._world.network, self._stored)


class _JudgedSnapshots(MemorySnapshots):
    def __init__(self, judge: Judge, log: SimulatedLog) -> None:
        super().__init__()
        self._judge = judge
        self._log = log

    def save(self, snapshot: StoredSnapshot) -> None:
        self._judge.snapshot(snapshot, self._log.topic(EVENTS_TOPIC))
        super().save(snapshot)


class World:
    """Play one story under one schedule; `judge.violations` holds what broke."""

    def __init__(
        self, story: Story, schedule: Schedule, *, parts: Parts | None = None, candles: bool
    ) -> None:
        self.loop = VirtualLoop()  # type: ignore[abstract]  # only what asyncio's tasks call
        self.parts = parts or Parts()
        self.network = Network(self.loop, schedule, self._strike)
        self.platform = Platform(
            servers=Servers(kafka_bootstrap="", postgres_url="", redis_url=""),
            topology=Topology((MARKET,)),
            data_directory="",
            limits=LIMITS,
        )
        self.log = SimulatedLog(self.network, partition=self.platform.topology.partition(MARKET))
        self.rows = MemoryRows()
        self.judge = Judge(story)
        self.snapshots = _JudgedSnapshots(self.judge, self.log)
        self.stored_candles = MemoryCandles(MARKET.market_id) if candles else None
        self.process = ActorProcess(self.parts.actor, MARKET, self.snapshots, LIMITS)
        self._story = story
        self._routers: list[asyncio.Task[None]] = []
        self._routers_started = 0
        self._writer: Writer | None = None
        self._candles: Follower[CandleStore, TradeBatch] | None = None

    def play(self) -> list[str]:
        """Run until everything has arrived everywhere; return what was violated."""
        self.loop.run(self._play())
        return self.judge.violations

    async def _play(self) -> None:
        self._start_router()
        self._start_writer()
        self._start_candles()
        for value in self._story.values:
            self.log.append(COMMANDS_TOPIC, self.log.partition, value)
            await asyncio.sleep(APPEND_EVERY_S)
        for _ in range(POLLS_MAX):
            if self._settled():
                break
            await asyncio.sleep(POLL_S)
        self.judge.finish(
            settled=self._settled(),
            actor=self.process.actor,
            log=self.log,
            rows=self.rows,
            candles=self.stored_candles,
        )

    def _settled(self) -> bool:
        if self.process.actor.position().next_offset != len(self._story.values):
            return False
        if self.rows.position is None:
            return False
        if self.rows.position.last_sequence < self._story.sequences[-1]:
            return False
        last_trade = max(self._story.trades["sequence"].tolist(), default=0)
        values = self.log.topic(TRADES_TOPIC)
        traded = max((decode_events(value).last_sequence for value in values), default=0)
        candles = self.stored_candles
        return traded >= last_trade and (
            candles is None or candles.position.last_sequence >= last_trade
        )

    def _start_router(self) -> None:
        self._routers_started += 1
        channel = f"router {self._routers_started}"
        partition = self.log.partition
        reader = self.log.reader(topic=COMMANDS_TOPIC, client_id=channel)
        reader.seek(partition, 0)
        sink = self.log.sink(topology=self.platform.topology, client_id=channel)
        trades = self.parts.trades(
            market=MARKET,
            partition=partition,
            sink=sink,
            events=lambda: self.log.reader(topic=EVENTS_TOPIC, client_id=channel),
        )
        intake = PairIntake(reader, partition=partition, bytes_max=2 * LIMITS.range_bytes)
        pipeline = self.parts.pipeline(
            market=MARKET,
            intake=intake,
            pair=SimulatedPair(self.network, self.process, channel=channel),
            publisher=self.parts.publisher(market=MARKET, sink=sink, trades=trades),
            depth=_DEPTH,
            limits=LIMITS,
        )
        router = _run_together(
            CommandIntake(reader, {partition: intake}).run(),
            pipeline.run(),
            pipeline.run_depth(),
            trades.run(),
        )
        self._routers.append(self.loop.create_task(router, name=channel))

    def _start_writer(self) -> None:
        self._writer = Writer(self)
        self._writer.start()

    def _start_candles(self) -> None:
        if self.stored_candles is not None:
            self._candles = Follower(
                Candles(self, self.stored_candles),
                name="candles",
                topology=self.platform.topology,
                pending_max=TRADES_PER_FLUSH,
                rest_s=REST_S,
            )
            self._candles.start()

    def _strike(self, fault: Fault) -> None:
        if fault is Fault.CRASH_ROUTER:
            self._routers.pop(0).cancel()
            if not self._routers:
                self._start_router()
        elif fault is Fault.SECOND_ROUTER and len(self._routers) < ROUTERS_MAX:
            self._start_router()
        elif fault is Fault.CRASH_WRITER and self._writer is not None:
            self.loop.create_task(self._writer.stop())
            self._start_writer()
        elif fault is Fault.CRASH_CANDLES and self._candles is not None:
            self.loop.create_task(self._candles.stop())
            self._start_candles()
        elif fault is Fault.TEAR_SNAPSHOT:
            self.snapshots.tear()
            self.process.crash()
        elif fault is Fault.CRASH_ACTOR:
            self.process.crash()


async def _run_together(*loops: Coroutine[Any, Any, None]) -> None:
    await asyncio.gather(*loops)
