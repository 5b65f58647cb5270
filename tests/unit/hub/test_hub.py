"""A hub without servers behind it: its rooms are watched, and forgotten when they close."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors.log.memory import MemoryLog
from actors.log.ports import LogRecord
from actors.platform.config import Servers
from actors.platform.topology import EVENTS_TOPIC
from analytics.client import RemoteCandles
from analytics.intervals import Interval
from analytics.messages import LiveCandle
from api.hub.hub import Hub
from api.hub.messages import SubscribeRequest
from cluster.markets import default_topology
from cluster.plan import Platform
from tests.unit.hub.followers import Follower

_PAIR = "BTC-USD"


class _BreakingLog(MemoryLog):
    """A log whose records cannot be read any more once it is broken."""

    is_broken = False

    def records(
        self, topic: str, partition: int, *, first_offset: int, bound: int
    ) -> list[LogRecord]:
        if self.is_broken:
            raise OverflowError("date value out of range")
        return super().records(topic, partition, first_offset=first_offset, bound=bound)


class _Candles(RemoteCandles):
    """Candles of a market without trades, that note when they are asked."""

    def __init__(self) -> None:
        super().__init__(namespace="none")
        self.asked: asyncio.Queue[str] = asyncio.Queue()

    async def live(self, *, pair: str, interval: Interval) -> LiveCandle | None:
        self.asked.put_nowait(f"{pair} {interval.value}")
        return None


@asynccontextmanager
async def _hub(log: MemoryLog, candles: _Candles) -> AsyncIterator[Hub]:
    platform = Platform(
        servers=Servers(kafka_bootstrap="", postgres_url="", redis_url="redis://127.0.0.1:1"),
        topology=default_topology(),
        data_directory="",
    )
    hub = Hub(platform.exchange, candles=candles, log=log)
    try:
        yield hub
    finally:
        await hub.stop()


async def _watch(hub: Hub) -> None:
    while True:
        hub.check_health()
        await asyncio.sleep(0)


async def test_a_reading_that_has_ended_makes_the_hub_unhealthy() -> None:
    log = _BreakingLog()
    async with _hub(log, _Candles()) as hub:
        hub.join(Follower("one").client)
        await hub.subscribe("one", SubscribeRequest(_PAIR))
        hub.check_health()
        log.is_broken = True
        log.append(EVENTS_TOPIC, 0, b"")
        with pytest.raises(RuntimeError, match=r"the rooms has ended: OverflowError"):
            await asyncio.wait_for(_watch(hub), 5)


async def test_a_room_that_was_closed_and_opened_again_is_seeded_at_once() -> None:
    candles = _Candles()
    async with _hub(MemoryLog(), candles) as hub:
        for name in ("one", "two"):
            hub.join(Follower(name).client)
            await hub.subscribe(name, SubscribeRequest(_PAIR))
            assert await asyncio.wait_for(candles.asked.get(), 1) == f"{_PAIR} 1m"
            hub.unsubscribe(name, _PAIR)
