"""All pairs of one router shard, with what they share: connections, clock, lag and health."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog

from actors.book.market import Market
from actors.log.kafka import KafkaLog
from actors.log.ports import Log
from actors.pair.ports import PairClient
from actors.platform.config import RouterConfig
from actors.platform.errors import LogError
from actors.platform.messages import PairLag
from actors.platform.tasks import end
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC
from actors.router.clock import Clock
from actors.router.depth import DepthFeed
from actors.router.intake import CommandIntake, PairIntake
from actors.router.lag import LagMeter
from actors.router.pipeline import PairPipeline
from actors.router.publisher import PairPublisher
from actors.router.trades import TradeLog

_log = structlog.get_logger(__name__)
_LAG_INTERVAL_S = 1.0
_LAST_TRADES_S = 2.0
# How long the broker keeps a request without records: so long may a pair wait that is read again.
_FETCH_WAIT_MS = 200


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
        self._reader = log.reader(topic=COMMANDS_TOPIC, client_id=name, wait_ms=_FETCH_WAIT_MS)
        self._depth = DepthFeed(redis_url=config.redis_url)
        self._clock = Clock(self._commands)
        events = partial(log.reader, topic=EVENTS_TOPIC, client_id=name, wait_ms=_FETCH_WAIT_MS)
        self._partitions = {topology.partition(market): market for market in topology}
        self._trades = {
            partition: TradeLog(market=market, partition=partition, sink=self._sink, events=events)
            for partition, market in self._partitions.items()
        }
        self._intakes = {
            partition: PairIntake(
                self._reader, partition=partition, bytes_max=2 * config.limits.range_bytes
            )
            for partition in self._partitions
        }
        self._pipelines = {
            partition: PairPipeline(
                market=market,
                intake=self._intakes[partition],
                pair=connect(market),
                publisher=PairPublisher(
                    market=market, sink=self._sink, trades=self._trades[partition]
                ),
                depth=self._depth,
                limits=config.limits,
                on_expiry=self._clock.note_expiry,
            )
            for partition, market in self._partitions.items()
        }
        self._lags: dict[str, PairLag] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect and set all loops going. Raises LogUnavailableError while no broker answers."""
        await self._sink.start()
        await self._commands.start()
        await self._reader.start(dict.fromkeys(self._partitions, 0))
        for partition, market in self._partitions.items():
            self._watch(self._pipelines[partition].run(), f"pipeline {market.pair}")
            self._watch(self._pipelines[partition].run_depth(), f"depth {market.pair}")
            self._watch(self._trades[partition].run(), f"trades {market.pair}")
        self._watch(CommandIntake(self._reader, self._intakes).run(), "commands")
        self._watch(self._depth.run(), "depth feed")
        self._watch(self._clock.run(self._pipelines.values()), "clock")
        self._watch(self._run_lag(), "lag")

    async def stop(self) -> None:
        """End all loops and disconnect; what was not published yet is found by the next router."""
        await end(self._tasks)
        self._tasks.clear()
        await self._write_last_trades()
        await self._reader.stop()
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

    async def _write_last_trades(self) -> None:
        """Leave no trade to the next router that can be written now."""
        writing = [asyncio.create_task(trades.write()) for trades in self._trades.values()]
        if writing:
            await asyncio.wait(writing, timeout=_LAST_TRADES_S)
            await end(writing)

    async def _run_lag(self) -> None:
        meters = {partition: LagMeter(one) for partition, one in self._pipelines.items()}
        ends: dict[int, int] = {}
        before_s = time.monotonic()
        while True:
            await asyncio.sleep(_LAG_INTERVAL_S)
            try:
                ends = await self._end_offsets()
            except LogError as error:
                _log.warning("lag_unknown", why=str(error))
            now_s = time.monotonic()
            interval_s, before_s = now_s - before_s, now_s
            for partition, meter in meters.items():
                self._lags[self._partitions[partition].pair] = meter.measure(
                    end_offset=ends.get(partition), interval_s=interval_s, now_us=_now_us()
                )
            await self._depth.write_lag(self._lags.items())

    async def _end_offsets(self) -> dict[int, int]:
        """Return where the pairs' logs end: what is read says so, what is paused must be asked."""
        if any(intake.is_paused for intake in self._intakes.values()):
            return await self._reader.end_offsets()
        behind = self._reader.records_behind()
        return {
            partition: position + behind.get(partition, 0)
            for partition, position in self._reader.positions.items()
        }


def _now_us() -> int:
    return time.time_ns() // 1000
