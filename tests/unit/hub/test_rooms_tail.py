"""One reader for all rooms: what follows a subscription comes, once and in order."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors.log.memory import MemoryLog
from actors.log.ports import LogRecord
from actors.platform.errors import LogUnavailableError
from actors.platform.topology import EVENTS_TOPIC
from api.hub import tail as tails
from api.hub.tail import RoomsTail
from tests.beds.rooms import WAIT_S, RoomFollower, numbered

_PARTITIONS = range(3)


class _Log(MemoryLog):
    """A log that may be away, and may lose what it has."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.refused = asyncio.Event()

    def records(
        self, topic: str, partition: int, *, first_offset: int, bound: int
    ) -> list[LogRecord]:
        if self.is_away:
            self.refused.set()
            raise LogUnavailableError("away", retryable=True)
        return super().records(topic, partition, first_offset=first_offset, bound=bound)

    def lose_everything(self) -> None:
        self._values.clear()

    def tell(self, partition: int, sequence: int) -> None:
        """Append the record of one event."""
        self.append(EVENTS_TOPIC, partition, numbered(partition, sequence))


@asynccontextmanager
async def _tail(log: MemoryLog) -> AsyncIterator[RoomsTail]:
    tail = RoomsTail(log, partitions=_PARTITIONS)
    try:
        yield tail
        tail.check_health()
    finally:
        await tail.stop()


@pytest.mark.parametrize("seed", range(20))
async def test_what_comes_while_a_room_is_followed_is_told_once_and_in_order(seed: int) -> None:
    log, draw = _Log(), random.Random(seed)
    last = dict.fromkeys(_PARTITIONS, 0)
    open_rooms: dict[int, tuple[RoomFollower, int]] = {}
    closed: list[tuple[RoomFollower, int, int]] = []
    async with _tail(log) as tail:
        for _ in range(300):
            partition = draw.choice(_PARTITIONS)
            if draw.random() < 0.7:
                last[partition] += 1
                log.tell(partition, last[partition])
            elif partition not in open_rooms:
                follower = RoomFollower()
                await tail.follow(partition, follower.deliver)
                open_rooms[partition] = follower, last[partition]
            else:
                follower, since = open_rooms.pop(partition)
                tail.leave(partition)
                closed.append((follower, since, last[partition]))
                if draw.random() < 0.5:
                    await tail.rest()
            if draw.random() < 0.3:
                await asyncio.sleep(0)
        for partition, (follower, since) in open_rooms.items():
            log.tell(partition, last[partition] + 1)
            await follower.until(last[partition] + 1)
            assert follower.told == list(range(since + 1, last[partition] + 2)), f"seed {seed}"
    for follower, since, until in closed:
        told = follower.told
        assert told == list(range(since + 1, since + 1 + len(told))), f"seed {seed}"
        assert since + len(told) <= until, f"seed {seed}"


async def test_what_comes_before_a_room_is_followed_is_not_told() -> None:
    log, follower = _Log(), RoomFollower()
    log.tell(0, 1)
    async with _tail(log) as tail:
        await tail.follow(0, follower.deliver)
        log.tell(0, 2)
        await follower.until(2)
    assert follower.told == [2]


async def test_a_room_that_wants_no_more_is_left_alone_and_loses_nothing() -> None:
    log, slow, other = _Log(), RoomFollower(), RoomFollower()
    slow.takes_more = False
    async with _tail(log) as tail:
        await tail.follow(0, slow.deliver)
        await tail.follow(1, other.deliver)
        log.tell(0, 1)
        await slow.until(1)
        for sequence in (2, 3):
            log.tell(0, sequence)
            log.tell(1, sequence)
            await other.until(sequence)
        assert slow.told == [1]
        slow.takes_more = True
        tail.resume(0)
        await slow.until(3)
    assert slow.told == [1, 2, 3]


async def test_repeated_records_are_told_once() -> None:
    log, follower = _Log(), RoomFollower()
    async with _tail(log) as tail:
        await tail.follow(0, follower.deliver)
        for sequence in (1, 2, 1, 2, 3):
            log.tell(0, sequence)
        await follower.until(3)
    assert follower.told == [1, 2, 3]


async def test_after_an_outage_reading_goes_on_where_it_stood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tails, "_PAUSE_S", 0.0)
    log, follower = _Log(), RoomFollower()
    async with _tail(log) as tail:
        await tail.follow(0, follower.deliver)
        log.tell(0, 1)
        await follower.until(1)
        log.is_away = True
        log.tell(0, 2)
        await asyncio.wait_for(log.refused.wait(), WAIT_S)
        log.tell(0, 3)
        log.is_away = False
        await follower.until(3)
    assert follower.told == [1, 2, 3]


async def test_behind_a_gap_in_the_log_reading_goes_on_at_its_end() -> None:
    log, follower, other = _Log(), RoomFollower(), RoomFollower()
    async with _tail(log) as tail:
        await tail.follow(0, follower.deliver)
        await tail.follow(1, other.deliver)
        for sequence in (1, 2):
            log.tell(0, sequence)
        await follower.until(2)
        log.lose_everything()
        log.tell(1, 1)
        await other.until(1)
        log.tell(0, 7)
        await follower.until(7)
    assert follower.told == [1, 2, 7]
