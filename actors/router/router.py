"""All pairs of one router shard, with what they share: connections, clock, lag and health."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import structlog

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE
from actors.book.vocabulary import CommandKind
from actors.log.kafka import KafkaLog
from actors.log.ports import Log
from actors.pair.ports import PairClient
from actors.platform.config import RouterConfig
from actors.platform.errors import LogError
from actors.platform.messages import PairLag
from actors.platform.tasks import end
from actors.platform.topology import COMMANDS_TOPIC
from actors.router.depth import DepthFeed
from actors.router.lag import LagMeter
from actors.router.linger import Linger
from actors.router.pipeline import PairPipeline
from actors.router.publisher import PairPublisher

_log = structlog.get_logger(__name__)
_CLOCK_TICK_S = 0.05
_CLOCK_REPEAT_S = 1.0
_LAG_INTERVAL_S = 1.0


class OrderRouter:
    """Route the markets of one shard, which are all of `config.topology`.

    `connect` gives the client of a pair's actor. `log` is the config's Kafka unless it is given.
    `start` needs a broker that answers; later outages are waited out. Every loop is watched:
    `check_health` raises when one has died.
    """

    def __init__(
        self,
        config: RouterConfig,
        *,
        connect: Callable[[Market], PairClient],
        log: Log | None = None,
    ) -> None:
        name = f"forkast-router-{config.shard}"
        topology = config.topology
        log = log or KafkaLog(config.kafka_bootstrap)
        self._sink = log.sink(topology=topology, client_id=name)
        self._commands = log.commands(
            topology=topology, pending_commands=max(len(topology), 1), client_id=name
        )
        self._ends = log.ends(topic=COMMANDS_TOPIC, client_id=name)
        self._depth = DepthFeed(redis_url=config.redis_url)
        self._linger = Linger()
        self._readers = {
            market.pair: log.reader(topic=COMMANDS_TOPIC, client_id=name) for market in topology
        }
        self._pipelines = [
            PairPipeline(
                market=market,
                partition=topology.partition(market),
                pair=connect(market),
                reader=self._readers[market.pair],
                publisher=PairPublisher(market=market, sink=self._sink),
                depth=self._depth,
                linger=self._linger,
                limits=config.limits,
            )
            for market in topology
        ]
        self._clock_sent_s: dict[str, float] = {}
        self._lags: dict[str, PairLag] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect and set all loops going. Raises LogUnavailableError while no broker answers."""
        await self._sink.start()
        await self._commands.start()
        await self._ends.start()
        for pipeline in self._pipelines:
            await self._readers[pipeline.market.pair].start({pipeline.partition: None})
            self._watch(pipeline.run(), f"pipeline {pipeline.market.pair}")
            self._watch(pipeline.run_depth(), f"depth {pipeline.market.pair}")
        self._watch(self._depth.run(), "depth feed")
        self._watch(self._run_clock(), "clock")
        self._watch(self._run_lag(), "lag")

    async def stop(self) -> None:
        """End all loops and disconnect; what was not published yet is found by the next router."""
        await end(self._tasks)
        self._tasks.clear()
        for reader in self._readers.values():
            await reader.stop()
        await self._ends.stop()
        await self._commands.stop()
        await self._sink.stop()
        await self._depth.close()

    def check_health(self) -> None:
        """Raise RuntimeError when a loop has ended: the replica must be replaced."""
        for task in self._tasks:
            if task.done():
                why = "cancelled" if task.cancelled() else repr(task.exception())
                raise RuntimeError(f"{task.get_name()} has ended: {why}")

    def lags(self) -> dict[str, PairLag]:
        """Return what was measured last, by pair."""
        return dict(self._lags)

    def _watch(self, loop: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(loop, name=name))

    async def _run_clock(self) -> None:
        """Let book time pass where orders wait for their expiry and no command comes."""
        while True:
            await asyncio.sleep(_CLOCK_TICK_S)
            now_us = time.time_ns() // 1000
            due = [p for p in self._pipelines if 0 < p.state.next_expiry_us <= now_us and p.idle]
            for pipeline in due:
                await self._append_clock(pipeline.market, now_us)

    async def _append_clock(self, market: Market, now_us: int) -> None:
        now_s = time.monotonic()
        if now_s - self._clock_sent_s.get(market.pair, -_CLOCK_REPEAT_S) < _CLOCK_REPEAT_S:
            return
        self._clock_sent_s[market.pair] = now_s
        command = np.zeros(1, COMMAND_DTYPE)
        command["kind"] = CommandKind.CLOCK
        command["time_us"] = now_us
        try:
            await self._commands.append(market, command)
        except LogError as error:
            _log.warning("clock_not_written", pair=market.pair, why=str(error))

    async def _run_lag(self) -> None:
        meters = [(pipeline, LagMeter(pipeline)) for pipeline in self._pipelines]
        ends: dict[int, int] = {}
        before_s = time.monotonic()
        while True:
            await asyncio.sleep(_LAG_INTERVAL_S)
            try:
                ends = await self._ends.end_offsets([p.partition for p, _ in meters])
            except LogError as error:
                _log.warning("lag_unknown", why=str(error))
            now_s = time.monotonic()
            interval_s, before_s = now_s - before_s, now_s
            for pipeline, meter in meters:
                self._lags[pipeline.market.pair] = await meter.measure(
                    end_offset=ends.get(pipeline.partition, pipeline.state.next_offset),
                    interval_s=interval_s,
                    now_us=time.time_ns() // 1000,
                )
            rates = [meter.records_per_second for _, meter in meters]
            self._linger.measure(
                records_per_second=sum(rates), busy_pairs=sum(rate > 0 for rate in rates)
            )
            await self._depth.write_lag(self._lags.items())
