"""Changing what lies in a book: cancels, amends, halts, each answered by the book itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from actors.book.market import Market
from actors.book.reasons import Reason
from actors.book.vocabulary import CommandKind, EventKind, OrderStatus, Side
from api.asgi.errors import ApiError, ConflictError, InvalidRequestError, UnavailableError, refusal
from api.exchange import commands
from api.exchange.decimals import MarketUnits
from api.exchange.ids import IdGenerator
from api.exchange.reading import OrdersReading
from api.exchange.recent import RecentOrders
from api.exchange.sending import Sender, now_us
from api.exchange.storage.records import StoredOrder
from api.exchange.waiting import Outcome, OutcomeWaiters
from api.rest.requests import AmendRequest
from api.rest.views import OrderView, TradeView, order_of_event, trade_of_event, trade_view

WAIT_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A change that the log has; `order` is None while the book has not answered."""

    order_id: int
    order: OrderView | None
    fills: list[TradeView]


class Changing:
    """Cancel, amend, halt and resume. Everything may raise ApiError and ForkastError."""

    def __init__(
        self,
        *,
        markets: dict[str, MarketUnits],
        ids: IdGenerator,
        sender: Sender,
        waiters: OutcomeWaiters,
        recent: RecentOrders,
        reading: OrdersReading,
    ) -> None:
        self._markets = markets
        self._ids = ids
        self._sender = sender
        self._waiters = waiters
        self._recent = recent
        self._reading = reading

    async def cancel(self, order_id: int, *, user_id: int | None) -> Changed:
        """Cancel an order as `user_id`, as its owner where that is None."""
        return await self._change(CommandKind.CANCEL, order_id, user_id, None)

    async def amend(self, order_id: int, request: AmendRequest, *, user_id: int | None) -> Changed:
        """Give an order a new price, a new total quantity, or both."""
        if request.price is None and request.quantity is None:
            raise InvalidRequestError("MALFORMED", "Give a price, a quantity or both.")
        return await self._change(CommandKind.AMEND, order_id, user_id, request)

    async def cancel_all(
        self, *, user_id: int, markets: Sequence[Market], side: Side | None
    ) -> dict[str, int | None]:
        """Cancel a user's open orders; return how many by pair, None where it is not known yet."""
        outcomes = await asyncio.gather(
            *(
                self._send(market, CommandKind.CANCEL_ALL, user_id=user_id, side=side or 0)
                for market in markets
            )
        )
        return {
            market.pair: None if outcome is None else int(outcome.last["quantity_lots"])
            for market, outcome in zip(markets, outcomes, strict=True)
        }

    async def set_halted(self, market: Market, *, halted: bool) -> bool:
        """Halt or resume a market; return whether it has happened already."""
        kind = CommandKind.HALT if halted else CommandKind.RESUME
        return await self._send(market, kind) is not None

    async def _change(
        self,
        kind: CommandKind,
        order_id: int,
        user_id: int | None,
        request: AmendRequest | None,
    ) -> Changed:
        located = await self._reading.locate(order_id)
        units = self._markets[located.market.pair]
        price_ticks = quantity_lots = 0
        if request is not None and request.price is not None:
            price_ticks = units.price_ticks(request.price)
        if request is not None and request.quantity is not None:
            quantity_lots = units.quantity_lots(request.quantity)
        acting = located.user_id if user_id is None else user_id
        if located.finished is not None:
            raise _refused_finished(located.finished, located.user_id, acting)
        outcome = await self._send(
            located.market,
            kind,
            order_id=order_id,
            user_id=acting,
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
        )
        if outcome is None:
            return Changed(order_id=order_id, order=None, fills=[])
        if outcome.last["kind"] == EventKind.REFUSED:
            raise self._refused(order_id, Reason(int(outcome.last["reason"])))
        image = order_of_event(outcome.last)
        self._recent.note_image(image)
        return Changed(
            order_id=order_id,
            order=self._reading.view(image),
            fills=[trade_view(units, trade_of_event(event)) for event in outcome.trades],
        )

    async def _send(
        self,
        market: Market,
        kind: CommandKind,
        *,
        order_id: int = 0,
        user_id: int = 0,
        side: int = 0,
        price_ticks: int = 0,
        quantity_lots: int = 0,
    ) -> Outcome | None:
        command_id = self._ids.next()
        command = commands.change(
            kind,
            command_id=command_id,
            time_us=now_us(),
            order_id=order_id,
            user_id=user_id,
            side=side,
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
        )
        with self._waiters.expect(command_id) as waiter:
            await self._sender.change(market, command, order_id=order_id)
            return await waiter.outcome(WAIT_S)

    def _refused(self, order_id: int, reason: Reason) -> ApiError:
        if reason is not Reason.UNKNOWN_ORDER:
            return refusal(reason)
        if self._recent.is_unsettled(order_id):
            return UnavailableError(
                "OUTCOME_UNKNOWN", "The log has not confirmed this order yet.", retry_after_s=1
            )
        # It was found before the command was sent, so it has been in the book.
        return ConflictError(reason.name, "The order is finished: nothing of it is open any more.")


def _refused_finished(order: StoredOrder, owner_id: int, acting_id: int) -> ApiError:
    if acting_id != owner_id:
        return refusal(Reason.NOT_OWNER)
    status = OrderStatus(order.status).name
    return ConflictError(
        Reason.UNKNOWN_ORDER.name, f"The order is {status}: nothing of it is open any more."
    )
