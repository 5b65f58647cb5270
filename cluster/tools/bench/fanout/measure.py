"""One round of fan-out: a hub process, one or two of sockets, and what came of it."""

import asyncio
import math
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cluster.embedded.valkey import EmbeddedValkey
from cluster.markets import default_topology
from cluster.tools.bench.fanout.hub import HubFigures, HubLoad, run_hub
from cluster.tools.bench.fanout.sockets import Heard, SocketLoad, run_sockets

_END_S = 10.0


class FanOut(msgspec.Struct, kw_only=True):
    """What one hub process delivered. Lags are from the event to the client's read."""

    sockets: int
    pairs: int
    messages_per_second: int
    messages_owed: int
    messages_heard: int
    lag_ms: dict[str, float]
    hub_cores: float
    hub_us_per_message: float
    clients_cores: float
    cut_clients: int


def measure_fanout(
    *, sockets: int, pairs: int, messages_per_second: float, seconds: float, seed: int, clients: int
) -> FanOut:
    """Deliver about so many messages a second, all sockets together, and return how it went.

    Raises AssertionError where a socket that was not cut has heard less or more than it was owed.
    """
    topology = list(default_topology())[:pairs]
    with ExitStack() as stack:
        load = HubLoad(
            redis_url=stack.enter_context(_valkey()),
            pairs=pairs,
            messages=math.ceil(messages_per_second * seconds / sockets),
            seconds=seconds,
            seed=seed,
        )
        hub = stack.enter_context(_process(run_hub, load))
        port = hub.recv()
        listeners = [
            stack.enter_context(
                _process(
                    run_sockets,
                    SocketLoad(
                        port=port,
                        sockets=sockets // clients,
                        pairs=[market.pair for market in topology],
                    ),
                )
            )
            for _ in range(clients)
        ]
        for one in listeners:
            one.recv()
        hub.send("publish")
        figures: HubFigures = hub.recv()
        for one in listeners:
            one.send("stop")
        heard: list[Heard] = [one.recv() for one in listeners]
        hub.send("stop")
    return _result(figures, heard, sockets=sockets, pairs=pairs)


def _result(figures: HubFigures, heard: list[Heard], *, sockets: int, pairs: int) -> FanOut:
    counts = [
        (count, figures.owed[pair])
        for one in heard
        for pair, counted in one.by_pair.items()
        for count in counted
    ]
    wrong = sum(count != owed for count, owed in counts)
    if wrong > figures.cut_clients:
        raise AssertionError(f"{wrong} sockets have not heard what they were owed")
    lags = np.array([lag for one in heard for lag in one.lags_ms])
    total = sum(count for count, _ in counts)
    seconds = max(one.last_s for one in heard) - min(one.first_s for one in heard)
    return FanOut(
        sockets=sockets,
        pairs=pairs,
        messages_per_second=round(total / seconds),
        messages_owed=sum(owed for _, owed in counts),
        messages_heard=total,
        lag_ms={
            name: round(float(np.percentile(lags, percent)), 2)
            for name, percent in (("p50", 50), ("p95", 95), ("p99", 99), ("max", 100))
        },
        hub_cores=round(figures.cpu_seconds / seconds, 2),
        hub_us_per_message=round(figures.cpu_seconds / total * 1e6, 1),
        clients_cores=round(sum(one.cpu_seconds for one in heard) / seconds, 2),
        cut_clients=figures.cut_clients,
    )


@contextmanager
def _valkey() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="forkast-fanout-") as folder:
        valkey = EmbeddedValkey(directory=Path(folder) / "valkey", logs=Path(folder))
        asyncio.run(valkey.start())
        try:
            yield valkey.url
        finally:
            asyncio.run(valkey.process.stop(timeout_s=_END_S))


@contextmanager
def _process(entry: Callable[[Any, Connection], None], load: object) -> Iterator[Connection]:
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=entry, args=(load, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
        process.join(_END_S)
    finally:
        process.kill()
        process.join()
        ours.close()
