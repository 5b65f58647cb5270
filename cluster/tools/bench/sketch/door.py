"""Door of the sketch: a bare ASGI application that writes each order to the log."""

import itertools
import sys
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from cluster.tools.bench.sketch.log import new_producer
from cluster.tools.bench.sketch.wire import COMMAND_BYTES, ORDER_ID, ready_file


class _Order(msgspec.Struct, rename="camel", gc=False):
    trading_pair: str
    type: str
    price: str
    quantity: str
    time_in_force: str
    user_id: int


class _Door:
    """Answer 201 once the log has the order; `partitions` are by pair."""

    def __init__(
        self, folder: Path, bootstrap: str, topic: str, partitions: dict[str, int]
    ) -> None:
        self._folder = folder
        self._bootstrap = bootstrap
        self._topic = topic
        self._partitions = partitions
        self._ids = itertools.count(1)
        self._decoder = msgspec.json.Decoder(_Order)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        order = self._decoder.decode((await receive())["body"])
        order_id = next(self._ids)
        sent = await self._producer.send(
            self._topic,
            value=ORDER_ID.pack(order_id).ljust(COMMAND_BYTES, b"\0"),
            partition=self._partitions[order.trading_pair],
        )
        await sent
        body = b'{"orderId":"%d"}' % order_id
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self._producer = await new_producer(self._bootstrap)
        await send({"type": "lifespan.startup.complete"})
        ready_file(self._folder, "door").touch()
        await receive()
        await self._producer.stop()
        await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    place, server, topic, pairs, port = sys.argv[1:]
    door = _Door(Path(place), server, topic, msgspec.json.decode(pairs, type=dict[str, int]))
    uvicorn.run(door, port=int(port), access_log=False, log_level="warning")
