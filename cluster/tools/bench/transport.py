"""What a request to an actor costs both ends: by a call of Ray's, and by stream."""

import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import ray

from actors.remote.find import own_node_id
from actors.stream.client import Dialer
from actors.stream.endpoint import Endpoint, socket_folder
from actors.stream.thread import ServingThread
from cluster.platform.runtime import RayRuntime

_TOKEN = "the bench's own"  # noqa: S105 - nobody else is served
_TIMEOUT_S = 10.0
_OBJECT_STORE_MB = 80

_Ask = Callable[[bytes], Awaitable[bytes]]


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of one request at one rate; processor time is that of both ends, without idle time."""

    way: str
    requests_per_second: int
    answered_per_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


class _Answering:
    """An actor that answers both ways, with as many bytes as it is sent."""

    def __init__(self) -> None:
        self._stream = ServingThread(
            self.answer,
            token=_TOKEN,
            node_id=own_node_id(),
            host="127.0.0.1",
            folder=socket_folder(),
        )

    def answer(self, request: bytes) -> bytes:
        return request

    def where(self) -> tuple[int, Endpoint]:
        return os.getpid(), self._stream.endpoint


async def measure_transport(
    *, rates: Sequence[int], actors: int, request_bytes: int, seconds: float
) -> list[Cost]:
    """Send requests to actors of a Ray of its own: at each rate first one way, then the other.

    Raises DeployError where Ray does not start.
    """
    with tempfile.TemporaryDirectory(prefix="forkast-bench-") as folder:
        runtime = RayRuntime(address="", object_store_mb=_OBJECT_STORE_MB)
        await runtime.start()
        try:
            return await _measure(
                rates=rates, actors=actors, payload=bytes(request_bytes), seconds=seconds
            )
        finally:
            await runtime.stop(keep_logs_in=Path(folder) / "ray")


async def _measure(
    *, rates: Sequence[int], actors: int, payload: bytes, seconds: float
) -> list[Cost]:
    answering: Any = ray.remote(_Answering).options(num_cpus=0)
    handles = [answering.remote() for _ in range(actors)]
    found = [await handle.where.remote() for handle in handles]
    both_ends = [psutil.Process(), *(psutil.Process(process_id) for process_id, _ in found)]
    dialer = Dialer(token=_TOKEN, timeout_s=_TIMEOUT_S)
    node_id = own_node_id()
    streams = [await dialer.connect(endpoint, node_id=node_id) for _, endpoint in found]
    ways: dict[str, list[_Ask]] = {
        "Ray's call": [handle.answer.remote for handle in handles],
        "stream": [partial(stream.request, decode=bytes) for stream in streams],
    }
    try:
        before_s = _cpu_s(both_ends)
        await asyncio.sleep(seconds)
        idle = (_cpu_s(both_ends) - before_s) / seconds
        return [
            await _cost(
                way, asks, rate=rate, payload=payload, seconds=seconds, ends=both_ends, idle=idle
            )
            for rate in rates
            for way, asks in ways.items()
        ]
    finally:
        for stream in streams:
            stream.close()


async def _cost(
    way: str,
    asks: Sequence[_Ask],
    *,
    rate: int,
    payload: bytes,
    seconds: float,
    ends: Sequence[psutil.Process],
    idle: float,
) -> Cost:
    """Send at a rate, whatever comes back when; each second's requests lie evenly."""
    turns = itertools.cycle(asks)
    taken_ms: list[float] = []

    async def one() -> None:
        began_s = time.perf_counter()
        await next(turns)(payload)
        taken_ms.append((time.perf_counter() - began_s) * 1e3)

    before_s, began_s = _cpu_s(ends), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(began_s + number / rate - time.perf_counter())
            group.create_task(one())
    wall_s = time.perf_counter() - began_s
    cpu_s = _cpu_s(ends) - before_s - idle * wall_s
    return Cost(
        way=way,
        requests_per_second=rate,
        answered_per_second=round(len(taken_ms) / wall_s, 1),
        cpu_ms=round(cpu_s * 1e3 / len(taken_ms), 3),
        p50_ms=round(float(np.percentile(taken_ms, 50)), 2),
        p99_ms=round(float(np.percentile(taken_ms, 99)), 2),
    )


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)
