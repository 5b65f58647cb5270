"""What the exchange's services read, kept in dicts: the repositories without a Postgres."""

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

from actors.book.codec import decode_events
from actors.book.market import INT64_MAX
from actors.book.reasons import Reason
from actors.book.vocabulary import OrderStatus
from actors.follow.positions import MarketPosition
from actors.log.memory import MemoryLog
from actors.log.tail import events_after
from actors.platform.errors import StorageUnavailableError
from actors.platform.topology import EVENTS_TOPIC, Topology
from actors.writer.rows import rows_of
from api.exchange.storage.fills import FillPosition, FillsRepository
from api.exchange.storage.orders import OrdersRepository
from api.exchange.storage.positions import PositionsRepository
from api.exchange.storage.trades import TradesRepository
from api.exchange.storage.users import UsersRepository
from api.exchange.values import Fill, Order, Trade, User, order_of_event, trade_of_event


@dataclass
class Rows:
    """Orders by id, trades in order, and how far each market's events are in them.

    While it is `away`, no order is read.
    """

    topology: Topology
    orders: dict[int, Order] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    users: dict[int, User] = field(default_factory=dict)
    sequences: dict[int, int] = field(default_factory=dict)
    events_offsets: dict[int, int] = field(default_factory=dict)
    commands_offsets: dict[int, int] = field(default_factory=dict)
    away: bool = False

    def catch_up(self, log: MemoryLog) -> None:
        """Take in all that the log's events hold by now, as the writer would."""
        for market in self.topology:
            values = log.values(EVENTS_TOPIC, self.topology.partition(market))
            for value in values[self.events_offsets.get(market.market_id, 0) :]:
                record = decode_events(value)
                rows = rows_of(events_after(record, self.sequences.get(market.market_id, 0)))
                for images in (rows.inserts, rows.changes):
                    for image in images:
                        order = order_of_event(image)
                        self.orders[order.order_id] = order
                self.trades += [trade_of_event(event) for event in rows.trades]
                self.sequences[market.market_id] = record.last_sequence
                self.commands_offsets[market.market_id] = record.next_offset
            self.events_offsets[market.market_id] = len(values)


class RowsOfOrders(OrdersRepository):
    """The orders among `Rows`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def get(self, order_id: int) -> Order | None:
        if self._rows.away:
            raise StorageUnavailableError("the database is away")
        return self._rows.orders.get(order_id)

    async def page(
        self,
        *,
        limit: int,
        user_id: int | None = None,
        market_id: int | None = None,
        statuses: Collection[int] = frozenset(OrderStatus),
        before_order_id: int | None = None,
    ) -> list[Order]:
        below = INT64_MAX if before_order_id is None else before_order_id
        found = [
            order
            for order_id, order in sorted(self._rows.orders.items(), reverse=True)
            if order_id < below
            and order.status in statuses
            and order.reason != Reason.DUPLICATE_CLIENT_ORDER_ID
            and user_id in (None, order.user_id)
            and market_id in (None, order.market_id)
        ]
        return found[:limit]


class RowsOfTrades(TradesRepository):
    """The trades among `Rows`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def page(
        self, *, market_id: int, limit: int, before_trade_id: int | None = None
    ) -> list[Trade]:
        below = INT64_MAX if before_trade_id is None else before_trade_id
        found = [
            trade
            for trade in self._rows.trades
            if trade.market_id == market_id and trade.trade_id < below
        ]
        return sorted(found, key=lambda trade: -trade.trade_id)[:limit]

    async def of_taker(self, order: Order) -> list[Trade]:
        return [
            trade
            for trade in self._rows.trades
            if trade.taker_order_id == order.order_id and trade.time_us == order.created_us
        ]


class RowsOfFills(FillsRepository):
    """The sides of trades among `Rows`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def page(
        self,
        *,
        user_id: int,
        market_ids: list[int],
        limit: int,
        after: FillPosition | None = None,
    ) -> list[Fill]:
        sides = [
            Fill(**msgspec.structs.asdict(trade), is_maker=is_maker)
            for trade in self._rows.trades
            for is_maker in (False, True)
            if trade.market_id in market_ids
            and user_id == (trade.maker_user_id if is_maker else trade.taker_user_id)
        ]
        found = [fill for fill in sides if after is None or FillPosition.of(fill).key < after.key]
        return sorted(found, key=lambda fill: FillPosition.of(fill).key, reverse=True)[:limit]


class RowsOfPositions(PositionsRepository):
    """How far `Rows` are."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def commands_offsets(self) -> dict[int, int]:
        return dict(self._rows.commands_offsets)

    async def written(self) -> list[MarketPosition]:
        return [
            MarketPosition(
                market_id=market_id,
                next_offset=next_offset,
                last_sequence=self._rows.sequences.get(market_id, 0),
                commands_offset=self._rows.commands_offsets.get(market_id, 0),
            )
            for market_id, next_offset in self._rows.events_offsets.items()
        ]


class RowsOfUsers(UsersRepository):
    """The users among `Rows`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def create(self, name: str | None) -> User:
        user = User(user_id=len(self._rows.users) + 1, name=name, created_us=0)
        self._rows.users[user.user_id] = user
        return user

    async def get(self, user_id: int) -> User | None:
        return self._rows.users.get(user_id)

    async def exists(self, user_id: int) -> bool:
        return user_id in self._rows.users
