"""Clients that trade through each of the platform's doors, and remember what they were told."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import socketio

from cluster.tools.chaos.record import Sent

_PAUSE_S = 0.05
_ANSWER_S = 8.0
_BATCH = 8
_CANCELS = 0.2
_PRICES = (95, 105)
_QUANTITIES = (1, 20)
_DOORS = ("REST", "batch", "Socket.IO")


class Client(ABC):
    """One user that places one group of orders after another, and asks again where unsure."""

    group = 1

    def __init__(self, *, seed: int, user_id: int, pairs: Sequence[str]) -> None:
        self.sent: list[Sent] = []
        self.user_id = user_id
        self._pairs = pairs
        self._dice = random.Random(f"{seed}:client:{user_id}")
        self._unsettled: dict[str, list[Sent]] = {pair: [] for pair in pairs}

    async def trade(self, until: asyncio.Event) -> None:
        """Place orders until told to end."""
        while not until.is_set():
            pair = self._dice.choice(self._pairs)
            if self._unsettled[pair]:
                await self._try(self._unsettled[pair])
            else:
                await self._try([self._order(pair) for _ in range(self.group)])
            await asyncio.sleep(_PAUSE_S)

    async def settle(self) -> None:
        """Send again what is unsure until nothing is; the caller bounds the time."""
        while waiting := [orders for orders in self._unsettled.values() if orders]:
            for orders in waiting:
                await self._try(orders)
            await asyncio.sleep(_PAUSE_S)

    @abstractmethod
    async def place(self, orders: list[Sent]) -> list[dict[str, Any] | None]:
        """Send orders; return the answer to each, None where none came."""

    async def _try(self, orders: list[Sent]) -> None:
        self._unsettled[orders[0].pair] = orders
        for order, answer in zip(orders, await self.place(orders), strict=True):
            order.answered(answer)
        self._unsettled[orders[0].pair] = [order for order in orders if not order.settled]

    def _order(self, pair: str) -> Sent:
        client_order_id = f"{self.user_id}-{len(self.sent)}"
        body = {
            "tradingPair": pair,
            "type": self._dice.choice(("BUY", "SELL")),
            "price": str(self._dice.randint(*_PRICES)),
            "quantity": str(self._dice.randint(*_QUANTITIES)),
            "userId": self.user_id,
            "clientOrderId": client_order_id,
        }
        sent = Sent(client_order_id=client_order_id, body=body)
        self.sent.append(sent)
        return sent


class RestClient(Client):
    """Order by order by POST /orders; cancels some of them later."""

    def __init__(
        self, http: httpx.AsyncClient, *, seed: int, user_id: int, pairs: Sequence[str]
    ) -> None:
        super().__init__(seed=seed, user_id=user_id, pairs=pairs)
        self._http = http

    async def place(self, orders: list[Sent]) -> list[dict[str, Any] | None]:
        if self._dice.random() < _CANCELS:
            await self._cancel(self._dice.choice(self.sent))
        return [await _json(self._http, "POST", "/orders", order.body) for order in orders]

    async def _cancel(self, order: Sent) -> None:
        if order.settled:
            path = f"/orders/{order.order_id}"
            answer = await _json(self._http, "DELETE", path, {"userId": self.user_id})
            order.cancelled |= answer is not None and "order" in answer


class BatchClient(Client):
    """Eight orders at a time by POST /orders/batch."""

    group = _BATCH

    def __init__(
        self, http: httpx.AsyncClient, *, seed: int, user_id: int, pairs: Sequence[str]
    ) -> None:
        super().__init__(seed=seed, user_id=user_id, pairs=pairs)
        self._http = http

    async def place(self, orders: list[Sent]) -> list[dict[str, Any] | None]:
        bodies = [order.body for order in orders]
        answer = await _json(self._http, "POST", "/orders/batch", bodies)
        if answer is None or "results" not in answer:
            # A refusal of the whole is one of each.
            return [answer] * len(orders)
        return list(answer["results"])


class SocketClient(Client):
    """Order by order by Socket.IO; hears every order of the pairs."""

    def __init__(
        self, socket: socketio.AsyncClient, *, seed: int, user_id: int, pairs: Sequence[str]
    ) -> None:
        super().__init__(seed=seed, user_id=user_id, pairs=pairs)
        self._socket = socket
        self._ended = asyncio.Event()
        self.heard: set[str] = set()
        socket.on("disconnect", self._end)
        socket.on("order_update", self._hear)

    @property
    def connected(self) -> bool:
        return bool(self._socket.connected)

    async def stay_connected(self, url: str) -> None:
        """Connect, again after every end, until cancelled."""
        while True:
            self._ended.clear()
            try:
                async with asyncio.timeout(_ANSWER_S):
                    await self._socket.connect(url, transports=["websocket"])
                for pair in self._pairs:
                    await self._subscribe(pair)
                await self._ended.wait()
            except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError):
                await self._socket.disconnect()
            await asyncio.sleep(_PAUSE_S)

    async def place(self, orders: list[Sent]) -> list[dict[str, Any] | None]:
        return [await self._place(order) for order in orders]

    async def _place(self, order: Sent) -> dict[str, Any] | None:
        asked = asyncio.create_task(self._socket.call("place_order", order.body, timeout=_ANSWER_S))
        cut = asyncio.create_task(self._ended.wait())
        try:
            # The library waits for the answer over a connection that has ended, too.
            done, _ = await asyncio.wait((asked, cut), return_when=asyncio.FIRST_COMPLETED)
            answer: dict[str, Any] | None = asked.result() if asked in done else None
        except socketio.exceptions.SocketIOError:
            return None
        finally:
            asked.cancel()
            cut.cancel()
        return answer

    async def _subscribe(self, pair: str) -> None:
        """Follow a pair; a refusal (the log may be away) says to try again."""
        while True:
            answer = await self._socket.call("subscribe", {"room": pair}, timeout=_ANSWER_S)
            if "code" not in answer:
                return
            await asyncio.sleep(_PAUSE_S)

    async def _end(self, _: str) -> None:
        self._ended.set()

    async def _hear(self, order: dict[str, Any]) -> None:
        self.heard.add(order["id"])


@asynccontextmanager
async def clients(
    url: str, *, seed: int, pairs: Sequence[str]
) -> AsyncIterator[tuple[RestClient, BatchClient, SocketClient]]:
    """Open one client of each kind, each a user of its own."""
    async with (
        httpx.AsyncClient(base_url=url, timeout=_ANSWER_S, trust_env=False) as http,
        aiohttp.ClientSession() as session,
    ):
        users = [
            int((await http.post("/users", json={"name": name})).json()["id"]) for name in _DOORS
        ]
        socket = socketio.AsyncClient(reconnection=False, http_session=session)
        hearing = SocketClient(socket, seed=seed, user_id=users[2], pairs=pairs)
        connection = asyncio.create_task(hearing.stay_connected(url))
        try:
            yield (
                RestClient(http, seed=seed, user_id=users[0], pairs=pairs),
                BatchClient(http, seed=seed, user_id=users[1], pairs=pairs),
                hearing,
            )
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
            await socket.disconnect()


async def _json(http: httpx.AsyncClient, method: str, path: str, body: Any) -> Any:
    """Return a JSON answer of the platform's, None where the way there or back was cut."""
    try:
        answer = await http.request(method, path, json=body)
        content = answer.json()
    except (httpx.HTTPError, ValueError):
        return None
    return content if isinstance(content, dict) else None
