"""The hub: rooms that are open while somebody follows them, and what feeds them.

A room without clients costs nothing: its channels are not listened to and its log is not read.
"""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from actors.book.reasons import Reason
from actors.platform.channels import candle_channel, depth_changes_channel, depth_channel, depth_key
from actors.platform.config import ExchangeConfig
from actors.platform.errors import CandlesUnavailableError, LogError
from actors.platform.messages import Candle, DepthChange, DepthSnapshot
from analytics.client import CandleSource
from analytics.intervals import Interval, UnknownIntervalError, parse_interval
from api.exchange.decimals import MarketDecimals
from api.exchange.refusals import InvalidError, UnavailableError, refusal
from api.hub.clients import Client
from api.hub.feed import RedisFeed
from api.hub.messages import Subscribed, SubscribeRequest
from api.hub.room import TOP_LEVELS, Room, Subscription
from api.hub.tail import RoomTail

_log = structlog.get_logger(__name__)

FLUSH_S = 0.05
WINDOWS_S = 0.5
SEED_RETRY_S = 2.0
RESEED_S = 60.0
TAIL_START_S = 5.0

_snapshots = msgspec.msgpack.Decoder(DepthSnapshot)
_changes = msgspec.msgpack.Decoder(DepthChange)
_seconds = msgspec.msgpack.Decoder(list[Candle])


@dataclass(slots=True)
class _OpenRoom:
    """A room with its tail; `ready` is done when the tail stands at the end of the log."""

    room: Room
    tail: RoomTail
    ready: asyncio.Task[None]
    reading: asyncio.Task[None] | None = None


class Hub:
    """Rooms by pair and clients by session."""

    def __init__(self, config: ExchangeConfig, *, candles: CandleSource) -> None:
        self._config = config
        self._candles = candles
        self._units = {market.pair: MarketDecimals(market) for market in config.topology}
        self._rooms: dict[str, _OpenRoom] = {}
        self._clients: dict[str, Client] = {}
        self._feed = RedisFeed(
            redis_url=config.servers.redis_url,
            deliver=self._deliver,
            connected=self._refresh,
        )
        self._seeding: dict[tuple[str, Interval], float] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._side_tasks: set[asyncio.Task[None]] = set()
        self.cut_clients = 0

    @property
    def clients(self) -> int:
        """Return how many clients are connected."""
        return len(self._clients)

    async def start(self) -> None:
        """Start the loops; Redis and Kafka are waited for when they are needed."""
        for name, loop in (
            ("hub redis", self._feed.run()),
            ("hub flush", self._run_flush()),
            ("hub windows", self._run_windows()),
        ):
            self._loops.append(asyncio.create_task(loop, name=name))

    async def stop(self) -> None:
        """End the loops, close all rooms and disconnect."""
        for task in [*self._loops, *self._side_tasks]:
            task.cancel()
        await asyncio.gather(*self._loops, *self._side_tasks, return_exceptions=True)
        for pair in list(self._rooms):
            await self._close_room(self._rooms.pop(pair))
        await self._feed.close()

    def check_health(self) -> None:
        """Raise RuntimeError when a loop has ended: the replica must be replaced."""
        for task in self._loops:
            if task.done():
                why = "cancelled" if task.cancelled() else repr(task.exception())
                raise RuntimeError(f"{task.get_name()} has ended: {why}")

    def join(self, client: Client) -> None:
        """Let a client in."""
        self._clients[client.sid] = client

    def leave(self, sid: str) -> Client | None:
        """Forget a client that is gone, and return it where it was known."""
        for pair in [pair for pair, entry in self._rooms.items() if sid in entry.room]:
            self.unsubscribe(sid, pair)
        return self._clients.pop(sid, None)

    def may_ask(self, sid: str) -> bool:
        """Say whether a client reads its answers; one that does not is cut."""
        client = self._clients.get(sid)
        if client is None or client.full:
            if client is not None:
                self._cut(client)
            return False
        return True

    async def subscribe(self, sid: str, request: SubscribeRequest) -> Subscribed:
        """Let a client follow a pair; a second time changes how. Raises Refusal."""
        units = self._units.get(request.room)
        if units is None:
            raise refusal(Reason.UNKNOWN_MARKET)
        try:
            interval = parse_interval(request.interval)
        except UnknownIntervalError as error:
            raise InvalidError("UNKNOWN_INTERVAL", f"{error}.") from None
        client = self._clients.get(sid)
        if client is None:
            raise UnavailableError("DISCONNECTED", "The session has ended.", retry_after_s=1)
        entry = self._rooms.get(request.room) or self._open_room(units)
        entry.room.add(Subscription(client, request.feed, interval))
        await self._feed.listen_to(self._channels())
        try:
            async with asyncio.timeout(TAIL_START_S):
                await asyncio.shield(entry.ready)
        except (TimeoutError, LogError) as error:
            self.unsubscribe(sid, request.room)
            raise UnavailableError(
                "LOG_UNAVAILABLE", "The log does not answer; try again.", retry_after_s=2
            ) from error
        if not entry.room.knows_depth:
            await self._load_depth(entry.room)
        self._begin(self._seed(entry.room))
        return Subscribed(request.room, request.feed, interval.value)

    def unsubscribe(self, sid: str, pair: str) -> None:
        """Let a client go from a room; the last one closes it."""
        entry = self._rooms.get(pair)
        if entry is None:
            return
        entry.room.remove(sid)
        if len(entry.room) == 0:
            del self._rooms[pair]
            self._begin(self._close_room(entry))
        self._begin(self._feed.listen_to(self._channels()))

    def _open_room(self, units: MarketDecimals) -> _OpenRoom:
        market = units.market
        room = Room(units, cut=self._cut)
        tail = RoomTail(
            bootstrap=self._config.servers.kafka_bootstrap,
            partition=self._config.topology.partition(market),
            deliver=room.on_events,
        )
        entry = _OpenRoom(room, tail, asyncio.create_task(tail.start()))
        entry.ready.add_done_callback(lambda done: self._read_room(entry, done))
        self._rooms[market.pair] = entry
        return entry

    def _read_room(self, entry: _OpenRoom, started: asyncio.Task[None]) -> None:
        if started.cancelled() or started.exception() is not None:
            return
        if self._rooms.get(entry.room.units.market.pair) is entry:
            entry.reading = asyncio.create_task(entry.tail.run())

    async def _close_room(self, entry: _OpenRoom) -> None:
        entry.room.close()
        tasks = [task for task in (entry.ready, entry.reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await entry.tail.stop()

    def _deliver(self, channel: str, data: bytes) -> None:
        kind, pair = channel.rsplit(":", 1)
        entry = self._rooms.get(pair)
        if entry is None:
            return
        room = entry.room
        try:
            if channel == depth_channel(pair):
                room.on_snapshot(_snapshots.decode(data))
            elif channel == depth_changes_channel(pair):
                room.on_change(_changes.decode(data))
            elif channel == candle_channel(pair):
                room.on_seconds(_seconds.decode(data))
        except msgspec.DecodeError as error:
            _log.error("channel_unreadable", channel=kind, pair=pair, why=str(error))

    def _refresh(self) -> None:
        """Ask for the whole of everything: what was sent while Redis was away is gone."""
        for entry in self._rooms.values():
            entry.room.doubt()
            self._begin(self._load_depth(entry.room))
        self._seeding.clear()

    async def _load_depth(self, room: Room) -> None:
        value = await self._feed.get(depth_key(room.units.market.pair))
        if value is None:
            return
        depth = _snapshots.decode(value)
        room.on_snapshot(
            msgspec.structs.replace(
                depth, bids=depth.bids[:TOP_LEVELS], asks=depth.asks[:TOP_LEVELS]
            )
        )

    async def _seed(self, room: Room, *, again: bool = False) -> None:
        """Ask the candle actor for the open windows that clients follow and nobody knows."""
        pair = room.units.market.pair
        now_s = time.monotonic()
        for interval in room.intervals if again else room.unseeded:
            key = (pair, interval)
            if now_s - self._seeding.get(key, -RESEED_S) < SEED_RETRY_S:
                continue
            self._seeding[key] = now_s
            try:
                live = await self._candles.live(
                    pair=pair, interval=interval, now_s=int(time.time())
                )
            except CandlesUnavailableError as error:
                _log.warning("candles_not_at_hand", pair=pair, why=str(error))
                return
            if interval in room.intervals:
                room.seed(interval, live)

    async def _run_windows(self) -> None:
        reseed_s = time.monotonic() + RESEED_S
        while True:
            await asyncio.sleep(WINDOWS_S)
            again = time.monotonic() >= reseed_s or not self._seeding
            if again:
                reseed_s = time.monotonic() + RESEED_S
            for entry in list(self._rooms.values()):
                if again or entry.room.unseeded:
                    self._begin(self._seed(entry.room, again=again))
                entry.room.roll(int(time.time()))

    async def _run_flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            for client in self._clients.values():
                if client.lags:
                    client.flush()

    def _cut(self, client: Client) -> None:
        if self.leave(client.sid) is None:
            return
        self.cut_clients += 1
        _log.warning("client_cut", sid=client.sid, clients=len(self._clients))
        self._begin(client.cut())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._side_tasks.add(task)
        task.add_done_callback(self._side_tasks.discard)

    def _channels(self) -> set[str]:
        channels = set()
        for pair, entry in self._rooms.items():
            channels |= {depth_channel(pair), candle_channel(pair)}
            if entry.room.has_depth:
                channels.add(depth_changes_channel(pair))
        return channels
