"""The hub's windows are the candles of all trades, whenever they were seeded."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.book.records import RecordArray
from actors.platform.messages import Candle
from analytics.intervals import Interval
from analytics.messages import LiveCandle
from analytics.series import RecentSeconds
from api.hub.windows import WINDOWS_MAX, LiveWindows
from tests.beds.trades import naive_candles
from tests.property.test_candles_from_trades import fresh_series, trades


def last_s(events: RecordArray) -> int:
    return int(events["time_us"][-1]) // 1_000_000


def seeded(
    series: RecentSeconds, events: RecordArray, interval: Interval, *, now_s: int
) -> LiveWindows:
    second = series.last
    assert second is not None
    window = naive_candles(events, interval, now_s=0)[-1]
    return LiveWindows(interval, LiveCandle(window, second), now_s=now_s)


@settings(deadline=None)
@given(
    events=trades,
    interval=st.sampled_from(Interval),
    seed_at=st.integers(1, 60),
    step=st.integers(1, 7),
    idle_windows=st.integers(0, 3),
    ahead_s=st.sampled_from([0, 2, 100]),
)
def test_the_last_that_is_told_of_each_window_is_the_candle_of_all_trades(
    events: RecordArray,
    interval: Interval,
    seed_at: int,
    step: int,
    idle_windows: int,
    ahead_s: int,
) -> None:
    seed_at = min(seed_at, len(events))
    series = fresh_series()
    series.add(events[:seed_at])
    now_s = last_s(events[:seed_at]) + idle_windows * interval.seconds
    windows = seeded(series, events[:seed_at], interval, now_s=now_s)
    told: dict[int, Candle] = {windows.newest.open_time_s: windows.newest}
    for start in range(seed_at, len(events), step):
        now_s = last_s(events[: start + step])
        changed = series.add(events[start : start + step])
        first_s = interval.open_time(changed[0].open_time_s)
        if windows.newest.open_time_s - first_s >= WINDOWS_MAX * interval.seconds:
            # So late that the windows without a trade are not told again.
            told = {}
        told |= {one.open_time_s: one for one in windows.apply(reversed(changed))}
        assert windows.apply(changed) == []
        told |= {one.open_time_s: one for one in windows.roll(now_s + ahead_s)}
    now_s += interval.seconds
    told |= {one.open_time_s: one for one in windows.roll(now_s)}
    right = naive_candles(events, interval, now_s=max(now_s, *told), limit=3 * WINDOWS_MAX)
    assert windows.newest == right[-1]
    for candle in right:
        assert told.get(candle.open_time_s, candle) == candle


@settings(deadline=None)
@given(events=trades)
def test_a_trade_that_comes_after_its_window_has_closed_changes_the_carried_close(
    events: RecordArray,
) -> None:
    series = fresh_series()
    series.add(events[:1])
    ahead_s = last_s(events) + 120
    windows = seeded(series, events[:1], Interval.W1, now_s=ahead_s + Interval.W1.seconds)
    for number in range(1, len(events)):
        told = windows.apply(series.add(events[number : number + 1]))
        assert told[-1] == windows.newest
    candle = windows.newest
    assert candle.open_time_s == Interval.W1.open_time(ahead_s + Interval.W1.seconds)
    assert candle.close_ticks == events["price_ticks"][-1]
    assert candle.volume_lots == 0
