"""Placing one order: judged, numbered, logged, and answered when the log has it."""

from api.exchange.drafts import OrderDraft
from api.exchange.intake import CLIENT_ID_WAIT_S, OrderIntake, unknown_user
from api.exchange.sending import now_us
from api.exchange.settling import Placed
from api.rest import requests


class Placing:
    """Take single orders of clients."""

    def __init__(self, intake: OrderIntake) -> None:
        self._intake = intake

    async def place(self, body: bytes, *, wait_s: float = 0.0) -> Placed:
        """Place the order of a body; wait up to `wait_s` for what the book makes of it.

        Raises ApiError and ForkastError.
        """
        intake = self._intake
        draft = intake.drafting.draft(requests.decode(requests.PLACE, body), now_us=now_us())
        intake.watch.check(draft.units.market)
        if not await intake.users.exists(draft.user_id):
            raise unknown_user()
        order_id = intake.ids.next()
        if not wait_s and not draft.client_order_id:
            await self._send(draft, order_id)
            return Placed(order_id=order_id)
        timeout_s = max(wait_s, CLIENT_ID_WAIT_S) if draft.client_order_id else wait_s
        with intake.waiters.expect(order_id) as waiter:
            await self._send(draft, order_id)
            return await intake.settling.placed(draft, waiter, timeout_s=timeout_s, show=wait_s > 0)

    async def _send(self, draft: OrderDraft, order_id: int) -> None:
        market = draft.units.market
        command = draft.command(order_id=order_id, time_us=now_us())
        self._intake.recent.note_sent(order_id, market=market, user_id=draft.user_id)
        failure = await self._intake.sender.place(market, (command,), order_ids=(order_id,))
        if failure is not None:
            raise failure
