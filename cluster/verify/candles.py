"""`candles_1s` in Postgres against candles recomputed from the trades of the log."""

from collections.abc import Iterator

import asyncpg
import numpy as np
import polars as pl

from actors.book.records import EVENT_DTYPE, RecordArray
from cluster.verify.fold import LogFold
from cluster.verify.report import Check
from cluster.verify.tables import ROWS_AT_ONCE, Columns, compare_rows, fetch

_COLUMNS = (
    *("open_time_s", "open_ticks", "high_ticks", "low_ticks", "close_ticks"),
    *("trade_count", "last_sequence"),
)
# Sums may pass 64 bits: they are compared as they are written.
_SUMS = ("volume_lots", "notional")
_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(_COLUMNS, pl.Int64),
    **dict.fromkeys(_SUMS, pl.String),
}
_BETWEEN = f"""
SELECT {", ".join(_COLUMNS)}, {", ".join(f"{name}::text AS {name}" for name in _SUMS)}
FROM candles_1s
WHERE market_id = $1 AND open_time_s > $2 AND open_time_s <= $3 ORDER BY open_time_s
"""  # noqa: S608
_END = 2**63 - 1
_SECOND_US = 1_000_000


async def check_candles(
    check: Check, connection: asyncpg.Connection, fold: LogFold, *, counted: int, since_us: int
) -> None:
    """Compare the rows with the candles of all trades up to sequence `counted`.

    Seconds that began at or before `since_us` are left out: a fold that starts from a snapshot
    does not know all of their trades. Raises asyncpg's errors.
    """
    after = since_us // _SECOND_US if since_us else -_END
    for trades in _whole_seconds(fold.spool.trades(ROWS_AT_ONCE), counted):
        candles = _candles(trades[trades["time_us"] // _SECOND_US > after])
        if len(candles["open_time_s"]):
            up_to = int(candles["open_time_s"][-1])
            await _compare(check, connection, fold, candles, after=after, up_to=up_to)
            after = up_to
    nothing = _candles(np.empty(0, EVENT_DTYPE))
    await _compare(check, connection, fold, nothing, after=after, up_to=_END)


async def _compare(
    check: Check,
    connection: asyncpg.Connection,
    fold: LogFold,
    candles: Columns,
    *,
    after: int,
    up_to: int,
) -> None:
    market = fold.market
    found = await fetch(connection, _BETWEEN, market.market_id, after, up_to, schema=_SCHEMA)
    what = f"{market.pair} candle of second"
    compare_rows(check, what, key="open_time_s", expected=candles, found=found)


def _whole_seconds(parts: Iterator[RecordArray], counted: int) -> Iterator[RecordArray]:
    """Yield trades cut between seconds; those of one second are never parted."""
    begun = np.empty(0, EVENT_DTYPE)
    for part in parts:
        trades = np.concatenate([begun, part[part["sequence"] <= counted]])
        if len(trades):
            seconds = trades["time_us"] // _SECOND_US
            cut = int(np.searchsorted(seconds, seconds[-1]))
            yield trades[:cut]
            begun = trades[cut:]
    yield begun


def _candles(trades: RecordArray) -> Columns:
    seconds = trades["time_us"] // _SECOND_US
    opened, first = np.unique(seconds, return_index=True)
    after = np.append(first[1:], len(trades)).astype(np.int64)
    prices = trades["price_ticks"]
    windows = list(zip(first.tolist(), after.tolist(), strict=True)) if len(opened) else []
    exact_prices, exact_lots = prices.tolist(), trades["trade_lots"].tolist()
    volumes = [sum(exact_lots[a:b]) for a, b in windows]
    notionals = [
        sum(p * q for p, q in zip(exact_prices[a:b], exact_lots[a:b], strict=True))
        for a, b in windows
    ]
    return {
        "open_time_s": opened,
        "open_ticks": prices[first],
        "high_ticks": np.array([max(exact_prices[a:b]) for a, b in windows], np.int64),
        "low_ticks": np.array([min(exact_prices[a:b]) for a, b in windows], np.int64),
        "close_ticks": prices[after[: len(opened)] - 1] if len(opened) else prices,
        "trade_count": np.array([b - a for a, b in windows], np.int64),
        "last_sequence": trades["sequence"][after[: len(opened)] - 1] if len(opened) else prices,
        "volume_lots": np.array([str(volume) for volume in volumes], np.object_),
        "notional": np.array([str(notional) for notional in notionals], np.object_),
    }
