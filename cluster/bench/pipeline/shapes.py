"""The shapes of load: packed straight into the log, packed over REST, single, single at a pace."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import Any

import numpy as np

from actors.kafka.commands import KafkaCommandLog
from actors.topology import Topology
from api.ids import IdGenerator
from api.storage.database import Database
from api.storage.positions import lease_worker_number
from cluster.bench.pipeline.http_client import BenchRequestError, Connection
from cluster.bench.pipeline.orders import OrderSource, encoded_batches, encoded_singles
from cluster.state import RunState

_PACKED_COMMANDS = 500
_BATCH_ORDERS = 1_000
_BATCH_CONNECTIONS = 4
_PREPARED_BATCHES = 24
_PREPARED_SINGLES = 5_000
_CONNECTIONS = 32
# What may be on its way before the load waits for rows: a load is sustained if it can go on so.
_OUTSTANDING_ORDERS = 100_000
_WAIT_S = 0.002


@dataclass(kw_only=True, slots=True)
class Load:
    """What a shape needs: where to send, what to send, until when, and how far the rows are."""

    state: RunState
    topology: Topology
    sources: list[OrderSource]
    committed: "Synchronized[int]"
    until_s: float = 0.0
    rate_per_second: float = 0.0
    sent: int = 0

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.until_s


Shape = Callable[[Load], Coroutine[Any, Any, None]]


async def packed_log(load: Load) -> None:
    """Append records of 500 orders to each pair's log in turn, as a busy gateway would."""
    ids = IdGenerator(await _lease_worker(load.state))
    log = KafkaCommandLog(
        bootstrap=load.state.kafka_bootstrap,
        topology=load.topology,
        pending_commands=_OUTSTANDING_ORDERS,
        client_id="forkast-bench",
    )
    await log.start()
    begun = load.committed.value
    try:
        for source in itertools.cycle(load.sources):
            while load.sent - (load.committed.value - begun) > _OUTSTANDING_ORDERS:
                await asyncio.sleep(_WAIT_S)
                if load.over:
                    return
            if load.over:
                return
            commands = source.commands(_PACKED_COMMANDS)
            fresh = np.array([ids.next() for _ in range(_PACKED_COMMANDS)], np.int64)
            commands["order_id"] = commands["command_id"] = fresh
            commands["time_us"] = time.time_ns() // 1_000
            await log.append(source.market, commands)
            load.sent += len(commands)
    finally:
        await log.stop()


async def packed_rest(load: Load) -> None:
    """Post batches of 1,000 orders of all pairs over four connections, one after the other."""
    bodies = encoded_batches(load.sources, size=_BATCH_ORDERS, count=_PREPARED_BATCHES)
    begun = load.committed.value

    async def ready() -> bool:
        while load.sent - (load.committed.value - begun) > _OUTSTANDING_ORDERS:
            if load.over:
                return False
            await asyncio.sleep(_WAIT_S)
        return not load.over

    await _closed_loop(
        load,
        path="/orders/batch",
        bodies=bodies,
        connections=_BATCH_CONNECTIONS,
        orders=_BATCH_ORDERS,
        ready=ready,
    )


async def single(load: Load) -> None:
    """Post single orders over 32 connections, each sending the next when it has its answer."""

    async def ready() -> bool:
        return not load.over

    await _closed_loop(
        load,
        path="/orders",
        bodies=encoded_singles(load.sources, _PREPARED_SINGLES),
        connections=_CONNECTIONS,
        orders=1,
        ready=ready,
    )


async def steady(load: Load) -> None:
    """Post single orders at an even pace, whether or not earlier ones have been answered."""
    bodies = itertools.cycle(encoded_singles(load.sources, _PREPARED_SINGLES))
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        connection = Connection(load.state.url)
        await connection.open()
        free.put_nowait(connection)

    async def post(body: bytes) -> None:
        connection = await free.get()
        _check(await connection.post("/orders", body))
        free.put_nowait(connection)

    began_s, count = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while not load.over:
            due = int((time.monotonic() - began_s) * load.rate_per_second)
            for _ in range(due - count):
                group.create_task(post(next(bodies)))
            load.sent = count = max(due, count)
            await asyncio.sleep(_WAIT_S)
    while not free.empty():
        await free.get_nowait().close()


async def _closed_loop(
    load: Load,
    *,
    path: str,
    bodies: list[bytes],
    connections: int,
    orders: int,
    ready: Callable[[], Awaitable[bool]],
) -> None:
    stream = itertools.cycle(bodies)

    async def worker() -> None:
        connection = Connection(load.state.url)
        await connection.open()
        while await ready():
            _check(await connection.post(path, next(stream)))
            load.sent += orders
        await connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(worker())


def _check(answer: tuple[int, bytes]) -> None:
    status, body = answer
    if status not in (200, 201):
        raise BenchRequestError(f"the gateway answered {status}: {body[:200].decode()}")


async def _lease_worker(state: RunState) -> int:
    database = Database(state.postgres_url, size=1)
    await database.start()
    try:
        return await lease_worker_number(database)
    finally:
        await database.stop()
