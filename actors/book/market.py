"""A market's rules: what a price and a quantity may be, and how far a market order may reach."""

from dataclasses import dataclass
from fractions import Fraction

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Market:
    """One trading pair in integers.

    `tick_size` and `lot_size` are exact decimals as strings (`"0.01"`); limits are in ticks and
    lots, and those of a notional (`min_notional_units`, `max_notional_units`) in ticks x lots, not
    in units of 1e-8. `protection_bps` bounds a market order's price, in 1/10,000 of the best
    opposite price at its arrival. `client_id_memory` is how many finished orders' client order
    ids are remembered.

    Raises ValueError where the limits would let a sum of notionals overflow 64 bits.
    """

    market_id: int
    pair: str
    tick_size: str
    lot_size: str
    min_notional_units: int
    max_price_ticks: int
    max_quantity_lots: int
    protection_bps: int = 1_000
    client_id_memory: int = 1_000_000

    def __post_init__(self) -> None:
        for name in ("market_id", "max_price_ticks", "max_quantity_lots", "client_id_memory"):
            if getattr(self, name) < 1:
                raise ValueError(f"{self.pair}: {name} must be at least 1")
        if self.min_notional_units < 0:
            raise ValueError(f"{self.pair}: min_notional_units must not be negative")
        if not 1 <= self.protection_bps <= 10_000:
            raise ValueError(f"{self.pair}: protection_bps must lie between 1 and 10000")
        if Fraction(self.tick_size) <= 0 or Fraction(self.lot_size) <= 0:
            raise ValueError(f"{self.pair}: tick_size and lot_size must be greater than zero")
        if self.max_price_ticks * self.max_quantity_lots > INT64_MAX:
            raise ValueError(
                f"{self.pair}: max_price_ticks x max_quantity_lots must stay below 2^63, "
                "or an order's notional could overflow"
            )
        if self.max_price_ticks > INT64_MAX // 20_000:
            raise ValueError(f"{self.pair}: max_price_ticks leaves no room for the protection band")

    @property
    def max_notional_units(self) -> int:
        return self.max_price_ticks * self.max_quantity_lots
