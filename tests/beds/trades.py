"""Trades as tests make them, the records that hold them, and their candles worked out slowly."""

from collections.abc import Iterable, Sequence

import numpy as np

from actors.book.codec import encode_events
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind, Side
from actors.platform.messages import Candle
from analytics.intervals import Interval

Trade = tuple[int, int, int]


def trade_events(
    trades: Iterable[Trade], *, market_id: int = 1, first_trade_id: int = 1
) -> RecordArray:
    """Return TRADE events of (time_us, price_ticks, lots); sequences leave gaps, ids do not."""
    rows = list(trades)
    events = np.zeros(len(rows), EVENT_DTYPE)
    events["kind"] = EventKind.TRADE
    events["market_id"] = market_id
    events["side"] = Side.SELL
    numbers = np.arange(len(rows)) + first_trade_id
    events["trade_id"] = numbers
    events["sequence"] = numbers * 3
    events["time_us"] = [row[0] for row in rows]
    events["price_ticks"] = [row[1] for row in rows]
    events["trade_lots"] = [row[2] for row in rows]
    return events


def trade_record(events: RecordArray, *, market_id: int = 1, offset: int = 0) -> bytes:
    """Return the record of `trades.executed` that holds these events."""
    return encode_events(
        market_id=market_id,
        first_sequence=int(events["sequence"][0]),
        last_sequence=int(events["sequence"][-1]),
        first_offset=offset,
        next_offset=offset + 1,
        events=events,
    )


def naive_candles(
    events: RecordArray,
    interval: Interval,
    *,
    now_s: int,
    market_id: int = 1,
    limit: int = 10**9,
    before_s: int | None = None,
) -> list[Candle]:
    """Return the candles of TRADE events, window by window and trade by trade."""
    if len(events) == 0:
        return []
    by_window: dict[int, list[RecordArray]] = {}
    for event in events:
        opened = interval.open_time(int(event["time_us"]) // 1_000_000)
        by_window.setdefault(opened, []).append(event)
    windows = range(
        min(by_window),
        max(interval.open_time(now_s), max(by_window)) + 1,
        interval.seconds,
    )
    candles: list[Candle] = []
    for opened in windows:
        if opened in by_window:
            candles.append(_candle(market_id, opened, by_window[opened]))
        else:
            last = candles[-1]
            close = last.close_ticks
            candles.append(
                Candle(market_id, opened, close, close, close, close, 0, 0, 0, last.last_sequence)
            )
    wanted = [candle for candle in candles if before_s is None or candle.open_time_s < before_s]
    return wanted[-limit:]


def _candle(market_id: int, opened: int, trades: Sequence[RecordArray]) -> Candle:
    prices = [int(trade["price_ticks"]) for trade in trades]
    lots = [int(trade["trade_lots"]) for trade in trades]
    return Candle(
        market_id,
        opened,
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(lots),
        sum(price * size for price, size in zip(prices, lots, strict=True)),
        len(trades),
        int(trades[-1]["sequence"]),
    )
