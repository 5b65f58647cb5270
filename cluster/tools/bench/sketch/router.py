"""Router of the sketch: one consumer for all partitions, a Unix stream to each pair."""

import asyncio
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer

from cluster.tools.bench.sketch.log import followed, new_producer
from cluster.tools.bench.sketch.wire import read_message, ready_file, write_message

_READ_MS = 1_000


async def _route(folder: Path, bootstrap: str, commands: str, events: str, pairs: int) -> None:
    producer = await new_producer(bootstrap)
    consumer = await followed(bootstrap, commands, pairs, fetch_min_bytes=1, fetch_max_wait_ms=500)
    streams = [
        await asyncio.open_unix_connection(folder / f"pair-{number}") for number in range(pairs)
    ]
    async with asyncio.TaskGroup() as group:
        for number, (reader, _) in enumerate(streams):
            group.create_task(_publish(reader, producer, events, number))
        ready_file(folder, "router").touch()
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=_READ_MS)).items():
                values = b"".join(record.value or b"" for record in records)
                write_message(streams[partition.partition][1], values)


async def _publish(
    reader: asyncio.StreamReader, producer: AIOKafkaProducer, topic: str, number: int
) -> None:
    while True:
        events = await read_message(reader)
        await producer.send(topic, value=events, partition=number)


if __name__ == "__main__":
    place, server, new, updated, number_of_pairs = sys.argv[1:]
    asyncio.run(_route(Path(place), server, new, updated, int(number_of_pairs)))
