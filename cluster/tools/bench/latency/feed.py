"""Socket.IO client that follows pairs and notes when it hears of each order first.

It speaks just enough of the protocol, over one WebSocket: a general client spends more on a
message than the hub does, and both share the machine.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Self

import aiohttp
import msgspec

from actors.platform.trace import now_us
from cluster.errors import ClusterError

_ANSWER_S = 20.0
_PATH = "/socket.io/?EIO=4&transport=websocket"
_OPEN, _PING, _PONG, _CONNECT = "0", "2", "3", "40"
_EVENT, _ACK = "42", "43"
_ORDER = '42["order_update",'


class _Order(msgspec.Struct, rename="camel", gc=False):
    id: str
    trading_pair: str
    sequence: int


_order = msgspec.json.Decoder(_Order)


class FeedError(ClusterError):
    """The realtime feed of a bench ended, or was refused."""


class Feed:
    """Follow `pairs` from entering to leaving.

    `seen_us` holds, by order id, when the first event of an order was here, in microseconds;
    `newest` the last sequence heard, by pair.
    """

    def __init__(self, url: str, pairs: Sequence[str]) -> None:
        self._url = url.rstrip("/") + _PATH
        self._pairs = pairs
        self._exit = contextlib.AsyncExitStack()
        self._following: asyncio.Task[None] | None = None
        self.seen_us: dict[int, int] = {}
        self.newest: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            try:
                socket = await stack.enter_async_context(
                    http.ws_connect(self._url, max_msg_size=0, compress=0)
                )
                async with asyncio.timeout(_ANSWER_S):
                    await self._join(socket)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise FeedError(f"the realtime feed cannot be followed: {error!r}") from error
            self._following = asyncio.create_task(self._follow(socket), name="feed")
            self._exit = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._exit.aclose()

    def check(self) -> None:
        """Raise FeedError where the feed has ended."""
        if self._following is not None and self._following.done():
            raise FeedError("the realtime feed ended") from self._following.exception()

    async def _join(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await _until(socket, _OPEN)
        await socket.send_str(_CONNECT)
        await _until(socket, _CONNECT)
        for number, pair in enumerate(self._pairs):
            ask = msgspec.json.encode(["subscribe", {"room": pair}]).decode()
            await socket.send_str(f"{_EVENT}{number}{ask}")
            answer = await _until(socket, f"{_ACK}{number}[")
            if '"room"' not in answer:
                raise FeedError(f"{pair} cannot be followed: {answer[:200]}")

    async def _follow(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            text = message.data
            if text.startswith(_ORDER):
                self._note(_order.decode(text[len(_ORDER) : -1]))
            elif text == _PING:
                await socket.send_str(_PONG)

    def _note(self, order: _Order) -> None:
        self.seen_us.setdefault(int(order.id), now_us())
        self.newest[order.trading_pair] = order.sequence


async def _until(socket: aiohttp.ClientWebSocketResponse, start: str) -> str:
    """Return the first message that starts so; events that come before it are passed over."""
    while True:
        text: str = await socket.receive_str()
        if text.startswith(start):
            return text
        if text == _PING:
            await socket.send_str(_PONG)
