"""Changes of what lies in a book: cancels, amends, halts, each answered by the book itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from actors.book.market import Market
from actors.book.reasons import Reason
from actors.book.vocabulary import CommandKind, EventKind, OrderStatus, Side
from api.exchange import commands
from api.exchange.ids import IdGenerator
from api.exchange.orders import Located
from api.exchange.refusals import ConflictError, Refusal, UnavailableError, malformed, refusal
from api.exchange.sender import Sender, SentOrders, now_us
from api.exchange.values import Changed, Order, Principal, order_of_event, trade_of_event
from api.exchange.waiting import Outcome, OutcomeWaiters

WAIT_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderChanges:
    """Cancel, amend, halt and resume. Everything may raise Refusal and ForkastError.

    Without a principal an order is changed as its owner.
    """

    ids: IdGenerator
    sent: SentOrders
    sender: Sender
    waiters: OutcomeWaiters

    async def cancel(self, principal: Principal | None, located: Located) -> Changed:
        """Cancel what is open of an order that `Orders.locate` has found."""
        return await self._change(CommandKind.CANCEL, principal, located)

    async def amend(
        self,
        principal: Principal | None,
        located: Located,
        *,
        price_ticks: int = 0,
        quantity_lots: int = 0,
    ) -> Changed:
        """Give an order a new price, a new total quantity, or both; 0 leaves what it has."""
        if not price_ticks and not quantity_lots:
            raise malformed("Give a price, a quantity or both.")
        return await self._change(
            CommandKind.AMEND,
            principal,
            located,
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
        )

    async def cancel_all(
        self, principal: Principal, markets: Sequence[Market], *, side: Side | None
    ) -> dict[str, int | None]:
        """Cancel open orders; return how many by pair, None where it is not known (yet).

        Raises Refusal only where no market could be told.
        """
        outcomes = await asyncio.gather(
            *(
                self._send(
                    market, CommandKind.CANCEL_ALL, user_id=principal.user_id, side=side or 0
                )
                for market in markets
            ),
            return_exceptions=True,
        )
        refused = [one for one in outcomes if isinstance(one, BaseException)]
        if unexpected := [one for one in refused if not isinstance(one, Refusal)]:
            raise unexpected[0]
        if refused and len(refused) == len(outcomes):
            raise refused[0]
        return {
            market.pair: int(outcome.last["quantity_lots"])
            if isinstance(outcome, Outcome)
            else None
            for market, outcome in zip(markets, outcomes, strict=True)
        }

    async def set_halted(self, market: Market, *, halted: bool) -> bool:
        """Halt or resume a market; return whether it has happened already."""
        kind = CommandKind.HALT if halted else CommandKind.RESUME
        return await self._send(market, kind) is not None

    async def _change(
        self,
        kind: CommandKind,
        principal: Principal | None,
        located: Located,
        *,
        price_ticks: int = 0,
        quantity_lots: int = 0,
    ) -> Changed:
        order_id = located.order_id
        acting_id = located.user_id if principal is None else principal.user_id
        if located.finished is not None:
            raise _refused_finished(located.finished, located.user_id, acting_id)
        outcome = await self._send(
            located.market,
            kind,
            order_id=order_id,
            user_id=acting_id,
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
        )
        if outcome is None:
            return Changed(order_id=order_id)
        if outcome.last["kind"] == EventKind.REFUSED:
            raise self._refused(order_id, Reason(int(outcome.last["reason"])))
        return Changed(
            order_id=order_id,
            order=order_of_event(outcome.last),
            trades=tuple(trade_of_event(event) for event in outcome.trades),
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
        command_id = self.ids.next()
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
        with self.waiters.expect(command_id) as waiter:
            await self.sender.change(market, command, order_id=order_id)
            return await waiter.outcome(WAIT_S)

    def _refused(self, order_id: int, reason: Reason) -> Refusal:
        if reason is not Reason.UNKNOWN_ORDER:
            return refusal(reason)
        if self.sent.is_unsettled(order_id):
            return UnavailableError(
                "OUTCOME_UNKNOWN", "The log has not confirmed this order yet.", retry_after_s=1
            )
        # It was found before the command was sent, so it has been in the book.
        return ConflictError(reason.name, "The order is finished: nothing of it is open any more.")


def _refused_finished(order: Order, owner_id: int, acting_id: int) -> Refusal:
    if acting_id != owner_id:
        return refusal(Reason.NOT_OWNER)
    status = OrderStatus(order.status).name
    return ConflictError(
        Reason.UNKNOWN_ORDER.name, f"The order is {status}: nothing of it is open any more."
    )
