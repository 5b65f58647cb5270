"""Candles equal the candles that are worked out trade by trade, however the trades arrive."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.book.market import INT64_MAX
from actors.book.records import RecordArray
from actors.follow.positions import MarketPosition
from actors.platform.messages import Candle
from analytics.frames import empty_candles, fill_windows, fold_candles, to_candles
from analytics.intake import TradeIntake
from analytics.intervals import Interval
from analytics.series import RecentSeconds
from tests.beds.trades import naive_candles, trade_events, trade_record

START_US = 1_699_999_000 * 1_000_000

pauses_us = st.one_of(
    st.integers(0, 1_500_000), st.integers(0, 4_000_000_000), st.integers(0, 900_000_000_000)
)
trades = st.lists(
    st.tuples(pauses_us, st.integers(1, 10**12), st.integers(1, 2**62)), min_size=1, max_size=60
).map(
    lambda rows: trade_events(
        [(START_US + sum(row[0] for row in rows[: n + 1]), *rows[n][1:]) for n in range(len(rows))]
    )
)


def cuts(events: RecordArray) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, len(events)), max_size=8).map(
        lambda inner: sorted({0, *inner, len(events)})
    )


def fresh_series() -> RecentSeconds:
    return RecentSeconds(market_id=1, bound=10**6, candles=empty_candles(), complete=True)


@settings(deadline=None)
@given(events=trades, interval=st.sampled_from(Interval), data=st.data())
def test_candles_are_those_of_the_trades_in_any_batching(
    events: RecordArray, interval: Interval, data: st.DataObject
) -> None:
    series = fresh_series()
    for start, end in pairwise(data.draw(cuts(events))):
        series.add(events[start:end])
        if data.draw(st.booleans()):
            assert to_candles(1, series.candles)[-1:] == [series.last]
    every = naive_candles(events, interval, now_s=0)
    found = fold_candles(series.candles, interval)
    assert to_candles(1, found) == [candle for candle in every if candle.trade_count]


@settings(deadline=None)
@given(events=trades, data=st.data())
def test_what_changed_is_enough_to_keep_a_copy(events: RecordArray, data: st.DataObject) -> None:
    series = fresh_series()
    copy: dict[int, Candle] = {}
    for start, end in pairwise(data.draw(cuts(events))):
        copy |= {c.open_time_s: c for c in series.add(events[start:end])}
    assert list(copy.values()) == to_candles(1, series.candles)


@settings(deadline=None)
@given(events=trades, data=st.data())
def test_candles_survive_a_restart_at_any_point_with_repeats(
    events: RecordArray, data: st.DataObject
) -> None:
    series = fresh_series()
    position = MarketPosition(market_id=1)
    for start, end in pairwise(data.draw(cuts(events))):
        intake = TradeIntake((position,))
        back = data.draw(st.integers(0, start))
        for offset, (first, last) in enumerate([(back, start), (back, end), (start, end)]):
            if first < last:
                intake.add(market_id=1, offset=offset, value=trade_record(events[first:last]))
        batch = intake.take()
        assert batch is not None
        for found in batch.trades.values():
            series.add(found)
        position = batch.after[0]
        restored = series.candles.clone()
        series = RecentSeconds(market_id=1, bound=10**6, candles=restored, complete=True)
        assert intake.missing_trades == 0
    assert position.last_sequence == events["sequence"][-1]
    assert to_candles(1, series.candles) == [
        candle for candle in naive_candles(events, Interval.S1, now_s=0) if candle.trade_count
    ]


@settings(deadline=None)
@given(events=trades, fold_first=st.sampled_from([Interval.S1, Interval.S10, Interval.M1]))
def test_folding_in_steps_is_folding_at_once(events: RecordArray, fold_first: Interval) -> None:
    series = fresh_series()
    series.add(events)
    stepwise = fold_candles(fold_candles(series.candles, fold_first), Interval.H4)
    assert stepwise.equals(fold_candles(series.candles, Interval.H4))


@settings(deadline=None)
@given(
    events=trades,
    interval=st.sampled_from([Interval.M15, Interval.H4, Interval.D1, Interval.W1]),
    idle_windows=st.integers(0, 5),
    limit=st.integers(1, 50),
)
def test_empty_windows_carry_the_last_close(
    events: RecordArray, interval: Interval, idle_windows: int, limit: int
) -> None:
    series = fresh_series()
    series.add(events)
    last_s = interval.open_time(int(events["time_us"][-1]) // 1_000_000)
    last_s += idle_windows * interval.seconds
    first_s = last_s - (limit - 1) * interval.seconds
    filled = fill_windows(
        fold_candles(series.since(first_s), interval),
        interval,
        first_s=first_s,
        last_s=last_s,
        before=series.before(first_s),
    )
    assert to_candles(1, filled) == naive_candles(events, interval, now_s=last_s, limit=limit)


@settings(deadline=None)
@given(events=trades, bound=st.integers(1, 30))
def test_memory_holds_the_newest_seconds_and_never_more_than_a_tenth_too_many(
    events: RecordArray, bound: int
) -> None:
    series = RecentSeconds(market_id=1, bound=bound, candles=empty_candles(), complete=True)
    whole = fresh_series()
    for number in range(len(events)):
        series.add(events[number : number + 1])
        series.trim()
        whole.add(events[number : number + 1])
        assert len(series) <= bound + bound // 10
    assert series.candles.equals(whole.candles.tail(len(series)))
    assert series.complete == (len(series) == len(whole))


def test_sums_beyond_64_bits_stay_exact() -> None:
    series = fresh_series()
    series.add(trade_events([(START_US, 2**40, INT64_MAX)] * 3))
    (candle,) = to_candles(1, series.candles)
    assert candle.volume_lots == 3 * INT64_MAX
    assert candle.notional == 3 * INT64_MAX * 2**40
