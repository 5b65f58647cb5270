"""Price-time priority in every trade, seen from the events alone.

No queue, no level, no matching: an order's place is its price and the moment at which it came to
rest there, and whoever trades must have the best place of its side.
"""

import heapq
from dataclasses import dataclass

from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, Flag, OrderStatus, OrderType, Side
from cluster.verify.report import Check

_OPEN = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
_FIELDS = [
    *("kind", "status", "side", "order_type", "flags", "sequence", "order_id", "price_ticks"),
    *("quantity_lots", "trade_id"),
]
Place = tuple[int, int, int]


@dataclass(slots=True)
class _RestingOrder:
    side: int
    price_ticks: int
    quantity_lots: int
    place: Place


class Priority:
    """Follow open orders, each with its place: (price, best first; turn; order id)."""

    def __init__(self, check: Check, pair: str) -> None:
        self._check = check
        self._pair = pair
        self._open: dict[int, _RestingOrder] = {}
        self._places: dict[int, list[Place]] = {Side.BUY: [], Side.SELL: []}
        self._turn = 0
        self._worst: dict[int, int] = {}

    def adopt(self, images: RecordArray) -> None:
        """Take over orders that were open before the first event, each side in priority."""
        fields = ["side", "order_id", "price_ticks", "quantity_lots"]
        for side, order_id, price, quantity in images[fields].tolist():
            self._rest(order_id, side=side, price_ticks=price, quantity_lots=quantity)

    def follow(self, events: RecordArray) -> None:
        """Check these events, which follow the ones before."""
        for row in events[_FIELDS].tolist():
            kind, status, side, order_type, flags, sequence, order_id, price, quantity, trade = row
            if kind == EventKind.TRADE:
                self._check.passed()
                self._trade(order_id, side, price, f"trade {trade} (sequence {sequence})")
            if kind in (EventKind.TRADE, EventKind.ORDER):
                self._move(order_id, status, side=side, price_ticks=price, quantity_lots=quantity)
            if flags & Flag.LAST:
                if kind == EventKind.ORDER and order_type == OrderType.LIMIT:
                    self._check_limit(side, price, sequence)
                self._worst.clear()
                self._check_not_crossed(sequence)

    def _trade(self, maker_id: int, side: int, price_ticks: int, what: str) -> None:
        first = self._first(side)
        maker = self._open.get(maker_id)
        if maker is None:
            self._check.differ(f"{self._pair} {what}: maker {maker_id} is not in the book")
        elif first is not None and maker_id != first[2]:
            self._check.differ(
                f"{self._pair} {what}: order {first[2]} at {abs(first[0])} comes before "
                f"its maker {maker_id} at {maker.price_ticks}"
            )
        elif maker.price_ticks != price_ticks:
            self._check.differ(
                f"{self._pair} {what}: at {price_ticks}, its maker asks {maker.price_ticks}"
            )
        # Whoever buys pays at most, whoever sells gets at least the last price of the sweep.
        self._worst[Side.SELL if side == Side.BUY else Side.BUY] = price_ticks

    def _move(
        self, order_id: int, status: int, *, side: int, price_ticks: int, quantity_lots: int
    ) -> None:
        before = self._open.get(order_id)
        if status not in _OPEN:
            self._open.pop(order_id, None)
        elif (
            before is not None
            and before.price_ticks == price_ticks
            and quantity_lots <= before.quantity_lots
        ):
            before.quantity_lots = quantity_lots
        else:
            self._rest(order_id, side=side, price_ticks=price_ticks, quantity_lots=quantity_lots)

    def _rest(self, order_id: int, *, side: int, price_ticks: int, quantity_lots: int) -> None:
        self._turn += 1
        place = (-price_ticks if side == Side.BUY else price_ticks, self._turn, order_id)
        self._open[order_id] = _RestingOrder(side, price_ticks, quantity_lots, place)
        heapq.heappush(self._places[side], place)

    def _first(self, side: int) -> Place | None:
        """Return the best place that an order still has; places that were left are dropped."""
        places = self._places[side]
        while places:
            order = self._open.get(places[0][2])
            if order is not None and order.place == places[0]:
                return places[0]
            heapq.heappop(places)
        return None

    def _check_limit(self, side: int, limit_ticks: int, sequence: int) -> None:
        worst = self._worst.get(side)
        if worst is not None and (worst > limit_ticks if side == Side.BUY else worst < limit_ticks):
            self._check.differ(
                f"{self._pair} sequence {sequence}: a taker with limit {limit_ticks} "
                f"traded at {worst}"
            )

    def _check_not_crossed(self, sequence: int) -> None:
        bid, ask = self._first(Side.BUY), self._first(Side.SELL)
        if bid is not None and ask is not None and -bid[0] >= ask[0]:
            self._check.differ(
                f"{self._pair} sequence {sequence}: bid {-bid[0]} of order {bid[2]} meets "
                f"ask {ask[0]} of order {ask[2]}, and both rest"
            )
