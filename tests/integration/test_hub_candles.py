"""Candles over the hub on real servers: the last that is told of a window is what REST says."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import numpy as np
import pytest

from actors.book.vocabulary import Side
from actors.platform.config import Servers
from analytics.intervals import Interval
from api.exchange.decimals import MarketDecimals
from api.hub.messages import candle_update
from tests.beds.commands import place
from tests.beds.leases import MarketLeases
from tests.beds.live import Heard, Live, LiveMarket, hearing, live_platform
from tests.beds.waiting import until

TRADES_PER_SECOND = 12
INTERVALS = (Interval.S1, Interval.S10)
_MARKETS = 4


@pytest.fixture(scope="module")
async def live(
    servers: Servers, leases: MarketLeases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    async with live_platform(
        servers, leases, folder, allowed_origins=(), markets_unused=_MARKETS
    ) as running:
        yield running


@pytest.fixture
def own(live: Live) -> LiveMarket:
    """Give a test a market that no other has used."""
    return live.unused.pop()


async def trade(own: LiveMarket, *, seconds: int, late_s: float, chance: random.Random) -> int:
    """Trade at an even pace, at times that are late by up to a second more; count the trades."""
    count = seconds * TRADES_PER_SECOND
    begun_s = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun_s + number / TRADES_PER_SECOND - time.monotonic()))
        time_us = time.time_ns() // 1_000 - int((late_s + chance.random()) * 1e6)
        price, lots = chance.randint(4_900, 5_100), 10_000 + chance.randint(0, 99)
        orders = [
            place(
                2 * number + one,
                side,
                price_ticks=price,
                quantity_lots=lots,
                time_us=time_us,
                user_id=7 + one,
            )
            for one, side in ((1, Side.SELL), (2, Side.BUY))
        ]
        await own.send(np.concatenate(orders))
    return count


async def until_told(
    live: Live, own: LiveMarket, followers: dict[Interval, Heard], *, trades: int
) -> None:
    """Return when every window that was told was last told as the candle actor answers it."""
    units = MarketDecimals(own.market)

    async def agrees(interval: Interval, heard: Heard) -> bool:
        told = {candle["time"]: candle for candle in heard.of("candle_update")}
        answered = await live.candles.candles(
            pair=own.room, interval=interval, limit=100, before_s=None, now_s=max(told)
        )
        right: dict[int, Any] = {
            candle.open_time_s: msgspec.to_builtins(candle_update(units, interval, candle))
            for candle in answered
        }
        traded = sum(candle.trade_count for candle in answered)
        first_s = min(told)
        return traded == trades and told == {
            time_s: candle for time_s, candle in right.items() if time_s >= first_s
        }

    async def all_agree() -> bool:
        return all([await agrees(interval, heard) for interval, heard in followers.items()])

    await until(all_agree, what="the last message of every window is its candle")


@pytest.mark.parametrize("late_s", [0.0, 2.5], ids=["in-time", "after-the-window-has-closed"])
async def test_the_last_message_of_every_window_is_what_its_trades_make_of_it(
    live: Live, own: LiveMarket, late_s: float
) -> None:
    async with AsyncExitStack() as stack:
        followers = {}
        for interval in INTERVALS:
            heard = followers[interval] = await stack.enter_async_context(
                hearing(live, "websocket")
            )
            await heard.ask("subscribe", {"room": own.room, "interval": interval.value})
        trades = await trade(own, seconds=8, late_s=late_s, chance=random.Random(3))
        await until_told(live, own, followers, trades=trades)


async def test_windows_that_close_while_redis_is_away_are_told_to_their_end(
    live: Live, own: LiveMarket
) -> None:
    async def break_connections() -> None:
        while True:
            await asyncio.sleep(1.3)
            await live.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]

    async with hearing(live, "websocket") as heard:
        await heard.ask("subscribe", {"room": own.room, "interval": "1s"})
        breaking = asyncio.create_task(break_connections())
        try:
            trades = await trade(own, seconds=6, late_s=0.0, chance=random.Random(4))
        finally:
            breaking.cancel()
            await asyncio.gather(breaking, return_exceptions=True)
        await until_told(live, own, {Interval.S1: heard}, trades=trades)
