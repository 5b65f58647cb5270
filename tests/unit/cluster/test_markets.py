from fractions import Fraction
from pathlib import Path

import pytest

from cluster.errors import SettingsError
from cluster.markets import default_topology, load_topology

_PAIRS = ["BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "AVAX", "MATIC", "DOT"]
_MARKET = """
[[markets]]
id = 3
pair = "ETH-EUR"
tick_size = "0.05"
lot_size = "0.001"
max_price = "100000"
max_quantity = "5000"
min_notional = "5"
protection_bps = 500
"""


def test_the_ten_default_markets_have_ids_in_order() -> None:
    topology = default_topology()
    assert [market.pair for market in topology] == [f"{base}-USD" for base in _PAIRS]
    assert [market.market_id for market in topology] == list(range(1, 11))
    assert topology.partitions == 10


@pytest.mark.parametrize("market", default_topology(), ids=lambda market: market.pair)
def test_a_default_market_takes_two_decimals_of_price_and_four_of_quantity(market) -> None:  # type: ignore[no-untyped-def]
    tick, lot = Fraction(market.tick_size), Fraction(market.lot_size)
    assert (Fraction("0.01") / tick).denominator == 1
    assert (Fraction("0.0001") / lot).denominator == 1
    assert market.max_price_ticks * tick >= 10_000
    assert market.max_quantity_lots * lot >= 1_000
    assert market.min_notional_units * tick * lot == Fraction("0.01")


def test_bitcoin_takes_eight_decimals_of_quantity() -> None:
    assert Fraction(default_topology().market("BTC-USD").lot_size) == Fraction("0.00000001")


def test_a_markets_file_is_read_in_exact_units(tmp_path: Path) -> None:
    path = tmp_path / "markets.toml"
    path.write_text(_MARKET)
    (market,) = load_topology(path)
    assert (market.market_id, market.pair) == (3, "ETH-EUR")
    assert market.max_price_ticks == 2_000_000
    assert market.max_quantity_lots == 5_000_000
    assert market.min_notional_units == 100_000
    assert market.protection_bps == 500
    assert market.client_id_memory == 1_000_000


def test_pairs_that_name_an_actor_share_it(tmp_path: Path) -> None:
    path = tmp_path / "markets.toml"
    quiet = _MARKET + 'actor = "quiet"\n'
    others = [
        quiet.replace("id = 3", f"id = {number}").replace("ETH-", f"{base}-")
        for number, base in ((5, "DOT"), (6, "ADA"))
    ]
    path.write_text("".join([_MARKET, *others]))
    actors = load_topology(path).actors
    assert {name: [market.pair for market in actors[name]] for name in actors} == {
        "ETH-EUR": ["ETH-EUR"],
        "quiet": ["DOT-EUR", "ADA-EUR"],
    }


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("id = 3", 'id = 3\nactor = "Quiet One"', "names no actor"),
        ("id = 3", "id = 0", "market_id must be at least 1"),
        ('"ETH-EUR"', '"eth/eur"', "is no pair"),
        ('"0.05"', '"0"', "ETH-EUR"),
        ('"0.05"', '"a"', "ETH-EUR"),
        ('"100000"', '"0.07"', "no whole number"),
        ('max_quantity = "5000"', 'max_quantity = "50000000000000"', "2^63"),
        ("protection_bps", "protection", "protection"),
        ("[[markets]]", "[markets", "markets.toml"),
        ("id = 3", "", "id"),
        ('"0.001"', '"0.0000000125"', "lot_size 0.0000000125 is no whole number of 0.00000001"),
        ('max_quantity = "5000"', 'max_quantity = "1000000"', "the quote asset could overflow"),
        ("[[markets]]", '[[assets]]\nsymbol = "e"\n[[markets]]', "'e' is no asset"),
        (
            "[[markets]]",
            '[[assets]]\nsymbol = "EUR"\ndecimals = 9\n[[markets]]',
            "EUR: decimals must lie between 0 and 8",
        ),
    ],
)
def test_an_impossible_market_is_refused_with_the_files_name(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    path = tmp_path / "markets.toml"
    assert before in _MARKET
    path.write_text(_MARKET.replace(before, after))
    with pytest.raises(SettingsError) as caught:
        load_topology(path)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)


def test_two_markets_of_one_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "markets.toml"
    path.write_text(_MARKET + _MARKET.replace("ETH", "BTC"))
    with pytest.raises(SettingsError, match="market_id of its own"):
        load_topology(path)


def test_the_assets_of_all_markets_show_eight_decimals_or_what_the_file_says(
    tmp_path: Path,
) -> None:
    path = tmp_path / "markets.toml"
    path.write_text(
        _MARKET + '[[assets]]\nsymbol = "EUR"\ndecimals = 2\n[[assets]]\nsymbol = "GBP"\n'
    )
    shown = {symbol: asset.decimals for symbol, asset in load_topology(path).assets.items()}
    assert shown == {"ETH": 8, "EUR": 2, "GBP": 8}
    assert default_topology().assets["USD"].decimals == 2


def test_an_asset_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "markets.toml"
    path.write_text(_MARKET + 2 * '[[assets]]\nsymbol = "EUR"\n')
    with pytest.raises(SettingsError, match="an asset is listed twice"):
        load_topology(path)
