"""Shapes of load: packed straight into the log, packed over REST, single, single at a rate."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing.sharedctypes import Synchronized
from typing import Any

import httpx
import numpy as np

from actors.log.commands import KafkaCommandLog
from actors.platform.topology import Topology
from api.exchange.ids import IdGenerator
from api.exchange.storage.database import Database
from api.exchange.storage.positions import lease_worker_number
from cluster.data.state import RunState
from cluster.tools.bench.pipeline.http_client import BenchRequestError, Connection
from cluster.tools.bench.pipeline.orders import OrderSource, encoded_batches, encoded_singles

_PACKED_COMMANDS = 500
_BATCH_ORDERS = 1_000
_BATCH_CONNECTIONS = 4
_PREPARED_BATCHES = 24
_PREPARED_SINGLES = 5_000
_CONNECTIONS = 32
# What may be on its way before the load waits for rows: a load is sustained if it can go on so.
_OUTSTANDING_ORDERS = 100_000
_WAIT_S = 0.002
_BACK_OFF_S = 0.05
_IN_BATCH = b'"statusCode":'
_ACCEPTED_IN_BATCH = b'"statusCode":201'
_BUSY_IN_BATCH = b'"statusCode":503'


@dataclass(kw_only=True)
class Load:
    """What a shape needs: where to send, what to send, until when, and how far the rows are.

    `sent` counts orders since `begin`, `total_sent` also those before it, both without the
    `refused` ones, for which the gateway was too busy; `answer_us` are the times to a REST answer,
    from when its request was due.
    """

    state: RunState
    topology: Topology
    sources: list[OrderSource]
    committed: "Synchronized[int]"
    rate_per_second: float = 0.0
    until_s: float = 0.0
    sent: int = 0
    refused: int = 0
    answer_us: list[int] = field(default_factory=list)
    _sent_before: int = 0

    def begin(self, seconds: float) -> None:
        """Count from here on, and be over after so long."""
        self.until_s = time.monotonic() + seconds
        self._sent_before += self.sent
        self.sent = self.refused = 0
        self.answer_us = []

    @cached_property
    def singles(self) -> list[bytes]:
        """Return bodies of single orders, made once: the warm-up pays for them."""
        return encoded_singles(self.sources, _PREPARED_SINGLES)

    @cached_property
    def batches(self) -> list[bytes]:
        """Return bodies of batches, made once."""
        return encoded_batches(self.sources, size=_BATCH_ORDERS, count=_PREPARED_BATCHES)

    @property
    def total_sent(self) -> int:
        return self._sent_before + self.sent

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.until_s

    async def may_send(self, orders: int) -> bool:
        """Wait for rows while too many orders have none; count the orders, or say it is over."""
        while self.total_sent - self.committed.value > _OUTSTANDING_ORDERS:
            if self.over:
                return False
            await asyncio.sleep(_WAIT_S)
        if self.over:
            return False
        self.sent += orders
        return True

    def answered(self, due_s: float, *, refused: int) -> None:
        """Note a request's answer, and how many of its orders were not taken."""
        self.sent -= refused
        self.refused += refused
        self.answer_us.append(int((time.monotonic() - due_s) * 1e6))


Shape = Callable[[Load], Coroutine[Any, Any, None]]


async def packed_log(load: Load) -> None:
    """Append records of 500 orders to the log, as busy gateways would: one a pair on its way."""
    ids = IdGenerator(await _lease_worker(load.state))
    log = KafkaCommandLog(
        bootstrap=load.state.kafka_bootstrap,
        topology=load.topology,
        pending_commands=_OUTSTANDING_ORDERS,
        client_id="forkast-bench",
    )

    async def fill(source: OrderSource) -> None:
        while await load.may_send(_PACKED_COMMANDS):
            commands = source.commands(_PACKED_COMMANDS)
            fresh = np.array([ids.next() for _ in range(_PACKED_COMMANDS)], np.int64)
            commands["order_id"] = commands["command_id"] = fresh
            commands["time_us"] = time.time_ns() // 1_000
            await log.append(source.market, commands)

    await log.start()
    try:
        async with asyncio.TaskGroup() as group:
            for source in load.sources:
                group.create_task(fill(source))
    finally:
        await log.stop()


async def packed_rest(load: Load) -> None:
    """Post batches of 1,000 orders of all pairs over four connections, one after the other."""
    await _closed_loop(
        load,
        path="/orders/batch",
        bodies=load.batches,
        connections=_BATCH_CONNECTIONS,
        orders=_BATCH_ORDERS,
    )


async def single(load: Load) -> None:
    """Post single orders over 32 connections, each sending the next when it has its answer."""
    await _closed_loop(
        load,
        path="/orders",
        bodies=load.singles,
        connections=_CONNECTIONS,
        orders=1,
    )


async def steady(load: Load) -> None:
    """Post single orders at an even rate, whether or not earlier ones have been answered."""
    bodies = itertools.cycle(load.singles)
    free: asyncio.Queue[Connection] = asyncio.Queue()

    async def post(body: bytes, due_s: float) -> None:
        connection = await free.get()
        answer = await connection.post("/orders", body)
        free.put_nowait(connection)
        load.answered(due_s, refused=1 - _accepted(answer))

    async with AsyncExitStack() as stack:
        for _ in range(_CONNECTIONS):
            free.put_nowait(await stack.enter_async_context(Connection(load.state.url)))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        began_s, begun = time.monotonic(), 0
        while not load.over:
            due = int((time.monotonic() - began_s) * load.rate_per_second)
            for number in range(begun, due):
                group.create_task(post(next(bodies), began_s + number / load.rate_per_second))
                load.sent += 1
            begun = max(begun, due)
            await asyncio.sleep(_WAIT_S)


async def _closed_loop(
    load: Load, *, path: str, bodies: list[bytes], connections: int, orders: int
) -> None:
    stream = itertools.cycle(bodies)

    async def worker() -> None:
        async with Connection(load.state.url) as connection:
            while await load.may_send(orders):
                began_s = time.monotonic()
                refused = orders - _accepted(await connection.post(path, next(stream)))
                load.answered(began_s, refused=refused)
                if refused:
                    await asyncio.sleep(_BACK_OFF_S)

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(worker())


def _accepted(answer: tuple[int, bytes]) -> int:
    """Return how many orders were accepted. Raises BenchRequestError for anything but busyness."""
    status, body = answer
    if status == httpx.codes.CREATED:
        return 1
    if status == httpx.codes.OK:
        accepted = body.count(_ACCEPTED_IN_BATCH)
        if accepted + body.count(_BUSY_IN_BATCH) == body.count(_IN_BATCH):
            return accepted
    if status == httpx.codes.SERVICE_UNAVAILABLE:
        return 0
    raise BenchRequestError(f"the gateway answered {status}: {body[:200].decode()}")


async def _lease_worker(state: RunState) -> int:
    database = Database(state.postgres_url, size=1)
    await database.start()
    try:
        return await lease_worker_number(database)
    finally:
        await database.stop()
