"""Indicators against values worked out by hand."""

import polars as pl
import pytest

from analytics.indicators import (
    bollinger_bands,
    exponential_moving_average,
    relative_strength_index,
    simple_moving_average,
    volume_weighted_average_price,
)

CANDLES = pl.DataFrame({"close": [10.0, 12.0, 11.0, 15.0], "volume": [1.0, 3.0, 0.0, 2.0]})


def values(expression: pl.Expr, frame: pl.DataFrame = CANDLES) -> list[float | None]:
    return frame.select(expression.alias("value"))["value"].to_list()


def test_a_simple_average_is_null_until_its_window_is_full() -> None:
    assert values(simple_moving_average(length=3)) == [None, None, 11.0, pytest.approx(38 / 3)]


def test_an_exponential_average_starts_from_the_first_price() -> None:
    assert values(exponential_moving_average(length=3)) == [10.0, 11.0, 11.0, 13.0]


def test_a_volume_weighted_price_leaves_out_what_was_not_traded() -> None:
    assert values(volume_weighted_average_price(length=2)) == [None, 11.5, 12.0, 15.0]


def test_a_volume_weighted_price_of_no_volume_is_null() -> None:
    quiet = pl.DataFrame({"close": [1.0, 2.0], "volume": [0.0, 0.0]})
    assert values(volume_weighted_average_price(length=1), quiet) == [None, None]


def test_bollinger_bands_lie_whole_deviations_from_the_mean() -> None:
    lower, middle, upper = bollinger_bands(length=2, deviations=2.0)
    assert values(middle) == [None, 11.0, 11.5, 13.0]
    assert values(lower) == [None, 9.0, 10.5, 9.0]
    assert values(upper) == [None, 13.0, 12.5, 17.0]


def test_the_strength_index_is_100_when_prices_only_rise_and_0_when_they_only_fall() -> None:
    rising = pl.DataFrame({"close": [1.0, 2.0, 3.0, 4.0]})
    assert values(relative_strength_index(length=2), rising)[-1] == 100.0
    assert values(relative_strength_index(length=2), rising.reverse())[-1] == 0.0


def test_the_strength_index_smooths_as_wilder_does() -> None:
    moves = pl.DataFrame({"close": [10.0, 12.0, 11.0, 14.0]})
    # Rises 2, 1, 2 and falls 0, 0.5, 0.25 after smoothing by a half.
    assert values(relative_strength_index(length=2), moves)[-1] == pytest.approx(100 * 2 / 2.25)


def test_the_strength_index_of_a_price_that_stands_still_is_null() -> None:
    still = pl.DataFrame({"close": [5.0, 5.0, 5.0]})
    assert values(relative_strength_index(length=1), still) == [None, None, None]


@pytest.mark.parametrize("length", [0, -1])
def test_a_length_below_one_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="length"):
        simple_moving_average(length=length)


def test_exact_decimals_are_taken() -> None:
    exact = CANDLES.select(pl.col("close", "volume").cast(pl.Decimal(38, 4)))
    assert values(simple_moving_average(length=2), exact) == [None, 11.0, 11.5, 13.0]
