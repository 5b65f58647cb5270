"""Fills: no order is filled above its quantity, and no trade is of nothing."""

import numpy as np

from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, OrderStatus
from cluster.verify.report import Check

_OPEN = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


class Fills:
    """Look at every image of an order by itself."""

    def __init__(self, check: Check, pair: str) -> None:
        self._check = check
        self._pair = pair

    def follow(self, events: RecordArray) -> None:
        """Check the images among these events."""
        kind = events["kind"]
        trade = kind == EventKind.TRADE
        images = events[trade | (kind == EventKind.ORDER)]
        # A rejected order is shown as it was sent, whatever its quantity was.
        images = images[images["status"] != OrderStatus.REJECTED]
        filled, quantity = images["filled_lots"], images["quantity_lots"]
        wrong = (filled < 0) | (filled > quantity)
        wrong |= (images["status"] == OrderStatus.FILLED) & (filled != quantity)
        wrong |= np.isin(images["status"], _OPEN) & (filled == quantity)
        wrong |= (images["kind"] == EventKind.TRADE) & (images["trade_lots"] < 1)
        self._check.passed(len(images))
        if wrong.any():
            first = images[np.argmax(wrong)]
            self._check.differ(
                f"{self._pair} order {first['order_id']} (sequence {first['sequence']}): "
                f"{first['filled_lots']} lots of {first['quantity_lots']} are filled, "
                f"status {first['status']}, {first['trade_lots']} of them in this trade",
                int(wrong.sum()),
            )
