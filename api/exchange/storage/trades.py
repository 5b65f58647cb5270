"""Trades of a market, newest first."""

from actors.book.market import INT64_MAX
from api.exchange.storage.database import Database
from api.exchange.storage.records import StoredTrade

_PAGE = f"""
SELECT {", ".join(StoredTrade.__struct_fields__)} FROM trades
WHERE market_id = $1 AND trade_id <= $2 ORDER BY trade_id DESC LIMIT $3
"""  # noqa: S608


class TradesRepository:
    """The table `trades`. Everything may raise StorageUnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, market_id: int, limit: int, before_trade_id: int | None = None
    ) -> list[StoredTrade]:
        """Return trades by descending `trade_id`, all below `before_trade_id` if it is given."""
        newest = INT64_MAX if before_trade_id is None else min(before_trade_id - 1, INT64_MAX)
        rows = await self._database.fetch(_PAGE, market_id, newest, limit)
        return [StoredTrade(**row) for row in rows]
