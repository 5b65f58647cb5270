"""Clients that post single orders at a rate, on a bounded number of connections.

The loop is open: an order is sent when it is due, whatever became of those before it. One for which
no connection is free is not sent at all, and counted: waiting in the client is not the platform's.
"""

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

import msgspec

from actors.platform.trace import now_us
from cluster.errors import ClusterError
from cluster.tools.bench.load.channel import Answer, OrderChannel, order_request

_TICK_S = 0.002
_ANSWERS_S = 30.0
_BACK_OFF_S = 0.05


class _Told(msgspec.Struct, rename="camel", gc=False):
    order_id: str = "0"
    code: str = ""


_told = msgspec.json.Decoder(_Told)


@dataclass(slots=True)
class Tally:
    """What became of a load; times in microseconds.

    `due` orders of which `unsent` found no free connection. `sent_us` holds, by order id, when one
    that was accepted was sent. `refused` counts 503s by code, `failed` every other answer by
    status, and 0 for a connection that was cut; `silent_refusals` are 503s without Retry-After.
    """

    due: int = 0
    unsent: int = 0
    sent_us: dict[int, int] = field(default_factory=dict)
    accepted_us: list[int] = field(default_factory=list)
    refused_us: list[int] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[int] = field(default_factory=Counter)
    silent_refusals: int = 0

    def take(self, answer: Answer | None, *, sent_us: int) -> bool:
        """Count an answer; say whether the order was accepted."""
        took_us = now_us() - sent_us
        if answer is not None and answer.status == HTTPStatus.CREATED:
            self.sent_us[int(_told.decode(answer.body).order_id)] = sent_us
            self.accepted_us.append(took_us)
            return True
        if answer is not None and answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.refused[_told.decode(answer.body).code] += 1
            self.refused_us.append(took_us)
            self.silent_refusals += not answer.retry_after
        else:
            self.failed[answer.status if answer is not None else 0] += 1
        return False


class OrderClients:
    """So many connections to a platform, from entering to leaving, that post orders in turn."""

    def __init__(self, url: str, bodies: Sequence[bytes], *, connections: int) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        requests = [order_request(f"{self._host}:{self._port}", body) for body in bodies]
        self._requests: Iterator[bytes] = itertools.cycle(requests)
        self._connections = connections
        # The one that has been idle longest is the next, or the server would close it.
        self._free: deque[OrderChannel] = deque()
        self._busy: dict[OrderChannel, int] = {}
        self._reopening: set[asyncio.Task[None]] = set()
        self._tally = Tally()
        self._closed_loop_until_s = 0.0

    async def __aenter__(self) -> Self:
        try:
            for _ in range(self._connections):
                await self._open()
        except OSError as error:
            raise ClusterError(f"the platform takes no connection: {error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._reopening:
            task.cancel()
        await asyncio.gather(*self._reopening, return_exceptions=True)
        for channel in (*self._free, *self._busy):
            channel.close()
        self._free.clear()
        self._busy.clear()

    async def hold(self, *, orders_per_second: float, seconds: float) -> Tally:
        """Send at an even rate; return when all that was sent is answered."""
        loop = asyncio.get_running_loop()
        self._tally = tally = Tally()
        began_s = loop.time()
        last = round(orders_per_second * seconds)
        while tally.due < last:
            due = min(last, int((loop.time() - began_s) * orders_per_second) + 1)
            for _ in range(tally.due, due):
                if not self._send():
                    tally.unsent += 1
            tally.due = due
            await asyncio.sleep(_TICK_S)
        await self._answered_all()
        return tally

    async def saturate(self, *, clients: int, seconds: float) -> Tally:
        """Let so many clients send the next order when they have the answer to the last one.

        One that was refused waits a little. Returns when all that was sent is answered.
        """
        loop = asyncio.get_running_loop()
        self._tally = tally = Tally()
        self._closed_loop_until_s = loop.time() + seconds
        for _ in range(min(clients, len(self._free))):
            self._send_counted()
        await asyncio.sleep(seconds)
        await self._answered_all()
        self._closed_loop_until_s = 0.0
        return tally

    def _send(self) -> bool:
        while self._free:
            channel = self._free.popleft()
            if channel.open:
                self._busy[channel] = now_us()
                channel.post(next(self._requests))
                return True
            self._reopen()
        return False

    def _send_counted(self) -> None:
        if asyncio.get_running_loop().time() < self._closed_loop_until_s:
            self._tally.due += 1
            self._tally.unsent += not self._send()

    def _on_answer(self, channel: OrderChannel, answer: Answer | None) -> None:
        sent_us = self._busy.pop(channel)
        accepted = self._tally.take(answer, sent_us=sent_us)
        if answer is None:
            self._reopen()
        elif channel.open:
            self._free.append(channel)
        if accepted:
            self._send_counted()
        elif self._closed_loop_until_s:
            asyncio.get_running_loop().call_later(_BACK_OFF_S, self._send_counted)

    def _reopen(self) -> None:
        task = asyncio.create_task(self._open_again())
        self._reopening.add(task)
        task.add_done_callback(self._reopening.discard)

    async def _open_again(self) -> None:
        """Connect again, for as long as it takes."""
        while True:
            try:
                return await self._open()
            except OSError:
                await asyncio.sleep(_BACK_OFF_S)

    async def _open(self) -> None:
        _, channel = await asyncio.get_running_loop().create_connection(
            lambda: OrderChannel(self._on_answer), self._host, self._port
        )
        self._free.append(channel)

    async def _answered_all(self) -> None:
        try:
            async with asyncio.timeout(_ANSWERS_S):
                while self._busy:  # noqa: ASYNC110 - a callback for each answer would cost more
                    await asyncio.sleep(_TICK_S)
        except TimeoutError as error:
            raise ClusterError(
                f"{len(self._busy)} orders had no answer within {_ANSWERS_S:g} s"
            ) from error
