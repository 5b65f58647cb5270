"""Messages of Redis channels, through reconnects, by a listener that cannot go deaf unnoticed.

A subscription may stop delivering without an error (python-socketio#1581 met it): the listener
sends itself a beat through another connection, and starts anew when it does not hear it.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_log = structlog.get_logger(__name__)

BEAT_S = 1.0
DEAF_S = 10.0
_PAUSE_S = 0.5
_SETTLE_S = 1.0
_SOCKET_TIMEOUT_S = 2.0


class _DeafError(Exception):
    """The listener has not heard its own beat."""


class RedisFeed:
    """Deliver messages of wanted channels; `connected` is called after each (re)connect.

    Messages sent while Redis is away are gone: `connected` is the time to ask for the whole.
    `is_up` says whether the listener is subscribed now, `connections` how often it has been.
    """

    def __init__(
        self,
        *,
        redis_url: str,
        deliver: Callable[[str, bytes], None],
        connected: Callable[[], None],
        beat_s: float = BEAT_S,
        deaf_s: float = DEAF_S,
    ) -> None:
        self._redis: Redis = Redis.from_url(
            redis_url,
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._beat_s = beat_s
        self._deaf_s = deaf_s
        self._deliver = deliver
        self._connected = connected
        self._wanted: set[str] = set()
        self._subscribed: set[str] = set()
        self._settled = asyncio.Event()
        self._beat_channel = f"forkast:hub:{uuid.uuid4().hex}"
        self._down = False
        self.is_up = False
        self.connections = 0

    async def listen_to(self, channels: Iterable[str]) -> None:
        """Listen to these channels and no others, now and after every reconnect.

        Return when that is so, or soon after where Redis is away.
        """
        self._wanted = set(channels)
        if self._wanted == self._subscribed:
            return
        # Only the listener may use its connection; a beat wakes it, one for all who ask meanwhile.
        if self._settled.is_set():
            self._settled.clear()
            with suppress(RedisError, OSError):
                await self._redis.publish(self._beat_channel, b"")
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_S):
                await self._settled.wait()

    async def get(self, key: str) -> bytes | None:
        """Return a value, None where there is none or Redis is away."""
        try:
            value = await self._redis.get(key)
        except (RedisError, OSError) as error:
            self._note_down(error)
            return None
        return value if isinstance(value, bytes) else None

    async def run(self) -> None:
        """Listen, for ever."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, _DeafError) as error:
                self._note_down(error)
                await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()

    async def _listen(self) -> None:
        pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        try:
            await pubsub.subscribe(self._beat_channel)
            await self._settle(pubsub)
            self.is_up = True
            self.connections += 1
            if self._down:
                self._down = False
                _log.info("redis_back")
            self._connected()
            await self._hear(pubsub)
        finally:
            self.is_up = False
            self._subscribed = set()
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _settle(self, pubsub: PubSub) -> None:
        """Make the subscriptions those that are wanted."""
        while self._subscribed != self._wanted:
            wanted = set(self._wanted)
            if missing := wanted - self._subscribed:
                await pubsub.subscribe(*missing)
            if surplus := self._subscribed - wanted:
                await pubsub.unsubscribe(*surplus)
            self._subscribed = wanted
        self._settled.set()

    async def _hear(self, pubsub: PubSub) -> None:
        beat = self._beat_channel.encode()
        heard_s, beaten_s = time.monotonic(), 0.0
        while True:
            message = await pubsub.get_message(timeout=self._beat_s)
            now_s = time.monotonic()
            if message is not None:
                if message["channel"] == beat:
                    heard_s = now_s
                else:
                    self._deliver(message["channel"].decode(), message["data"])
            if self._subscribed != self._wanted:
                await self._settle(pubsub)
            if now_s - beaten_s >= self._beat_s:
                beaten_s = now_s
                await self._redis.publish(self._beat_channel, b"")
            if now_s - heard_s > self._deaf_s:
                raise _DeafError(f"no beat for {self._deaf_s:g} s")

    def _note_down(self, error: Exception) -> None:
        if not self._down:
            self._down = True
            _log.warning("redis_away", why=repr(error))
