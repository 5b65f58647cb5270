"""Candles as Postgres holds them, read as frames through COPY."""

import io
from collections import OrderedDict
from collections.abc import Mapping

import asyncpg
import polars as pl

from actors.platform.messages import Candle
from analytics.frames import CANDLE_SCHEMA, to_candles
from analytics.intervals import Interval

_ANSWERS_MAX = 128
_COLUMNS = ", ".join(CANDLE_SCHEMA)

_NEWEST = f"""
SELECT {_COLUMNS} FROM (
    SELECT * FROM candles_1s WHERE market_id = $1 AND open_time_s < $2
    ORDER BY open_time_s DESC LIMIT $3
) AS newest ORDER BY open_time_s
"""  # noqa: S608

# Sums and extremes in one pass over the index; open and close are looked up by key, which is
# cheaper than sorting every window.
_FOLDED = """
WITH windows AS (
    SELECT open_time_s - mod(open_time_s - $4, $5) AS window_s,
           min(open_time_s) AS first_s, max(open_time_s) AS last_s,
           max(high_ticks) AS high_ticks, min(low_ticks) AS low_ticks,
           sum(volume_lots) AS volume_lots, sum(notional) AS notional,
           sum(trade_count) AS trade_count
    FROM candles_1s WHERE market_id = $1 AND open_time_s >= $2 AND open_time_s < $3 GROUP BY 1
)
SELECT window_s AS open_time_s, opened.open_ticks, windows.high_ticks, windows.low_ticks,
       closed.close_ticks, windows.volume_lots, windows.notional, windows.trade_count,
       closed.last_sequence
FROM windows
JOIN candles_1s AS opened ON opened.market_id = $1 AND opened.open_time_s = first_s
JOIN candles_1s AS closed ON closed.market_id = $1 AND closed.open_time_s = last_s
ORDER BY window_s
"""

Connection = asyncpg.Connection | asyncpg.Pool


async def newest_seconds(
    connection: Connection, *, market_id: int, limit: int, before_s: int = 2**62
) -> pl.DataFrame:
    """Return the newest one-second candles that opened before a time, oldest first."""
    return await copy_frame(connection, _NEWEST, market_id, before_s, limit, schema=CANDLE_SCHEMA)


class History:
    """Candles that are too old for memory, folded by Postgres.

    They never change any more, so the newest answers are remembered: a chart asks for the same
    windows again and again, and a week of seconds takes a while to fold.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._folded: OrderedDict[tuple[int, Interval, int, int], pl.DataFrame] = OrderedDict()

    async def before(self, *, market_id: int, time_s: int) -> Candle | None:
        """Return the newest one-second candle that opened before this time."""
        frame = await newest_seconds(self._pool, market_id=market_id, limit=1, before_s=time_s)
        found = to_candles(market_id, frame)
        return found[0] if found else None

    async def folded(
        self, *, market_id: int, interval: Interval, first_s: int, until_s: int
    ) -> pl.DataFrame:
        """Return the candles of an interval from the window at `first_s` to before `until_s`.

        Windows without a trade are left out; the last one may be cut short by `until_s`.
        """
        key = (market_id, interval, first_s, until_s)
        frame = self._folded.get(key)
        if frame is None:
            frame = await copy_frame(
                self._pool,
                _FOLDED,
                market_id,
                first_s,
                until_s,
                interval.origin_s,
                interval.seconds,
                schema=CANDLE_SCHEMA,
            )
            self._folded[key] = frame
            if len(self._folded) > _ANSWERS_MAX:
                self._folded.popitem(last=False)
        self._folded.move_to_end(key)
        return frame


async def copy_frame(
    connection: Connection, query: str, *arguments: int, schema: Mapping[str, type[pl.DataType]]
) -> pl.DataFrame:
    """Return the rows of a query as a frame, read through COPY."""
    received = io.BytesIO()
    await connection.copy_from_query(query, *arguments, output=received, format="csv", header=True)
    received.seek(0)
    return pl.read_csv(received, schema=dict(schema))
