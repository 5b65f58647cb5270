"""The sketch as a whole, beside a platform whose Kafka it uses: started, followed, stopped."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from actors.platform.trace import now_us
from cluster.embedded.process import ServerProcess, free_port
from cluster.errors import ServerUnreachableError
from cluster.tools.bench.sketch.wire import ORDER_ID, read_message, ready_file

_PACKAGE = __name__.rpartition(".")[0]
_START_S = 60.0
_SLOW = ("writer", "candles")


class Sketch:
    """A sketch that runs: `url` is its door's, `process_ids` are those of its kinds of process."""

    def __init__(self, url: str, process_ids: Mapping[str, Sequence[int]]) -> None:
        self.url = url
        self.process_ids = process_ids
        self.seen_us: dict[int, int] = {}

    async def follow(self, reader: asyncio.StreamReader) -> None:
        """Note when each order's event was here, until the stream ends."""
        while True:
            message = await read_message(reader)
            at_us = now_us()
            for (order_id,) in ORDER_ID.iter_unpack(message):
                self.seen_us[order_id] = at_us


@dataclass(frozen=True, slots=True)
class _Start:
    """One process to be: which module of this package, its name, and its arguments."""

    module: str
    name: str
    arguments: Sequence[str | int]

    def process(self, folder: Path) -> ServerProcess:
        module = f"{_PACKAGE}.{self.module}"
        command = [sys.executable, "-m", module, str(folder), *map(str, self.arguments)]
        return ServerProcess(name=self.name, command=command, log_path=folder / f"{self.name}.log")


@contextlib.asynccontextmanager
async def running_sketch(bootstrap: str, pairs: Sequence[str]) -> AsyncIterator[Sketch]:
    """Start a sketch with topics of its own; delete them at the end. Raises ClusterError."""
    commands, events = (f"sketch.orders.{name}.{os.getpid()}" for name in ("new", "updated"))
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="forkast-sketch-")))
        await stack.enter_async_context(_topics(bootstrap, (commands, events), len(pairs)))
        port, number = free_port(), len(pairs)
        partitions = msgspec.json.encode({pair: at for at, pair in enumerate(pairs)}).decode()
        readers = [
            _Start("reader", name, [bootstrap, events, number, name]) for name in ("hub", *_SLOW)
        ]
        others = [
            _Start("router", "router", [bootstrap, commands, events, number]),
            _Start("door", "door", [bootstrap, commands, partitions, port]),
            *readers,
        ]
        each_pair = [_Start("pair", f"pair-{at}", [at]) for at in range(number)]
        process_ids: dict[str, list[int]] = {}
        for step in (each_pair, others):
            started = [one.process(folder) for one in step]
            for one, process in zip(step, started, strict=True):
                process.start()
                stack.push_async_callback(process.stop)
                kind = "pairs" if one.module == "pair" else one.name
                process_ids.setdefault(f"sketch: {kind}", []).append(process.pid)
            for process in started:
                await process.wait_ready(_readiness(folder, process.name), timeout_s=_START_S)
                if process.name == "door":
                    # It is ready before its server listens.
                    await process.wait_ready(partial(_connect, port), timeout_s=_START_S)
        sketch = Sketch(f"http://127.0.0.1:{port}", process_ids)
        reader, writer = await asyncio.open_unix_connection(folder / "feed")
        stack.callback(writer.close)
        following = asyncio.create_task(sketch.follow(reader), name="sketch feed")
        stack.callback(following.cancel)
        yield sketch


@contextlib.asynccontextmanager
async def _topics(bootstrap: str, names: Sequence[str], partitions: int) -> AsyncIterator[None]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        await admin.create_topics([NewTopic(name, partitions, 1) for name in names])
        try:
            yield
        finally:
            await admin.delete_topics(list(names))
    except KafkaError as error:
        raise ServerUnreachableError(f"Kafka at {bootstrap}: {error}") from error
    finally:
        await admin.close()


async def _connect(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


def _readiness(folder: Path, name: str) -> Callable[[], Awaitable[None]]:
    async def probe() -> None:
        if not ready_file(folder, name).exists():
            raise FileNotFoundError(name)

    return probe
