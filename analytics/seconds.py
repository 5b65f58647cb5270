"""Trades folded into one-second candles, exactly, without a step for each trade."""

import numpy as np

from actors.book.market import INT64_MAX
from actors.book.records import RecordArray
from actors.platform.messages import Candle

_SECOND_US = 1_000_000


def fold_seconds(market_id: int, trades: RecordArray) -> list[Candle]:
    """Return the one-second candles of one market's TRADE events, in order of sequence.

    Book time never goes back, so the seconds come out in order. Sums are whole numbers of any
    size.
    """
    seconds = trades["time_us"] // _SECOND_US
    starts = np.flatnonzero(np.append(True, seconds[1:] != seconds[:-1]))
    ends = np.append(starts[1:], len(trades))
    prices, lots = trades["price_ticks"], trades["trade_lots"]
    if int(prices.max()) * int(lots.max()) > INT64_MAX // len(trades):
        # Python's integers: slower, and seldom needed.
        sums_of = lots.astype(object)
    else:
        sums_of = lots
    columns = (
        seconds[starts],
        prices[starts],
        np.maximum.reduceat(prices, starts),
        np.minimum.reduceat(prices, starts),
        prices[ends - 1],
        np.add.reduceat(sums_of, starts),
        np.add.reduceat(prices * sums_of, starts),
        ends - starts,
        trades["sequence"][ends - 1],
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Candle(market_id, *row) for row in rows]


def joined(earlier: Candle, later: Candle) -> Candle:
    """Return the candle of a second whose trades came in two parts."""
    return Candle(
        market_id=earlier.market_id,
        open_time_s=earlier.open_time_s,
        open_ticks=earlier.open_ticks,
        high_ticks=max(earlier.high_ticks, later.high_ticks),
        low_ticks=min(earlier.low_ticks, later.low_ticks),
        close_ticks=later.close_ticks,
        volume_lots=earlier.volume_lots + later.volume_lots,
        notional=earlier.notional + later.notional,
        trade_count=earlier.trade_count + later.trade_count,
        last_sequence=later.last_sequence,
    )
