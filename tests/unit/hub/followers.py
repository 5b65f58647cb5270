"""Clients of a room whose queues the test reads."""

import asyncio
from typing import Any

import engineio

from analytics.intervals import Interval
from api.exchange.decimals import MarketDecimals
from api.hub.clients import Client
from api.hub.messages import Feed
from api.hub.packets import ExactJson
from api.hub.room import Room, Subscription
from api.hub.transport import HubSocket
from tests.beds.commands import market

UNITS = MarketDecimals(market())


class Follower:
    """A client with a queue that the test reads."""

    def __init__(self, sid: str, *, bound: int = 256) -> None:
        self.socket = HubSocket(engineio.AsyncServer(async_mode="asgi"), sid)
        self.client = Client(sid=sid, socket=self.socket, bound=bound, levels_max=100)

    def follow(self, room: Room, feed: Feed = "book", interval: Interval = Interval.M1) -> None:
        room.add(Subscription(self.client, feed, interval))

    async def told(self) -> None:
        """Return when something is there to read."""
        packet = await asyncio.wait_for(self.socket.queue.get(), 5)
        self.socket.queue.task_done()
        self.socket.queue.put_nowait(packet)

    def read(self) -> list[tuple[str, Any]]:
        events = []
        while not self.socket.queue.empty():
            name, payload = ExactJson.loads(self.socket.queue.get_nowait().data[1:])
            self.socket.queue.task_done()
            events.append((name, payload))
        return events
