"""A user's fills over all markets, newest first."""

from dataclasses import dataclass
from typing import Self

from actors.book.market import INT64_MAX
from api.exchange.storage.database import Database
from api.exchange.values import Fill, Trade

_COLUMNS = ", ".join(Trade.__struct_fields__)


def _side(user: str, trade_id: str, *, is_maker: bool) -> str:
    return f"""(
SELECT {_COLUMNS}, {is_maker} AS is_maker FROM trades
WHERE {user} = $1 AND market_id = ANY($2::integer[])
  AND (time_us, market_id, trade_id) < ($4, $5, {trade_id})
ORDER BY time_us DESC, market_id DESC, trade_id DESC LIMIT $3
)"""  # noqa: S608


# Each side has an index in this order: the cost grows with the page and with what of other pairs
# lies between, not with the table.
_PAGE = f"""
{_side("maker_user_id", "$6", is_maker=True)}
UNION ALL
{_side("taker_user_id", "$7", is_maker=False)}
ORDER BY time_us DESC, market_id DESC, trade_id DESC, is_maker LIMIT $3
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class FillPosition:
    """Where a fill stands among all: newest first, a trade's taker before its maker."""

    time_us: int
    market_id: int
    trade_id: int
    is_maker: bool

    @classmethod
    def of(cls, fill: Fill) -> Self:
        """Return where a fill stands."""
        return cls(
            time_us=fill.time_us,
            market_id=fill.market_id,
            trade_id=fill.trade_id,
            is_maker=fill.is_maker,
        )

    @property
    def key(self) -> tuple[int, int, int, bool]:
        """Return what orders fills: the newest has the highest."""
        return self.time_us, self.market_id, self.trade_id, not self.is_maker


_BEFORE_ALL = FillPosition(
    time_us=INT64_MAX, market_id=2**31 - 1, trade_id=INT64_MAX, is_maker=True
)


class FillsRepository:
    """The table `trades`, by user. Everything may raise StorageUnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        *,
        user_id: int,
        market_ids: list[int],
        limit: int,
        after: FillPosition | None = None,
    ) -> list[Fill]:
        """Return at most `limit` fills of a user, newest first: those that follow `after`."""
        last = after or _BEFORE_ALL
        # The maker's side of a trade follows the taker's: after that one it is still to come.
        maker_below = last.trade_id if last.is_maker else last.trade_id + 1
        rows = await self._database.fetch(
            _PAGE,
            user_id,
            market_ids,
            limit,
            last.time_us,
            last.market_id,
            maker_below,
            last.trade_id,
        )
        return [Fill(**row) for row in rows]
