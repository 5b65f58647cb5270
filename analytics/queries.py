"""Answers about one market: its recent seconds from memory, older ones from Postgres."""

from copy import copy

import polars as pl

from actors.platform.messages import Candle
from analytics.frames import empty_candles, fill_windows, fold_candles, to_candles
from analytics.history import History
from analytics.intervals import Interval
from analytics.messages import LiveCandle, Ticker
from analytics.series import RecentSeconds

# A page of the API and what the longest indicator looks back to.
CANDLES_MAX = 15_000
DAY_S = 86_400


async def candles(
    series: RecentSeconds,
    history: History,
    *,
    market_id: int,
    interval: Interval,
    limit: int,
    before_s: int | None,
    now_s: int,
) -> list[Candle]:
    """Return the newest `limit` windows that opened before `before_s`, oldest first.

    Windows reach from the market's first trade to the one that holds `now_s`; those without a
    trade carry the last close. Raises ValueError where the limit is not 1 to `CANDLES_MAX`.
    """
    if not 1 <= limit <= CANDLES_MAX:
        raise ValueError(f"limit must be between 1 and {CANDLES_MAX}")
    # Trades may come in while Postgres answers: all of the answer is of this moment.
    moment = copy(series)
    newest = moment.last
    if newest is None or (before_s is not None and before_s <= 0):
        return []
    last_s = interval.open_time(max(now_s, newest.open_time_s))
    if before_s is not None:
        last_s = min(last_s, interval.open_time(before_s - 1))
    first_s = last_s - (limit - 1) * interval.seconds
    found = await _fold(
        moment,
        history,
        market_id=market_id,
        interval=interval,
        first_s=first_s,
        until_s=last_s + interval.seconds,
    )
    before = None
    if found.is_empty() or found.item(0, "open_time_s") > first_s:
        before = moment.before(first_s)
        if before is None and not moment.complete:
            before = await history.before(market_id=market_id, time_s=first_s)
    filled = fill_windows(found, interval, first_s=first_s, last_s=last_s, before=before)
    return to_candles(market_id, filled)


async def _fold(
    series: RecentSeconds,
    history: History,
    *,
    market_id: int,
    interval: Interval,
    first_s: int,
    until_s: int,
) -> pl.DataFrame:
    recent = fold_candles(series.since(first_s, until_s), interval)
    seam_s = series.first_s
    if series.complete or seam_s is None or first_s >= seam_s:
        return recent
    older = await history.folded(
        market_id=market_id, interval=interval, first_s=first_s, until_s=min(until_s, seam_s)
    )
    # The window of the seam comes in two parts; folding once more makes it one.
    return fold_candles(pl.concat([older, recent]), interval)


async def live_candle(
    series: RecentSeconds, history: History, *, market_id: int, interval: Interval
) -> LiveCandle | None:
    """Return the newest second and the window that holds it, None before the first trade."""
    moment = copy(series)
    second = moment.last
    if second is None:
        return None
    windows = await candles(
        moment,
        history,
        market_id=market_id,
        interval=interval,
        limit=1,
        before_s=None,
        now_s=second.open_time_s,
    )
    return LiveCandle(windows[0], second)


def seconds(
    series: RecentSeconds, *, market_id: int, since_s: int, limit: int
) -> list[Candle] | None:
    """Return the first `limit` seconds with trades from `since_s` on, oldest first.

    None where memory does not reach back so far.
    """
    first_s = series.first_s
    if not series.complete and (first_s is None or since_s < first_s):
        return None
    return to_candles(market_id, series.since(since_s).head(limit))


def ticker(series: RecentSeconds, *, market_id: int, now_s: int) -> Ticker | None:
    """Return the 24 hours up to now, None before the first trade."""
    last = series.last
    if last is None:
        return None
    first_s = now_s - DAY_S + 1
    seconds = series.since(first_s)
    before = series.before(first_s)
    opened = before.close_ticks if before else seconds.item(0, "open_ticks")
    if seconds.is_empty():
        seconds = empty_candles()
    return Ticker(
        market_id=market_id,
        last_ticks=last.close_ticks,
        open_ticks=opened,
        high_ticks=_or(seconds["high_ticks"].max(), last.close_ticks),
        low_ticks=_or(seconds["low_ticks"].min(), last.close_ticks),
        volume_lots=int(seconds["volume_lots"].sum()),
        notional=int(seconds["notional"].sum()),
        trade_count=int(seconds["trade_count"].sum()),
        last_sequence=last.last_sequence,
    )


def _or(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
