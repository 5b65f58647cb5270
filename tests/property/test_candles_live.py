"""The hub's open window is the candle of all trades, whenever it was seeded."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.book.records import RecordArray
from analytics.frames import to_candles
from analytics.intervals import Interval
from analytics.messages import LiveCandle
from api.hub.windows import LiveWindow
from tests.beds.trades import naive_candles
from tests.property.test_candles_from_trades import fresh_series, trades


def last_s(events: RecordArray) -> int:
    return int(events["time_us"][-1]) // 1_000_000


@settings(deadline=None)
@given(
    events=trades,
    interval=st.sampled_from(Interval),
    seed_at=st.integers(1, 60),
    step=st.integers(1, 7),
    idle_windows=st.integers(0, 3),
)
def test_a_window_kept_from_seconds_is_the_candle_of_all_trades(
    events: RecordArray, interval: Interval, seed_at: int, step: int, idle_windows: int
) -> None:
    seed_at = min(seed_at, len(events))
    series = fresh_series()
    series.add(events[:seed_at])
    now_s = last_s(events[:seed_at]) + idle_windows * interval.seconds
    second = series.last
    assert second is not None
    opened = naive_candles(events[:seed_at], interval, now_s=now_s)[-1]
    window = LiveWindow(interval, LiveCandle(opened, second))
    assert window.candle == opened
    for start in range(seed_at, len(events), step):
        changed = to_candles(1, series.add(events[start : start + step]))
        assert [window.apply(one) for one in changed] == [True] * len(changed)
        assert [window.apply(one) for one in changed] == [False] * len(changed)
        window.roll(last_s(events[: start + step]))
    end_s = max(last_s(events), now_s) + interval.seconds
    window.roll(end_s)
    assert window.candle == naive_candles(events, interval, now_s=end_s)[-1]


@settings(deadline=None)
@given(events=trades)
def test_a_trade_that_comes_after_its_window_has_closed_changes_the_carried_close(
    events: RecordArray,
) -> None:
    series = fresh_series()
    series.add(events[:1])
    second = series.last
    assert second is not None
    window = LiveWindow(
        Interval.M1,
        LiveCandle(naive_candles(events[:1], Interval.M1, now_s=0)[-1], second),
    )
    ahead_s = last_s(events) + 120
    assert window.roll(ahead_s)
    for number in range(1, len(events)):
        for one in to_candles(1, series.add(events[number : number + 1])):
            window.apply(one)
    candle = window.candle
    assert candle.open_time_s == Interval.M1.open_time(ahead_s)
    assert candle.close_ticks == events["price_ticks"][-1]
    assert candle.volume_lots == 0
