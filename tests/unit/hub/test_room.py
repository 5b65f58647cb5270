"""A room: who is told what, what is conflated, and how a gap in the depth is made known."""

import asyncio
from typing import Any

import pytest

from actors.platform.messages import DepthChange, DepthSnapshot
from api.hub import room as rooms
from api.hub.clients import Client
from api.hub.room import Room
from tests.beds.trades import trade_events
from tests.unit.hub.followers import Follower


def snapshot(update_id: int) -> DepthSnapshot:
    return DepthSnapshot(1, update_id, update_id, 0, False, [(100, update_id, 0, 1)], [])


def change(first: int, last: int) -> DepthChange:
    return DepthChange(1, last, first, last, [(100, last, 0, 1)], [])


async def test_each_trade_is_also_told_as_its_makers_order(room: Room) -> None:
    one = Follower("one")
    one.follow(room)
    assert room.on_events([trade_events([(1_000_000, 250, 4)])])
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
    room.on_events([trade_events([(1_000_000, 250, 4)] * 500)])
    while len(heard) < 1_000 and not cut:
        await one.told()
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
    room.on_events([trade_events([(1_000_000, 250, 4)] * 500)])
    heard: list[Any] = []
    while len(heard) < 1_000:
        await fast.told()
        heard.extend(fast.read())
    assert cut == [slow.client]


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


async def test_a_book_is_told_whole_whichever_of_its_levels_have_changed(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "BOOK_INTERVAL_S", 0.0)
    one = Follower("one")
    one.follow(room)
    books = [
        ([(100, 7, 0, 1), (99, 5, 0, 1)], [(101, 3, 0, 1)]),
        ([(100, 7, 0, 1), (99, 4, 1, 1)], [(101, 3, 0, 1)]),
        ([(100, 7, 0, 1)], [(101, 3, 0, 1), (102, 7, 0, 2)]),
    ]
    for update_id, (bids, asks) in enumerate(books, start=1):
        room.on_snapshot(DepthSnapshot(1, update_id, update_id, 0, False, bids, asks))
    told = [
        tuple(
            [(row["price"], row["quantity"], row["status"], row["orders"]) for row in book[side]]
            for side in ("bids", "asks")
        )
        for _, book in one.read()
    ]
    assert told == [
        (
            [("1", "0.0007", "OPEN", 1), ("0.99", "0.0005", "OPEN", 1)],
            [("1.01", "0.0003", "OPEN", 1)],
        ),
        (
            [("1", "0.0007", "OPEN", 1), ("0.99", "0.0004", "PARTIALLY_FILLED", 1)],
            [("1.01", "0.0003", "OPEN", 1)],
        ),
        (
            [("1", "0.0007", "OPEN", 1)],
            [("1.01", "0.0003", "OPEN", 1), ("1.02", "0.0007", "OPEN", 2)],
        ),
    ]
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


async def test_a_part_that_cannot_be_told_makes_its_room_unhealthy(room: Room) -> None:
    failed = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda *_: failed.set())
    one = Follower("one")
    one.follow(room)
    events = trade_events([(1_000_000, 250, 4)] * 20)
    events["client_order_id"][18, 0] = -1
    room.on_events([events])
    room.check_health()
    await asyncio.wait_for(failed.wait(), 5)
    with pytest.raises(RuntimeError, match="has ended: UnicodeDecodeError"):
        room.check_health()
