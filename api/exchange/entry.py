"""Order entry: orders judged, numbered, logged, and answered when the log has them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from actors.book.market import Market
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

    order: NewOrder | None = None
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
    ids: IdGenerator
    sent: SentOrders
    sender: Sender
    waiters: OutcomeWaiters
    settlement: Settlement
    batch_orders: int

    async def place(self, principal: Principal, order: NewOrder, *, wait_s: float = 0.0) -> Placed:
        """Place an order; wait up to `wait_s` for what the book makes of it."""
        check_order(self.decimals[order.market.pair], order, now_us=now_us())
        self.watch.check(order.market)
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
        judged = self._judged(orders)
        unknown = await self._unknown_users(judged)
        with ExitStack() as waiting:
            items = [self._number(order, unknown, waiting) for order in judged]
            await self._send_many(items)
            return await self._answers(items)

    def check_count(self, count: int) -> None:
        """Raise Refusal where a batch may not hold so many orders."""
        if not 1 <= count <= self.batch_orders:
            raise InvalidError(
                "BATCH_SIZE", f"A batch holds 1 to {self.batch_orders} orders, not {count}."
            )

    def _judged(
        self, orders: Sequence[tuple[Principal, NewOrder] | Refusal]
    ) -> list[tuple[Principal, NewOrder] | Refusal]:
        time_us = now_us()
        closed: dict[str, Refusal | None] = {}
        judged: list[tuple[Principal, NewOrder] | Refusal] = []
        for one in orders:
            if isinstance(one, Refusal):
                judged.append(one)
                continue
            pair = one[1].market.pair
            try:
                check_order(self.decimals[pair], one[1], now_us=time_us)
            except Refusal as refused:
                judged.append(refused)
                continue
            if pair not in closed:
                closed[pair] = self._closed(one[1].market)
            judged.append(closed[pair] or one)
        return judged

    def _closed(self, market: Market) -> Refusal | None:
        try:
            self.watch.check(market)
        except Refusal as refused:
            return refused
        return None

    async def _unknown_users(
        self, orders: Sequence[tuple[Principal, NewOrder] | Refusal]
    ) -> set[int]:
        users = {one[0].user_id for one in orders if not isinstance(one, Refusal)}
        return {user_id for user_id in users if not await self.users.exists(user_id)}

    def _number(
        self, one: tuple[Principal, NewOrder] | Refusal, unknown: set[int], waiting: ExitStack
    ) -> _Item:
        if isinstance(one, Refusal):
            return _Item(refused=one)
        principal, order = one
        if principal.user_id in unknown:
            return _Item(refused=unknown_user())
        item = _Item(order=order, user_id=principal.user_id, order_id=self.ids.next())
        if order.client_order_id:
            try:
                item.waiter = waiting.enter_context(self.waiters.expect(item.order_id))
            except Refusal as refused:
                return _Item(refused=refused)
        return item

    async def _send_one(self, order: NewOrder, order_id: int, user_id: int) -> None:
        command = order.command(order_id=order_id, user_id=user_id, time_us=now_us())
        self.sent.note(order_id, order, user_id=user_id)
        refused = await self.sender.place(order.market, (command,), order_ids=(order_id,))
        if refused is not None:
            raise refused

    async def _send_many(self, items: Sequence[_Item]) -> None:
        by_market: dict[Market, list[tuple[_Item, NewOrder]]] = defaultdict(list)
        for item in items:
            if item.order is not None:
                by_market[item.order.market].append((item, item.order))
        await asyncio.gather(
            *(self._send_market(market, group) for market, group in by_market.items())
        )

    async def _send_market(self, market: Market, group: Sequence[tuple[_Item, NewOrder]]) -> None:
        time_us = now_us()
        packed: list[bytes] = []
        for item, order in group:
            self.sent.note(item.order_id, order, user_id=item.user_id)
            packed.append(
                order.command(order_id=item.order_id, user_id=item.user_id, time_us=time_us)
            )
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
