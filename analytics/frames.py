"""Candles as polars frames, and the fold of finer ones into coarser windows.

Prices are ticks and volumes lots. Sums are 128 bits wide, so that no number of trades overflows
them. Polars reads POLARS_MAX_THREADS once, at import: whoever starts this process sets it.
"""

from collections.abc import Iterable

import msgspec
import numpy as np
import polars as pl

from actors.platform.messages import Candle
from analytics.intervals import Interval

CANDLE_SCHEMA: dict[str, type[pl.DataType]] = {
    "open_time_s": pl.Int64,
    "open_ticks": pl.Int64,
    "high_ticks": pl.Int64,
    "low_ticks": pl.Int64,
    "close_ticks": pl.Int64,
    "volume_lots": pl.Int128,
    "notional": pl.Int128,
    "trade_count": pl.Int64,
    "last_sequence": pl.Int64,
}
_FOLD = [
    pl.col("open_ticks").first(),
    pl.col("high_ticks").max(),
    pl.col("low_ticks").min(),
    pl.col("close_ticks").last(),
    pl.col("volume_lots").sum(),
    pl.col("notional").sum(),
    pl.col("trade_count").sum(),
    pl.col("last_sequence").last(),
]


def empty_candles() -> pl.DataFrame:
    """Return a frame of no candles."""
    return pl.DataFrame(schema=CANDLE_SCHEMA)


def fold_candles(candles: pl.DataFrame, interval: Interval) -> pl.DataFrame:
    """Return the candles of coarser windows from finer ones that are in order of time.

    Windows without a candle are left out; `fill_windows` carries the last close into them.
    """
    second = pl.col("open_time_s") - interval.origin_s
    opened = second - second.mod(interval.seconds) + interval.origin_s
    return (
        candles.group_by(opened.alias("open_time_s"), maintain_order=True)
        .agg(_FOLD)
        .select(pl.col(name).cast(kind) for name, kind in CANDLE_SCHEMA.items())
    )


def fill_windows(
    candles: pl.DataFrame,
    interval: Interval,
    *,
    first_s: int,
    last_s: int,
    before: Candle | None,
) -> pl.DataFrame:
    """Return one candle for every window from `first_s` to `last_s` (open times, inclusive).

    An empty window carries the last close with zero volume; `before` is the candle that was the
    last one ahead of `first_s`. Windows ahead of the first trade are left out.
    """
    windows = pl.DataFrame(
        {"open_time_s": np.arange(first_s, last_s + 1, interval.seconds, dtype=np.int64)}
    )
    carried = pl.col("close_ticks").forward_fill()
    sequence = pl.col("last_sequence").forward_fill()
    if before is not None:
        carried = carried.fill_null(before.close_ticks)
        sequence = sequence.fill_null(before.last_sequence)
    filled = windows.join(candles, on="open_time_s", how="left", maintain_order="left")
    return (
        filled.with_columns(carried, sequence)
        .filter(pl.col("close_ticks").is_not_null())
        .with_columns(
            pl.col("open_ticks", "high_ticks", "low_ticks").fill_null(pl.col("close_ticks")),
            pl.col("volume_lots", "notional", "trade_count").fill_null(0),
        )
    )


def to_frame(candles: Iterable[Candle]) -> pl.DataFrame:
    """Return candles of one market as the rows of a frame."""
    rows = [msgspec.structs.astuple(candle)[1:] for candle in candles]
    return pl.DataFrame(rows, schema=CANDLE_SCHEMA, orient="row")


def to_candles(market_id: int, candles: pl.DataFrame) -> list[Candle]:
    """Return the rows of a frame as messages."""
    return [Candle(market_id, *row) for row in candles.select(list(CANDLE_SCHEMA)).iter_rows()]
