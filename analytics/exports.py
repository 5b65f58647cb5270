"""Candles and trades for analysts: frames with exact decimals and UTC times, and files of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Literal

import asyncpg
import polars as pl

from actors.book.market import Market
from actors.book.vocabulary import Side
from analytics.frames import CANDLE_SCHEMA, fold_candles
from analytics.history import Connection, copy_frame
from analytics.intervals import Interval

FileFormat = Literal["parquet", "csv"]

_END_S = 2**40
_END_US = 2**62
_DIGITS = 38

_SECONDS = f"""
SELECT {", ".join(CANDLE_SCHEMA)} FROM candles_1s
WHERE market_id = $1 AND open_time_s >= $2 AND open_time_s < $3 ORDER BY open_time_s
"""  # noqa: S608

_TRADE_SCHEMA: dict[str, type[pl.DataType]] = {
    "trade_id": pl.Int64,
    "sequence": pl.Int64,
    "time_us": pl.Int64,
    "price_ticks": pl.Int64,
    "quantity_lots": pl.Int64,
    "aggressor_side": pl.Int64,
    "maker_order_id": pl.Int64,
    "taker_order_id": pl.Int64,
    "maker_user_id": pl.Int64,
    "taker_user_id": pl.Int64,
}
_TRADES = f"""
SELECT {", ".join(_TRADE_SCHEMA)} FROM trades
WHERE market_id = $1 AND time_us >= $2 AND time_us < $3 ORDER BY trade_id
"""  # noqa: S608


async def candles_frame(
    connection: Connection,
    market: Market,
    interval: Interval,
    *,
    first_s: int = 0,
    until_s: int = _END_S,
) -> pl.DataFrame:
    """Return a market's candles that opened from `first_s` to before `until_s`, oldest first.

    Columns: open_time, open, high, low, close, volume, quote_volume, trade_count, last_sequence;
    amounts are exact decimals. Windows without a trade are left out.
    """
    seconds = await copy_frame(
        connection, _SECONDS, market.market_id, first_s, until_s, schema=CANDLE_SCHEMA
    )
    tick, lot = market.tick_size, market.lot_size
    return fold_candles(seconds, interval).select(
        pl.from_epoch("open_time_s", time_unit="s").dt.replace_time_zone("UTC").alias("open_time"),
        *(_exact(f"{name}_ticks", tick).alias(name) for name in ("open", "high", "low", "close")),
        _exact("volume_lots", lot).alias("volume"),
        _exact("notional", str(Decimal(tick) * Decimal(lot))).alias("quote_volume"),
        "trade_count",
        "last_sequence",
    )


async def trades_frame(
    connection: Connection, market: Market, *, first_us: int = 0, until_us: int = _END_US
) -> pl.DataFrame:
    """Return a market's trades from `first_us` to before `until_us`, oldest first.

    Columns: trade_id, sequence, executed_at, price, quantity, aggressor_side, maker_order_id,
    taker_order_id, maker_user_id, taker_user_id; amounts are exact decimals.
    """
    trades = await copy_frame(
        connection, _TRADES, market.market_id, first_us, until_us, schema=_TRADE_SCHEMA
    )
    return trades.select(
        "trade_id",
        "sequence",
        pl.from_epoch("time_us", time_unit="us").dt.replace_time_zone("UTC").alias("executed_at"),
        _exact("price_ticks", market.tick_size).alias("price"),
        _exact("quantity_lots", market.lot_size).alias("quantity"),
        pl.when(pl.col("aggressor_side") == Side.BUY)
        .then(pl.lit("BUY"))
        .otherwise(pl.lit("SELL"))
        .alias("aggressor_side"),
        "maker_order_id",
        "taker_order_id",
        "maker_user_id",
        "taker_user_id",
    )


async def write_candles(
    postgres_url: str,
    market: Market,
    interval: Interval,
    *,
    path: Path,
    file_format: FileFormat,
    first_s: int = 0,
    until_s: int = _END_S,
) -> int:
    """Write `candles_frame` to a file and return how many rows it has.

    The file appears whole or not at all. Raises OSError and asyncpg's errors.
    """
    async with _connected(postgres_url) as connection:
        frame = await candles_frame(connection, market, interval, first_s=first_s, until_s=until_s)
    return _write(frame, path, file_format)


async def write_trades(
    postgres_url: str,
    market: Market,
    *,
    path: Path,
    file_format: FileFormat,
    first_us: int = 0,
    until_us: int = _END_US,
) -> int:
    """Write `trades_frame` to a file and return how many rows it has.

    The file appears whole or not at all. Raises OSError and asyncpg's errors.
    """
    async with _connected(postgres_url) as connection:
        frame = await trades_frame(connection, market, first_us=first_us, until_us=until_us)
    return _write(frame, path, file_format)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    try:
        yield connection
    finally:
        await connection.close()


def _write(frame: pl.DataFrame, path: Path, file_format: FileFormat) -> int:
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        if file_format == "parquet":
            frame.write_parquet(unfinished)
        else:
            frame.write_csv(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(frame)


def _exact(column: str, unit: str) -> pl.Expr:
    """Return whole numbers of a unit as decimals with as many places as the unit has."""
    return pl.col(column).cast(pl.Decimal(_DIGITS, 0)) * pl.lit(Decimal(f"{Decimal(unit):f}"))
