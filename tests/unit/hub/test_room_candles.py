"""A room's candles: the last that is told of a window is what its trades make of it."""

import random
from typing import Any

import msgspec
import pytest

from actors.book.records import RecordArray
from actors.platform.messages import Candle
from analytics.frames import empty_candles
from analytics.intervals import Interval
from analytics.messages import LiveCandle
from analytics.series import RecentSeconds
from api.hub import room as rooms
from api.hub.clients import NEWEST_MAX, Client
from api.hub.messages import candle_update
from api.hub.room import Room
from api.hub.windows import WINDOWS_MAX
from tests.beds.trades import naive_candles, trade_events
from tests.unit.hub.followers import UNITS, Follower


def second(open_time_s: int, *, price: int, lots: int, sequence: int) -> Candle:
    return Candle(1, open_time_s, price, price, price, price, lots, price * lots, 1, sequence)


def live(first: Candle, interval: Interval = Interval.M1) -> LiveCandle:
    opened = interval.open_time(first.open_time_s)
    return LiveCandle(msgspec.structs.replace(first, open_time_s=opened), first)


def told(follower: Follower) -> list[tuple[int, str]]:
    return [(payload["time"], payload["volume"]) for _, payload in follower.read()]


async def test_a_candle_goes_to_those_who_follow_its_interval(room: Room) -> None:
    minute, hour = Follower("minute"), Follower("hour")
    minute.follow(room)
    hour.follow(room, interval=Interval.H1)
    start = second(3_600, price=10, lots=1, sequence=1)
    assert room.unseeded == {Interval.M1, Interval.H1}
    for interval in (Interval.M1, Interval.H1):
        room.seed(interval, live(start, interval), now_s=3_600)
    room.on_seconds([second(3_661, price=12, lots=2, sequence=5)])
    assert told(minute) == [(3600, "0.0001"), (3660, "0.0002")]
    assert told(hour) == [(3600, "0.0001"), (3600, "0.0003")]
    room.on_seconds([second(3_661, price=12, lots=2, sequence=5)])
    assert told(minute) == []
    room.roll(3_720 + rooms.ROLL_GRACE_S)
    ((_, carried),) = minute.read()
    assert (carried["time"], carried["open"], carried["volume"]) == (3720, "0.12", "0")
    assert told(hour) == []


async def test_a_second_that_comes_after_its_window_has_closed_is_told(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    room.seed(Interval.M1, live(second(61, price=10, lots=1, sequence=1)), now_s=61)
    room.roll(240 + rooms.ROLL_GRACE_S)
    assert told(one) == [(60, "0.0001"), (120, "0"), (180, "0"), (240, "0")]
    room.on_seconds([second(179, price=13, lots=2, sequence=4)])
    events = [(p["time"], p["close"], p["volume"], p["sequence"]) for _, p in one.read()]
    assert events == [(120, "0.13", "0.0002", 4), (180, "0.13", "0", 4), (240, "0.13", "0", 4)]


async def test_a_message_that_crosses_windows_tells_each_of_them(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    room.seed(Interval.M1, live(second(61, price=10, lots=1, sequence=1)), now_s=61)
    room.on_seconds(
        [
            second(61, price=10, lots=3, sequence=4),
            second(119, price=10, lots=1, sequence=5),
            second(240, price=10, lots=7, sequence=6),
        ]
    )
    assert told(one) == [
        (60, "0.0001"),
        (60, "0.0004"),
        (120, "0"),
        (180, "0"),
        (240, "0.0007"),
    ]


async def test_who_subscribes_again_still_hears_the_end_of_a_window(room: Room) -> None:
    one = Follower("one", bound=2)
    one.follow(room)
    room.seed(Interval.M1, live(second(61, price=10, lots=1, sequence=1)), now_s=61)
    room.on_seconds([second(61, price=10, lots=3, sequence=4)])
    room.on_seconds([second(120, price=10, lots=1, sequence=5)])
    one.follow(room)
    assert told(one) == [(60, "0.0001")]
    one.client.flush()
    assert told(one) == [(60, "0.0003")]
    one.client.flush()
    assert told(one) == [(120, "0.0001")]


async def test_seconds_that_came_before_the_seed_are_not_lost(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    first = second(60, price=10, lots=1, sequence=1)
    room.on_seconds([first, second(61, price=11, lots=2, sequence=4)])
    room.seed(Interval.M1, LiveCandle(first, first), now_s=61)
    ((_, candle),) = one.read()
    assert (candle["volume"], candle["close"], candle["sequence"]) == ("0.0003", "0.11", 4)


async def test_a_quiet_market_shows_its_open_window_first(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    room.seed(Interval.M1, live(second(61, price=10, lots=1, sequence=1)), now_s=86_400)
    assert told(one) == [(86_400, "0")]


async def test_a_markets_first_trade_opens_its_window_though_the_minute_has_turned(
    room: Room,
) -> None:
    one, other = Follower("one"), Follower("other")
    one.follow(room)
    other.follow(room, interval=Interval.S10)
    room.seed(Interval.M1, None, now_s=125)
    assert told(one) == []
    room.on_seconds([second(119, price=10, lots=1, sequence=2)])
    assert told(one) == [(60, "0.0001")]
    room.seed(Interval.S10, None, now_s=125)
    assert told(other) == [(110, "0.0001")]
    room.on_seconds([second(120, price=10, lots=2, sequence=5)])
    assert told(one) == [(120, "0.0002")]


async def test_a_first_trade_that_may_have_been_missed_opens_no_window(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    room.seed(Interval.M1, None, now_s=119)
    room.doubt()
    room.on_seconds([second(119, price=10, lots=1, sequence=2)])
    assert told(one) == []
    assert room.unseeded == {Interval.M1}


async def test_a_window_that_closed_while_seconds_were_missed_is_told_to_its_end(
    room: Room,
) -> None:
    one = Follower("one")
    one.follow(room)
    first = second(61, price=10, lots=1, sequence=1)
    room.seed(Interval.M1, live(first), now_s=61)
    assert told(one) == [(60, "0.0001")]
    room.doubt()
    assert room.missed_since_s == 61
    newest = second(130, price=12, lots=5, sequence=9)
    room.on_seconds([newest])
    assert told(one) == []
    missed = [
        first,
        second(62, price=11, lots=1, sequence=4),
        second(125, price=9, lots=1, sequence=7),
    ]
    room.catch_up(missed, whole=True)
    assert told(one) == [(60, "0.0002"), (120, "0.0001"), (120, "0.0006")]
    assert room.missed_since_s is None


async def test_a_trade_of_long_ago_tells_its_window_and_the_open_one(room: Room) -> None:
    one = Follower("one", bound=10_000)
    one.follow(room, interval=Interval.S1)
    room.seed(Interval.S1, live(second(0, price=10, lots=1, sequence=1), Interval.S1), now_s=0)
    room.roll(86_400 + rooms.ROLL_GRACE_S)
    assert told(one) == [(0, "0.0001"), (86_400, "0")]
    room.on_seconds([second(1, price=12, lots=1, sequence=2)])
    events = [(payload["time"], payload["close"]) for _, payload in one.read()]
    assert events == [(1, "0.12"), (86_400, "0.12")]
    room.on_seconds([second(86_401 - WINDOWS_MAX, price=13, lots=1, sequence=3)])
    assert len(told(one)) == WINDOWS_MAX


async def test_who_leaves_too_many_candles_unread_is_cut(room: Room, cut: list[Client]) -> None:
    quick, slow = Follower("quick", bound=10_000), Follower("slow", bound=2)
    for one in (quick, slow):
        one.follow(room, interval=Interval.S1)
    room.seed(Interval.S1, live(second(0, price=10, lots=1, sequence=1), Interval.S1), now_s=0)
    for now_s in range(NEWEST_MAX + 1 + rooms.ROLL_GRACE_S):
        room.roll(now_s)
    assert cut == []
    room.roll(NEWEST_MAX + 1 + rooms.ROLL_GRACE_S)
    assert cut == [slow.client]
    assert len(told(quick)) == NEWEST_MAX + 2


class Trading:
    """Trades as the candle actor publishes them: by whole seconds, and not always in turn."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._series = RecentSeconds(
            market_id=1, bound=10**6, candles=empty_candles(), complete=True
        )
        pause_ms = chance.choice([1_000 // 12, 700, 2_000])
        time_ms, price, rows = 1_699_999_997_000, 5_000, []
        for _ in range(400):
            time_ms += chance.randint(0, 2 * pause_ms)
            price = max(1, price + chance.randint(-9, 9))
            rows.append((time_ms * 1_000, price, chance.randint(1, 5_000)))
        self.events: RecordArray = trade_events(rows)
        self.done = chance.randint(1, 50)
        self._series.add(self.events[: self.done])
        self._published: list[Candle] = []
        self._late: list[Candle] = []

    @property
    def now_s(self) -> int:
        return int(self.events["time_us"][self.done - 1]) // 1_000_000

    def live(self, interval: Interval) -> LiveCandle:
        newest = self._series.last
        assert newest is not None
        return LiveCandle(naive_candles(self.events[: self.done], interval, now_s=0)[-1], newest)

    def message(self) -> list[Candle]:
        """Return changed seconds of some trades, shuffled, some again, and some left for later."""
        chance, start = self._chance, self.done
        self.done = min(len(self.events), start + chance.randint(1, 9))
        changed = self._series.add(self.events[start : self.done])
        self._published += changed
        changed += chance.sample(self._published, min(3, len(self._published)))
        late, self._late = self._late, [one for one in changed if chance.random() < 0.2]
        changed = [one for one in changed if one not in self._late] + late
        chance.shuffle(changed)
        return changed

    def late(self) -> list[Candle]:
        return self._late


@pytest.mark.parametrize("seed", range(20))
async def test_the_last_that_is_told_of_a_window_is_its_candle(room: Room, seed: int) -> None:
    chance = random.Random(seed)
    trading = Trading(chance)
    interval = chance.choice([Interval.S1, Interval.S10, Interval.M1])
    quick, slow = Follower("quick", bound=4_096), Follower("slow", bound=2)
    for one in (quick, slow):
        one.follow(room, interval=interval)
    room.seed(interval, trading.live(interval), now_s=trading.now_s)
    heard: dict[str, dict[int, Any]] = {"quick": {}, "slow": {}}

    def read(*followers: Follower) -> None:
        for one in followers:
            for _, payload in one.read():
                heard[one.client.sid][payload["time"]] = payload
            one.client.flush()

    ahead_s = chance.choice([0, 2, 30])
    while trading.done < len(trading.events):
        room.on_seconds(trading.message())
        if chance.random() < 0.5:
            room.roll(trading.now_s + ahead_s)
        read(quick, *([slow] if chance.random() < 0.1 else []))
    room.on_seconds(trading.late())
    while quick.client.lags or slow.client.lags or not slow.socket.queue.empty():
        read(quick, slow)
    read(quick)
    end_s = max(heard["quick"])
    right = {
        candle.open_time_s: msgspec.to_builtins(candle_update(UNITS, interval, candle))
        for candle in naive_candles(trading.events, interval, now_s=end_s)
    }
    for times in heard.values():
        first_s = min(times)
        assert set(times) == {time_s for time_s in right if time_s >= first_s}
        assert times == {time_s: right[time_s] for time_s in times}
