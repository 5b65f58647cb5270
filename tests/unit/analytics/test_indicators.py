"""Indicators against values worked out by hand, and against the plain recursions."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from analytics.indicators import (
    RSI_LENGTHS,
    bollinger_bands,
    exponential_moving_average,
    relative_strength_index,
    simple_moving_average,
    volume_weighted_average_price,
)

PRICES = [10, 12, 11, 15]
VOLUMES = [1, 3, 0, 2]


def walk(count: int) -> list[int]:
    chance = random.Random(5)
    prices = [5_000_000]
    while len(prices) < count:
        prices.append(max(1, prices[-1] + chance.choice([0, 0, 0, 1, -1, 50, -40, 900])))
    return prices


def test_a_simple_average_is_null_until_its_window_is_full() -> None:
    assert simple_moving_average(PRICES, length=3) == [None, None, 11.0, 38 / 3]


def test_an_exponential_average_begins_at_the_mean_of_the_first_prices() -> None:
    # 22 + (30 - 22) / 2 = 26, 26 + (22 - 26) / 2 = 24, 24 + (27 - 24) / 2 = 25.5.
    found = exponential_moving_average([22, 20, 24, 30, 22, 27], length=3)
    assert found == [None, None, 22.0, 26.0, 24.0, 25.5]


def test_a_volume_weighted_price_leaves_out_what_was_not_traded() -> None:
    found = volume_weighted_average_price(PRICES, VOLUMES, length=2)
    assert found == [None, 11.5, 12.0, 15.0]


def test_a_volume_weighted_price_of_no_volume_is_null() -> None:
    assert volume_weighted_average_price([1, 2], [0, 0], length=1) == [None, None]


def test_bollinger_bands_lie_whole_deviations_from_the_mean() -> None:
    lower, middle, upper = bollinger_bands(PRICES, length=2, deviations=2.0)
    assert middle == [None, 11.0, 11.5, 13.0]
    assert lower == [None, 9.0, 10.5, 9.0]
    assert upper == [None, 13.0, 12.5, 17.0]


def test_the_bands_of_a_price_that_stands_still_have_no_width() -> None:
    still = [10**12 + 7] * 30
    lower, middle, upper = bollinger_bands(still, length=20)
    assert lower[-1] == middle[-1] == upper[-1] == 10**12 + 7


def test_the_strength_index_begins_at_the_mean_of_the_first_changes() -> None:
    # Changes: +4 -2 +1 | -3 +6 0. Rises 5/3, 10/9, 74/27, 148/81; falls 2/3, 13/9, 26/27, 52/81.
    found = relative_strength_index([50, 54, 52, 53, 50, 56, 56], length=3)
    assert found[:3] == [None, None, None]
    assert found[3:] == [
        pytest.approx(100 * 5 / 7),
        pytest.approx(100 * 10 / 23),
        pytest.approx(74.0),
        pytest.approx(74.0),
    ]


def test_the_strength_index_is_100_when_prices_only_rise_and_0_when_they_only_fall() -> None:
    assert relative_strength_index([1, 2, 3, 4], length=2) == [None, None, 100.0, 100.0]
    assert relative_strength_index([4, 3, 2, 1], length=2) == [None, None, 0.0, 0.0]


def test_the_strength_index_of_a_price_that_stands_still_is_null() -> None:
    assert relative_strength_index([5, 5, 5], length=1) == [None, None, None]


def test_the_strength_index_stays_until_the_next_move_and_not_for_ever() -> None:
    moves = [10, 14, 12, 13]
    length = 3
    found = relative_strength_index(moves + [13] * 100, length=length)
    last = len(moves) - 1 + RSI_LENGTHS * length
    assert set(found[len(moves) - 1 : last + 1]) == {100 * (5 / 3) / (5 / 3 + 2 / 3)}
    assert set(found[last + 1 :]) == {None}


@pytest.mark.parametrize("length", [2, 3, 14, 200])
def test_smoothings_are_those_over_all_of_the_history(length: int) -> None:
    prices = walk(12_000)
    average = exponential_moving_average(prices, length=length)
    assert average[length - 1 :] == pytest.approx(_endless_average(prices, length), abs=1e-6)
    strength = relative_strength_index(prices, length=length)
    assert strength[length:] == pytest.approx(_endless_strength(prices, length), abs=1e-7)


def _endless_average(prices: Sequence[int], length: int) -> list[float]:
    found = [sum(prices[:length]) / length]
    for price in prices[length:]:
        found.append(found[-1] + (price - found[-1]) * 2 / (length + 1))
    return found


def _endless_strength(prices: Sequence[int], length: int) -> list[float]:
    changes = [after - before for before, after in pairwise(prices)]
    up = sum(max(0, change) for change in changes[:length]) / length
    down = sum(max(0, -change) for change in changes[:length]) / length
    found = [100 * up / (up + down)]
    for change in changes[length:]:
        up = (up * (length - 1) + max(0, change)) / length
        down = (down * (length - 1) + max(0, -change)) / length
        found.append(100 * up / (up + down))
    return found


@pytest.mark.parametrize("length", [0, -1])
def test_a_length_below_one_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="length"):
        simple_moving_average(PRICES, length=length)


def test_sums_beyond_64_bits_stay_exact() -> None:
    (value,) = volume_weighted_average_price([2**50 + 1], [2**62], length=1)
    assert value == 2**50 + 1
