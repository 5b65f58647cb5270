"""Order entry: orders judged, numbered, logged, and answered when the log has them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from actors.book.market import Market
from api.exchange.admission import Admission
from api.exchange.decimals import MarketDecimals
from api.exchange.ids import IdGenerator
from api.exchange.refusals import InvalidError, Refusal, unknown_user
from api.exchange.rules import check_order
from api.exchange.sender import Sender, SentOrders, now_us
from api.exchange.settlement import Settlement
from api.exchange.storage.users import UsersRepository
from api.exchange.values import NewOrder, Placed, Principal
from api.exchange.waiting import OutcomeWaiters, Waiter
from api.exchange.watch import MarketWatch

# An order with a client order id is answered when the book has answered.
CLIENT_ID_WAIT_S = 5.0


@dataclass(slots=True)
class _Item:
    """One order of a batch on its way, or what it was refused for."""

    order: NewOrder | None
    user_id: int = 0
    refused: Refusal | None = None
    order_id: int = 0
    waiter: Waiter | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderEntry:
    """Take orders, one or many. Everything may raise Refusal and ForkastError."""

    decimals: dict[str, MarketDecimals]
    users: UsersRepository
    watch: MarketWatch
    admission: Admission
    ids: IdGenerator
    sent: SentOrders
    sender: Sender
    waiters: OutcomeWaiters
    settlement: Settlement
    batch_orders: int

    async def place(self, principal: Principal, order: NewOrder, *, wait_s: float = 0.0) -> Placed:
        """Place an order; wait up to `wait_s` for what the book makes of it."""
        check_order(self.decimals[order.market.pair], order, now_us=now_us())
        self._check_open(order.market)
        if not await self.users.exists(principal.user_id):
            raise unknown_user()
        order_id = self.ids.next()
        if not wait_s and not order.client_order_id:
            await self._send_one(order, order_id, principal.user_id)
            return Placed(order_id=order_id)
        timeout_s = max(wait_s, CLIENT_ID_WAIT_S) if order.client_order_id else wait_s
        with self.waiters.expect(order_id) as waiter:
            await self._send_one(order, order_id, principal.user_id)
            return await self.settlement.placed(order, waiter, timeout_s=timeout_s, show=wait_s > 0)

    async def place_many(
        self, orders: Sequence[tuple[Principal, NewOrder] | Refusal]
    ) -> list[Placed | Refusal]:
        """Place orders, one record a market, and answer each, in order; one may fail by itself.

        What the door could not read stands among them as a refusal. Raises Refusal where there are
        too many or none.
        """
        self.check_count(len(orders))
        items = self._judged(orders)
        await self._refuse_unknown_users(items)
        with ExitStack() as waiting:
            self._number(items, waiting)
            await self._send_many(items)
            return await self._answers(items)

    def check_count(self, count: int) -> None:
        """Raise Refusal where a batch may not hold so many orders."""
        if not 1 <= count <= self.batch_orders:
            raise InvalidError(
                "BATCH_SIZE", f"A batch holds 1 to {self.batch_orders} orders, not {count}."
            )

    def _judged(self, orders: Sequence[tuple[Principal, NewOrder] | Refusal]) -> list[_Item]:
        time_us = now_us()
        closed: dict[str, Refusal | None] = {}
        items = []
        for one in orders:
            if isinstance(one, Refusal):
                items.append(_Item(None, 0, one))
                continue
            principal, order = one
            pair = order.market.pair
            try:
                check_order(self.decimals[pair], order, now_us=time_us)
            except Refusal as refused:
                items.append(_Item(None, 0, refused))
                continue
            if pair not in closed:
                closed[pair] = self._closed(order.market)
            items.append(_Item(order, principal.user_id, closed[pair]))
        return items

    def _check_open(self, market: Market) -> None:
        self.watch.check(market)
        self.admission.check(market)

    def _closed(self, market: Market) -> Refusal | None:
        try:
            self._check_open(market)
        except Refusal as refused:
            return refused
        return None

    async def _refuse_unknown_users(self, items: Sequence[_Item]) -> None:
        users = {item.user_id for item in items if item.refused is None}
        unknown = {user_id for user_id in users if not await self.users.exists(user_id)}
        if unknown:
            for item in items:
                if item.refused is None and item.user_id in unknown:
                    item.refused = unknown_user()

    def _number(self, items: Sequence[_Item], waiting: ExitStack) -> None:
        """Give every order that is taken its id, and a waiter where it needs one."""
        taken = [item for item in items if item.refused is None]
        for item, order_id in zip(taken, self.ids.take(len(taken)), strict=True):
            item.order_id = order_id
            if item.order is not None and item.order.client_order_id:
                try:
                    item.waiter = waiting.enter_context(self.waiters.expect(order_id))
                except Refusal as refused:
                    item.refused = refused

    async def _send_one(self, order: NewOrder, order_id: int, user_id: int) -> None:
        command = order.command(order_id=order_id, user_id=user_id, time_us=now_us())
        self.sent.note(order_id, order, user_id=user_id)
        refused = await self.sender.place(order.market, (command,), order_ids=(order_id,))
        if refused is not None:
            raise refused

    async def _send_many(self, items: Sequence[_Item]) -> None:
        by_market: dict[int, list[tuple[_Item, NewOrder]]] = defaultdict(list)
        for item in items:
            if item.order is not None and item.refused is None:
                by_market[item.order.market.market_id].append((item, item.order))
        await asyncio.gather(*(self._send_market(group) for group in by_market.values()))

    async def _send_market(self, group: Sequence[tuple[_Item, NewOrder]]) -> None:
        market, time_us = group[0][1].market, now_us()
        self.sent.note_many(market, ((item.order_id, order, item.user_id) for item, order in group))
        packed = [
            order.command(order_id=item.order_id, user_id=item.user_id, time_us=time_us)
            for item, order in group
        ]
        order_ids = [item.order_id for item, _ in group]
        refused = await self.sender.place(market, packed, order_ids=order_ids)
        if refused is None:
            return
        for item, _ in group:
            item.refused = refused.about(item.order_id)

    async def _answers(self, items: Sequence[_Item]) -> list[Placed | Refusal]:
        waited = [item for item in items if item.waiter is not None and item.refused is None]
        settled = await asyncio.gather(*(self._settled(item) for item in waited))
        late = {item.order_id: answer for item, answer in zip(waited, settled, strict=True)}
        return [
            item.refused or late.get(item.order_id) or Placed(order_id=item.order_id)
            for item in items
        ]

    async def _settled(self, item: _Item) -> Placed | Refusal:
        assert item.order is not None and item.waiter is not None  # noqa: PT018, S101
        try:
            return await self.settlement.placed(
                item.order, item.waiter, timeout_s=CLIENT_ID_WAIT_S, show=False
            )
        except Refusal as refused:
            return refused
