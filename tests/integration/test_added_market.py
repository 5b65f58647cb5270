"""A market that is added comes to writer and candles at work, which keep it like the others."""

from collections.abc import AsyncIterator

import pytest

from actors.book.records import RecordArray
from actors.platform.config import CandlesConfig, Servers, WriterConfig
from actors.platform.topology import Topology
from actors.writer.writer import PostgresWriter
from analytics.aggregator import CandleAggregator
from tests.beds.trades import trade_events, trade_record
from tests.beds.writer import Bed, until
from tests.beds.writer_events import history

_START_S = 1_700_000_000
_NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def bed(servers: Servers) -> AsyncIterator[Bed]:
    async with Bed.made(servers) as made:
        yield made


def _trades(market_id: int, *, count: int) -> RecordArray:
    rows = [((_START_S + n) * 1_000_000, 5_000 + n, 10) for n in range(count)]
    return trade_events(rows, market_id=market_id)


async def _until_reached(bed: Bed, sequences: dict[int, int]) -> None:
    async def reached() -> bool:
        found = await bed.last_sequences()
        return all(found[market_id] == at for market_id, at in sequences.items())

    await until(reached)


async def test_a_writer_at_work_takes_an_added_market(bed: Bed) -> None:
    first, added, _ = bed.topology
    config = WriterConfig(
        kafka_bootstrap=bed.servers.kafka_bootstrap,
        postgres_url=bed.servers.postgres_url,
        topology=Topology((first,)),
    )
    made = {market.market_id: history(market, seed=7, commands=200) for market in (first, added)}
    ends = {market_id: one.last_sequence for market_id, one in made.items()}
    for market_id, one in made.items():
        await bed.publish(market_id, *one.records)
    writer = PostgresWriter(config, topic=bed.topic)
    writer.start()
    try:
        await _until_reached(bed, ends | {added.market_id: 0})
        await writer.follow(Topology((first, added)))
        await _until_reached(bed, ends)
        assert (await writer.config()).topology == Topology((first, added))
    finally:
        await writer.stop()
    for market_id, one in made.items():
        counted = await bed.connection.fetchval(
            "SELECT count(*) FROM trades WHERE market_id = $1", market_id
        )
        assert counted == len(one.trades()) > 0


async def test_candles_at_work_take_an_added_market(bed: Bed) -> None:
    first, added, _ = bed.topology
    config = CandlesConfig(
        kafka_bootstrap=bed.servers.kafka_bootstrap,
        postgres_url=bed.servers.postgres_url,
        redis_url=_NOWHERE,
        topology=Topology((first,)),
    )
    candles = CandleAggregator(config, topic=bed.topic, rest_s=0.02)
    candles.start()
    now_s = _START_S + 10
    trades = {first: _trades(first.market_id, count=2), added: _trades(added.market_id, count=4)}
    ends = {market.market_id: int(events["sequence"][-1]) for market, events in trades.items()}
    try:
        for market, events in trades.items():
            record = trade_record(events, market_id=market.market_id)
            await bed.publish(market.market_id, record)
        await _until_reached(bed, ends | {added.market_id: 0})
        with pytest.raises(KeyError):
            await candles.candles(added.pair, "1s", 10, None, now_s)
        await candles.follow(Topology((first, added)))
        await _until_reached(bed, ends)
        for market, events in trades.items():
            found = await candles.candles(market.pair, "1s", 100, None, now_s)
            assert sum(candle.trade_count for candle in found) == len(events)
    finally:
        await candles.stop()
