"""Decimals and integers: exact in, exact out, never through float.

A *unit* is 1e-8: the finest decimal that the exchange takes.
"""

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction

from actors.book.market import Market
from actors.book.reasons import Reason
from api.exchange.refusals import InvalidError, Refusal, malformed, refusal

DECIMALS = 8
UNITS = 10**DECIMALS

# Every value that gets this far has at most 19 digits before and 8 after the point.
_LEADING_DIGITS = 19
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])


def to_units(value: Decimal, field: str) -> int:
    """Return a decimal in units of 1e-8; `field` names it in a refusal.

    Raises Refusal where it is not finite, not above zero, has more than 8 decimals or is larger
    than any market allows. The cost does not grow with the exponent.
    """
    if not value.is_finite():
        raise malformed(f"{field} must be a finite number.")
    if value <= 0:
        raise refusal(Reason.NOT_POSITIVE)
    magnitude = value.adjusted()
    if magnitude >= _LEADING_DIGITS:
        raise refusal(Reason.ABOVE_MAXIMUM)
    if magnitude < -DECIMALS:
        raise _too_many_decimals(field)
    try:
        scaled = value.scaleb(DECIMALS, _EXACT)
    except Inexact:
        raise _too_many_decimals(field) from None
    units = int(scaled)
    if units != scaled:
        raise _too_many_decimals(field)
    return units


def format_units(units: int) -> str:
    """Return units of 1e-8 as a decimal without trailing zeros: 150000000 is `1.5`."""
    if units < 0:
        return f"-{format_units(-units)}"
    whole, part = divmod(units, UNITS)
    return f"{whole}.{part:08d}".rstrip("0") if part else str(whole)


def format_fraction(value: Fraction) -> str:
    """Return a value of zero or more, rounded half to even at the eighth decimal."""
    return format_units(round(value * UNITS))


class MarketDecimals:
    """One market's decimals: text and `Decimal` to ticks and lots and back.

    Raises ValueError where a tick or a lot is finer than 1e-8, which no client could say.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self._tick = _whole_units(market, "tick_size")
        self._lot = _whole_units(market, "lot_size")
        self._notional = Fraction(market.tick_size) * Fraction(market.lot_size)

    def price_ticks(self, price: Decimal) -> int:
        """Return a price in ticks. Raises Refusal (OFF_TICK, ABOVE_MAXIMUM, NOT_POSITIVE)."""
        return self.ticks(to_units(price, "price"))

    def ticks(self, units: int) -> int:
        """Return a price of so many units in ticks. Raises Refusal (OFF_TICK, ABOVE_MAXIMUM)."""
        ticks, rest = divmod(units, self._tick)
        if rest:
            raise refusal(Reason.OFF_TICK, self._off("price", "tick size", self.market.tick_size))
        if ticks > self.market.max_price_ticks:
            raise refusal(Reason.ABOVE_MAXIMUM)
        return ticks

    def quantity_lots(self, quantity: Decimal) -> int:
        """Return a quantity in lots. Raises Refusal (OFF_LOT, ABOVE_MAXIMUM, NOT_POSITIVE)."""
        return self.lots(to_units(quantity, "quantity"))

    def lots(self, units: int) -> int:
        """Return a quantity of so many units in lots. Raises Refusal (OFF_LOT, ABOVE_MAXIMUM)."""
        lots, rest = divmod(units, self._lot)
        if rest:
            raise refusal(Reason.OFF_LOT, self._off("quantity", "lot size", self.market.lot_size))
        if lots > self.market.max_quantity_lots:
            raise refusal(Reason.ABOVE_MAXIMUM)
        return lots

    def quote_units(self, amount: Decimal) -> int:
        """Return an amount of quote currency in tick x lot units, rounded down: it is a budget."""
        return self.budget(to_units(amount, "quoteQuantity"))

    def budget(self, units: int) -> int:
        """Return an amount of so many units of 1e-8 in tick x lot units, rounded down."""
        notional = int(Fraction(units, UNITS) / self._notional)
        if notional < 1:
            raise refusal(Reason.BELOW_MINIMUM_NOTIONAL)
        if notional > self.market.max_notional_units:
            raise refusal(Reason.ABOVE_MAXIMUM)
        return notional

    def price(self, ticks: int) -> str:
        """Return ticks as a decimal text."""
        return format_units(ticks * self._tick)

    def price_between(self, ticks: float) -> str:
        """Return a statistic of prices, in ticks, as a decimal text of at most 8 decimals."""
        return format_units(round(ticks * self._tick))

    def quantity(self, lots: int) -> str:
        """Return lots as a decimal text."""
        return format_units(lots * self._lot)

    def notional(self, amount: int) -> str:
        """Return a money amount (tick x lot units) as a decimal text."""
        return format_fraction(amount * self._notional)

    def average_price(self, notional: int, lots: int) -> str | None:
        """Return notional / lots as a decimal text of at most 8 decimals; None without lots."""
        if not lots:
            return None
        ticks, rest = divmod(notional, lots)
        if not rest:
            return format_units(ticks * self._tick)
        return format_fraction(Fraction(notional, lots) * Fraction(self.market.tick_size))

    def _off(self, field: str, what: str, size: str) -> str:
        return f"The {field} is not a multiple of {self.market.pair}'s {what}, {size}."


def _whole_units(market: Market, name: str) -> int:
    size: str = getattr(market, name)
    units = Fraction(size) * UNITS
    if units.denominator != 1:
        raise ValueError(f"{market.pair}: {name} is finer than {DECIMALS} decimals")
    numerator: int = units.numerator
    return numerator


def _too_many_decimals(field: str) -> Refusal:
    return InvalidError("TOO_MANY_DECIMALS", f"{field} has more than {DECIMALS} decimals.")
