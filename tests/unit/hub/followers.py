"""Clients of a room whose queues the test reads."""

import asyncio
from typing import Any

from analytics.intervals import Interval
from api.exchange.decimals import MarketDecimals
from api.hub.clients import Client
from api.hub.messages import Feed
from api.hub.packets import ExactJson
from api.hub.room import Room, Subscription
from api.hub.transport import EngineServer, HubSocket
from tests.beds.commands import market

UNITS = MarketDecimals(market())


class Follower:
    """A client with a queue that the test reads."""

    def __init__(self, sid: str, *, bound: int = 256) -> None:
        self.socket = HubSocket(EngineServer(async_mode="asgi", unread_max=2 * bound), sid)
        self.client = Client(sid=sid, socket=self.socket, bound=bound, levels_max=100)
        self._taken: list[Any] = []

    def follow(self, room: Room, feed: Feed = "book", interval: Interval = Interval.M1) -> None:
        room.add(Subscription(self.client, feed, interval))

    async def told(self) -> None:
        """Return when something is there to read."""
        self._taken.append(await asyncio.wait_for(self.socket.queue.get(), 5))
        self.socket.queue.task_done()

    def read(self) -> list[tuple[str, Any]]:
        packets, self._taken = self._taken, []
        while not self.socket.queue.empty():
            packets.append(self.socket.queue.get_nowait())
            self.socket.queue.task_done()
        return [tuple(ExactJson.loads(packet.data[1:])) for packet in packets]
