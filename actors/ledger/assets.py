"""Assets as numbers, and what a market's lots and ticks are worth in them."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from actors.book.market import INT64_MAX, Market

UNITS = 100_000_000
"""An asset's units: each is 1e-8 of it."""
DECIMALS_MAX = 8

_SYMBOL = re.compile(r"[A-Z0-9]{2,10}")
_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_BASE = len(_CHARACTERS) + 1
_SHOWN = {"USD": 2}


@dataclass(frozen=True, slots=True)
class Asset:
    """What is held and traded; `decimals` is how many are shown, amounts have eight.

    Raises ValueError for what is no symbol, or more decimals than there are.
    """

    symbol: str
    decimals: int = DECIMALS_MAX

    def __post_init__(self) -> None:
        asset_code(self.symbol)
        if not 0 <= self.decimals <= DECIMALS_MAX:
            raise ValueError(f"{self.symbol}: decimals must lie between 0 and {DECIMALS_MAX}")


def shown_by_default(symbol: str) -> Asset:
    """Return an asset with the decimals that are shown of it where nobody says otherwise."""
    return Asset(symbol, _SHOWN.get(symbol, DECIMALS_MAX))


def asset_code(symbol: str) -> int:
    """Return the number of an asset, at least 1 and below 2^53: its symbol in base 37.

    Raises ValueError for anything but two to ten capital letters and digits.
    """
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(f"{symbol!r} is no asset: it reads like BTC")
    code = 0
    for character in symbol:
        code = code * _BASE + _CHARACTERS.index(character) + 1
    return code


def asset_symbol(code: int) -> str:
    """Return the symbol that `asset_code` packed. Raises ValueError for a number of no asset."""
    symbol, rest = "", code
    while rest > 0:
        rest, digit = divmod(rest, _BASE)
        symbol = (_CHARACTERS[digit - 1] if digit else "?") + symbol
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(f"{code} is the number of no asset")
    return symbol


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketAssets:
    """A market in units of its two assets.

    One lot is `lot_units` of `base`; one tick x lot is `numerator` / `denominator` units of
    `quote`. At the market's limits every amount of an order is below 2^63.
    """

    market_id: int
    base: int
    quote: int
    lot_units: int
    numerator: int
    denominator: int
    max_price_ticks: int
    max_quantity_lots: int

    @classmethod
    def of(cls, market: Market) -> Self:
        """Return the assets of a market.

        Raises ValueError where its pair names no two assets, where a lot is no whole number of
        units, or where an amount at the market's limits does not fit 64 bits.
        """
        base, _, quote = market.pair.partition("-")
        lot_units = Fraction(market.lot_size) * UNITS
        if lot_units.denominator != 1:
            raise ValueError(
                f"{market.pair}: lot_size {market.lot_size} is no whole number of 0.00000001, "
                "in which amounts are counted"
            )
        worth = Fraction(market.tick_size) * lot_units
        if lot_units * market.max_quantity_lots > INT64_MAX:
            raise ValueError(
                f"{market.pair}: max_quantity x 100,000,000 must stay below 2^63, "
                "or an amount of the base asset could overflow"
            )
        # The second bounds the product of a remainder, which `rounded_up` takes.
        if (
            worth * market.max_notional_units > INT64_MAX
            or (worth.numerator + 1) * worth.denominator > INT64_MAX
        ):
            raise ValueError(
                f"{market.pair}: max_price x max_quantity x 100,000,000 must stay below 2^63, "
                "or an amount of the quote asset could overflow"
            )
        return cls(
            market_id=market.market_id,
            base=asset_code(base),
            quote=asset_code(quote),
            lot_units=int(lot_units),
            numerator=worth.numerator,
            denominator=worth.denominator,
            max_price_ticks=market.max_price_ticks,
            max_quantity_lots=market.max_quantity_lots,
        )
