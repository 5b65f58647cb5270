"""Placing many orders of one request: one record a market, one answer an order."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import msgspec

from actors.book.market import Market
from actors.platform.errors import ForkastError
from api.asgi.errors import ApiError, InvalidRequestError, from_platform_error
from api.exchange.decimals import MarketUnits
from api.exchange.drafts import OrderDraft
from api.exchange.intake import CLIENT_ID_WAIT_S, OrderIntake, unknown_user
from api.exchange.sending import now_us
from api.exchange.settling import Placed
from api.exchange.waiting import Waiter
from api.rest import requests
from api.rest.requests import PlaceRequest


@dataclass(slots=True)
class _Item:
    """One order of a batch on its way: it has a draft, or what it was refused for."""

    draft: OrderDraft | None = None
    error: ApiError | None = None
    order_id: int = 0
    waiter: Waiter | None = None


class BatchPlacing:
    """Take batches of orders of clients."""

    def __init__(self, intake: OrderIntake, *, batch_orders: int) -> None:
        self._intake = intake
        self._batch_orders = batch_orders

    async def place(self, body: bytes) -> list[Placed | ApiError]:
        """Place the orders of a body and answer each, in order.

        Raises ApiError where the body as a whole cannot be taken.
        """
        drafts = self._drafts(body)
        unknown = await self._unknown_users(drafts)
        with ExitStack() as waiting:
            items = [self._number(draft, unknown, waiting) for draft in drafts]
            await self._send(items)
            return await self._answers(items)

    def _drafts(self, body: bytes) -> list[OrderDraft | ApiError]:
        orders = requests.decode_batch(body)
        if not 1 <= len(orders) <= self._batch_orders:
            raise InvalidRequestError(
                "BATCH_SIZE", f"A batch holds 1 to {self._batch_orders} orders, not {len(orders)}."
            )
        time_us = now_us()
        closed: dict[MarketUnits, ApiError | None] = {}
        return [self._draft(order, time_us, closed) for order in orders]

    def _draft(
        self,
        order: PlaceRequest | msgspec.Raw,
        time_us: int,
        closed: dict[MarketUnits, ApiError | None],
    ) -> OrderDraft | ApiError:
        try:
            if isinstance(order, msgspec.Raw):
                order = requests.decode(requests.PLACE, order)
            draft = self._intake.drafting.draft(order, now_us=time_us)
        except ApiError as error:
            return error
        if draft.units not in closed:
            closed[draft.units] = self._closed(draft.units.market)
        return closed[draft.units] or draft

    def _closed(self, market: Market) -> ApiError | None:
        try:
            self._intake.watch.check(market)
        except ApiError as error:
            return error
        return None

    async def _unknown_users(self, drafts: Sequence[OrderDraft | ApiError]) -> set[int]:
        users = {draft.user_id for draft in drafts if isinstance(draft, OrderDraft)}
        try:
            return {user for user in users if not await self._intake.users.exists(user)}
        except ForkastError as error:
            raise from_platform_error(error) from error

    def _number(self, draft: OrderDraft | ApiError, unknown: set[int], waiting: ExitStack) -> _Item:
        if isinstance(draft, ApiError):
            return _Item(error=draft)
        if draft.user_id in unknown:
            return _Item(error=unknown_user())
        item = _Item(draft=draft, order_id=self._intake.ids.next())
        if draft.client_order_id:
            try:
                item.waiter = waiting.enter_context(self._intake.waiters.expect(item.order_id))
            except ApiError as error:
                return _Item(error=error)
        return item

    async def _send(self, items: Sequence[_Item]) -> None:
        by_market: dict[int, list[_Item]] = defaultdict(list)
        for item in items:
            if item.draft is not None:
                by_market[item.draft.units.market.market_id].append(item)
        await asyncio.gather(*(self._send_market(group) for group in by_market.values()))

    async def _send_market(self, items: Sequence[_Item]) -> None:
        time_us = now_us()
        packed: list[bytes] = []
        market: Market | None = None
        for item in items:
            assert item.draft is not None  # noqa: S101
            market = item.draft.units.market
            self._intake.recent.note_sent(item.order_id, market=market, user_id=item.draft.user_id)
            packed.append(item.draft.command(order_id=item.order_id, time_us=time_us))
        assert market is not None  # noqa: S101
        failure = await self._intake.sender.place(
            market, packed, order_ids=[item.order_id for item in items]
        )
        if failure is None:
            return
        for item in items:
            item.error = failure.about(item.order_id)

    async def _answers(self, items: Sequence[_Item]) -> list[Placed | ApiError]:
        waited = [item for item in items if item.waiter is not None and item.error is None]
        settled = await asyncio.gather(*(self._settled(item) for item in waited))
        late = {item.order_id: answer for item, answer in zip(waited, settled, strict=True)}
        return [
            item.error or late.get(item.order_id) or Placed(order_id=item.order_id)
            for item in items
        ]

    async def _settled(self, item: _Item) -> Placed | ApiError:
        assert item.draft is not None and item.waiter is not None  # noqa: PT018, S101
        try:
            return await self._intake.settling.placed(
                item.draft, item.waiter, timeout_s=CLIENT_ID_WAIT_S, show=False
            )
        except ApiError as error:
            return error
        except ForkastError as error:
            return from_platform_error(error)
