"""`verify` on real servers: clean after the real way, and one wrong thing of each kind found."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from redis.asyncio import Redis

from actors.book.codec import EventRecord, decode_events, encode_commands, encode_events
from actors.book.market import Market
from actors.book.vocabulary import EventKind
from actors.fold.snapshots import FileSnapshotStore
from actors.log.events import KafkaEventSink
from actors.log.reader import KafkaLogReader
from actors.pair.actor import PairActor
from actors.platform.channels import depth_key
from actors.platform.config import Servers
from actors.platform.messages import DepthSnapshot
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC, Topology
from cluster.errors import CannotVerifyError
from cluster.platform.local_actors import local_pair
from cluster.verify import Report, verify
from cluster.verify.run import CHECKS
from tests.beds.leases import MarketLeases
from tests.beds.routing import Judge, command_log
from tests.beds.verify import Bed, LocalBooks, commands_of, made

_MARKETS = 7
_TABLES = ("trades", "orders", "candles_1s", "consumer_positions")


@pytest.fixture(scope="module")
async def bed(
    servers: Servers, leases: MarketLeases, tmp_path_factory: pytest.TempPathFactory
) -> Bed:
    return await made(servers, tmp_path_factory.mktemp("verify"), await leases.ids(_MARKETS))


@pytest.fixture(scope="module")
def market(bed: Bed) -> Market:
    """Return the market in which wrong rows are planted and taken back."""
    return bed.own()


def found(report: Report) -> dict[str, int]:
    """Return the differences of the checks that failed."""
    return {check.name: check.differences for check in report.checks if check.differences}


async def test_a_running_platform_is_clean_and_everything_was_compared(bed: Bed) -> None:
    report = bed.first_report
    assert found(report) == {}, report
    assert report.ok
    assert [check.name for check in report.checks] == list(CHECKS)
    assert all(check.checked > 0 for check in report.checks), report
    assert report.markets == _MARKETS
    assert report.commands >= _MARKETS * 400
    assert report.skipped == {}


@asynccontextmanager
async def planted(bed: Bed, statement: str, market: Market) -> AsyncIterator[None]:
    """Change Postgres for a moment; `$1` is the market."""
    connection = await asyncpg.connect(bed.platform.servers.postgres_url)
    try:
        for table in _TABLES:
            await connection.execute(
                f"CREATE TEMPORARY TABLE kept_{table} AS "
                f"SELECT * FROM {table} WHERE market_id = {market.market_id}"
            )
        outcome = await connection.execute(statement, market.market_id)
        assert outcome.endswith(" 1"), outcome
        try:
            yield
        finally:
            for table in _TABLES:
                await connection.execute(
                    f"DELETE FROM {table} WHERE market_id = {market.market_id}"
                )
                await connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
    finally:
        await connection.close()


_ONE_TRADE = "market_id = $1 AND trade_id = 5"
_ONE_ORDER = "market_id = $1 AND order_id = (SELECT max(order_id) FROM orders WHERE market_id = $1)"
_ONE_CANDLE = (
    "market_id = $1 AND "
    "open_time_s = (SELECT min(open_time_s) FROM candles_1s WHERE market_id = $1)"
)


@pytest.mark.parametrize(
    ("check", "statement", "sentence"),
    [
        (
            "trades",
            f"UPDATE trades SET price_ticks = 77777 WHERE {_ONE_TRADE}",
            "price_ticks 77777",
        ),
        ("trades", f"DELETE FROM trades WHERE {_ONE_TRADE}", "trade 5 has no row"),
        (
            "trades",
            "INSERT INTO trades SELECT market_id, 9999999, sequence, time_us, price_ticks,"
            " quantity_lots, aggressor_side, maker_order_id, taker_order_id, maker_user_id,"
            f" taker_user_id FROM trades WHERE {_ONE_TRADE}",
            "trade 9999999 has a row, but is not in the log",
        ),
        (
            "orders",
            f"UPDATE orders SET filled_lots = 77777 WHERE {_ONE_ORDER}",
            "filled_lots 77777",
        ),
        ("orders", f"UPDATE orders SET client_order_id = 'x' WHERE {_ONE_ORDER}", "x, by the log"),
        ("orders", f"DELETE FROM orders WHERE {_ONE_ORDER}", "has no row"),
        (
            "orders",
            "INSERT INTO orders SELECT (jsonb_populate_record(orders, '{\"order_id\": -5}')).*"
            f" FROM orders WHERE {_ONE_ORDER}",
            "order -5 has a row, but is not in the log",
        ),
        (
            "candles",
            f"UPDATE candles_1s SET notional = 77777 WHERE {_ONE_CANDLE}",
            "notional 77777",
        ),
        (
            "candles",
            f"UPDATE candles_1s SET open_ticks = 77777 WHERE {_ONE_CANDLE}",
            "open_ticks 77",
        ),
        ("candles", f"DELETE FROM candles_1s WHERE {_ONE_CANDLE}", "has no row"),
        (
            "candles",
            "INSERT INTO candles_1s VALUES ($1, 5, 1, 1, 1, 1, 1, 1, 1, 1)",
            "candle of second 5 has a row, but is not in the log",
        ),
        (
            "positions",
            "UPDATE consumer_positions SET last_sequence = 77777"
            " WHERE market_id = $1 AND consumer = 'writer'",
            "consumer writer stands at sequence 77777, the log ends at",
        ),
    ],
)
async def test_a_wrong_row_is_found_by_its_own_check_and_named(
    bed: Bed, market: Market, check: str, statement: str, sentence: str
) -> None:
    async with planted(bed, statement, market):
        report = await bed.verify(market)
    assert found(report) == {check: 1}, report
    assert not report.ok
    first = report.check(check).first or ""
    assert first.startswith(market.pair)
    assert sentence in first


async def test_a_wrong_depth_is_found_by_its_own_check_and_named(bed: Bed, market: Market) -> None:
    async with Redis.from_url(bed.platform.servers.redis_url) as redis:
        cached = await redis.get(depth_key(market.pair))
        assert isinstance(cached, bytes)
        depth = msgspec.msgpack.decode(cached, type=DepthSnapshot)
        price, quantity, filled, count = depth.bids[0]
        wrong = msgspec.structs.replace(
            depth, bids=[(price, quantity + 1, filled, count), *depth.bids[1:]]
        )
        await redis.set(depth_key(market.pair), msgspec.msgpack.encode(wrong))
        try:
            report = await bed.verify(market)
        finally:
            await redis.set(depth_key(market.pair), cached)
    assert found(report) == {"depth": 1}
    assert "bid level 1 is" in (report.check("depth").first or "")


async def test_a_live_book_of_another_history_is_found_by_its_own_check(
    bed: Bed, market: Market, tmp_path: Path
) -> None:
    values = await Judge(bed.platform, market).log_values()
    commands = commands_of(market)
    other = local_pair(replace(bed.platform, data_directory=str(tmp_path)), market)
    values[3] = encode_commands(market.market_id, commands[:1])
    other.actor.apply(0, len(values), values)
    report = await bed.verify(market, books=LocalBooks({market.pair: other}))
    assert found(report) == {"books": 1}
    assert "hash" in (report.check("books").first or "")


async def one_record(bed: Bed, topic: str, market: Market, *, least: int) -> EventRecord:
    """Return the first record of a topic with so many events."""
    partition = bed.platform.topology.partition(market)
    reader = KafkaLogReader(
        bootstrap=bed.platform.servers.kafka_bootstrap, topic=topic, client_id="test-verify"
    )
    await reader.start({partition: 0})
    try:
        while True:
            for record in (await reader.read(timeout_ms=5_000))[partition]:
                decoded = decode_events(record.value)
                if len(decoded.events) >= least:
                    return decoded
    finally:
        await reader.stop()


async def publish(bed: Bed, topic: str, market: Market, record: EventRecord) -> None:
    sink = KafkaEventSink(
        bootstrap=bed.platform.servers.kafka_bootstrap,
        topology=bed.platform.topology,
        client_id="test-verify",
    )
    await sink.start()
    try:
        await sink.publish(
            topic,
            market,
            encode_events(
                market_id=record.market_id,
                first_sequence=record.first_sequence,
                last_sequence=record.last_sequence,
                first_offset=record.first_offset,
                next_offset=record.next_offset,
                events=record.events,
            ),
        )
    finally:
        await sink.stop()


@pytest.mark.parametrize("topic", [EVENTS_TOPIC, TRADES_TOPIC])
async def test_a_repeated_event_is_right_and_a_different_one_is_found(bed: Bed, topic: str) -> None:
    own = bed.own()
    record = await one_record(bed, topic, own, least=2)
    await publish(bed, topic, own, record)
    assert found(await bed.verify(own)) == {}
    events = record.events.copy()
    events["user_id"][1] += 1
    await publish(bed, topic, own, replace(record, events=events))
    report = await bed.verify(own)
    assert found(report) == {topic: 1}
    sequence = int(events["sequence"][1])
    assert f"sequence {sequence}: user_id" in (report.check(topic).first or "")


async def test_an_event_that_is_no_trade_is_found_among_the_trades(bed: Bed) -> None:
    own = bed.own()
    record = await one_record(bed, EVENTS_TOPIC, own, least=2)
    stranger = record.events[record.events["kind"] != EventKind.TRADE][:1]
    await publish(bed, TRADES_TOPIC, own, replace(record, events=stranger))
    report = await bed.verify(own)
    assert found(report) == {TRADES_TOPIC: 1}
    assert "does not belong here" in (report.check(TRADES_TOPIC).first or "")


async def test_commands_that_nobody_takes_are_missing_everywhere_but_not_on_a_stopped_platform(
    bed: Bed,
) -> None:
    own = bed.own()
    commands = commands_of(own)
    commands["order_id"] += 10_000_000
    commands["command_id"] += 10_000_000
    commands["client_order_id"] = 0
    async with command_log(bed.platform) as log:
        await log.append(own, commands)
    only = replace(bed.platform, topology=Topology((own,)))
    stopped = await verify(only)
    assert found(stopped) == {}
    assert list(stopped.skipped) == ["books"]
    waited = await bed.verify(own)
    assert set(found(waited)) == {EVENTS_TOPIC, TRADES_TOPIC, "positions", "depth", "books"}
    assert waited.check(EVENTS_TOPIC).differences > len(commands) // 2
    assert "is missing in orders.updated" in (waited.check(EVENTS_TOPIC).first or "")


async def test_a_log_without_its_beginning_is_folded_from_a_snapshot(
    bed: Bed, tmp_path: Path
) -> None:
    own = bed.own()
    whole = await bed.verify(own)
    assert (await bed.verify(own, from_snapshot=True)).checks == whole.checks
    store = FileSnapshotStore(
        Path(bed.platform.data_directory) / "snapshots", pair=own.pair, kept=2
    )
    earlier = PairActor(own, store, replace(bed.platform.limits, snapshot_every_commands=1))
    earlier.apply(0, 20, (await Judge(bed.platform, own).log_values())[:20])
    earlier.acknowledge(20)
    asked = await bed.verify(own, from_snapshot=True)
    assert found(asked) == {}, asked
    assert asked.check("log").checked == whole.check("log").checked - 20
    tip = TopicPartition(COMMANDS_TOPIC, bed.platform.topology.partition(own))
    admin = AIOKafkaAdminClient(bootstrap_servers=bed.platform.servers.kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_records({tip: RecordsToDelete(before_offset=10)})
    finally:
        await admin.close()
    rest = await bed.verify(own)
    assert found(rest) == {}, rest
    # All of it was in the second of the snapshot, whose earlier trades are gone.
    assert [check.name for check in rest.checks if not check.checked] == ["candles"]
    assert rest.check("log").checked == whole.check("log").checked - 20
    with pytest.raises(CannotVerifyError, match="begins at offset 10"):
        await verify(replace(bed.platform, data_directory=str(tmp_path), topology=Topology((own,))))


async def test_servers_that_do_not_answer_are_no_difference(
    bed: Bed, market: Market, unused_tcp_port: int
) -> None:
    away = replace(bed.platform.servers, redis_url=f"redis://127.0.0.1:{unused_tcp_port}/0")
    with pytest.raises(CannotVerifyError, match="could not be read"):
        await verify(replace(bed.platform, servers=away, topology=Topology((market,))))
