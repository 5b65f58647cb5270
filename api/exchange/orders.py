"""Orders read: what was accepted is found, and nothing is older than what anybody was told."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from actors.book.market import INT64_MAX, Market
from actors.book.reasons import Reason
from actors.book.vocabulary import OrderStatus
from actors.platform.topology import Topology
from api.exchange.barrier import WriterBarrier
from api.exchange.ids import EPOCH_MS, id_time_ms
from api.exchange.outcomes import OutcomeReader
from api.exchange.recent import RecentEvents
from api.exchange.refusals import UnavailableError, refusal
from api.exchange.sender import SentOrders, now_us
from api.exchange.storage.orders import OrdersRepository
from api.exchange.storage.trades import TradesRepository
from api.exchange.values import FINISHED, Order, Trade, order_of_event, trade_of_event

_HIDDEN_MAX = 1_000
# How far the clock of another gateway may be ahead of this one's.
_CLOCK_SKEW_MS = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """Where an order lies, whose it is, and how it ended if that is known."""

    order_id: int
    market: Market
    user_id: int
    finished: Order | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Orders:
    """Find orders by id and list them. Everything may raise Refusal and ForkastError."""

    topology: Topology
    orders: OrdersRepository
    trades: TradesRepository
    sent: SentOrders
    recent: RecentEvents
    outcomes: OutcomeReader
    barrier: WriterBarrier

    async def get(self, order_id: int) -> Order:
        """Return an order; for one that only repeated a client order id, the first order."""
        await self.outcomes.caught_up(await self._markets_of(order_id))
        order = await self.known(order_id)
        if order.reason == Reason.DUPLICATE_CLIENT_ORDER_ID and order.related_order_id:
            order = await self.known(order.related_order_id)
        return order

    async def known(self, order_id: int) -> Order:
        """Return an order as far as this process has heard of it."""
        order = await self._newest(order_id)
        if order is None and _may_exist(order_id):
            await self.barrier.passed()
            order = await self._newest(order_id)
        if order is not None:
            return order
        if self.sent.is_unsettled(order_id):
            raise UnavailableError(
                "OUTCOME_UNKNOWN",
                "The log has not confirmed this order yet; ask again.",
                order_id=order_id,
                retry_after_s=1,
            )
        raise refusal(Reason.UNKNOWN_ORDER, "There is no order with this id.")

    async def locate(self, order_id: int) -> Located:
        """Return where an order lies."""
        owner = self.sent.owner(order_id)
        order = await self._newest(order_id) if owner is None else self._image(order_id)
        if owner is None and order is None:
            # Another gateway's, perhaps, of a moment ago.
            await self.outcomes.caught_up([market.market_id for market in self.topology])
            order = await self.known(order_id)
        finished = order if order is not None and order.status in FINISHED else None
        if owner is not None:
            return Located(order_id=order_id, market=owner[0], user_id=owner[1], finished=finished)
        assert order is not None  # noqa: S101
        market = self.topology.by_id(order.market_id)
        return Located(order_id=order_id, market=market, user_id=order.user_id, finished=finished)

    async def trades_at_entry(self, order: Order) -> tuple[Trade, ...]:
        """Return what an order traded when it was placed, in order."""
        recent = self.recent.trades([order.market_id], user_id=order.user_id)
        stored = await self.trades.of_taker(order)
        found = {trade.trade_id: trade for trade in stored}
        is_entry = (recent["related_order_id"] == order.order_id) & (
            recent["time_us"] == order.created_us
        )
        for event in recent[is_entry]:
            trade = trade_of_event(event)
            found[trade.trade_id] = trade
        return tuple(found[trade_id] for trade_id in sorted(found))

    async def page(
        self,
        *,
        limit: int,
        user_id: int | None,
        market: Market | None,
        statuses: Collection[OrderStatus],
        before_order_id: int | None,
    ) -> list[Order]:
        """Return orders, newest first: those whose id is below `before_order_id`.

        Fewer than `limit` end the list.
        """
        market_ids = (
            [one.market_id for one in self.topology] if market is None else [market.market_id]
        )
        await self.outcomes.caught_up(market_ids)
        wanted = statuses or frozenset(OrderStatus)
        images = self.recent.images(market_ids, user_id=user_id)
        if before_order_id is not None:
            images = images[images["order_id"] < min(before_order_id, INT64_MAX)]
        newer = dict(zip(images["order_id"].tolist(), images["sequence"].tolist(), strict=True))
        shown = images[
            np.isin(images["status"], [int(status) for status in wanted])
            & (images["reason"] != Reason.DUPLICATE_CLIENT_ORDER_ID)
        ]
        shown = shown[np.argsort(shown["order_id"])][::-1][:limit]
        found = {order.order_id: order for order in map(order_of_event, shown)}
        # Rows that an image hides do not count: as many more are read at once.
        block = limit + min(len(newer), _HIDDEN_MAX)
        cursor = before_order_id
        while True:
            rows = await self.orders.page(
                limit=block,
                user_id=user_id,
                market_id=None if market is None else market.market_id,
                statuses=wanted,
                before_order_id=cursor,
            )
            found |= {
                row.order_id: row for row in rows if row.sequence > newer.get(row.order_id, 0)
            }
            if len(rows) < block:
                break
            cursor = rows[-1].order_id
            if sum(order_id >= cursor for order_id in found) >= limit:
                break
        return [found[order_id] for order_id in sorted(found, reverse=True)[:limit]]

    async def _newest(self, order_id: int) -> Order | None:
        # Before the rows are read: what is dropped here meanwhile is in them.
        image = self._image(order_id)
        row = await self.orders.get(order_id)
        if image is None or (row is not None and row.sequence > image.sequence):
            return row
        return image

    def _image(self, order_id: int) -> Order | None:
        image = self.recent.image(order_id)
        return order_of_event(image[0]) if len(image) else None

    async def _markets_of(self, order_id: int) -> list[int]:
        """Return the market of an order; all of them where it is not known yet."""
        owner = self.sent.owner(order_id)
        if owner is not None:
            return [owner[0].market_id]
        heard = await self._newest(order_id)
        if heard is not None:
            return [heard.market_id]
        return [market.market_id for market in self.topology]


def _may_exist(order_id: int) -> bool:
    time_ms = id_time_ms(order_id)
    return EPOCH_MS < time_ms <= now_us() // 1_000 + _CLOCK_SKEW_MS
