"""Spellings of intervals and the starts of windows."""

from datetime import UTC, datetime

import pytest

from analytics.intervals import ALLOWED, Interval, UnknownIntervalError, parse_interval


@pytest.mark.parametrize(
    ("spelling", "interval"),
    [
        *((name, Interval(name)) for name in ALLOWED),
        ("1 second", Interval.S1),
        ("10 second", Interval.S10),
        ("10 seconds", Interval.S10),
        ("10sec", Interval.S10),
        ("1 minute", Interval.M1),
        ("5 Minutes", Interval.M5),
        (" 15 min ", Interval.M15),
        ("1 hour", Interval.H1),
        ("4 hours", Interval.H4),
        ("1 day", Interval.D1),
        ("1 week", Interval.W1),
    ],
)
def test_an_interval_is_known_in_all_its_spellings(spelling: str, interval: Interval) -> None:
    assert parse_interval(spelling) is interval


@pytest.mark.parametrize(
    "spelling",
    ["", "m", "1", "2m", "1M", "1 month", "-1m", "1m1m", "1.0m", "٣m", "1" * 99, "9" * 3],
)
def test_an_unknown_interval_is_refused_with_those_that_are_served(spelling: str) -> None:
    with pytest.raises(UnknownIntervalError, match="1s, 10s, 1m, 5m, 15m, 1h, 4h, 1d, 1w"):
        parse_interval(spelling)


def test_a_long_spelling_is_not_repeated_whole() -> None:
    with pytest.raises(UnknownIntervalError) as refused:
        parse_interval("x" * 10_000)
    assert len(str(refused.value)) < 200


def test_weeks_begin_on_monday_and_days_at_midnight_utc() -> None:
    sunday = int(datetime(2026, 1, 4, 23, 59, 59, tzinfo=UTC).timestamp())
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    assert Interval.W1.open_time(sunday + 1) == monday.timestamp()
    assert Interval.W1.open_time(sunday) == monday.timestamp() - 7 * 86_400
    assert Interval.D1.open_time(sunday) == monday.timestamp() - 86_400


@pytest.mark.parametrize("interval", list(Interval))
def test_a_window_holds_its_own_start_and_not_its_end(interval: Interval) -> None:
    opened = interval.open_time(1_700_000_123)
    assert opened <= 1_700_000_123 < opened + interval.seconds
    assert interval.open_time(opened) == opened
    assert interval.open_time(opened - 1) == opened - interval.seconds
