"""From what the book made of an order to what its client is told."""

from dataclasses import dataclass, field

from actors.book.reasons import Reason
from actors.book.vocabulary import EventKind, OrderStatus
from api.asgi.errors import OutcomeUnknownError, refusal
from api.exchange.drafts import OrderDraft
from api.exchange.reading import OrdersReading
from api.exchange.recent import RecentOrders
from api.exchange.waiting import Outcome, Waiter
from api.rest.views import (
    OrderView,
    TradeView,
    order_of_event,
    order_view,
    trade_of_event,
    trade_view,
)

ACCEPTED = "Order accepted"
DUPLICATE = "This client order id was used before; this is the first order."


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """An accepted order; `order` and `fills` where its outcome was asked for and has come."""

    order_id: int
    message: str = ACCEPTED
    order: OrderView | None = None
    fills: list[TradeView] = field(default_factory=list)


class Settling:
    """Wait for placed orders and put their outcome into words."""

    def __init__(self, *, recent: RecentOrders, reading: OrdersReading) -> None:
        self._recent = recent
        self._reading = reading

    async def placed(
        self, draft: OrderDraft, waiter: Waiter, *, timeout_s: float, show: bool
    ) -> Placed:
        """Return the answer to a logged order, with its state if `show`.

        Where the outcome does not come in time, an order without a client order id is accepted
        all the same. Raises ApiError.
        """
        order_id = waiter.command_id
        outcome = await waiter.outcome(timeout_s)
        if outcome is not None:
            return await self._settled(draft, order_id, outcome, show=show)
        if draft.client_order_id:
            raise OutcomeUnknownError(
                "OUTCOME_UNKNOWN",
                "The order is in the log, but the market has not answered yet. "
                "GET /orders/{orderId}, or the same clientOrderId sent again, resolves it.",
                order_id=order_id,
            )
        return Placed(order_id=order_id, message="Order accepted; its outcome has not come yet")

    async def _settled(
        self, draft: OrderDraft, order_id: int, outcome: Outcome, *, show: bool
    ) -> Placed:
        last = outcome.last
        reason = Reason(int(last["reason"]))
        if last["kind"] == EventKind.REFUSED:
            raise refusal(reason, order_id=order_id)
        if reason is Reason.DUPLICATE_CLIENT_ORDER_ID:
            first_id = int(last["related_order_id"])
            first = await self._reading.get(first_id) if show else None
            return Placed(order_id=first_id, message=DUPLICATE, order=first)
        if reason is Reason.HALTED:
            raise refusal(reason, order_id=order_id)
        image = order_of_event(last)
        self._recent.note_image(image)
        if not show:
            return Placed(order_id=order_id)
        rejected = last["status"] == OrderStatus.REJECTED
        return Placed(
            order_id=order_id,
            message="Order rejected by the book" if rejected else ACCEPTED,
            order=order_view(draft.units, image),
            fills=[trade_view(draft.units, trade_of_event(event)) for event in outcome.trades],
        )
