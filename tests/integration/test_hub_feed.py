"""The hub's ear at Redis: channels come and go, connections break, and it never stays deaf."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from actors.platform.config import Servers
from api.hub.feed import RedisFeed
from tests.beds.proxy import swallowing_proxy
from tests.beds.waiting import until


@dataclass
class Ear:
    """A running feed, what it has heard, and a connection to speak on."""

    feed: RedisFeed
    speaker: Redis
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    async def hears(self, channel: str) -> None:
        """Return when a word that is said now and again on a channel is heard."""
        word = uuid.uuid4().hex.encode()

        async def said_and_heard() -> bool:
            await self.speaker.publish(channel, word)
            return (channel, word) in self.heard

        await until(said_and_heard, what=f"a word on {channel}")

    async def reconnected(self, since: int) -> None:
        async def again() -> bool:
            return self.feed.is_up and self.feed.connections > since

        await until(again, what="a new connection")


@asynccontextmanager
async def listening(redis_url: str, servers: Servers) -> AsyncIterator[Ear]:
    """A feed that listens at `redis_url`, and a speaker at the server itself."""
    heard: list[tuple[str, bytes]] = []
    feed = RedisFeed(
        redis_url=redis_url,
        deliver=lambda channel, data: heard.append((channel, data)),
        connected=lambda: None,
        beat_s=0.1,
        deaf_s=1.0,
    )
    speaker: Redis = Redis.from_url(servers.redis_url)
    running = asyncio.create_task(feed.run())
    try:
        yield Ear(feed, speaker, heard)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await feed.close()
        await speaker.aclose()


@pytest.fixture
async def ear(servers: Servers) -> AsyncIterator[Ear]:
    async with listening(servers.redis_url, servers) as ear:
        yield ear


def channel() -> str:
    return f"test:{uuid.uuid4().hex}"


async def test_wanted_channels_are_heard_and_others_are_not(ear: Ear) -> None:
    first, second = channel(), channel()
    await ear.feed.listen_to([first])
    await ear.hears(first)
    await ear.feed.listen_to([second])
    await ear.hears(second)
    before = len(ear.heard)
    await ear.speaker.publish(first, b"nobody listens")
    await ear.hears(second)
    assert {name for name, _ in ear.heard[before:]} == {second}


async def test_a_broken_connection_is_made_anew_with_all_channels(ear: Ear) -> None:
    first, second = channel(), channel()
    await ear.feed.listen_to([first, second])
    await ear.hears(first)
    connections = ear.feed.connections
    await ear.speaker.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
    await ear.reconnected(connections)
    await ear.hears(first)
    await ear.hears(second)


async def test_a_listener_that_went_deaf_without_an_error_starts_anew(servers: Servers) -> None:
    async with swallowing_proxy(servers.redis_url) as proxy, listening(proxy.url, servers) as ear:
        wanted = channel()
        await ear.feed.listen_to([wanted])
        await ear.hears(wanted)
        connections = ear.feed.connections
        proxy.swallow()
        await ear.reconnected(connections)
        await ear.hears(wanted)


async def test_channels_wanted_while_redis_is_away_are_heard_when_it_is_back(ear: Ear) -> None:
    wanted = channel()
    connections = ear.feed.connections
    await ear.feed.listen_to([])
    await ear.reconnected(0)
    await ear.speaker.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
    await ear.feed.listen_to([wanted])
    await ear.reconnected(connections)
    await ear.hears(wanted)
    assert await ear.feed.get(channel()) is None
