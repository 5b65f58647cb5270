"""What this gateway remembers of its own orders: a bounded help, never the truth."""

import time
from collections import OrderedDict
from collections.abc import Iterable

from actors.book.market import Market
from api.exchange.storage.records import StoredOrder

OWNERS_MAX = 100_000
IMAGES_MAX = 10_000
UNSETTLED_MAX = 100_000
# Longer than the log keeps trying to deliver what it has not confirmed.
UNSETTLED_S = 60.0


class RecentOrders:
    """Where own orders went, what was told of them, and which may still be on their way.

    An image that was shown once is kept, so that a later read through this gateway is never
    older than an answer that it gave before.
    """

    def __init__(self) -> None:
        self._owners: OrderedDict[int, tuple[Market, int]] = OrderedDict()
        self._images: OrderedDict[int, StoredOrder] = OrderedDict()
        self._unsettled: OrderedDict[int, float] = OrderedDict()

    def note_sent(self, order_id: int, *, market: Market, user_id: int) -> None:
        """Remember the market and the owner of an order that was sent."""
        self._owners[order_id] = (market, user_id)
        if len(self._owners) > OWNERS_MAX:
            self._owners.popitem(last=False)

    def owner(self, order_id: int) -> tuple[Market, int] | None:
        """Return the market and the user of an order of this gateway."""
        return self._owners.get(order_id)

    def note_image(self, order: StoredOrder) -> None:
        """Remember an order as it was shown."""
        known = self._images.get(order.order_id)
        if known is None or known.sequence < order.sequence:
            self._images[order.order_id] = order
        self._images.move_to_end(order.order_id)
        if len(self._images) > IMAGES_MAX:
            self._images.popitem(last=False)

    def newest(self, order_id: int, stored: StoredOrder | None) -> StoredOrder | None:
        """Return the newer of the stored order and the image that was shown before."""
        image = self._images.get(order_id)
        if stored is None or (image is not None and image.sequence > stored.sequence):
            return image
        return stored

    def note_unsettled(self, order_ids: Iterable[int]) -> None:
        """Remember orders that the log has not confirmed in time: they may still arrive."""
        now_s = time.monotonic()
        for order_id in order_ids:
            self._unsettled[order_id] = now_s
            if len(self._unsettled) > UNSETTLED_MAX:
                self._unsettled.popitem(last=False)

    def is_unsettled(self, order_id: int) -> bool:
        """Say whether an order may still be on its way to the log."""
        since_s = self._unsettled.get(order_id)
        return since_s is not None and time.monotonic() - since_s < UNSETTLED_S
