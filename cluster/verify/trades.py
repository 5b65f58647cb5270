"""`trades` in Postgres: every trade of the log once, equal, and no other."""

import asyncpg
import numpy as np
import polars as pl

from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import Side
from cluster.verify.fold import LogFold
from cluster.verify.report import Check
from cluster.verify.tables import ROWS_AT_ONCE, Columns, compare_rows, fetch

_COLUMNS = (
    *("trade_id", "sequence", "time_us", "price_ticks", "quantity_lots", "aggressor_side"),
    *("maker_order_id", "taker_order_id", "maker_user_id", "taker_user_id"),
)
_SCHEMA: dict[str, type[pl.DataType]] = dict.fromkeys(_COLUMNS, pl.Int64)
_BETWEEN = f"""
SELECT {", ".join(_COLUMNS)} FROM trades
WHERE market_id = $1 AND trade_id > $2 AND trade_id <= $3 AND sequence > $4 ORDER BY trade_id
"""  # noqa: S608
_END = 2**63 - 1


async def check_trades(
    check: Check, connection: asyncpg.Connection, fold: LogFold, *, written: int
) -> None:
    """Compare the rows with the fold's trades up to sequence `written`.

    Raises asyncpg's errors.
    """
    after = -_END
    for trades in fold.spool.trades(ROWS_AT_ONCE):
        known = trades[trades["sequence"] <= written]
        if len(known):
            up_to = int(known["trade_id"][-1])
            await _compare(check, connection, fold, known, after=after, up_to=up_to)
            after = up_to
    nothing = np.empty(0, EVENT_DTYPE)
    await _compare(check, connection, fold, nothing, after=after, up_to=_END)


async def _compare(
    check: Check,
    connection: asyncpg.Connection,
    fold: LogFold,
    trades: RecordArray,
    *,
    after: int,
    up_to: int,
) -> None:
    market, base = fold.market, fold.spool.base_sequence
    found = await fetch(connection, _BETWEEN, market.market_id, after, up_to, base, schema=_SCHEMA)
    compare_rows(
        check, f"{market.pair} trade", key="trade_id", expected=_columns(trades), found=found
    )


def _columns(trades: RecordArray) -> Columns:
    sells = trades["side"] == Side.BUY
    return {
        "trade_id": trades["trade_id"],
        "sequence": trades["sequence"],
        "time_us": trades["time_us"],
        "price_ticks": trades["price_ticks"],
        "quantity_lots": trades["trade_lots"],
        "aggressor_side": np.where(sells, Side.SELL, Side.BUY),
        "maker_order_id": trades["order_id"],
        "taker_order_id": trades["related_order_id"],
        "maker_user_id": trades["user_id"],
        "taker_user_id": trades["related_user_id"],
    }
