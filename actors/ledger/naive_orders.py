"""Orders of the naive ledger and what each may still cost, as plainly as can be."""

from dataclasses import dataclass, field

from actors.book.vocabulary import OrderType, Side
from actors.ledger.assets import MarketAssets

RATE_UNITS = 1_000_000


@dataclass(slots=True)
class NaiveAmend:
    """An amend that was let through and not answered; 0 leaves price or quantity as it is."""

    command_id: int
    price_ticks: int
    quantity_lots: int
    generation: int


@dataclass(slots=True)
class NaiveOrder:
    """An order that holds something.

    It wants `total` less `done`: in ticks x lots where `by_notional`, else in lots. `command_id`
    and `generation` are those of its PLACE until its first image answers it, then 0.
    """

    market: MarketAssets
    order_id: int
    user_id: int
    side: int
    by_notional: bool
    price_ticks: int
    total: int
    done: int = 0
    command_id: int = 0
    generation: int = 0
    answered: bool = False
    held: int = 0
    amends: list[NaiveAmend] = field(default_factory=list)

    @property
    def asset(self) -> int:
        return self.market.quote if self.side == Side.BUY else self.market.base

    @property
    def left(self) -> int:
        return max(self.total - self.done, 0)

    def worst(self) -> int:
        """Return the most that the order may cost from now on, whatever becomes of its amends."""
        if self.by_notional:
            return cost_of(self.market, self.left)
        price, lots = (self.price_ticks, self.left) if self.side == Side.BUY else (1, self.left)
        worst = price * lots
        for amend in self.amends:
            new_price = amend.price_ticks or price if self.side == Side.BUY else 1
            new_lots = max(amend.quantity_lots - self.done, 0) if amend.quantity_lots else lots
            after = max(price, new_price) * min(lots, new_lots)
            after += new_price * max(new_lots - lots, 0)
            worst = max(worst, after)
            price, lots = max(price, new_price), max(lots, new_lots)
        if self.side == Side.BUY:
            return cost_of(self.market, worst)
        return worst * self.market.lot_units

    def amend_of(self, command_id: int) -> NaiveAmend | None:
        """Return the amend that is not answered and has this command's id."""
        return next((one for one in self.amends if one.command_id == command_id), None)

    def answer(self, command_id: int) -> NaiveAmend | None:
        """Forget the amend that an event answers, with all before it, and return it."""
        amend = self.amend_of(command_id)
        if amend is not None:
            del self.amends[: self.amends.index(amend) + 1]
        return amend


def cost_of(market: MarketAssets, notional: int) -> int:
    """Return the most that so many ticks x lots may cost."""
    return -(-notional * market.numerator // market.denominator)


def quote_of(market: MarketAssets, notional: int) -> int:
    """Return what a fill of so many ticks x lots moves of the quote asset."""
    return notional * market.numerator // market.denominator


def share_of(received: int, rate: int) -> int:
    """Return a fee or a rebate at a rate that is not negative."""
    return received * rate // RATE_UNITS


def wanted(market: MarketAssets, command: dict[str, int]) -> tuple[int, bool, int, int] | None:
    """Return side, whether it counts notional, price and how much a PLACE may take at most.

    None where nothing bounds it, or where its fields are none that the book would accept.
    """
    side, price = command["side"], command["price_ticks"]
    quantity, quote, budget = (
        command["quantity_lots"],
        command["quote_units"],
        command["budget"],
    )
    max_notional = market.max_price_ticks * market.max_quantity_lots
    if side not in set(Side) or command["order_id"] < 1:
        return None
    if command["order_type"] == OrderType.LIMIT:
        limits = 1 <= price <= market.max_price_ticks and 1 <= quantity <= market.max_quantity_lots
        return (side, False, price, quantity) if limits and quote == 0 and budget == 0 else None
    if command["order_type"] != OrderType.MARKET or price != 0:
        return None
    if (quantity != 0) == (quote != 0):
        return None
    by_quantity = quantity != 0
    needs_budget = by_quantity == (side == Side.BUY)
    if needs_budget == (budget == 0):
        return None
    total = budget if needs_budget else quantity + quote
    bound = max_notional if side == Side.BUY else market.max_quantity_lots
    return (side, side == Side.BUY, 0, total) if 1 <= total <= bound else None
