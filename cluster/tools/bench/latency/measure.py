"""Single orders at several rates on a running platform, and each one's way taken apart."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import msgspec
import numpy as np
import psutil

from actors.book.market import Market
from actors.platform.errors import ForkastError
from actors.platform.topology import Topology
from cluster.data.state import RunState
from cluster.errors import ClusterError
from cluster.tools.bench.latency.beside import GENERATOR, SketchRate, measure_sketch
from cluster.tools.bench.latency.feed import Feed
from cluster.tools.bench.latency.load import OpenLoad, warmed_up
from cluster.tools.bench.latency.positions import Positions
from cluster.tools.bench.latency.records import OrderTimes, Records
from cluster.tools.bench.latency.stages import Stage, cpu_by_stage
from cluster.tools.bench.latency.stamps import Stamps
from cluster.tools.bench.latency.ways import column, stages_of
from cluster.tools.bench.pipeline.observer import percentiles_ms
from cluster.tools.bench.pipeline.orders import encoded_singles, sources
from cluster.tools.bench.usage import Usage, beyond_idle, cores_at_rest, quieter, usage_of

RATES = (10.0, 100.0, 300.0, 1_000.0)
_SETTLE_S = 1.0
_DRAIN_S = 60.0
_POLL_S = 0.05
_BODIES = 5_000


class Rate(msgspec.Struct, kw_only=True):
    """What came of one rate.

    `event_ms` is from sending an order to the Socket.IO event that names it, `answer_ms` to the
    answer of REST, `late_ms` how much later than due orders were sent. `orders` were accepted,
    of which `unseen` had no event within a minute; `refused` met a platform that was too busy.
    `processes` are milliseconds of processor an order, by kind of process; all processor time is
    beyond what the platform uses in peace, before the rates or after them, whichever is less.
    """

    orders_per_second: float
    orders_per_second_reached: float
    orders: int
    refused: int
    unseen: int
    event_ms: dict[str, float]
    answer_ms: dict[str, float]
    late_ms: dict[str, float]
    cpu_ms_per_order: float
    stages: list[Stage]
    processes: dict[str, float]


class Measured(msgspec.Struct, kw_only=True):
    """The rates, and the share of one core that everything used in peace; `sketch` if asked for."""

    idle_cores: float
    pairs: int
    seconds: float
    rates: list[Rate]
    sketch: list[SketchRate]


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """One rate that was held: its load, what the log says of it, and processor time about it."""

    orders_per_second: float
    load: OpenLoad
    times: Mapping[int, OrderTimes]
    before: Usage
    after: Usage
    sending_s: float


def measure_latency(
    state: RunState,
    topology: Topology,
    *,
    rates: Sequence[float],
    seconds: float,
    idle_seconds: float,
    pairs: int,
    seed: int,
    sketch: bool,
    tell: Callable[[str], None],
) -> Measured:
    """Hold each rate against a running platform, then against the sketch. Raises ClusterError."""
    markets = list(topology)[:pairs]
    bodies = encoded_singles(sources(topology, pairs=pairs, seed=seed), _BODIES)

    async def measure() -> Measured:
        async with AsyncExitStack() as stack:
            bench = Bench(state, topology, markets=markets, bodies=bodies, stack=stack)
            await bench.start()
            idle = await bench.idle(idle_seconds, tell=tell)
            held = []
            for rate in rates:
                tell(f"{rate:g} orders a second for {seconds:g} s")
                held.append(await bench.hold(rate, seconds))
            idle = quieter(idle, await bench.idle(idle_seconds, tell=tell))
            found = [bench.report(one, idle) for one in held]
        beside = []
        if sketch:
            beside = await measure_sketch(
                state,
                [market.pair for market in markets],
                bodies,
                rates=rates,
                seconds=seconds,
                idle_seconds=idle_seconds,
                tell=tell,
            )
        return Measured(
            idle_cores=round(sum(idle.values()), 3),
            pairs=pairs,
            seconds=seconds,
            rates=found,
            sketch=beside,
        )

    try:
        return asyncio.run(measure())
    except* (ForkastError, OSError, asyncpg.PostgresError, psutil.Error) as errors:
        raise ClusterError(f"the bench stopped: {_first(errors)}") from errors


class Bench:
    """One client that follows its markets and sends them orders."""

    def __init__(
        self,
        state: RunState,
        topology: Topology,
        *,
        markets: Sequence[Market],
        bodies: Sequence[bytes],
        stack: AsyncExitStack,
    ) -> None:
        self._state = state
        self._stack = stack
        self._markets = markets
        self._bodies = bodies
        self._feed = Feed(state.url, [market.pair for market in self._markets])
        self._positions = Positions(state.postgres_url)
        self._stamps = Stamps(state.trace)
        self._records = Records(state.kafka_bootstrap, topology, self._markets)

    async def start(self) -> None:
        """Follow, and let some orders pass."""
        await self._stack.enter_async_context(self._feed)
        await self._stack.enter_async_context(self._positions)
        await self._stack.enter_async_context(self._stamps)
        await self._drain(await warmed_up(self._state.url, self._bodies))

    async def idle(self, seconds: float, *, tell: Callable[[str], None]) -> dict[str, float]:
        """Return what share of a core each kind of process uses while no orders come."""
        return await cores_at_rest(self._usage, seconds, tell=tell)

    async def hold(self, rate: float, seconds: float) -> Held:
        """Send orders at one rate and wait until all has come of them that will."""
        load = OpenLoad(self._state.url, self._bodies)
        starts = await self._records.ends()
        before = self._usage()
        began_s = time.monotonic()
        await load.run(orders_per_second=rate, seconds=seconds)
        sending_s = time.monotonic() - began_s
        await self._drain(load)
        after = self._usage()
        if not load.sent_us:
            raise ClusterError("no order was accepted")
        return Held(
            orders_per_second=rate,
            load=load,
            times=await self._records.since(starts),
            before=before,
            after=after,
            sending_s=sending_s,
        )

    async def _drain(self, load: OpenLoad) -> None:
        """Wait until the load's events are here and the writer has stored all that was heard."""
        deadline_s = time.monotonic() + _DRAIN_S
        await asyncio.sleep(_SETTLE_S)
        while time.monotonic() < deadline_s:
            self._feed.check()
            heard = load.sent_us.keys() <= self._feed.seen_us.keys()
            newest = {
                market.market_id: self._feed.newest[market.pair]
                for market in self._markets
                if market.pair in self._feed.newest
            }
            if heard and self._positions.reached("writer", newest):
                return
            await asyncio.sleep(_POLL_S)

    def report(self, held: Held, idle: Mapping[str, float]) -> Rate:
        """Take the ways of one rate's orders apart; `idle` are cores by kind of process."""
        load, seen_us = held.load, self._feed.seen_us
        orders = len(load.sent_us)
        spent = beyond_idle(held.before, held.after, idle)
        heard = [order_id for order_id in load.sent_us if order_id in seen_us]
        cpu_ms = cpu_by_stage(spent, orders=orders)
        return Rate(
            orders_per_second=held.orders_per_second,
            orders_per_second_reached=round(orders / held.sending_s, 1),
            orders=orders,
            refused=load.refused,
            unseen=orders - len(heard),
            event_ms=percentiles_ms([column(seen_us, heard) - column(load.sent_us, heard)]),
            answer_ms=percentiles_ms(
                [column(load.answered_us, heard) - column(load.sent_us, heard)]
            ),
            late_ms=percentiles_ms([np.array(load.late_us, np.int64)]),
            cpu_ms_per_order=round(sum(cpu_ms.values()), 3),
            stages=stages_of(load, seen_us, held.times, self._stamps, self._positions, cpu_ms),
            processes={kind: round(used * 1_000 / orders, 3) for kind, used in spent.items()},
        )

    def _usage(self) -> Usage:
        return usage_of(self._state.process_id, others={GENERATOR: [os.getpid()]})


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
