"""Open loop of single orders: each is sent when it is due, whatever became of those before it."""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import AsyncExitStack

import httpx
import msgspec

from actors.platform.trace import now_us
from cluster.tools.bench.pipeline.http_client import BenchRequestError, Connection

_CONNECTIONS = (2, 64)
# Servers close a connection that was idle for 5 s.
_CONNECTION_IDLE_S = 2.0
_WARM_RATE = 100.0
_WARM_S = 3.0


class _Placed(msgspec.Struct, rename="camel", gc=False):
    order_id: str


_placed = msgspec.json.Decoder(_Placed)


def connections_for(orders_per_second: float) -> int:
    """Return how many connections to use in turn, so that none is idle for long."""
    least, most = _CONNECTIONS
    return min(most, max(least, int(orders_per_second * _CONNECTION_IDLE_S)))


class OpenLoad:
    """Post single orders at an even rate and note when each was sent and answered.

    `sent_us` holds, by order id, when an order that was accepted was sent, `answered_us` when its
    answer was here, both in microseconds; `late_us` how much later than due each was sent.
    `refused` counts those for which the platform was too busy. An order is sent the moment that
    it is handed to the connections: waiting for a free one is part of its way.
    """

    def __init__(self, url: str, bodies: Sequence[bytes]) -> None:
        self._url = url
        self._bodies = itertools.cycle(bodies)
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        self.sent_us: dict[int, int] = {}
        self.answered_us: dict[int, int] = {}
        self.late_us: list[int] = []
        self.refused = 0

    async def run(self, *, orders_per_second: float, seconds: float) -> None:
        """Send until it is over, and return when all are answered.

        Raises an ExceptionGroup of BenchRequestError and OSError.
        """
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            for _ in range(connections_for(orders_per_second)):
                self._free.put_nowait(await stack.enter_async_context(Connection(self._url)))
            group = await stack.enter_async_context(asyncio.TaskGroup())
            began_s = loop.time()
            for number in range(max(1, round(orders_per_second * seconds))):
                due_s = began_s + number / orders_per_second
                if (wait_s := due_s - loop.time()) > 0:
                    await asyncio.sleep(wait_s)
                self.late_us.append(int((loop.time() - due_s) * 1e6))
                group.create_task(self._post(next(self._bodies), now_us()))

    async def _post(self, body: bytes, sent_us: int) -> None:
        connection = await self._free.get()
        status, answer = await connection.post("/orders", body)
        self._free.put_nowait(connection)
        if status == httpx.codes.CREATED:
            order_id = int(_placed.decode(answer).order_id)
            self.sent_us[order_id] = sent_us
            self.answered_us[order_id] = now_us()
        elif status == httpx.codes.SERVICE_UNAVAILABLE:
            self.refused += 1
        else:
            raise BenchRequestError(f"the gateway answered {status}: {answer[:200].decode()}")


async def warmed_up(url: str, bodies: Sequence[bytes]) -> OpenLoad:
    """Send some orders, whose times are nobody's business: the first of anything is the slowest.

    Raises as `OpenLoad.run`.
    """
    load = OpenLoad(url, bodies)
    await load.run(orders_per_second=_WARM_RATE, seconds=_WARM_S)
    return load
