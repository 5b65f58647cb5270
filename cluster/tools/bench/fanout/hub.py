"""The measured process: a hub over a log in memory, which publishes to itself at a given rate."""

import asyncio
import gc
import socket
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import uvicorn
import uvloop

from actors.book.market import Market
from actors.log.memory import MemoryLog
from actors.platform.config import Servers
from actors.platform.errors import CandlesUnavailableError
from actors.platform.tasks import end
from actors.platform.topology import EVENTS_TOPIC
from analytics.client import RemoteCandles
from analytics.intervals import Interval
from analytics.messages import LiveCandle
from api.hub.frames import FrameProtocol
from api.hub.hub import Hub
from api.hub.server import HubServer
from cluster.markets import default_topology
from cluster.plan import Platform
from cluster.tools.bench.fanout.records import Told, market_records

_STEP_S = 0.004
_LEVELS_MAX = 4_000
_BACKLOG = 4_096


class HubLoad(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the hub publishes: `messages` to each client of each of `pairs`, over `seconds`."""

    redis_url: str
    pairs: int
    messages: int
    seconds: float
    seed: int


class HubFigures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What publishing took this process, and how many messages each follower was owed, by pair."""

    cpu_seconds: float
    wall_seconds: float
    owed: dict[str, int]
    cut_clients: int


class _Untraded(RemoteCandles):
    """Candles of markets that nothing was traded in yet; there is no actor to ask."""

    def __init__(self) -> None:
        super().__init__(namespace="")

    async def live(self, *, pair: str, interval: Interval) -> LiveCandle | None:
        """Return None: no trade was ever made."""
        return None

    async def seconds(self, *, pair: str, since_s: int, limit: int) -> Any:
        """Raise CandlesUnavailableError."""
        raise CandlesUnavailableError("there are no candles here")


class _NoDesk:
    """A desk that takes no orders: nobody here places any."""

    async def place(self, data: Any) -> Any:
        raise NotImplementedError

    async def cancel(self, data: Any) -> Any:
        raise NotImplementedError


def run_hub(load: HubLoad, parent: Connection) -> None:
    """Serve until told to publish, publish, and report; the entry of the process."""
    uvloop.run(_run(load, parent))


async def _run(load: HubLoad, parent: Connection) -> None:
    platform = Platform(
        servers=Servers(kafka_bootstrap="", postgres_url="", redis_url=load.redis_url),
        topology=default_topology(),
        data_directory="",
    )
    markets = list(platform.topology)[: load.pairs]
    told = {one: market_records(one, messages=load.messages, seed=load.seed) for one in markets}
    log = MemoryLog()
    hub = Hub(platform.exchange, candles=_Untraded(), log=log)
    server = HubServer(
        hub,
        desk=_NoDesk(),
        allowed_origins=(),
        client_messages=platform.limits.hub_client_messages,
        levels_max=_LEVELS_MAX,
    )
    async with AsyncExitStack() as stack:
        await hub.start()
        stack.push_async_callback(hub.stop)
        stack.push_async_callback(server.stop)
        port = await _serve(server, stack)
        parent.send(port)
        gc.collect()
        gc.freeze()
        await asyncio.to_thread(parent.recv)
        parent.send(await _publish(load, hub, log, told))
        await asyncio.to_thread(parent.recv)


async def _serve(server: HubServer, stack: AsyncExitStack) -> int:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    listening = uvicorn.Server(
        uvicorn.Config(
            server.asgi,
            lifespan="off",
            log_config=None,
            log_level="critical",
            ws=FrameProtocol,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(listening.serve(sockets=[listener]))
    stack.push_async_callback(end, [serving])
    port: int = listener.getsockname()[1]
    return port


async def _publish(
    load: HubLoad, hub: Hub, log: MemoryLog, told: dict[Market, list[Told]]
) -> HubFigures:
    """Append every record when it is due, however late the one before was."""
    partitions = {market: market.market_id - 1 for market in told}
    due = _in_turn(load, told)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for due_s, market, record in due:
        ahead_s = began_s + due_s - time.perf_counter()
        if ahead_s > 0:
            await asyncio.sleep(max(ahead_s, _STEP_S))
        log.append(EVENTS_TOPIC, partitions[market], record.now())
    await asyncio.sleep(1.0)
    return HubFigures(
        cpu_seconds=time.process_time() - began_cpu_s,
        wall_seconds=time.perf_counter() - began_s,
        owed={
            market.pair: sum(record.messages for record in records)
            for market, records in told.items()
        },
        cut_clients=hub.cut_clients,
    )


def _in_turn(load: HubLoad, told: dict[Market, list[Told]]) -> Iterator[tuple[float, Market, Told]]:
    """Yield every record and when it is due; the markets take turns."""
    step_s = load.seconds / sum(map(len, told.values()))
    number = 0
    for together in zip(*told.values(), strict=True):
        for market, record in zip(told, together, strict=True):
            yield number * step_s, market, record
            number += 1
