"""A room: who is told what, what is conflated, and how a gap in the depth is made known."""

import asyncio
from typing import Any

import engineio
import pytest

from actors.platform.messages import Candle, DepthChange, DepthSnapshot
from analytics.intervals import Interval
from analytics.messages import LiveCandle
from api.exchange.decimals import MarketDecimals
from api.hub import room as rooms
from api.hub.clients import Client
from api.hub.messages import Feed
from api.hub.packets import ExactJson
from api.hub.room import Room, Subscription
from api.hub.transport import HubSocket
from tests.beds.commands import market
from tests.beds.trades import trade_events

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


@pytest.fixture
def cut() -> list[Client]:
    return []


@pytest.fixture
def room(cut: list[Client]) -> Room:
    def cut_and_remove(client: Client) -> None:
        cut.append(client)
        made.remove(client.sid)

    made = Room(UNITS, cut=cut_and_remove)
    return made


def snapshot(update_id: int) -> DepthSnapshot:
    return DepthSnapshot(1, update_id, update_id, 0, False, [(100, update_id, 0, 1)], [])


def change(first: int, last: int) -> DepthChange:
    return DepthChange(1, last, first, last, [(100, last, 0, 1)], [])


def second(open_time_s: int, *, price: int, lots: int, sequence: int) -> Candle:
    return Candle(1, open_time_s, price, price, price, price, lots, price * lots, 1, sequence)


async def test_each_trade_is_also_told_as_its_makers_order(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    await room.on_events(trade_events([(1_000_000, 250, 4)]))
    (trade, order) = one.read()
    assert (trade[0], order[0]) == ("new_trade", "order_update")
    assert trade[1]["sequence"] == order[1]["sequence"] == 3
    assert trade[1]["price"] == "2.5"


async def test_a_burst_longer_than_a_queue_cuts_nobody_who_reads(
    room: Room, cut: list[Client]
) -> None:
    one = Follower("one", bound=64)
    one.follow(room)
    heard: list[Any] = []

    async def read_on() -> None:
        while True:
            heard.extend(one.read())
            await asyncio.sleep(0)

    reading = asyncio.create_task(read_on())
    await room.on_events(trade_events([(1_000_000, 250, 4)] * 500))
    await asyncio.sleep(0)
    reading.cancel()
    heard.extend(one.read())
    assert cut == []
    assert [p["id"] for name, p in heard if name == "new_trade"] == [
        str((1 << 40) + number) for number in range(1, 501)
    ]


async def test_who_does_not_read_is_cut_and_the_others_hear_everything(
    room: Room, cut: list[Client]
) -> None:
    slow, fast = Follower("slow", bound=64), Follower("fast", bound=4_096)
    slow.follow(room)
    fast.follow(room)
    await room.on_events(trade_events([(1_000_000, 250, 4)] * 500))
    assert cut == [slow.client]
    assert len(fast.read()) == 1_000


async def test_the_newest_book_is_sent_after_the_interval(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "BOOK_INTERVAL_S", 0.02)
    one = Follower("one")
    one.follow(room)
    for update_id in (1, 2, 3, 2):
        room.on_snapshot(snapshot(update_id))
    assert [payload["updateId"] for _, payload in one.read()] == [1]
    await one.told()
    assert [payload["updateId"] for _, payload in one.read()] == [3]
    room.close()


async def test_each_feed_goes_to_those_who_asked_for_it(room: Room) -> None:
    book, depth = Follower("book"), Follower("depth")
    book.follow(room)
    depth.follow(room, "depth")
    room.on_change(change(0, 1))
    room.on_snapshot(snapshot(1))
    assert [payload.get("updateId") for _, payload in book.read()] == [1]
    ((_, update),) = depth.read()
    assert (update["firstUpdateId"], update["lastUpdateId"]) == (1, 1)
    room.close()


async def test_changes_that_never_came_are_made_known_as_a_gap(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "CHANGES_LATE_S", 0.02)
    one = Follower("one")
    one.follow(room, "depth")
    room.on_change(change(0, 4))
    room.on_snapshot(snapshot(9))
    assert len(one.read()) == 1
    await one.told()
    ((_, update),) = one.read()
    assert (update["firstUpdateId"], update["lastUpdateId"]) == (10, 9)
    assert update["bids"] == update["asks"] == []


async def test_changes_that_come_late_are_no_gap(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "CHANGES_LATE_S", 0.0)
    one = Follower("one")
    one.follow(room, "depth")
    room.on_change(change(0, 4))
    room.on_snapshot(snapshot(9))
    room.on_change(change(4, 9))
    room.on_change(change(4, 9))
    await asyncio.sleep(0.01)
    assert [payload["lastUpdateId"] for _, payload in one.read()] == [4, 9]


def windows(follower: Follower) -> list[tuple[int, str]]:
    return [(payload["time"], payload["volume"]) for _, payload in follower.read()]


async def test_a_candle_goes_to_those_who_follow_its_interval(room: Room) -> None:
    minute, hour = Follower("minute"), Follower("hour")
    minute.follow(room)
    hour.follow(room, interval=Interval.H1)
    start = second(3_600, price=10, lots=1, sequence=1)
    assert room.unseeded == {Interval.M1, Interval.H1}
    for interval in (Interval.M1, Interval.H1):
        room.seed(interval, LiveCandle(start, start))
    room.on_seconds([second(3_661, price=12, lots=2, sequence=5)])
    assert [(p["time"], p["volume"]) for _, p in minute.read()] == [
        (3600, "0.0001"),
        (3660, "0.0002"),
    ]
    assert [(p["time"], p["volume"]) for _, p in hour.read()] == [
        (3600, "0.0001"),
        (3600, "0.0003"),
    ]
    room.on_seconds([second(3_661, price=12, lots=2, sequence=5)])
    assert minute.read() == []
    room.roll(3_720 + rooms.ROLL_GRACE_S)
    ((_, carried),) = minute.read()
    assert (carried["time"], carried["open"], carried["volume"]) == (3720, "0.12", "0")
    assert hour.read() == []


async def test_seconds_that_came_before_the_seed_are_not_lost(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    first = second(60, price=10, lots=1, sequence=1)
    room.on_seconds([first, second(61, price=11, lots=2, sequence=4)])
    room.seed(Interval.M1, LiveCandle(first, first))
    ((_, candle),) = one.read()
    assert (candle["volume"], candle["close"], candle["sequence"]) == ("0.0003", "0.11", 4)


async def test_a_markets_first_trade_opens_its_window_though_the_minute_has_turned(
    room: Room,
) -> None:
    one, other = Follower("one"), Follower("other")
    one.follow(room)
    other.follow(room, interval=Interval.S10)
    room.seed(Interval.M1, None)
    assert one.read() == []
    first = second(119, price=10, lots=1, sequence=2)
    room.on_seconds([first])
    assert windows(one) == [(60, "0.0001")]
    room.seed(Interval.S10, None)
    assert windows(other) == [(110, "0.0001")]
    room.on_seconds([second(120, price=10, lots=2, sequence=5)])
    assert windows(one) == [(120, "0.0002")]


async def test_a_first_trade_that_may_have_been_missed_opens_no_window(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    room.seed(Interval.M1, None)
    room.doubt()
    room.on_seconds([second(119, price=10, lots=1, sequence=2)])
    assert one.read() == []
    assert room.unseeded == {Interval.M1}
