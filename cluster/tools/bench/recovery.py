"""Time until a pair's actor is back, from its snapshot and its log."""

import tempfile
import time
from pathlib import Path

import msgspec

from actors.book.codec import encode_commands
from actors.book.records import RecordArray
from actors.fold.snapshots import FileSnapshotStore
from actors.pair.actor import PairActor
from actors.pair.messages import RangeAnswer, RangeRequest
from actors.platform.config import PairLimits
from cluster.tools.bench.flow import realistic_flow
from cluster.tools.bench.race import MARKET
from cluster.tools.bench.scale import resting

_BATCH = 256
_RECORDS_PER_RANGE = 64
_NEVER = 1 << 40


class Recovered(msgspec.Struct, kw_only=True):
    """What an actor came back from, and the seconds of its two halves."""

    open_orders: int
    commands_since_snapshot: int
    snapshot_seconds: float
    replay_seconds: float
    seconds: float


def measure_recovery(*, open_orders: int, commands: int, seed: int) -> Recovered:
    """Return how long an actor takes to stand where the one before it stood.

    Raises AssertionError where it comes back as another one.
    """
    before = resting(first_id=1, count=open_orders)
    since = realistic_flow(count=commands, seed=seed, first_order_id=open_orders + 1)
    with tempfile.TemporaryDirectory(prefix="forkast-recovery-") as folder:
        store = FileSnapshotStore(Path(folder), pair=MARKET.pair, kept=2)
        actor = _actor(store)
        first = _replay(actor, _records(before), first_offset=0)
        store.save(actor.export())
        records = _records(since)
        _replay(actor, records, first_offset=first)
        began = time.perf_counter()
        again = _actor(store)
        restored = time.perf_counter()
        _replay(again, records, first_offset=again.position().next_offset)
        done = time.perf_counter()
    if again.fingerprint() != actor.fingerprint():
        raise AssertionError("the pair came back as another one")
    return Recovered(
        open_orders=open_orders,
        commands_since_snapshot=commands,
        snapshot_seconds=round(restored - began, 3),
        replay_seconds=round(done - restored, 3),
        seconds=round(done - began, 3),
    )


def _actor(store: FileSnapshotStore) -> PairActor:
    return PairActor(MARKET, store, PairLimits(snapshot_every_commands=_NEVER))


def _records(commands: RecordArray) -> list[bytes]:
    return [
        encode_commands(MARKET.market_id, commands[start : start + _BATCH])
        for start in range(0, len(commands), _BATCH)
    ]


def _replay(actor: PairActor, records: list[bytes], *, first_offset: int) -> int:
    """Hand the records over in ranges; return the offset after them."""
    for start in range(0, len(records), _RECORDS_PER_RANGE):
        values = records[start : start + _RECORDS_PER_RANGE]
        request = RangeRequest(
            pair=MARKET.pair,
            first_offset=first_offset + start,
            next_offset=first_offset + start + len(values),
            acknowledged=0,
            depth_levels=0,
            depth_top=0,
            values=values,
        )
        answer = msgspec.msgpack.decode(actor.answer(request), type=RangeAnswer)
        if answer.applied is None:
            raise AssertionError(f"the pair refused the range from {request.first_offset}")
    return first_offset + len(records)
