"""The candle aggregator as a Ray actor: found by name, restarted by Ray, whole again."""

import asyncio
import os
import signal
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from actors.book.records import RecordArray
from actors.log.events import KafkaEventSink
from actors.platform.config import Servers
from actors.platform.errors import CandlesUnavailableError
from actors.platform.messages import Candle
from actors.platform.topology import TRADES_TOPIC
from analytics.builder import candles_actor
from analytics.client import RemoteCandles
from analytics.intervals import Interval
from analytics.messages import CandlesStatus
from cluster.plan import Platform
from tests.beds.leases import MarketLeases
from tests.beds.routing import make_platform
from tests.beds.trades import naive_candles, trade_events, trade_record
from tests.beds.waiting import until

START_S = 1_700_000_000
TRADES = [((START_S + 40 * n) * 1_000_000, 5_000 + n % 7, 10 + n) for n in range(60)]


async def publish(platform: Platform, events: RecordArray) -> None:
    (market,) = platform.topology
    sink = KafkaEventSink(
        bootstrap=platform.servers.kafka_bootstrap, topology=platform.topology, client_id="test"
    )
    await sink.start()
    try:
        record = trade_record(events, market_id=market.market_id)
        await sink.publish(TRADES_TOPIC, market, record)
    finally:
        await sink.stop()


async def test_a_killed_actor_comes_back_with_every_candle(
    servers: Servers, leases: MarketLeases, ray_session: str, tmp_path: Path
) -> None:
    market = await leases.market()
    platform = replace(
        make_platform(servers, [market], tmp_path),
        namespace=f"{ray_session}-{uuid.uuid4().hex[:8]}",
    )
    events = trade_events(TRADES, market_id=market.market_id)
    now_s = START_S + 40 * len(TRADES)
    candles = RemoteCandles(namespace=platform.namespace)
    with pytest.raises(CandlesUnavailableError):
        await candles.ticker(pair=market.pair, now_s=now_s)
    made = partial(candles_actor, platform.candles, namespace=platform.namespace)
    actor = await asyncio.to_thread(made)
    assert await asyncio.to_thread(made) == actor
    killed = 0
    statuses: list[CandlesStatus] = []

    async def works_in_another_process() -> bool:
        try:
            statuses.append(await candles.status())
        except CandlesUnavailableError:
            return False
        return statuses[-1].connected and statuses[-1].process_id != killed

    async def answer() -> list[Candle]:
        return await candles.candles(
            pair=market.pair, interval=Interval.M1, limit=100, before_s=None, now_s=now_s
        )

    def expected(count: int) -> list[Candle]:
        return naive_candles(
            events[:count], Interval.M1, now_s=now_s, market_id=market.market_id, limit=100
        )

    try:
        await until(works_in_another_process, within_s=90, what="the actor")
        await publish(platform, events[:30])

        async def first_half_is_there() -> bool:
            return await answer() == expected(30)

        await until(first_half_is_there, what="the first candles")
        killed = statuses[-1].process_id
        os.kill(killed, signal.SIGKILL)
        await publish(platform, events[30:])
        await until(works_in_another_process, within_s=90, what="the actor again")

        async def all_is_there() -> bool:
            return await answer() == expected(60)

        await until(all_is_there, what="all candles")
        with pytest.raises(CandlesUnavailableError):
            await candles.ticker(pair="NO-PAIR", now_s=now_s)
    finally:
        actor.end()
