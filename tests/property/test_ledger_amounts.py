"""Amounts against exact fractions: rounding, holds, fees, and the bounds of 64 bits."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.book.market import INT64_MAX, Market
from actors.book.records import EVENT_DTYPE
from actors.book.vocabulary import EventKind, Side
from actors.ledger.amounts import moved_by, rounded_down, rounded_up, share
from actors.ledger.assets import MarketAssets, asset_code, asset_symbol
from cluster.markets import default_topology

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
symbols = st.text(CHARACTERS, min_size=2, max_size=10)
STEPS = ["1000", "25", "1", "0.5", "0.25", "0.01", "0.00025", "0.0000125", "0.00000001"]


@st.composite
def markets(draw: st.DrawFn) -> MarketAssets:
    """Return a market with the largest limits that its steps leave room for, or smaller ones."""
    tick = draw(st.sampled_from(STEPS))
    lot = draw(st.sampled_from([step for step in STEPS if step not in ("0.00025", "0.0000125")]))
    worth = Fraction(tick) * Fraction(lot) * 10**8
    price = draw(st.integers(1, 2**48))
    room = INT64_MAX // (price * max(ceil(worth), 1))
    by_lots = INT64_MAX // int(Fraction(lot) * 10**8)
    quantity = max(min(room, by_lots, draw(st.sampled_from([1, 1000, 2**62]))), 1)
    price = min(price, INT64_MAX // (quantity * max(ceil(worth), 1)))
    return MarketAssets.of(
        Market(
            market_id=1,
            pair="BTC-USD",
            tick_size=tick,
            lot_size=lot,
            min_notional_units=0,
            max_price_ticks=max(price, 1),
            max_quantity_lots=quantity,
        )
    )


@given(symbols)
def test_a_symbol_survives_its_number(symbol: str) -> None:
    assert asset_symbol(asset_code(symbol)) == symbol
    assert 1 <= asset_code(symbol) < 2**53


@given(st.lists(symbols, min_size=2, max_size=2, unique=True))
def test_two_symbols_have_two_numbers(two: list[str]) -> None:
    assert len({asset_code(symbol) for symbol in two}) == 2


@given(markets(), st.data())
def test_a_notional_is_worth_what_fractions_say(market: MarketAssets, data: st.DataObject) -> None:
    most = market.max_price_ticks * market.max_quantity_lots
    notionals = data.draw(st.lists(st.integers(0, most) | st.sampled_from([most, 0]), min_size=1))
    worth = Fraction(market.numerator, market.denominator)
    down = rounded_down(np.array(notionals, np.int64), market.numerator, market.denominator)
    up = rounded_up(np.array(notionals, np.int64), market.numerator, market.denominator)
    assert down.tolist() == [floor(one * worth) for one in notionals]
    assert up.tolist() == [ceil(one * worth) for one in notionals]
    assert rounded_up(most, market.numerator, market.denominator) <= INT64_MAX
    assert market.max_quantity_lots * market.lot_units <= INT64_MAX


@given(markets(), st.data())
def test_what_a_hold_gives_back_pays_for_the_fill(
    market: MarketAssets, data: st.DataObject
) -> None:
    most = market.max_price_ticks * market.max_quantity_lots
    whole = data.draw(st.integers(0, most))
    filled = data.draw(st.integers(0, whole))
    numerator, denominator = market.numerator, market.denominator
    given_back = rounded_up(whole, numerator, denominator) - rounded_up(
        whole - filled, numerator, denominator
    )
    assert given_back >= rounded_down(filled, numerator, denominator)


@given(st.lists(st.tuples(st.integers(0, INT64_MAX), st.integers(0, 10**6)), min_size=1))
@example([(INT64_MAX, 10**6)])
def test_a_share_is_what_fractions_say(pairs: list[tuple[int, int]]) -> None:
    received, rates = np.array(pairs, np.int64).T
    exact = [one * rate // 10**6 for one, rate in pairs]
    assert share(received, rates).tolist() == exact
    assert [share(one, rate) for one, rate in pairs] == exact


@given(
    st.sampled_from(Side),
    st.integers(1, 1_000),
    st.integers(1, 10_000),
    st.integers(-100_000, 100_000),
    st.integers(0, 100_000),
)
def test_no_trade_makes_or_loses_anything(
    side: Side, price: int, lots: int, maker_rate: int, taker_rate: int
) -> None:
    market = MarketAssets.of(default_topology().market("BTC-USD"))
    trade = np.zeros(1, EVENT_DTYPE)
    trade["kind"], trade["side"] = EventKind.TRADE, side
    trade["price_ticks"], trade["trade_lots"] = price, lots
    trade["maker_fee"], trade["related_fee"] = maker_rate, taker_rate
    base, quote, taker_fee, maker_fee = (int(one[0]) for one in moved_by(market, trade))
    assert quote == price * lots // 100
    assert base == lots
    to_taker, to_maker = (quote, base) if side == Side.BUY else (base, quote)
    assert taker_fee == to_taker * taker_rate // 10**6
    if maker_rate >= 0:
        assert maker_fee == to_maker * maker_rate // 10**6
    else:
        assert maker_fee == -min(to_taker * -maker_rate // 10**6, taker_fee)


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (
            {"lot_size": "0.000000001"},
            "BTC-USD: lot_size 0.000000001 is no whole number of 0.00000001, "
            "in which amounts are counted",
        ),
        (
            {"max_quantity_lots": 2**50},
            "BTC-USD: max_quantity x 100,000,000 must stay below 2^63, "
            "or an amount of the base asset could overflow",
        ),
        (
            {"max_price_ticks": 2**48, "tick_size": "100"},
            "BTC-USD: max_price x max_quantity x 100,000,000 must stay below 2^63, "
            "or an amount of the quote asset could overflow",
        ),
        ({"pair": "BTC"}, "'' is no asset: it reads like BTC"),
    ],
)
def test_a_market_whose_amounts_have_no_room_is_refused_in_one_line(
    limits: dict[str, str | int], sentence: str
) -> None:
    settings: dict[str, str | int] = {
        "market_id": 1,
        "pair": "BTC-USD",
        "tick_size": "0.01",
        "lot_size": "0.001",
        "min_notional_units": 0,
        "max_price_ticks": 1_000,
        "max_quantity_lots": 1_000,
    }
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        MarketAssets.of(Market(**{**settings, **limits}))  # type: ignore[arg-type]
    assert str(refused.value) == sentence


@pytest.mark.parametrize("market", default_topology(), ids=lambda market: market.pair)
def test_every_default_market_has_room_for_its_amounts(market: Market) -> None:
    assets = MarketAssets.of(market)
    assert asset_symbol(assets.base) + "-" + asset_symbol(assets.quote) == market.pair


@pytest.mark.parametrize("code", [0, -1, 5, 37, 37 * 37, 2**53])
def test_a_number_of_no_asset_is_refused(code: int) -> None:
    with pytest.raises(ValueError, match=f"^{code} is the number of no asset$"):
        asset_symbol(code)
