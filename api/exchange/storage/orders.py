"""Orders by id, and lists of them, newest first."""

from collections.abc import Collection

from actors.book.market import INT64_MAX
from actors.book.reasons import Reason
from actors.book.vocabulary import OrderStatus
from actors.platform.topology import Topology
from api.exchange.storage.database import Database
from api.exchange.values import Order

OPEN_STATUSES = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})

_COLUMNS = ", ".join(f"orders.{name}" for name in Order.__struct_fields__)
_NEWEST_FIRST = "ORDER BY order_id DESC LIMIT $4"
# What only repeated a client order id stands for the first order, which is in the list itself.
_REPEATED = int(Reason.DUPLICATE_CLIENT_ORDER_ID)
_WANTED = f"status = ANY($2::smallint[]) AND order_id <= $3 AND reason <> {_REPEATED}"
# Planned for its arguments: where only open orders are wanted, their small index answers.
_USER_PAGE = f"""
SELECT {_COLUMNS} FROM orders
WHERE user_id = $5 AND market_id = ANY($1::integer[]) AND {_WANTED} {_NEWEST_FIRST}
"""  # noqa: S608
# Of each market as many are read as the page may need: the cost does not grow with the table.
_PAGE = f"""
SELECT {_COLUMNS} FROM unnest($1::integer[]) AS wanted(market_id) CROSS JOIN LATERAL (
    SELECT * FROM orders
    WHERE orders.market_id = wanted.market_id AND {_WANTED} {_NEWEST_FIRST}
) AS orders {_NEWEST_FIRST}
"""  # noqa: S608
_ONE = f"""
SELECT {_COLUMNS} FROM orders WHERE market_id = ANY($1::integer[]) AND order_id = $2
ORDER BY updated_us DESC LIMIT 1
"""  # noqa: S608


class OrdersRepository:
    """The table `orders`. Everything may raise StorageUnavailableError."""

    def __init__(self, database: Database, topology: Topology) -> None:
        self._database = database
        self._market_ids = [market.market_id for market in topology]

    async def get(self, order_id: int) -> Order | None:
        """Return the order with this id, None where the table holds none (yet)."""
        if abs(order_id) > INT64_MAX:
            return None
        row = await self._database.fetch_one(_ONE, self._market_ids, order_id)
        return None if row is None else Order(**row)

    async def page(
        self,
        *,
        limit: int,
        user_id: int | None = None,
        market_id: int | None = None,
        statuses: Collection[int] = frozenset(OrderStatus),
        before_order_id: int | None = None,
    ) -> list[Order]:
        """Return orders by descending id, all with an id below `before_order_id` if it is given.

        The last one's id is the cursor of the next page; fewer than `limit` end the list. Ids
        are taken to be unique over all markets, as the gateway's are.
        """
        newest = INT64_MAX if before_order_id is None else min(before_order_id - 1, INT64_MAX)
        market_ids = self._market_ids if market_id is None else [market_id]
        arguments = [market_ids, [int(status) for status in statuses], newest, limit]
        if user_id is not None:
            arguments.append(user_id)
        rows = await self._database.fetch(_PAGE if user_id is None else _USER_PAGE, *arguments)
        return [Order(**row) for row in rows]

    async def open_orders(self, *, user_id: int, market_id: int | None = None) -> list[Order]:
        """Return all open orders of a user, newest first."""
        return await self.page(
            limit=INT64_MAX, user_id=user_id, market_id=market_id, statuses=OPEN_STATUSES
        )
