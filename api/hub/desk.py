"""Orders that clients place and cancel through the hub: JSON in, the REST API's answers out."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol

import msgspec

from api.exchange.gateway import Gateway
from api.exchange.ids import parse_order_id
from api.rest import requests


class OrderDesk(Protocol):
    """Whoever takes orders. Everything may raise ApiError and ForkastError."""

    async def place(self, body: bytes) -> Any:
        """Place the order of a body and return the answer of `POST /orders`."""
        ...

    async def cancel(self, body: bytes) -> Any:
        """Cancel `{orderId, userId}` and return the answer of `DELETE /orders/{id}`."""
        ...


class CancelRequest(msgspec.Struct, rename="camel", gc=False):
    """Which order to cancel; whose it must be, where that is to be checked."""

    order_id: str
    user_id: int | str | None = None


_CANCEL = msgspec.json.Decoder(CancelRequest)


class GatewayDesk:
    """The gateway's services, opened with the first order: a hub that only tells needs none."""

    def __init__(self, open_gateway: Callable[[], AbstractAsyncContextManager[Gateway]]) -> None:
        self._open_gateway = open_gateway
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._gateway: Gateway | None = None

    async def place(self, body: bytes) -> dict[str, Any]:
        """Place the order of a body and return the answer of `POST /orders`."""
        placed = await (await self._opened()).placing.place(body)
        return {"message": placed.message, "orderId": str(placed.order_id)}

    async def cancel(self, body: bytes) -> dict[str, Any]:
        """Cancel `{orderId, userId}` and return the answer of `DELETE /orders/{id}`."""
        request = requests.decode(_CANCEL, body)
        user_id = None if request.user_id is None else requests.parse_user_id(request.user_id)
        changing = (await self._opened()).changing
        changed = await changing.cancel(parse_order_id(request.order_id), user_id=user_id)
        content: dict[str, Any] = {"orderId": str(changed.order_id)}
        if changed.order is None:
            return content | {"message": "Logged; the market has not answered yet"}
        return content | {
            "message": "Order cancelled",
            "order": changed.order,
            "fills": changed.fills,
        }

    async def close(self) -> None:
        """Disconnect the services, where they were opened."""
        await self._stack.aclose()

    async def _opened(self) -> Gateway:
        async with self._opening:
            if self._gateway is None:
                self._gateway = await self._stack.enter_async_context(self._open_gateway())
            return self._gateway
