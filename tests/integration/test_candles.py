"""The candle aggregator on real servers: restarts, repeats, what is older than memory, Redis."""

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest
from redis.asyncio import Redis

from actors.book.records import RecordArray
from actors.platform.channels import candle_channel
from actors.platform.config import Servers
from actors.platform.messages import Candle
from analytics.aggregator import CandleAggregator
from analytics.exports import candles_frame, write_candles, write_trades
from analytics.intervals import Interval, UnknownIntervalError
from analytics.messages import LiveCandle
from cluster.plan import Platform
from tests.beds.trades import naive_candles, trade_events, trade_record
from tests.beds.writer import Bed, until

START_S = 1_700_000_000
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def bed(servers: Servers) -> AsyncIterator[Bed]:
    async with Bed.made(servers) as made:
        yield made


@asynccontextmanager
async def aggregating(
    bed: Bed, *, seconds_in_memory: int = 10_000
) -> AsyncIterator[CandleAggregator]:
    platform = Platform(servers=bed.servers, topology=bed.topology, data_directory="")
    aggregator = CandleAggregator(
        platform.candles,
        topic=bed.topic,
        seconds_in_memory=seconds_in_memory,
        rest_s=0.02,
    )
    aggregator.start()
    try:
        yield aggregator
    finally:
        await aggregator.stop()


def some_trades(count: int, *, market_id: int, seed: int) -> RecordArray:
    """Return trades on a walk, several in some seconds, with pauses of up to an hour."""
    chance = random.Random(seed)
    time_us, price = START_S * 1_000_000, 5_000
    rows = []
    for _ in range(count):
        time_us += chance.choice([0, 1_000, 400_000, 1_000_000, 90_000_000, 3_600_000_000])
        price = max(1, price + chance.randint(-9, 9))
        rows.append((time_us, price, chance.randint(1, 5_000)))
    return trade_events(rows, market_id=market_id)


def in_records(events: RecordArray, *, seed: int) -> list[bytes]:
    """Return the events in records of different lengths, some of them twice or overlapping."""
    chance = random.Random(seed)
    records, start = [], 0
    while start < len(events):
        end = min(len(events), start + chance.randint(1, 9))
        back = chance.choice([0, 0, 0, 2])
        part = events[max(0, start - back) : end]
        records.append(trade_record(part, market_id=int(part["market_id"][0]), offset=start))
        start = end
    return records


async def until_written(bed: Bed, sequences: dict[int, int]) -> None:
    async def written() -> bool:
        reached = await bed.last_sequences()
        return all(reached.get(key) == sequence for key, sequence in sequences.items())

    await until(written)


async def stored(bed: Bed, market_id: int) -> list[Candle]:
    rows = await bed.connection.fetch(
        "SELECT market_id, open_time_s, open_ticks, high_ticks, low_ticks, close_ticks,"
        " volume_lots, notional, trade_count, last_sequence"
        " FROM candles_1s WHERE market_id = $1 ORDER BY open_time_s",
        market_id,
    )
    return [Candle(*(int(value) for value in row)) for row in rows]


def seconds_with_trades(events: RecordArray, *, market_id: int) -> list[Candle]:
    every = naive_candles(events, Interval.S1, now_s=0, market_id=market_id)
    return [candle for candle in every if candle.trade_count]


def last_s(events: RecordArray) -> int:
    return int(events["time_us"][-1]) // 1_000_000


async def test_a_restart_at_any_record_leaves_no_gap_and_counts_nothing_twice(bed: Bed) -> None:
    histories = {key: some_trades(150, market_id=key, seed=key) for key in (1, 2)}
    records = {key: in_records(events, seed=key) for key, events in histories.items()}
    for start in range(0, max(map(len, records.values())), 7):
        async with aggregating(bed):
            reached = {}
            for key, all_records in records.items():
                part = all_records[start : start + 7]
                await bed.publish(key, *part)
                done = all_records[: start + 7]
                reached[key] = _last_sequence(done)
            await until_written(bed, reached)
    for key, events in histories.items():
        assert await stored(bed, key) == seconds_with_trades(events, market_id=key)


def _last_sequence(records: list[bytes]) -> int:
    from actors.book.codec import decode_events

    return int(decode_events(records[-1]).events["sequence"][-1])


async def test_a_lost_connection_leaves_no_gap_and_counts_nothing_twice(bed: Bed) -> None:
    events = some_trades(120, market_id=1, seed=3)
    records = in_records(events, seed=3)
    async with aggregating(bed) as aggregator:
        for number, record in enumerate(records):
            await bed.publish(1, record)
            if number % 9 == 4:
                await bed.connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                    " application_name = 'forkast-candles' AND datname = current_database()"
                )
        await until_written(bed, {1: int(events["sequence"][-1])})
        assert await stored(bed, 1) == seconds_with_trades(events, market_id=1)
        now_s = last_s(events)
        answer = await aggregator.candles("T1-USD", "1s", 50, None, now_s)
        assert answer == naive_candles(events, Interval.S1, now_s=now_s, limit=50)


@pytest.mark.parametrize("interval", list(Interval))
async def test_every_interval_is_the_same_from_memory_and_from_postgres(
    bed: Bed, interval: Interval
) -> None:
    events = some_trades(200, market_id=1, seed=11)
    now_s = last_s(events) + 3 * interval.seconds
    async with aggregating(bed, seconds_in_memory=25) as aggregator:
        await bed.publish(1, *in_records(events, seed=1))
        await until_written(bed, {1: int(events["sequence"][-1])})
        seconds = len(await stored(bed, 1))

        async def holds_less() -> bool:
            return (await aggregator.status()).seconds_held[1] < seconds

        await until(holds_less)
        for limit, back in ((1, 0), (40, 0), (40, 30), (200, 500), (40, 30)):
            before_s = now_s - back * interval.seconds if back else None
            answer = await aggregator.candles("T1-USD", interval.value, limit, before_s, now_s)
            assert answer == naive_candles(
                events, interval, now_s=now_s, limit=limit, before_s=before_s
            )
        every = seconds_with_trades(events, market_id=1)
        live = await aggregator.live("T1-USD", interval.value)
        assert live == LiveCandle(naive_candles(events, interval, now_s=0)[-1], every[-1])
        held = await aggregator.seconds("T1-USD", every[-20].open_time_s, 15)
        assert held == every[-20:-5]
        assert await aggregator.seconds("T1-USD", every[0].open_time_s, 15) is None


async def test_the_ticker_tells_the_last_24_hours(bed: Bed) -> None:
    day = 86_400 * 1_000_000
    start = START_S * 1_000_000
    events = trade_events(
        [(start, 100, 1), (start + day // 2, 130, 2), (start + day, 90, 3), (start + day, 110, 4)]
    )
    async with aggregating(bed) as aggregator:
        assert await aggregator.ticker("T1-USD", START_S) is None
        await bed.publish(1, trade_record(events))
        await until_written(bed, {1: int(events["sequence"][-1])})
        now = await aggregator.ticker("T1-USD", START_S + 86_400)
        assert now is not None
        assert (now.last_ticks, now.open_ticks, now.change_ticks) == (110, 100, 10)
        assert (now.high_ticks, now.low_ticks, now.volume_lots, now.trade_count) == (130, 90, 9, 3)
        later = await aggregator.ticker("T1-USD", START_S + 3 * 86_400)
        assert later is not None
        assert (later.open_ticks, later.high_ticks, later.low_ticks) == (110, 110, 110)
        assert (later.volume_lots, later.change_ticks) == (0, 0)


async def test_what_is_not_known_is_refused(bed: Bed) -> None:
    async with aggregating(bed) as aggregator:
        assert await aggregator.candles("T1-USD", "1m", 10, None, START_S) == []
        with pytest.raises(UnknownIntervalError):
            await aggregator.candles("T1-USD", "2m", 10, None, START_S)
        with pytest.raises(KeyError):
            await aggregator.candles("T9-USD", "1m", 10, None, START_S)
        assert await aggregator.candles("T1-USD", "1m", 10, -(10**30), START_S) == []
        with pytest.raises(ValueError, match="limit"):
            await aggregator.candles("T1-USD", "1m", 0, None, START_S)


async def test_a_record_that_cannot_be_read_is_passed_over_and_reported(bed: Bed) -> None:
    events = some_trades(20, market_id=1, seed=5)
    async with aggregating(bed) as aggregator:
        await bed.publish(1, trade_record(events[:10]), b"not a record", trade_record(events[12:]))
        await until_written(bed, {1: int(events["sequence"][-1])})
        status = await aggregator.status()
        assert status.missing_trades == 2
        assert "record 1" in status.faults[1]
        assert not status.healthy


async def test_changed_seconds_are_published_whole(bed: Bed) -> None:
    pair = f"C{uuid.uuid4().hex[:8]}-USD"
    renamed = [
        replace(market, pair=pair) if market.market_id == 1 else market for market in bed.topology
    ]
    bed.topology = type(bed.topology)(tuple(renamed))
    events = some_trades(60, market_id=1, seed=8)
    redis: Redis = Redis.from_url(bed.servers.redis_url)
    pubsub = redis.pubsub()
    await pubsub.subscribe(candle_channel(pair))
    heard: dict[int, Candle] = {}
    async with aggregating(bed):
        await bed.publish(1, *in_records(events, seed=8))
        async with asyncio.timeout(20):
            while not heard or max(heard) < last_s(events):
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
                if message is not None:
                    for candle in msgspec.msgpack.decode(message["data"], type=list[Candle]):
                        heard[candle.open_time_s] = candle
        await until_written(bed, {1: int(events["sequence"][-1])})
    await pubsub.aclose()  # type: ignore[no-untyped-call]
    await redis.aclose()
    assert list(heard.values()) == seconds_with_trades(events, market_id=1)


async def test_candles_are_kept_and_served_while_redis_is_away(bed: Bed) -> None:
    bed.servers = replace(bed.servers, redis_url=NOWHERE)
    events = some_trades(40, market_id=1, seed=9)
    async with aggregating(bed) as aggregator:
        await bed.publish(1, *in_records(events, seed=9))
        await until_written(bed, {1: int(events["sequence"][-1])})
        assert await stored(bed, 1) == seconds_with_trades(events, market_id=1)
        assert (await aggregator.status()).healthy


async def test_exports_hold_exact_decimals_and_utc_times(bed: Bed, tmp_path: Path) -> None:
    market = bed.topology.by_id(1)
    events = some_trades(50, market_id=1, seed=12)
    async with aggregating(bed):
        await bed.publish(1, *in_records(events, seed=12))
        await until_written(bed, {1: int(events["sequence"][-1])})
    frame = await candles_frame(bed.connection, market, Interval.H1)
    expected = [
        candle for candle in naive_candles(events, Interval.H1, now_s=0) if candle.trade_count
    ]
    assert frame["open_time"].to_list() == [
        datetime.fromtimestamp(candle.open_time_s, UTC) for candle in expected
    ]
    assert frame["high"].to_list() == [c.high_ticks * Decimal("0.01") for c in expected]
    assert frame["volume"].to_list() == [c.volume_lots * Decimal("0.0001") for c in expected]
    assert frame["quote_volume"].to_list() == [c.notional * Decimal("0.000001") for c in expected]
    path = tmp_path / "candles.parquet"
    written = await write_candles(
        bed.servers.postgres_url,
        market,
        Interval.H1,
        path=path,
        file_format="parquet",
        first_s=expected[1].open_time_s,
        until_s=expected[-1].open_time_s,
    )
    assert written == len(expected) - 2
    assert pl.read_parquet(path).equals(frame[1:-1])


async def test_trades_are_exported_as_they_are_stored(bed: Bed, tmp_path: Path) -> None:
    market = bed.topology.by_id(1)
    await bed.connection.execute(
        "INSERT INTO trades VALUES (1, 7, 21, 1700000000123456, 5025, 10001, 2, 31, 32, 1, 2)"
    )
    path = tmp_path / "trades.csv"
    written = await write_trades(bed.servers.postgres_url, market, path=path, file_format="csv")
    assert written == 1
    header, row = path.read_text().splitlines()
    assert header.startswith("trade_id,sequence,executed_at,price,quantity,aggressor_side")
    assert row == "7,21,2023-11-14T22:13:20.123456+0000,50.25,1.0001,SELL,31,32,1,2"
    assert os.listdir(tmp_path) == ["trades.csv"]
