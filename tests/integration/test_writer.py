import os
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import asyncpg
import numpy as np
import pytest
import pytest_asyncio

from actors.book.codec import encode_events
from actors.book.naive import NaiveBook
from actors.book.records import (
    COMMAND_DTYPE,
    EVENT_DTYPE,
    RecordArray,
    decode_client_order_ids,
    encode_client_order_id,
)
from actors.book.vocabulary import CommandKind, OrderStatus, OrderType, Side, TimeInForce
from actors.platform.config import Servers
from actors.platform.errors import PositionTakenError
from actors.writer.intake import Intake
from actors.writer.store import OrderStore
from cluster.embedded.postgres import EmbeddedPostgres
from tests.beds.writer import Bed, interleaved, until
from tests.beds.writer_events import History, Row, append, history


@pytest_asyncio.fixture
async def bed(servers: Servers) -> AsyncIterator[Bed]:
    async with Bed.made(servers) as made:
        yield made


def _histories(bed: Bed, *, seed: int, commands: int = 1_500) -> dict[int, History]:
    return {
        market.market_id: history(market, seed=seed + market.market_id, commands=commands)
        for market in bed.topology
    }


def _ends(histories: dict[int, History]) -> dict[int, int]:
    return {market_id: made.last_sequence for market_id, made in histories.items()}


async def _publish(bed: Bed, histories: dict[int, History]) -> None:
    for market_id, record in interleaved({key: made.records for key, made in histories.items()}):
        await bed.publish(market_id, record)


async def _rows(connection: asyncpg.Connection, market_id: int) -> tuple[list[Row], list[Row]]:
    orders = await connection.fetch("SELECT * FROM orders WHERE market_id = $1", market_id)
    trades = await connection.fetch("SELECT * FROM trades WHERE market_id = $1", market_id)
    return [dict(row) for row in orders], [dict(row) for row in trades]


async def _assert_rows_equal_events(bed: Bed, histories: dict[int, History]) -> None:
    for market_id, made in histories.items():
        orders, trades = await _rows(bed.connection, market_id)
        assert {row["order_id"]: row for row in orders} == made.orders()
        assert {row["trade_id"]: row for row in trades} == made.trades()
        assert len(made.trades()) > 100


def _places(order_ids: Sequence[int], *, user_id: int = 1) -> RecordArray:
    commands = np.zeros(len(order_ids), COMMAND_DTYPE)
    commands["kind"] = CommandKind.PLACE
    commands["order_id"] = order_ids
    commands["user_id"] = user_id
    commands["side"] = Side.BUY
    commands["order_type"] = OrderType.LIMIT
    commands["time_in_force"] = TimeInForce.GTC
    commands["price_ticks"] = 1_000
    commands["quantity_lots"] = 5
    return commands


def _cancels(order_ids: Sequence[int]) -> RecordArray:
    commands = np.zeros(len(order_ids), COMMAND_DTYPE)
    commands["kind"] = CommandKind.CANCEL
    commands["order_id"] = order_ids
    return commands


def _story(bed: Bed, *batches: RecordArray) -> History:
    """Run batches through the first market's book."""
    market = next(iter(bed.topology))
    book, made = NaiveBook(market), History(market_id=market.market_id)
    for offset, commands in enumerate(batches):
        append(made, book, commands, offset=offset)
    return made


async def test_rows_equal_the_events_of_all_markets(bed: Bed) -> None:
    histories = _histories(bed, seed=1)
    async with bed.writing(events_per_transaction=700) as writer:
        await _publish(bed, histories)
        await bed.until_written(_ends(histories))
        status = await writer.status()
    await _assert_rows_equal_events(bed, histories)
    assert status.healthy
    assert status.events == sum(_ends(histories).values())
    assert status.trades == sum(len(made.trades()) for made in histories.values())
    assert status.commands_offsets == {key: len(made.records) for key, made in histories.items()}


async def test_a_writer_that_dies_again_and_again_loses_nothing_and_doubles_nothing(
    bed: Bed,
) -> None:
    histories = _histories(bed, seed=20)
    await _publish(bed, histories)
    ends = _ends(histories)
    lives = 0
    while await bed.last_sequences() != ends:
        lives += 1
        async with bed.writing(events_per_transaction=300) as writer:

            async def has_written_or_is_done(writer: object = writer) -> bool:
                status = await writer.status()  # type: ignore[attr-defined]
                return status.transactions >= 2 or await bed.last_sequences() == ends

            await until(has_written_or_is_done)
            await bed.cut_the_writer_off()
    assert lives > 2
    await _assert_rows_equal_events(bed, histories)


async def test_a_lost_connection_is_made_anew_from_the_stored_position(bed: Bed) -> None:
    histories = _histories(bed, seed=30, commands=600)
    async with bed.writing() as writer:
        for market_id, made in histories.items():
            await bed.publish(market_id, *made.records[:5])
            await bed.until_written(
                await bed.last_sequences() | {market_id: int(made.events[4]["sequence"][-1])}
            )
        assert await bed.cut_the_writer_off() == 1
        for market_id, made in histories.items():
            await bed.publish(market_id, *made.records[5:])
        await bed.until_written(_ends(histories))

        async def is_healthy() -> bool:
            return (await writer.status()).healthy

        await until(is_healthy)
    for market_id, made in histories.items():
        orders, trades = await _rows(bed.connection, market_id)
        assert {row["order_id"]: row for row in orders} == made.orders()
        assert {row["trade_id"]: row for row in trades} == made.trades()


async def test_a_crash_of_postgres_loses_nothing_though_commits_do_not_wait_for_the_disk(
    servers: Servers, tmp_path: Path
) -> None:
    postgres = EmbeddedPostgres(directory=tmp_path / "postgres", logs=tmp_path / "logs")
    await postgres.start()
    try:
        async with Bed.made(replace(servers, postgres_url=postgres.url)) as bed:
            histories = _histories(bed, seed=35)
            await _publish(bed, histories)
            async with bed.writing(events_per_transaction=100) as writer:

                async def is_at_work() -> bool:
                    return (await writer.status()).transactions > 3

                async def is_without_postgres() -> bool:
                    return not (await writer.status()).connected

                await until(is_at_work)
                postmaster = (tmp_path / "postgres" / "postmaster.pid").read_text().split()[0]
                os.kill(int(postmaster), signal.SIGQUIT)
                await postgres.process.stop()
                await until(is_without_postgres)
                await postgres.start()
                await bed.reconnect()
                await bed.until_written(_ends(histories))
            await _assert_rows_equal_events(bed, histories)
    finally:
        await postgres.process.stop()


async def test_records_published_again_change_nothing(bed: Bed) -> None:
    histories = _histories(bed, seed=40)
    async with bed.writing(events_per_transaction=500):
        for market_id, made in histories.items():
            half = len(made.records) // 2
            await bed.publish(
                market_id, *made.records[:half], *made.records[: half + 3], *made.records[half:]
            )
        await bed.until_written(_ends(histories))
        await bed.publish(1, *histories[1].records)

        async def has_passed_the_repeats() -> bool:
            offset: int = await bed.connection.fetchval(
                "SELECT next_offset FROM consumer_positions WHERE market_id = 1"
            )
            return offset == 2 * len(histories[1].records) + len(histories[1].records) // 2 + 3

        await until(has_passed_the_repeats)
    await _assert_rows_equal_events(bed, histories)


async def test_rows_and_position_are_always_of_the_same_transaction(bed: Bed) -> None:
    histories = _histories(bed, seed=50)
    orders = {key: sorted(_first_seen(made)) for key, made in histories.items()}
    trades = {
        key: [row["sequence"] for row in made.trades().values()] for key, made in histories.items()
    }
    seen: set[tuple[int, int]] = set()
    async with bed.writing(events_per_transaction=50):
        await _publish(bed, histories)
        while True:
            positions = await _snapshot(bed)
            for market_id, last_sequence, order_count, trade_count in positions:
                seen.add((market_id, last_sequence))
                assert order_count == np.searchsorted(orders[market_id], last_sequence, "right")
                assert trade_count == np.searchsorted(trades[market_id], last_sequence, "right")
            if {row[0]: row[1] for row in positions} == _ends(histories):
                break
    assert len(seen) > 10


def _first_seen(made: History) -> list[int]:
    """Return the sequence at which each order's row appears."""
    events = np.concatenate(made.events)
    images = events[np.isin(events["kind"], (1, 2))]
    _, first = np.unique(images["order_id"], return_index=True)
    sequences: list[int] = images["sequence"][first].tolist()
    return sequences


async def _snapshot(bed: Bed) -> list[tuple[int, int, int, int]]:
    rows = await bed.connection.fetch(
        """
        SELECT market_id, last_sequence,
               (SELECT count(*) FROM orders o WHERE o.market_id = p.market_id) AS orders,
               (SELECT count(*) FROM trades t WHERE t.market_id = p.market_id) AS trades
        FROM consumer_positions p
        """
    )
    return [tuple(row) for row in rows]


async def test_a_gap_stalls_its_market_and_no_other_until_it_is_filled(bed: Bed) -> None:
    histories = _histories(bed, seed=60, commands=400)
    gap, *others = histories
    async with bed.writing() as writer:
        await bed.publish(gap, *histories[gap].records[:4], *histories[gap].records[5:])
        for market_id in others:
            await bed.publish(market_id, *histories[market_id].records)
        before_gap = int(histories[gap].events[3]["sequence"][-1])
        await bed.until_written(_ends(histories) | {gap: before_gap})
        status = await writer.status()
        assert not status.healthy
        assert f"sequence {before_gap + 1} is missing" in status.faults[gap]
        assert await writer.ping()
        await bed.publish(gap, *histories[gap].records[4:])
        await bed.until_written(_ends(histories))
        assert (await writer.status()).healthy
    orders, trades = await _rows(bed.connection, gap)
    assert {row["order_id"]: row for row in orders} == histories[gap].orders()
    assert {row["trade_id"]: row for row in trades} == histories[gap].trades()


async def test_a_market_that_was_stalled_is_still_refused_by_the_next_writer(bed: Bed) -> None:
    made = history(bed.topology.by_id(1), seed=70, commands=400)
    await bed.publish(1, *made.records[:4], *made.records[5:])
    for _ in range(2):
        async with bed.writing() as writer:

            async def has_a_fault(writer: object = writer) -> bool:
                return bool((await writer.status()).faults)  # type: ignore[attr-defined]

            await until(has_a_fault)
    assert (await bed.last_sequences())[1] == int(made.events[3]["sequence"][-1])


async def test_rows_of_a_log_that_is_gone_are_left_alone(bed: Bed) -> None:
    await bed.connection.execute(
        "INSERT INTO consumer_positions VALUES ('writer', 1, 500, 900, 450)"
    )
    made = history(bed.topology.by_id(1), seed=80, commands=200)
    await bed.publish(1, *made.records)
    async with bed.writing() as writer:

        async def has_a_fault() -> bool:
            return bool((await writer.status()).faults)

        await until(has_a_fault)
        assert "rows were written up to 500" in (await writer.status()).faults[1]
    assert (await bed.last_sequences())[1] == 900


async def test_an_id_used_again_becomes_the_newer_order(bed: Bed) -> None:
    made = _story(
        bed,
        _places([10, 11, 12]),
        _cancels([10, 11]),
        _places([10], user_id=2),
        np.concatenate([_cancels([12]), _places([12, 13], user_id=3)]),
    )
    async with bed.writing(events_per_transaction=1):
        await bed.publish(1, *made.records)
        await bed.until_written({1: made.last_sequence, 2: 0, 3: 0})
    orders, _ = await _rows(bed.connection, 1)
    assert {row["order_id"]: row for row in orders} == made.orders()
    owners = {row["order_id"]: (row["user_id"], row["status"]) for row in orders}
    assert owners == {
        10: (2, OrderStatus.OPEN),
        11: (1, OrderStatus.CANCELLED),
        12: (3, OrderStatus.OPEN),
        13: (3, OrderStatus.OPEN),
    }


async def test_an_image_of_an_order_without_a_row_makes_the_row(bed: Bed) -> None:
    made = _story(bed, _places([10, 11]), _cancels([10]))
    async with bed.writing():
        await bed.publish(1, made.records[0])
        await bed.until_written({1: 2, 2: 0, 3: 0})
        await bed.connection.execute("DELETE FROM orders WHERE order_id = 10")
        await bed.publish(1, made.records[1])
        await bed.until_written({1: 3, 2: 0, 3: 0})
    orders, _ = await _rows(bed.connection, 1)
    assert {row["order_id"]: row for row in orders} == made.orders()


async def test_client_order_ids_of_every_length_are_kept(bed: Bed) -> None:
    commands = _places(range(1, 38))
    texts = ["x" * length for length in range(37)]
    for command, text in zip(commands, texts, strict=True):
        command["client_order_id"] = encode_client_order_id(text)
    made = _story(bed, commands)
    async with bed.writing():
        await bed.publish(1, *made.records)
        await bed.until_written({1: made.last_sequence, 2: 0, 3: 0})
    rows = await bed.connection.fetch("SELECT client_order_id FROM orders ORDER BY order_id")
    assert [row[0] for row in rows] == texts
    assert decode_client_order_ids(commands)[36] == b"x" * 36


async def test_integers_at_the_ends_of_their_ranges_come_back_as_they_were(bed: Bed) -> None:
    event = np.zeros(2, EVENT_DTYPE)
    for name in EVENT_DTYPE.names or ():
        if name != "client_order_id":
            info = np.iinfo(EVENT_DTYPE[name])
            event[name] = (max(info.min, 1 - 2**63), info.max)
    event["kind"] = 2
    event["market_id"] = 1
    event["sequence"] = (1, 2)
    event["reason"] = (0, 2**31 - 1)
    record = encode_events(
        market_id=1, first_sequence=1, last_sequence=2, first_offset=0, next_offset=1, events=event
    )
    made = History(market_id=1, records=[record], events=[event])
    async with bed.writing():
        await bed.publish(1, record)
        await bed.until_written({1: 2, 2: 0, 3: 0})
    orders, _ = await _rows(bed.connection, 1)
    assert {row["order_id"]: row for row in orders} == made.orders()


async def test_two_writers_never_write_the_same_events(bed: Bed) -> None:
    made = history(bed.topology.by_id(1), seed=90, commands=300)
    stores = [await OrderStore.connect(bed.servers.postgres_url, consumer="writer") for _ in "ab"]
    batches = []
    for store in stores:
        intake = Intake(await store.positions(bed.topology))
        for offset, record in enumerate(made.records):
            intake.add(market_id=1, offset=offset, value=record)
        batches.append(intake.take())
    first, second = batches
    assert first is not None
    assert second is not None
    await stores[0].write(first)
    with pytest.raises(PositionTakenError):
        await stores[1].write(second)
    for store in stores:
        await store.close()
    orders, trades = await _rows(bed.connection, 1)
    assert len(orders) == len(made.orders())
    assert len(trades) == len(made.trades())


async def test_two_running_writers_end_with_the_same_rows_as_one(bed: Bed) -> None:
    histories = _histories(bed, seed=100, commands=800)
    async with bed.writing(events_per_transaction=100), bed.writing(events_per_transaction=130):
        await _publish(bed, histories)
        await bed.until_written(_ends(histories))
    for market_id, made in histories.items():
        orders, trades = await _rows(bed.connection, market_id)
        assert {row["order_id"]: row for row in orders} == made.orders()
        assert {row["trade_id"]: row for row in trades} == made.trades()
