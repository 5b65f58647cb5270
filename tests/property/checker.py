"""An independent look at commands and events: what must hold whatever the matching code does."""

from dataclasses import dataclass

import numpy as np

from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, Flag, OrderStatus, Side

OPEN = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


@dataclass(slots=True)
class Resting:
    """An open order as the events tell it; a lower `turn` came to rest earlier."""

    side: int
    price: int
    quantity: int
    filled: int
    notional: int
    turn: int


class Checker:
    """Follow events one by one and raise AssertionError where an invariant breaks.

    It knows open orders only, from the images that say so: no queue, no level, no matching.
    """

    def __init__(self) -> None:
        self.open: dict[int, Resting] = {}
        self.sequence = 0
        self.trade_id = 0
        self._turn = 0
        self._taken = (0, 0)
        self._fences: dict[int, int] = {}

    def follow(self, commands: RecordArray, events: RecordArray) -> None:
        """Check the events that these commands caused."""
        answers = dict.fromkeys(commands["command_id"][commands["kind"] != 7].tolist(), 0)
        for event in events:
            self.sequence += 1
            assert event["sequence"] == self.sequence
            if event["kind"] == EventKind.TRADE:
                self._trade(event)
            elif event["kind"] == EventKind.ORDER:
                self._image(event)
            elif event["kind"] == EventKind.FENCE:
                self._fence(event)
            if event["flags"] & Flag.LAST:
                answers[int(event["command_id"])] += 1
                self._taken = (0, 0)
                self._assert_not_crossed()
        assert set(answers.values()) <= {1}, "a command has one last event"

    def _trade(self, event: np.void) -> None:
        maker = self.open[int(event["order_id"])]
        lots, price = int(event["trade_lots"]), int(event["price_ticks"])
        self.trade_id += 1
        assert event["trade_id"] == self.trade_id
        assert lots > 0
        assert price == maker.price, "a trade prints at the maker's price"
        assert int(event["order_id"]) == self._first(maker.side), "price-time priority"
        maker.filled += lots
        maker.notional += lots * price
        assert (maker.filled, maker.notional) == (event["filled_lots"], event["notional"])
        assert maker.filled <= maker.quantity == event["quantity_lots"]
        filled = event["status"] == OrderStatus.FILLED
        assert filled == (maker.filled == maker.quantity)
        if filled:
            del self.open[int(event["order_id"])]
        self._taken = (self._taken[0] + lots, self._taken[1] + lots * price)

    def _fence(self, event: np.void) -> None:
        shard, generation = int(event["shard"]), int(event["generation"])
        assert generation >= max(self._fences.get(shard, 0), 1), "a shard's generation never falls"
        self._fences[shard] = generation

    def _image(self, event: np.void) -> None:
        order_id = int(event["order_id"])
        ends_command = bool(event["flags"] & Flag.LAST)
        before = self.open.pop(order_id, None)
        assert event["filled_lots"] <= event["quantity_lots"] or event["status"] == 5
        if ends_command:
            lots, notional = (before.filled, before.notional) if before else (0, 0)
            both_sides = (int(event["filled_lots"]), int(event["notional"]))
            assert both_sides == (lots + self._taken[0], notional + self._taken[1])
        if event["flags"] & Flag.NEW:
            newest = self._fences.get(int(event["shard"]), 0)
            assert event["generation"] >= newest, "an older generation is shut out"
        if event["budget"] > 0 and event["status"] != OrderStatus.REJECTED:
            used = event["notional"] if event["side"] == Side.BUY else event["filled_lots"]
            assert used <= event["budget"], "a budget is not exceeded"
        if event["status"] not in OPEN:
            return
        quantity, price = int(event["quantity_lots"]), int(event["price_ticks"])
        keeps = before is not None and before.price == price and quantity <= before.quantity
        self._turn += 1
        self.open[order_id] = Resting(
            side=int(event["side"]),
            price=price,
            quantity=quantity,
            filled=int(event["filled_lots"]),
            notional=int(event["notional"]),
            turn=before.turn if before is not None and keeps else self._turn,
        )

    def _first(self, side: int) -> int:
        sign = -1 if side == Side.BUY else 1
        queue = {i: (sign * o.price, o.turn) for i, o in self.open.items() if o.side == side}
        return min(queue, key=lambda order_id: queue[order_id])

    def _assert_not_crossed(self) -> None:
        bids = [order.price for order in self.open.values() if order.side == Side.BUY]
        asks = [order.price for order in self.open.values() if order.side == Side.SELL]
        assert not bids or not asks or max(bids) < min(asks), "the book is crossed"
