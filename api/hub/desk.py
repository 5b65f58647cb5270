"""Orders that clients place and cancel through the hub, answered as REST answers them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol

from api.exchange.exchange import Exchange
from api.exchange.ids import parse_order_id
from api.json.answers import CANCELLED, ChangedOrder, PlacedOrder, changed_view, placed_view
from api.json.orders import new_order, principal_of
from api.json.requests import CancelOrder, PlaceOrder, agreed_user_id, convert


class OrderDesk(Protocol):
    """Whoever takes orders, decoded once. Everything may raise Refusal and ForkastError."""

    async def place(self, data: Any) -> Any:
        """Place an order and return the answer of `POST /orders`."""
        ...

    async def cancel(self, data: Any) -> Any:
        """Cancel `{orderId, userId}` and return the answer of `DELETE /orders/{id}`."""
        ...


class ExchangeDesk:
    """An exchange opened with the first order: a hub that only tells needs none.

    All who ask while it opens wait for the same attempt; who asks after one that failed begins
    another.
    """

    def __init__(self, open_exchange: Callable[[], AbstractAsyncContextManager[Exchange]]) -> None:
        self._open_exchange = open_exchange
        self._stack = AsyncExitStack()
        self._opening: asyncio.Task[Exchange] | None = None
        self._exchange: Exchange | None = None

    def check_health(self) -> None:
        """Raise RuntimeError when a loop of the exchange has ended."""
        ended = self._exchange.ended_loops() if self._exchange is not None else []
        if ended:
            raise RuntimeError(f"the exchange's loops have ended: {', '.join(ended)}")

    async def place(self, data: Any) -> PlacedOrder:
        """Place an order and return the answer of `POST /orders`."""
        asked = convert(PlaceOrder, data)
        exchange = await self._opened()
        principal, order = new_order(exchange.markets, asked)
        placed = await exchange.entry.place(principal, order)
        return placed_view(exchange.markets[asked.trading_pair], placed)

    async def cancel(self, data: Any) -> ChangedOrder:
        """Cancel `{orderId, userId}` and return the answer of `DELETE /orders/{id}`."""
        asked = convert(CancelOrder, data)
        principal = principal_of(agreed_user_id(asked.user_id))
        exchange = await self._opened()
        located = await exchange.orders.locate(parse_order_id(asked.order_id))
        changed = await exchange.changes.cancel(principal, located)
        return changed_view(exchange.markets[located.market.pair], changed, done=CANCELLED)

    async def close(self) -> None:
        """Disconnect the exchange, where it was opened."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        await self._stack.aclose()

    async def _opened(self) -> Exchange:
        if self._exchange is not None:
            return self._exchange
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="opening of the exchange")
            self._opening.add_done_callback(self._note_opened)
        # A client that goes away must not take the others' attempt with it.
        return await asyncio.shield(self._opening)

    async def _open(self) -> Exchange:
        return await self._stack.enter_async_context(self._open_exchange())

    def _note_opened(self, opening: asyncio.Task[Exchange]) -> None:
        self._opening = None
        # Asked for here too, for all who waited may be gone.
        if not opening.cancelled() and opening.exception() is None:
            self._exchange = opening.result()
