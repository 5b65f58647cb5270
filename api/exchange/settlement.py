"""What the book made of a placed order, as its answer."""

from actors.book.reasons import Reason
from actors.book.vocabulary import EventKind
from actors.platform.errors import ForkastError
from api.exchange.orders import Orders
from api.exchange.refusals import (
    ConflictError,
    OutcomeUnknownError,
    UnavailableError,
    refusal,
)
from api.exchange.values import NewOrder, Order, Placed, order_of_event, trade_of_event
from api.exchange.waiting import Outcome, Waiter


class Settlement:
    """Wait for placed orders and answer them."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    async def placed(
        self, order: NewOrder, waiter: Waiter, *, timeout_s: float, show: bool
    ) -> Placed:
        """Return the answer to a logged order, with its state if `show`.

        Where the outcome does not come in time, an order without a client order id is accepted
        all the same. Raises Refusal and ForkastError.
        """
        order_id = waiter.command_id
        outcome = await waiter.outcome(timeout_s)
        if outcome is not None:
            return await self._settled(order, order_id, outcome, show=show)
        if order.client_order_id:
            raise OutcomeUnknownError(
                "OUTCOME_UNKNOWN",
                "The order is in the log, but the market has not answered yet. Read the order by "
                "its id, or send the same client order id again.",
                order_id=order_id,
            )
        return Placed(order_id=order_id, awaited=True)

    async def _settled(
        self, order: NewOrder, order_id: int, outcome: Outcome, *, show: bool
    ) -> Placed:
        last = outcome.last
        reason = Reason(int(last["reason"]))
        if last["kind"] == EventKind.REFUSED or reason is Reason.HALTED:
            raise refusal(reason, order_id=order_id)
        if reason is Reason.DUPLICATE_CLIENT_ORDER_ID:
            return await self._repeated(order, int(last["related_order_id"]), show=show)
        if not show:
            return Placed(order_id=order_id)
        return Placed(
            order_id=order_id,
            order=order_of_event(last),
            trades=tuple(trade_of_event(event) for event in outcome.trades),
        )

    async def _repeated(self, order: NewOrder, first_id: int, *, show: bool) -> Placed:
        """Return what the first order of a client order id is answered; refuse another order.

        The repeat is in the log by now: where the first order cannot be read, the outcome is
        unknown, and nobody may be told that nothing was done.
        """
        try:
            return await self._as_first(order, first_id, show=show)
        except (UnavailableError, ForkastError) as error:
            raise OutcomeUnknownError(
                "OUTCOME_UNKNOWN",
                "This client order id was used before, and its order cannot be read now. Read the "
                "order by its id, or send the same client order id again.",
                order_id=first_id,
            ) from error

    async def _as_first(self, order: NewOrder, first_id: int, *, show: bool) -> Placed:
        first = await self._orders.get(first_id)
        if _differs(order, self._orders.sent.asked(first_id), first):
            raise ConflictError(
                Reason.DUPLICATE_CLIENT_ORDER_ID.name,
                "This client order id was used before, for an order of another side, type, price "
                "or quantity.",
                order_id=first_id,
            )
        if not show:
            return Placed(order_id=first_id, is_repeat=True)
        trades = await self._orders.trades_at_entry(first)
        return Placed(order_id=first_id, is_repeat=True, order=first, trades=trades)


def _differs(order: NewOrder, asked: NewOrder | None, first: Order) -> bool:
    """Say whether a repeat asks for something else than the first order.

    What the first asked for is known where it was placed through this process. Elsewhere the order
    as it stands has to do: an amend, or a self-trade that decremented it, may have changed it.
    """
    if asked is not None:
        return _terms(order) != _terms(asked)
    quantity_lots = 0 if first.quote_units else first.quantity_lots
    return _terms(order) != (
        first.side,
        first.order_type,
        first.price_ticks,
        quantity_lots,
        first.quote_units,
    )


def _terms(order: NewOrder) -> tuple[int, ...]:
    return (
        order.side,
        order.order_type,
        order.price_ticks,
        order.quantity_lots,
        order.quote_units,
    )
