from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from actors.book.reasons import Reason
from actors.book.vocabulary import OrderStatus
from actors.platform.config import Servers
from actors.platform.errors import StorageUnavailableError
from api.exchange.storage.database import Database
from api.exchange.storage.fills import FillPosition, FillsRepository
from api.exchange.storage.orders import OPEN_STATUSES, OrdersRepository
from api.exchange.storage.positions import PositionsRepository, lease_worker_number
from api.exchange.storage.trades import TradesRepository
from api.exchange.storage.users import UsersRepository
from api.exchange.values import Fill, Order, Trade
from tests.beds.writer import Bed, until
from tests.beds.writer_events import History, history


@dataclass
class Shelf:
    """A database filled by the writer, and the histories that filled it."""

    bed: Bed
    database: Database
    histories: dict[int, History]

    @property
    def orders(self) -> OrdersRepository:
        return OrdersRepository(self.database, self.bed.topology)

    def expected(
        self,
        *,
        user_id: int | None = None,
        market_id: int | None = None,
        statuses: frozenset[int] = frozenset(OrderStatus),
    ) -> list[Order]:
        rows = [row for made in self.histories.values() for row in made.orders().values()]
        return [
            Order(**row)
            for row in sorted(rows, key=lambda row: -row["order_id"])
            if user_id in (None, row["user_id"])
            and market_id in (None, row["market_id"])
            and row["status"] in statuses
            and row["reason"] != Reason.DUPLICATE_CLIENT_ORDER_ID
        ]


@pytest_asyncio.fixture(scope="module")
async def shelf(servers: Servers) -> AsyncIterator[Shelf]:
    async with Bed.made(servers) as bed:
        histories = {
            market.market_id: history(
                market, seed=200 + market.market_id, commands=1_500, unique_ids=True
            )
            for market in bed.topology
        }
        async with bed.writing():
            for market_id, made in histories.items():
                await bed.publish(market_id, *made.records)
            await bed.until_written({key: made.last_sequence for key, made in histories.items()})
        database = Database(bed.servers.postgres_url, size=2)
        await database.start()
        try:
            yield Shelf(bed, database, histories)
        finally:
            await database.stop()


async def _all_pages(shelf: Shelf, *, limit: int, **filters: Any) -> list[Order]:
    found: list[Order] = []
    cursor: int | None = None
    while page := await shelf.orders.page(limit=limit, before_order_id=cursor, **filters):
        assert cursor is None or page[0].order_id < cursor
        found += page
        cursor = page[-1].order_id
    return found


async def test_an_order_is_found_by_its_id_as_its_last_event_left_it(shelf: Shelf) -> None:
    for order in shelf.expected()[::97]:
        assert await shelf.orders.get(order.order_id) == order
    assert await shelf.orders.get(1) is None


async def test_numbers_beyond_any_id_find_nothing_and_fail_nowhere(shelf: Shelf) -> None:
    assert await shelf.orders.get(2**80) is None
    assert await UsersRepository(shelf.database).get(-(2**80)) is None
    page = await shelf.orders.page(limit=3, before_order_id=2**80)
    assert page == shelf.expected()[:3]


async def test_pages_hold_each_order_once_newest_first(shelf: Shelf) -> None:
    assert await _all_pages(shelf, limit=100) == shelf.expected()


@pytest.mark.parametrize("market_id", [None, 2])
async def test_a_users_pages_hold_only_that_users_orders(
    shelf: Shelf, market_id: int | None
) -> None:
    expected = shelf.expected(user_id=3, market_id=market_id)
    assert len(expected) > 50
    assert await _all_pages(shelf, limit=7, user_id=3, market_id=market_id) == expected


@pytest.mark.parametrize("user_id", [None, 3])
@pytest.mark.parametrize(
    "statuses",
    [
        OPEN_STATUSES,
        frozenset({OrderStatus.OPEN}),
        frozenset({OrderStatus.FILLED, OrderStatus.OPEN}),
        frozenset({OrderStatus.REJECTED}),
    ],
)
async def test_pages_of_some_statuses_hold_all_orders_of_these(
    shelf: Shelf, user_id: int | None, statuses: frozenset[int]
) -> None:
    expected = shelf.expected(user_id=user_id, statuses=statuses)
    assert expected
    assert await _all_pages(shelf, limit=5, user_id=user_id, statuses=statuses) == expected


async def test_the_open_orders_of_a_user_are_those_of_the_book(shelf: Shelf) -> None:
    for market_id in shelf.histories:
        found = await shelf.orders.open_orders(user_id=2, market_id=market_id)
        assert found == shelf.expected(user_id=2, market_id=market_id, statuses=OPEN_STATUSES)


async def test_listing_open_orders_reads_the_small_index(shelf: Shelf) -> None:
    connection = shelf.bed.connection
    await connection.execute("ANALYZE orders")
    index_reads = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'orders_open'"
    before = await connection.fetchval(index_reads)
    await shelf.orders.page(limit=2, user_id=3, statuses=OPEN_STATUSES)

    async def was_read() -> bool:
        await shelf.database.fetch("SELECT pg_stat_force_next_flush()")
        return bool(await connection.fetchval(index_reads) > before)

    await until(was_read)


async def test_trades_come_newest_first_and_continue_before_an_id(shelf: Shelf) -> None:
    trades = TradesRepository(shelf.database)
    expected = [Trade(**row) for row in shelf.histories[1].trades().values()][::-1]
    found = await trades.page(market_id=1, limit=60)
    assert found == expected[:60]
    rest = await trades.page(market_id=1, limit=10_000, before_trade_id=found[-1].trade_id)
    assert rest == expected[60:]


async def test_fills_of_a_user_come_newest_first_over_all_markets_and_are_paged(
    shelf: Shelf,
) -> None:
    trades = [row for made in shelf.histories.values() for row in made.trades().values()]
    fills = [
        Fill(**row, is_maker=is_maker)
        for row in trades
        for is_maker, side in ((False, "taker_user_id"), (True, "maker_user_id"))
        if row[side] == 3
    ]
    expected = sorted(
        fills,
        key=lambda fill: (-fill.time_us, -fill.market_id, -fill.trade_id, fill.is_maker),
    )
    assert any(fill.maker_user_id == fill.taker_user_id for fill in expected)
    repository = FillsRepository(shelf.database)
    market_ids = list(shelf.histories)
    # Pages of one end between the two sides of a trade with oneself, too.
    for limit in (1, 7, len(expected) + 1):
        found: list[Fill] = []
        while len(found) % limit == 0 and len(found) < 100:
            after = FillPosition.of(found[-1]) if found else None
            page = await repository.page(user_id=3, market_ids=market_ids, limit=limit, after=after)
            if not page:
                break
            found += page
        assert found == expected[: len(found)]
        assert len(found) == len(expected) or len(found) >= 100
    one = await repository.page(user_id=3, market_ids=market_ids[:1], limit=10_000)
    assert one == [fill for fill in expected if fill.market_id == market_ids[0]]


async def test_commands_offsets_are_those_of_the_last_complete_records(shelf: Shelf) -> None:
    offsets = await PositionsRepository(shelf.database).commands_offsets()
    assert offsets == {key: len(made.records) for key, made in shelf.histories.items()}


async def test_users_are_made_found_and_missed(shelf: Shelf) -> None:
    users = UsersRepository(shelf.database)
    assert await users.exists(1)
    assert not await users.exists(999_999)
    made = await users.create("Ada")
    assert made.user_id > 1_000
    assert await users.get(made.user_id) == made
    assert (await users.create(None)).name is None
    assert await users.get(999_999) is None


async def test_a_user_is_looked_up_again_while_missing_and_remembered_once_found(
    shelf: Shelf,
) -> None:
    users = UsersRepository(shelf.database)
    assert not await users.exists(500)
    await shelf.bed.connection.execute("INSERT INTO users (user_id) VALUES (500)")
    assert await users.exists(500)
    await shelf.bed.connection.execute("DELETE FROM users WHERE user_id = 500")
    assert await users.exists(500)


async def test_each_lease_of_a_worker_number_is_another(shelf: Shelf) -> None:
    leases = [await lease_worker_number(shelf.database) for _ in range(4)]
    assert len(set(leases)) == 4
    assert all(0 <= lease <= 1_023 for lease in leases)


async def test_analysts_read_words_and_decimals(shelf: Shelf) -> None:
    order = next(o for o in shelf.expected(user_id=3) if o.status == OrderStatus.FILLED)
    row = await shelf.bed.connection.fetchrow(
        "SELECT *, price::text AS p, filled_quantity::text AS f FROM orders_readable "
        "WHERE order_id = $1",
        order.order_id,
    )
    assert row is not None
    assert row["pair"] == f"T{order.market_id}-USD"
    assert row["status"] == "FILLED"
    assert row["side"] == ("BUY" if order.side == 1 else "SELL")
    assert float(row["filled_quantity"]) == pytest.approx(order.filled_lots / 10_000)
    assert row["updated_at"].timestamp() == pytest.approx(order.updated_us / 1e6)


async def test_a_connection_that_was_cut_is_replaced_for_the_next_question(shelf: Shelf) -> None:
    database = Database(shelf.bed.servers.postgres_url, size=1)
    await database.start()
    assert await database.fetch_one("SELECT 1")
    with pytest.raises(StorageUnavailableError):
        await database.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
    assert await database.fetch_one("SELECT 1")
    await database.stop()


async def test_a_database_that_is_away_is_an_error_of_the_tree(unused_tcp_port: int) -> None:
    database = Database(f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none")
    await database.start()
    with pytest.raises(StorageUnavailableError):
        await database.fetch("SELECT 1")
    await database.stop()
