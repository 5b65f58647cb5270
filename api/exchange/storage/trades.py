"""Trades of a market, newest first."""

from actors.book.market import INT64_MAX
from api.exchange.storage.database import Database
from api.exchange.values import Order, Trade

_PAGE = f"""
SELECT {", ".join(Trade.__struct_fields__)} FROM trades
WHERE market_id = $1 AND trade_id <= $2 ORDER BY trade_id DESC LIMIT $3
"""  # noqa: S608


# By the index of a taker's trades: all of one order's entry are of one time.
_OF_TAKER = f"""
SELECT {", ".join(Trade.__struct_fields__)} FROM trades
WHERE taker_user_id = $1 AND time_us = $2 AND market_id = $3 AND taker_order_id = $4
ORDER BY trade_id
"""  # noqa: S608


class TradesRepository:
    """The table `trades`. Everything may raise StorageUnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, market_id: int, limit: int, before_trade_id: int | None = None
    ) -> list[Trade]:
        """Return trades by descending `trade_id`, all below `before_trade_id` if it is given."""
        newest = INT64_MAX if before_trade_id is None else min(before_trade_id - 1, INT64_MAX)
        rows = await self._database.fetch(_PAGE, market_id, newest, limit)
        return [Trade(**row) for row in rows]

    async def of_taker(self, order: Order) -> list[Trade]:
        """Return what an order traded when it was placed, in order."""
        rows = await self._database.fetch(
            _OF_TAKER, order.user_id, order.created_us, order.market_id, order.order_id
        )
        return [Trade(**row) for row in rows]
