"""The hub: rooms that are open while somebody follows them, and what feeds them.

A room without clients costs nothing: its channels are not listened to and its log is not read.
"""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import structlog

from actors.book.reasons import Reason
from actors.log.kafka import KafkaLog
from actors.log.ports import Log
from actors.platform.channels import candle_channel, depth_changes_channel, depth_channel, depth_key
from actors.platform.config import ExchangeConfig
from actors.platform.errors import CandlesUnavailableError, LogError
from actors.platform.messages import Candle, DepthChange, DepthSnapshot
from actors.platform.tasks import end
from analytics.client import CandleSource
from analytics.intervals import Interval, UnknownIntervalError, parse_interval
from api.exchange.decimals import MarketDecimals
from api.exchange.refusals import InvalidError, UnavailableError, refusal
from api.exchange.rounds import Rounds
from api.hub.clients import Client
from api.hub.feed import RedisFeed
from api.hub.messages import Subscribed, SubscribeRequest
from api.hub.room import TOP_LEVELS, Room, Subscription
from api.hub.tail import RoomsTail

_log = structlog.get_logger(__name__)

FLUSH_S = 0.05
WINDOWS_S = 0.5
ASK_RETRY_S = 2.0
COMPARE_S = 60.0
SECONDS_PER_ANSWER = 1_000
TAIL_START_S = 5.0

_snapshots = msgspec.msgpack.Decoder(DepthSnapshot)
_changes = msgspec.msgpack.Decoder(DepthChange)
_seconds = msgspec.msgpack.Decoder(list[Candle])


@dataclass(slots=True)
class _OpenRoom:
    """A room; `ready` is done when it is told of all that the log holds from then on.

    `depth` asks for the cached depth, once for all who come at a time.
    """

    room: Room
    ready: asyncio.Task[None]
    depth: Rounds[None]


class Hub:
    """Rooms by pair and clients by session; `log` is the config's Kafka unless it is given."""

    def __init__(
        self, config: ExchangeConfig, *, candles: CandleSource, log: Log | None = None
    ) -> None:
        self._config = config
        self._tail = RoomsTail(
            log or KafkaLog(config.servers.kafka_bootstrap),
            partitions=map(config.topology.partition, config.topology),
        )
        self._candles = candles
        self._units = {market.pair: MarketDecimals(market) for market in config.topology}
        self._rooms: dict[str, _OpenRoom] = {}
        self._clients: dict[str, Client] = {}
        self._has_clients = asyncio.Event()
        self._feed = RedisFeed(
            redis_url=config.servers.redis_url,
            deliver=self._deliver,
            connected=self._refresh,
        )
        self._asked: dict[tuple[str, Interval | None], float] = {}
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
        for pair in list(self._rooms):
            self._close_room(self._rooms.pop(pair))
        await self._tail.stop()
        await end([*self._loops, *self._side_tasks])
        await self._feed.close()

    def check_health(self) -> None:
        """Raise RuntimeError when a loop has ended: the replica must be replaced."""
        self._tail.check_health()
        for entry in self._rooms.values():
            entry.room.check_health()
        for task in self._loops:
            if task.done():
                why = "cancelled" if task.cancelled() else repr(task.exception())
                raise RuntimeError(f"{task.get_name()} has ended: {why}")

    def join(self, client: Client) -> None:
        """Let a client in."""
        self._clients[client.sid] = client
        self._has_clients.set()

    def leave(self, sid: str) -> Client | None:
        """Forget a client that is gone, and return it where it was known."""
        for pair in [pair for pair, entry in self._rooms.items() if sid in entry.room]:
            self.unsubscribe(sid, pair)
        client = self._clients.pop(sid, None)
        if not self._clients:
            self._has_clients.clear()
        return client

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
            await entry.depth.result()
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
            # The next room of this pair knows nothing, and may ask at once.
            self._asked = {asked: at_s for asked, at_s in self._asked.items() if asked[0] != pair}
            self._close_room(entry)
            self._begin(self._tail.rest())
        self._begin(self._feed.listen_to(self._channels()))

    def _open_room(self, units: MarketDecimals) -> _OpenRoom:
        market = units.market
        partition = self._config.topology.partition(market)
        room = Room(units, cut=self._cut, drained=lambda: self._tail.resume(partition))
        entry = _OpenRoom(
            room,
            asyncio.create_task(self._tail.follow(partition, room.on_events)),
            Rounds(partial(self._load_depth, room)),
        )
        entry.ready.add_done_callback(_fetch)
        self._rooms[market.pair] = entry
        return entry

    def _close_room(self, entry: _OpenRoom) -> None:
        entry.room.close()
        entry.ready.cancel()
        self._tail.leave(self._config.topology.partition(entry.room.units.market))

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

    async def _seed(self, room: Room) -> None:
        """Ask the candle actor for the windows that clients follow and nobody knows."""
        pair = room.units.market.pair
        for interval in room.unseeded:
            if self._asked_lately(pair, interval):
                continue
            try:
                live = await self._candles.live(pair=pair, interval=interval)
            except CandlesUnavailableError as error:
                _log.warning("candles_not_at_hand", pair=pair, why=str(error))
                return
            if interval in room.intervals:
                room.seed(interval, live, now_s=int(time.time()))

    async def _catch_up(self, room: Room) -> None:
        """Ask the candle actor for the seconds that a room has, or may have, missed."""
        pair = room.units.market.pair
        since_s = room.heard_s if room.missed_since_s is None else room.missed_since_s
        if since_s is None or self._asked_lately(pair, None):
            return
        connections, whole = self._feed.connections, False
        while not whole:
            try:
                seconds = await self._candles.seconds(
                    pair=pair, since_s=since_s, limit=SECONDS_PER_ANSWER
                )
            except CandlesUnavailableError as error:
                _log.warning("candles_not_at_hand", pair=pair, why=str(error))
                return
            if seconds is None:
                room.end()
                return
            whole = len(seconds) < SECONDS_PER_ANSWER
            room.catch_up(seconds, whole=whole and connections == self._feed.connections)
            since_s = seconds[-1].open_time_s if seconds else since_s

    def _asked_lately(self, pair: str, interval: Interval | None) -> bool:
        now_s = time.monotonic()
        lately = now_s - self._asked.get((pair, interval), -ASK_RETRY_S) < ASK_RETRY_S
        if not lately:
            self._asked[pair, interval] = now_s
        return lately

    async def _run_windows(self) -> None:
        compare_s = time.monotonic() + COMPARE_S
        while True:
            await asyncio.sleep(WINDOWS_S)
            due = time.monotonic() >= compare_s
            if due:
                compare_s = time.monotonic() + COMPARE_S
            for entry in list(self._rooms.values()):
                room = entry.room
                if room.unseeded:
                    self._begin(self._seed(room))
                if due or room.missed_since_s is not None:
                    self._begin(self._catch_up(room))
                if self._feed.is_up and room.missed_since_s is None:
                    room.roll(int(time.time()))

    async def _run_flush(self) -> None:
        while True:
            await self._has_clients.wait()
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


def _fetch(done: asyncio.Task[None]) -> None:
    # Whoever asked may have gone: an error that nobody fetched would be reported as lost.
    if not done.cancelled():
        done.exception()
