"""Indicators by name, and their values over candles."""

import pytest

from actors.platform.messages import Candle
from analytics.curves import compute
from analytics.queries import CANDLES_MAX
from analytics.studies import LENGTH_MAX, Kind, UnknownIndicatorError, parse_study


def candles(*closes: int) -> list[Candle]:
    return [
        Candle(1, 60 * at, close, close, close, close, 2, 2 * close, 1, at)
        for at, close in enumerate(closes)
    ]


def test_a_name_without_a_length_has_the_usual_one() -> None:
    assert [parse_study(kind).name for kind in Kind] == [
        *("sma20", "ema20", "vwap20", "bollinger20", "rsi14")
    ]
    assert parse_study("ema9").length == 9


@pytest.mark.parametrize(
    "name", ["", "sma0", f"sma{LENGTH_MAX + 1}", "macd", "sma-1", "SMA20", "sma٢", "sma20 "]
)
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(UnknownIndicatorError):
        parse_study(name)


def test_only_the_wanted_candles_are_answered_with_those_before_them_counted() -> None:
    found = compute(candles(10, 12, 14, 16), [parse_study("sma2")], limit=2)
    assert found.times_s == [120, 180]
    assert found.prices == {"sma2": [13.0, 15.0]}


def test_bollinger_is_three_lines_and_the_strength_index_no_price() -> None:
    studies = [parse_study(name) for name in ("bollinger2", "rsi2", "vwap1")]
    found = compute(candles(10, 12, 14), studies, limit=9)
    assert found.prices == {
        "bollinger2Lower": [None, 9.0, 11.0],
        "bollinger2Middle": [None, 11.0, 13.0],
        "bollinger2Upper": [None, 13.0, 15.0],
        "vwap1": [10.0, 12.0, 14.0],
    }
    assert found.numbers == {"rsi2": [None, None, 100.0]}


@pytest.mark.parametrize("kind", Kind)
def test_a_page_and_the_longest_lookback_can_be_read(kind: Kind) -> None:
    assert 5_000 + parse_study(f"{kind}{LENGTH_MAX}").lookback <= CANDLES_MAX


def test_a_market_without_candles_has_empty_lines() -> None:
    found = compute([], [parse_study("sma2")], limit=5)
    assert (found.times_s, found.prices) == ([], {"sma2": []})
