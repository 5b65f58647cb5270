"""Orders, price levels and remembered client order ids of the naive book, as plainly as can be."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from actors.book.vocabulary import OrderStatus, OrderType, Side

ClientKey = tuple[int, tuple[int, ...]]
NO_CLIENT_ORDER_ID = (0, 0, 0, 0, 0)


@dataclass(slots=True)
class NaiveOrder:
    """One order as it stands.

    `spent` is what a market order has used up of its quote or its budget in money, `passed_lots`
    how many lots it has traded or given up for it.
    """

    side: int
    order_type: int
    time_in_force: int
    self_trade_prevention: int
    flags: int
    order_id: int
    user_id: int
    price_ticks: int
    quantity_lots: int
    quote_units: int
    expires_us: int
    created_us: int
    client_order_id: tuple[int, ...]
    budget: int
    trigger_ticks: int
    display_lots: int
    list_id: int
    generation: int
    maker_fee: int
    taker_fee: int
    trail_bps: int
    trigger: int
    leg: int
    shard: int
    filled_lots: int = 0
    notional: int = 0
    spent: int = 0
    passed_lots: int = 0

    @property
    def remaining(self) -> int:
        return self.quantity_lots - self.filled_lots

    @property
    def by_quote(self) -> bool:
        return self.order_type == OrderType.MARKET and self.quote_units != 0

    @property
    def open_status(self) -> OrderStatus:
        return OrderStatus.PARTIALLY_FILLED if self.filled_lots else OrderStatus.OPEN

    def wants(self, price_ticks: int) -> int:
        """Return how many lots this taker would still take at a price."""
        wanted = self.wants_without_budget(price_ticks)
        if self.budget == 0:
            return wanted
        if self.by_quote:
            return min(wanted, self.budget - self.passed_lots)
        return min(wanted, (self.budget - self.spent) // price_ticks)

    def wants_without_budget(self, price_ticks: int) -> int:
        """Return how many lots this taker would still take at a price if it could pay for all."""
        if self.by_quote:
            return (self.quote_units - self.spent) // price_ticks
        return self.remaining

    def fill(self, *, lots: int, price_ticks: int) -> None:
        """Count a trade of so many lots at a price."""
        self.filled_lots += lots
        self.notional += lots * price_ticks
        self._pass(lots, price_ticks)
        if self.by_quote:
            self.quantity_lots = self.filled_lots

    def decrement(self, *, lots: int, price_ticks: int) -> None:
        """Give up so many lots instead of trading them with the same user's order."""
        self._pass(lots, price_ticks)
        if not self.by_quote:
            self.quantity_lots -= lots

    def _pass(self, lots: int, price_ticks: int) -> None:
        if self.order_type == OrderType.MARKET:
            self.spent += lots * price_ticks
            self.passed_lots += lots


class NaiveSide:
    """One side of the book: a queue per price and the prices in ascending order."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.prices: list[int] = []
        self.queues: dict[int, dict[int, NaiveOrder]] = {}

    @property
    def best(self) -> int | None:
        if not self.prices:
            return None
        return self.prices[-1] if self.side == Side.BUY else self.prices[0]

    def reaches(self, limit_ticks: int) -> bool:
        """Tell whether this side's best price is within a taker's limit."""
        best = self.best
        if best is None:
            return False
        return best >= limit_ticks if self.side == Side.BUY else best <= limit_ticks

    def head(self) -> NaiveOrder | None:
        """Return the order that trades first."""
        best = self.best
        return None if best is None else next(iter(self.queues[best].values()))

    def add(self, order: NaiveOrder) -> None:
        """Put an order at the tail of its price."""
        if order.price_ticks not in self.queues:
            self.queues[order.price_ticks] = {}
            insort(self.prices, order.price_ticks)
        self.queues[order.price_ticks][order.order_id] = order

    def remove(self, order: NaiveOrder) -> None:
        """Take an order out, and its price with it where it was the last one there."""
        queue = self.queues[order.price_ticks]
        del queue[order.order_id]
        if not queue:
            del self.queues[order.price_ticks]
            del self.prices[bisect_left(self.prices, order.price_ticks)]

    def prices_by_priority(self) -> Iterator[int]:
        return reversed(self.prices) if self.side == Side.BUY else iter(self.prices)

    def by_priority(self) -> Iterator[NaiveOrder]:
        for price in self.prices_by_priority():
            yield from self.queues[price].values()

    def level(self, price_ticks: int) -> tuple[int, int, int, int, int]:
        """Return a row of `LEVEL_DTYPE`, zeros where the price is empty."""
        queue = self.queues.get(price_ticks, {}).values()
        return (
            int(self.side),
            price_ticks,
            sum(order.remaining for order in queue),
            sum(order.filled_lots for order in queue),
            len(queue),
        )


class NaiveClientIds:
    """Client order ids of open orders and of the last `memory` finished ones."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._first: dict[ClientKey, int] = {}
        self.finished: deque[tuple[ClientKey, int]] = deque()

    def first_order(self, order: NaiveOrder) -> int | None:
        """Return the order that took this order's client order id, None where it is free."""
        return self._first.get((order.user_id, order.client_order_id))

    def take(self, order: NaiveOrder) -> None:
        if order.client_order_id != NO_CLIENT_ORDER_ID:
            self._first[order.user_id, order.client_order_id] = order.order_id

    def finish(self, order: NaiveOrder) -> None:
        """Remember a finished order's id, and forget the oldest one past the memory."""
        if order.client_order_id == NO_CLIENT_ORDER_ID:
            return
        self.finished.append(((order.user_id, order.client_order_id), order.order_id))
        if len(self.finished) > self._memory:
            forgotten, _ = self.finished.popleft()
            del self._first[forgotten]

    def restore(self, finished: list[tuple[ClientKey, int]]) -> None:
        """Take over the finished ids of a snapshot, from the oldest."""
        self.finished.extend(finished)
        self._first.update(finished)
