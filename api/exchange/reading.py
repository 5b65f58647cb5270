"""Reading orders: what was accepted is found, whether Postgres has it yet or not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from actors.book.market import Market
from actors.book.reasons import Reason
from actors.book.vocabulary import OrderStatus
from actors.platform.topology import Topology
from api.asgi.errors import UnavailableError, refusal
from api.exchange.barrier import WriterBarrier
from api.exchange.decimals import MarketUnits
from api.exchange.ids import EPOCH_MS, id_time_ms
from api.exchange.recent import RecentOrders
from api.exchange.sending import now_us
from api.exchange.storage.orders import OrdersRepository
from api.exchange.storage.records import StoredOrder
from api.rest.views import OrderView, order_view

# How far the clock of another gateway may be ahead of this one's.
_CLOCK_SKEW_MS = 60_000
FINISHED = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """Where an order lies, whose it is, and how it ended if that is known."""

    market: Market
    user_id: int
    finished: StoredOrder | None


class OrdersReading:
    """Find orders by id and list them. Everything may raise ApiError and ForkastError."""

    def __init__(
        self,
        *,
        markets: dict[str, MarketUnits],
        topology: Topology,
        orders: OrdersRepository,
        recent: RecentOrders,
        barrier: WriterBarrier,
    ) -> None:
        self._units = {units.market.market_id: units for units in markets.values()}
        self._topology = topology
        self._orders = orders
        self._recent = recent
        self._barrier = barrier

    async def get(self, order_id: int) -> OrderView:
        """Return an order; for one that only repeated a client order id, the first order."""
        order = await self._find(order_id)
        if order.reason == Reason.DUPLICATE_CLIENT_ORDER_ID and order.related_order_id:
            order = await self._find(order.related_order_id)
        return self.view(order)

    async def locate(self, order_id: int) -> Located:
        """Return where an order lies."""
        owner = self._recent.owner(order_id)
        order = await self._orders.get(order_id) if owner is None else None
        if owner is None and order is None:
            order = await self._find(order_id)
        newest = self._recent.newest(order_id, order)
        finished = newest if newest is not None and newest.status in FINISHED else None
        if owner is not None:
            market, user_id = owner
        else:
            assert order is not None  # noqa: S101
            market, user_id = self._topology.by_id(order.market_id), order.user_id
        return Located(market=market, user_id=user_id, finished=finished)

    async def page(
        self,
        *,
        limit: int,
        user_id: int | None,
        market: Market | None,
        statuses: Collection[OrderStatus],
        before_order_id: int | None,
    ) -> tuple[list[OrderView], str | None]:
        """Return orders, newest first, and the cursor of the next page where there may be one."""
        orders: Sequence[StoredOrder] = await self._orders.page(
            limit=limit,
            user_id=user_id,
            market_id=None if market is None else market.market_id,
            statuses=statuses or frozenset(OrderStatus),
            before_order_id=before_order_id,
        )
        cursor = str(orders[-1].order_id) if len(orders) == limit else None
        return [self.view(order) for order in orders], cursor

    def view(self, order: StoredOrder) -> OrderView:
        """Return an order as clients see it."""
        return order_view(self._units[order.market_id], order)

    async def _find(self, order_id: int) -> StoredOrder:
        order = self._recent.newest(order_id, await self._orders.get(order_id))
        if order is None and _may_exist(order_id):
            await self._barrier.passed()
            order = await self._orders.get(order_id)
        if order is not None:
            return order
        if self._recent.is_unsettled(order_id):
            raise UnavailableError(
                "OUTCOME_UNKNOWN",
                "The log has not confirmed this order yet; ask again.",
                order_id=order_id,
                retry_after_s=1,
            )
        raise refusal(Reason.UNKNOWN_ORDER, "There is no order with this id.")


def _may_exist(order_id: int) -> bool:
    time_ms = id_time_ms(order_id)
    return EPOCH_MS < time_ms <= now_us() // 1_000 + _CLOCK_SKEW_MS
