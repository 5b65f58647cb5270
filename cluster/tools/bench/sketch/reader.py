"""Readers of the sketch's events: the hub, which tells the client at once, and slow ones."""

import asyncio
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from cluster.tools.bench.sketch.log import followed
from cluster.tools.bench.sketch.wire import EVENT_BYTES, ORDER_ID, ready_file, write_message

_READ_MS = 1_000
_SLOW_BYTES = 256 * 1024
_SLOW_MS = 150


async def _tell(folder: Path, bootstrap: str, events: str, pairs: int) -> None:
    consumer = await followed(bootstrap, events, pairs, fetch_min_bytes=1, fetch_max_wait_ms=500)

    async def follow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            order_ids = await _order_ids(consumer)
            if order_ids:
                write_message(writer, b"".join(map(ORDER_ID.pack, order_ids)))

    server = await asyncio.start_unix_server(follow, folder / "feed")
    ready_file(folder, "hub").touch()
    await server.serve_forever()


async def _take(folder: Path, bootstrap: str, events: str, pairs: int, name: str) -> None:
    consumer = await followed(
        bootstrap, events, pairs, fetch_min_bytes=_SLOW_BYTES, fetch_max_wait_ms=_SLOW_MS
    )
    ready_file(folder, name).touch()
    while True:
        await _order_ids(consumer)


async def _order_ids(consumer: AIOKafkaConsumer) -> list[int]:
    arrived = await consumer.getmany(timeout_ms=_READ_MS)
    return [
        ORDER_ID.unpack_from(record.value, start)[0]
        for records in arrived.values()
        for record in records
        for start in range(0, len(record.value), EVENT_BYTES)
    ]


if __name__ == "__main__":
    place, server, topic, number, own_name = sys.argv[1:]
    if own_name == "hub":
        asyncio.run(_tell(Path(place), server, topic, int(number)))
    else:
        asyncio.run(_take(Path(place), server, topic, int(number), own_name))
