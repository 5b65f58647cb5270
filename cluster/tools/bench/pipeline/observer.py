"""Observer of what comes out of the platform, a process of its own.

A trade's latency is the time from the stamp of the order that made it (the gateway's, or the load
generator's) to the moment at which its event was read here. A row's is the time from the same
stamp to the moment at which the writer's committed position was seen to have passed its record.
"""

import asyncio
import multiprocessing as mp
import time
from collections import deque
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized

import asyncpg
import msgspec
import numpy as np
import numpy.typing as npt

from actors.book.vocabulary import EventKind, Flag
from actors.follow.positions import read_positions
from actors.log.kafka import KafkaLog
from actors.log.tail import EventTail, events_after
from actors.platform.topology import Topology
from actors.writer.writer import CONSUMER as WRITER
from cluster.data.state import RunState

_READ_MS = 100
_POLL_S = 0.01
Samples = npt.NDArray[np.int64]


class Observed(msgspec.Struct, kw_only=True):
    """Counts and latencies (milliseconds, by percentile) since the observer was told to begin."""

    seconds: float
    orders: int
    trades: int
    rows: int
    behind_orders: int
    trade_event_ms: dict[str, float]
    committed_ms: dict[str, float]


class Observer:
    """Follow all events and the writer's position from now on."""

    def __init__(self, state: RunState, topology: Topology, committed: "Synchronized[int]") -> None:
        self._state = state
        self._topology = topology
        self._committed = committed
        self._tail = EventTail(KafkaLog(state.kafka_bootstrap), client_id="forkast-bench")
        self._sequences: dict[int, int] = {}
        self._waiting: dict[int, deque[tuple[int, Samples, int, int]]] = {
            market.market_id: deque() for market in topology
        }
        self._trade_event_us: list[Samples] = []
        self._committed_us: list[Samples] = []
        self._orders = self._trades = self._rows = self._orders_committed = 0
        self._began_s = 0.0

    async def run(self, pipe: Connection) -> None:
        """Say when it stands, then answer each request: b"begin" with None, b"report" at once."""
        await self._tail.start(
            {self._topology.partition(market): None for market in self._topology}
        )
        postgres = await asyncpg.connect(self._state.postgres_url)
        tasks = [
            asyncio.create_task(self._follow_events()),
            asyncio.create_task(self._follow_rows(postgres)),
        ]
        try:
            pipe.send_bytes(b"ready")
            while (word := await asyncio.to_thread(pipe.recv_bytes)) != b"end":
                if word == b"begin":
                    self._begin()
                else:
                    pipe.send_bytes(msgspec.msgpack.encode(self._report()))
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await postgres.close()
            await self._tail.stop()

    def _begin(self) -> None:
        self._trade_event_us, self._committed_us = [], []
        self._orders = self._trades = self._rows = 0
        self._began_s = time.monotonic()

    def _report(self) -> Observed:
        return Observed(
            seconds=time.monotonic() - self._began_s,
            orders=self._orders,
            trades=self._trades,
            rows=self._rows,
            behind_orders=sum(one[3] for queue in self._waiting.values() for one in queue),
            trade_event_ms=percentiles_ms(self._trade_event_us),
            committed_ms=percentiles_ms(self._committed_us),
        )

    async def _follow_events(self) -> None:
        while True:
            arrived = await self._tail.read(timeout_ms=_READ_MS)
            now_us = time.time_ns() // 1_000
            for records in arrived.values():
                for one in records:
                    market_id = one.record.market_id
                    events = events_after(one.record, self._sequences.get(market_id, 0))
                    if not len(events):
                        continue
                    last = int(events["sequence"][-1])
                    self._sequences[market_id] = last
                    is_trade = events["kind"] == EventKind.TRADE
                    is_new = (events["flags"] & Flag.NEW) != 0
                    trades, orders = int(is_trade.sum()), int(is_new.sum())
                    self._trade_event_us.append(now_us - events["time_us"][is_trade])
                    self._trades += trades
                    self._orders += orders
                    stamps = np.ascontiguousarray(events["time_us"][is_new])
                    self._waiting[market_id].append((last, stamps, trades, orders))

    async def _follow_rows(self, postgres: asyncpg.Connection) -> None:
        while True:
            positions = await read_positions(postgres, WRITER)
            now_us = time.time_ns() // 1_000
            for market_id, position in positions.items():
                queue = self._waiting.get(market_id)
                while queue and queue[0][0] <= position.last_sequence:
                    _, stamps, trades, orders = queue.popleft()
                    self._committed_us.append(now_us - stamps)
                    self._rows += trades + orders
                    self._orders_committed += orders
            self._committed.value = self._orders_committed
            await asyncio.sleep(_POLL_S)


class ObserverProcess:
    """The observer in a child process, so that it does not wait for the load generator."""

    def __init__(self, state: RunState, topology: Topology) -> None:
        context = mp.get_context("spawn")
        self.committed: Synchronized[int] = context.Value("q", 0)
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_observe, args=(state, topology, self.committed, theirs), daemon=True
        )

    def __enter__(self) -> "ObserverProcess":
        self._process.start()
        self._pipe.recv_bytes()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send_bytes(b"end")
        self._process.join(timeout=10)

    @property
    def process_id(self) -> int:
        return self._process.pid or 0

    def begin(self) -> None:
        """Count from here on."""
        self._pipe.send_bytes(b"begin")

    def report(self) -> Observed:
        """Return what was seen since `begin`."""
        self._pipe.send_bytes(b"report")
        return msgspec.msgpack.decode(self._pipe.recv_bytes(), type=Observed)


def _observe(
    state: RunState, topology: Topology, committed: "Synchronized[int]", pipe: Connection
) -> None:
    asyncio.run(Observer(state, topology, committed).run(pipe))


def percentiles_ms(parts_us: list[Samples]) -> dict[str, float]:
    """Return p50, p95 and p99 in milliseconds, 0 where there are no samples."""
    samples = np.concatenate(parts_us) if parts_us else np.empty(0, np.int64)
    values = np.percentile(samples, (50, 95, 99)) / 1_000 if len(samples) else np.zeros(3)
    return dict(
        zip(("p50", "p95", "p99"), (round(float(value), 2) for value in values), strict=True)
    )
