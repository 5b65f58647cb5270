"""Decimals at the edge: exact in both directions, cheap however large the exponent."""

import time
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.book.market import Market
from api.exchange.decimals import UNITS, MarketDecimals, format_fraction, format_units, to_units
from api.exchange.refusals import Refusal
from api.json.errors import status_of


def _units(tick_size: str = "0.01", lot_size: str = "0.0001", **limits: int) -> MarketDecimals:
    return MarketDecimals(
        Market(
            market_id=1,
            pair="BTC-USD",
            tick_size=tick_size,
            lot_size=lot_size,
            **(
                {
                    "min_notional_units": 0,
                    "max_price_ticks": 10_000_000,
                    "max_quantity_lots": 100_000_000,
                }
                | limits
            ),
        )
    )


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0.1", 10_000_000),
        ("50000.00", 50_000 * UNITS),
        ("0.00000001", 1),
        ("0.10000000000000000000", 10_000_000),
        ("1e3", 1_000 * UNITS),
        ("12e-8", 12),
        ("9999999999999999999", 9_999_999_999_999_999_999 * UNITS),
        ("9999999999999999999.99999999", 999_999_999_999_999_999_999_999_999),
    ],
)
def test_a_decimal_is_taken_exactly(text: str, units: int) -> None:
    assert to_units(Decimal(text), "price") == units


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0", "NOT_POSITIVE"),
        ("-0.0", "NOT_POSITIVE"),
        ("-1", "NOT_POSITIVE"),
        ("-1e999999999", "NOT_POSITIVE"),
        ("0e999999999", "NOT_POSITIVE"),
        ("NaN", "MALFORMED"),
        ("sNaN", "MALFORMED"),
        ("Infinity", "MALFORMED"),
        ("-Infinity", "MALFORMED"),
        ("1e308", "ABOVE_MAXIMUM"),
        ("1e999999999", "ABOVE_MAXIMUM"),
        ("10000000000000000000", "ABOVE_MAXIMUM"),
        ("0.123456789", "TOO_MANY_DECIMALS"),
        ("1e-9", "TOO_MANY_DECIMALS"),
        ("1e-999999999", "TOO_MANY_DECIMALS"),
        ("1." + "0" * 70 + "1", "TOO_MANY_DECIMALS"),
        ("0." + "3" * 100_000, "TOO_MANY_DECIMALS"),
    ],
)
def test_a_decimal_that_no_market_takes_is_refused_at_once(text: str, code: str) -> None:
    start_s = time.perf_counter()
    with pytest.raises(Refusal) as refused:
        to_units(Decimal(text), "price")
    assert refused.value.code == code
    assert 400 <= status_of(refused.value) < 500
    assert time.perf_counter() - start_s < 1.0


@given(st.integers(min_value=0, max_value=10**27 - 1))
def test_units_survive_the_way_out_and_in(units: int) -> None:
    text = format_units(units)
    assert Decimal(text) * UNITS == units
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))
    if units:
        assert to_units(Decimal(text), "price") == units


@given(st.decimals(min_value="0.00000001", max_value="1e18", places=8))
def test_a_json_number_and_its_text_mean_the_same(value: Decimal) -> None:
    decoder = msgspec.json.Decoder(Decimal)
    number, text = decoder.decode(f"{value:f}"), decoder.decode(f'"{value:f}"')
    assert to_units(number, "price") == to_units(text, "price") == int(value * UNITS)


def test_negative_amounts_are_shown_with_their_sign() -> None:
    assert format_units(-150_000_000) == "-1.5"
    assert format_fraction(Fraction(-1, 3)) == "-0.33333333"


@pytest.mark.parametrize(
    ("price", "code"),
    [("0.015", "OFF_TICK"), ("100000.01", "ABOVE_MAXIMUM"), ("0.001", "OFF_TICK")],
)
def test_a_price_off_the_markets_rules_is_refused(price: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        _units().price_ticks(Decimal(price))
    assert refused.value.code == code


def test_prices_and_quantities_at_the_ends_of_the_range_pass() -> None:
    units = _units()
    assert units.price_ticks(Decimal("0.01")) == 1
    assert units.price_ticks(Decimal("100000")) == 10_000_000
    assert units.quantity_lots(Decimal("0.0001")) == 1
    assert units.quantity_lots(Decimal("10000")) == 100_000_000
    with pytest.raises(Refusal, match="lot size"):
        units.quantity_lots(Decimal("0.00011"))


@pytest.mark.parametrize(("tick", "price", "ticks"), [("0.5", "2.5", 5), ("25", "100", 4)])
def test_ticks_need_not_be_powers_of_ten(tick: str, price: str, ticks: int) -> None:
    units = _units(tick_size=tick)
    assert units.price_ticks(Decimal(price)) == ticks
    assert units.price(ticks) == price


def test_a_budget_is_rounded_down_to_whole_units() -> None:
    units = _units(tick_size="0.01", lot_size="0.1")
    assert units.quote_units(Decimal("1.0019")) == 1_001
    with pytest.raises(Refusal) as refused:
        units.quote_units(Decimal("0.0009"))
    assert refused.value.code == "BELOW_MINIMUM_NOTIONAL"


def test_a_budget_may_be_coarser_than_the_markets_units() -> None:
    units = _units(tick_size="0.00001", lot_size="0.00001", max_price_ticks=10**9)
    assert units.quote_units(Decimal("0.00000001")) == 100


def test_an_average_price_is_exact_where_it_can_be_and_rounded_where_not() -> None:
    units = _units()
    assert units.average_price(0, 0) is None
    assert units.average_price(300, 3) == "1"
    assert units.average_price(100, 3) == "0.33333333"
    assert units.average_price(200, 3) == "0.66666667"


def test_a_tick_that_no_client_could_say_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="tick_size"):
        _units(tick_size="0.000000001")
