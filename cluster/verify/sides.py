"""Sides of each trade: they are equal, what makers gave is what their taker got."""

from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, Flag, OrderStatus, Side
from cluster.verify.report import Check

_OPEN = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
_FIELDS = [
    *("kind", "status", "side", "flags", "sequence", "order_id", "user_id", "price_ticks"),
    *("filled_lots", "notional", "trade_lots", "related_order_id", "related_user_id"),
]
Sums = tuple[int, int]


class Sides:
    """Keep what each open order has filled, in lots and notional, and add the trades up."""

    def __init__(self, check: Check, pair: str) -> None:
        self._check = check
        self._pair = pair
        self._filled: dict[int, Sums] = {}
        self._taken: Sums = (0, 0)
        self._trades: list[tuple[int, int, int]] = []

    def adopt(self, images: RecordArray) -> None:
        """Take over orders that were open before the first event."""
        for order_id, filled, notional in images[["order_id", "filled_lots", "notional"]].tolist():
            self._filled[order_id] = (filled, notional)

    def follow(self, events: RecordArray) -> None:
        """Check these events, which follow the ones before."""
        for row in events[_FIELDS].tolist():
            kind, status, side, flags, sequence, order_id, user_id = row[:7]
            price, filled, notional, lots, taker_id, taker_user = row[7:]
            if kind == EventKind.TRADE:
                self._check.passed()
                self._compare(order_id, (lots, lots * price), (filled, notional), sequence)
                self._taken = (self._taken[0] + lots, self._taken[1] + lots * price)
                taker_side = Side.SELL if side == Side.BUY else Side.BUY
                self._trades.append((taker_id, taker_user, taker_side))
            elif kind == EventKind.ORDER:
                taken = self._taken if flags & Flag.LAST else (0, 0)
                self._compare(order_id, taken, (filled, notional), sequence)
                if flags & Flag.LAST:
                    self._end((order_id, user_id, side), sequence)
            elif flags & Flag.LAST:
                self._end(None, sequence)
            if kind in (EventKind.TRADE, EventKind.ORDER):
                self._keep(order_id, (filled, notional), is_open=status in _OPEN)

    def _compare(self, order_id: int, added: Sums, now: Sums, sequence: int) -> None:
        before = self._filled.get(order_id, (0, 0))
        if (before[0] + added[0], before[1] + added[1]) != now:
            self._check.differ(
                f"{self._pair} order {order_id} (sequence {sequence}) stands at {now[0]} lots for "
                f"{now[1]}; it stood at {before[0]} for {before[1]}, and its trades are "
                f"{added[0]} for {added[1]}"
            )

    def _end(self, taker: tuple[int, int, int] | None, sequence: int) -> None:
        for trade in self._trades:
            if trade != taker:
                self._check.differ(
                    f"{self._pair} sequence {sequence}: a trade names order {trade[0]} of user "
                    f"{trade[1]} as its taker, which is not the order that the command ends with"
                )
        self._trades.clear()
        self._taken = (0, 0)

    def _keep(self, order_id: int, sums: Sums, *, is_open: bool) -> None:
        if is_open:
            self._filled[order_id] = sums
        else:
            self._filled.pop(order_id, None)
