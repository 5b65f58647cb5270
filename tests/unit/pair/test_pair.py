"""The pair as a state machine: ranges of its log in, events out."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from actors.book.codec import encode_commands
from actors.book.reasons import Reason
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind, Side
from actors.fold.snapshots import FileSnapshotStore
from actors.pair.actor import PairActor
from actors.pair.messages import RangeApplied, RangeRefused
from actors.platform.config import PairLimits
from actors.platform.messages import DepthSnapshot
from tests.beds.commands import flow, market, place

MARKET = market(3)


def make_pair(directory: Path, *, every: int = 1_000_000) -> PairActor:
    store = FileSnapshotStore(directory, pair=MARKET.pair, kept=2)
    return PairActor(MARKET, store, PairLimits(snapshot_every_commands=every))


def record(commands: RecordArray) -> bytes:
    return encode_commands(MARKET.market_id, commands)


def apply(pair: PairActor, first_offset: int, values: list[bytes]) -> RangeApplied:
    outcome = pair.apply(first_offset, first_offset + len(values), values)
    assert isinstance(outcome, RangeApplied)
    return outcome


def events_of(applied: RangeApplied) -> RecordArray:
    return np.frombuffer(applied.events, EVENT_DTYPE)


def single_orders(count: int) -> list[bytes]:
    commands = flow(count)
    return [record(commands[i : i + 1]) for i in range(count)]


def test_a_gap_in_the_log_is_refused_with_the_offset_that_is_needed(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    apply(pair, 0, single_orders(3))
    before = pair.state_hash()
    assert pair.apply(4, 5, single_orders(1)) == RangeRefused(3)
    assert pair.state_hash() == before
    assert pair.position().next_offset == 3


def test_a_range_that_overlaps_the_position_is_refused_whole(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    values = single_orders(6)
    apply(pair, 0, values[:4])
    assert pair.apply(2, 6, values[2:6]) == RangeRefused(4)


def test_a_repeated_range_has_no_effect(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    values = single_orders(5)
    apply(pair, 0, values)
    before = pair.state_hash()
    again = apply(pair, 2, values[2:4])
    assert again.repeated
    assert again.next_offset == 5
    assert again.events == b""
    assert again.levels == b""
    assert pair.state_hash() == before


def test_more_values_than_offsets_are_an_error(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    with pytest.raises(ValueError, match="2 values"):
        pair.apply(0, 1, single_orders(2))


@pytest.mark.parametrize("poison", [b"", b"not a record", bytes(500)])
def test_a_poison_record_becomes_one_refusal_and_the_market_goes_on(
    tmp_path: Path, poison: bytes
) -> None:
    pair = make_pair(tmp_path)
    order = record(place(9, Side.BUY, price_ticks=100, quantity_lots=5))
    events = events_of(apply(pair, 0, [poison, order]))
    assert events["kind"].tolist() == [EventKind.REFUSED, EventKind.ORDER]
    assert events["reason"][0] == Reason.MALFORMED
    assert events["sequence"].tolist() == [1, 2]
    assert pair.position().next_offset == 2


def test_the_same_log_in_any_batching_gives_the_same_events_and_hash(tmp_path: Path) -> None:
    values = single_orders(400)
    one, many = make_pair(tmp_path / "one"), make_pair(tmp_path / "many")
    whole = apply(one, 0, values).events
    parts = b"".join(
        apply(many, start, values[start : start + 7]).events for start in range(0, 400, 7)
    )
    assert whole == parts
    assert one.state_hash() == many.state_hash()


def test_a_batch_in_one_record_equals_the_same_orders_in_many(tmp_path: Path) -> None:
    one, many = make_pair(tmp_path / "one"), make_pair(tmp_path / "many")
    packed = apply(one, 0, [record(flow(300))])
    single = apply(many, 0, single_orders(300))
    assert packed.events == single.events
    assert one.state_hash() == many.state_hash()
    assert packed.commands == single.commands == 300


def test_depth_orders_and_stats_agree_with_the_book(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    apply(
        pair,
        0,
        [
            record(place(1, Side.BUY, price_ticks=100, quantity_lots=5)),
            record(place(2, Side.BUY, price_ticks=99, quantity_lots=7)),
            record(place(3, Side.SELL, price_ticks=100, quantity_lots=2, user_id=2)),
        ],
    )
    depth = pair.depth(10)
    assert depth.bids == [(100, 3, 2, 1), (99, 7, 0, 1)]
    assert depth.asks == []
    whole, top = pair.depth_messages(10, 1)
    assert msgspec.msgpack.decode(whole, type=DepthSnapshot) == depth
    assert msgspec.msgpack.decode(top, type=DepthSnapshot).bids == depth.bids[:1]
    bids, asks = (np.frombuffer(side, EVENT_DTYPE) for side in pair.orders(10))
    assert bids["order_id"].tolist() == [1, 2]
    assert len(asks) == 0
    stats = pair.stats()
    assert (stats["open_orders"], stats["last_price_ticks"], stats["commands"]) == (2, 100, 3)
    assert pair.ping() == MARKET.pair
