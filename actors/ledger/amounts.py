"""Arithmetic of amounts: integers of 1e-8 of an asset, and never a product beyond 64 bits.

Each function takes integers or arrays of them alike, and the kernel compiles the same source. A
quotient is taken before its product where the product alone would overflow: with n = q x d + r,
n x m / d is q x m + r x m / d.

Nothing here is negative but what a docstring calls signed.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from actors.book.records import RecordArray
from actors.book.vocabulary import Side
from actors.ledger.assets import MarketAssets

Integers = npt.NDArray[np.int64]
Number = TypeVar("Number", int, Integers)

RATE_UNITS = 1_000_000
"""A rate counts millionths of what is received."""


def rounded_down(notional: Number, numerator: int, denominator: int) -> Number:
    """Return floor(notional x numerator / denominator): the quote amount of a fill."""
    return notional // denominator * numerator + notional % denominator * numerator // denominator


def rounded_up(notional: Number, numerator: int, denominator: int) -> Number:
    """Return ceil(notional x numerator / denominator): the most that so much notional may cost.

    rounded_up(a + b) - rounded_up(a) is at least rounded_down(b): what a hold gives back when b of
    it is filled always pays for the fill.
    """
    rest = notional % denominator * numerator
    return notional // denominator * numerator + (rest + denominator - 1) // denominator


def share(received: Number, rate: Number) -> Number:
    """Return floor(received x rate / 1,000,000), for rates up to 1,000,000."""
    return received // RATE_UNITS * rate + received % RATE_UNITS * rate // RATE_UNITS


class Moved(NamedTuple):
    """What each of some trades moves; all in units of 1e-8.

    The buyer receives `base` and pays `quote`. `taker_fee_amount` is taken from what the taker
    receives. `maker_fee_amount` (signed) is taken from what the maker receives; where it is
    negative it is a rebate, paid to the maker in what the taker receives, out of the taker's fee.
    """

    base: Integers
    quote: Integers
    taker_fee_amount: Integers
    maker_fee_amount: Integers


def moved_by(market: MarketAssets, trades: RecordArray) -> Moved:
    """Return what the trades (`EVENT_DTYPE`, all of kind TRADE) of a market move."""
    base = trades["trade_lots"] * market.lot_units
    quote = rounded_down(
        trades["price_ticks"] * trades["trade_lots"], market.numerator, market.denominator
    )
    maker_buys = trades["side"] == Side.BUY
    of_taker = np.where(maker_buys, quote, base)
    rates = trades["maker_fee"].astype(np.int64)
    taker_fee = share(of_taker, np.maximum(trades["related_fee"].astype(np.int64), 0))
    fee = share(np.where(maker_buys, base, quote), np.maximum(rates, 0))
    rebate = np.minimum(share(of_taker, np.maximum(-rates, 0)), taker_fee)
    return Moved(base, quote, taker_fee, np.where(rates < 0, -rebate, fee))
