"""Growth of cost with pairs, with the size of a book, and with its log."""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np
import psutil

from actors.book.codec import encode_commands
from actors.book.compiled import CompiledBook
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce
from actors.fold.ports import StoredSnapshot
from actors.pair.actor import PairActor
from actors.platform.config import PairLimits
from cluster.data.state import running_state
from cluster.markets import topology_of
from cluster.tools.bench.flow import realistic_flow
from cluster.tools.bench.pipeline.measure import measure
from cluster.tools.bench.race import MARKET
from cluster.tools.bench.scale_report import BookCost, Recovery, Report, SharedCost, Throughput
from cluster.tools.platforms import own_platform

_T = TypeVar("_T")

_BUSY_PAIRS = (1, 2, 4, 8)
_OPEN_ORDERS = (1_000, 10_000, 100_000, 1_000_000)
_QUIET_PAIRS = (10, 50, 100, 200)
_LOG_COMMANDS = (10_000, 100_000, 1_000_000)
_BATCH = 256
_PROBES = 20_000
_LEVELS = 10_000


class _NoSnapshots:
    """A store of at most one snapshot, in memory: the disk is not what is measured."""

    begins_empty = True

    def __init__(self, snapshot: StoredSnapshot | None = None) -> None:
        self._snapshot = snapshot

    def save(self, snapshot: StoredSnapshot) -> None:
        self._snapshot = replace(snapshot, state=bytes(snapshot.state))

    def load(self) -> Iterator[StoredSnapshot]:
        if self._snapshot is not None:
            yield self._snapshot


def measure_scale(
    *, seconds: float, most: int, platform: bool, tell: Callable[[str], None]
) -> Report:
    """Measure books and logs of up to `most`; throughput for `seconds` each, with a `platform`."""
    return Report(
        throughput=list(_throughput(seconds, tell)) if platform else [],
        book=[_book_cost(size, tell) for size in _OPEN_ORDERS if size <= most],
        shared=[_shared_cost(pairs) for pairs in _QUIET_PAIRS],
        recovery=[_recovery(length, tell) for length in _LOG_COMMANDS if length <= most],
    )


def _throughput(seconds: float, tell: Callable[[str], None]) -> Iterator[Throughput]:
    with contextlib.ExitStack() as stack:
        tell("starting a platform")
        state = running_state(stack.enter_context(own_platform()))
        topology = topology_of(state.markets_file)
        for pairs in _BUSY_PAIRS:
            result = measure(
                "packed-log", state, topology, pairs=pairs, seed=1, seconds=seconds, tell=tell
            )
            yield Throughput(
                pairs=pairs,
                orders_per_second=result.orders_per_second,
                rows_per_second=result.rows_per_second,
            )


def _book_cost(size: int, tell: Callable[[str], None]) -> BookCost:
    tell(f"a book of {size:,} open orders")
    before = _resident_bytes()
    book = CompiledBook(MARKET)
    for start in range(0, size, 4_096):
        book.apply(resting(first_id=start + 1, count=min(4_096, size - start)))
    held = _resident_bytes() - before
    places = resting(first_id=size + 1, count=_PROBES)
    cancels = np.zeros(_PROBES, COMMAND_DTYPE)
    cancels["kind"] = CommandKind.CANCEL
    for field in ("order_id", "user_id"):
        cancels[field] = places[field]
    spent = time.thread_time()
    for start in range(0, _PROBES, _BATCH):
        book.apply(places[start : start + _BATCH].copy())
        book.apply(cancels[start : start + _BATCH].copy())
    spent = time.thread_time() - spent
    first_copy_s, _ = _timed(book.capture)
    copy_s, image = _timed(book.capture)
    restore_s, restored = _timed(lambda: CompiledBook.restore(MARKET, image.sealed()))
    if restored.state_hash() != book.state_hash() or book.open_orders != size:
        raise AssertionError(f"the book of {size} orders is not what it should be")
    return BookCost(
        open_orders=size,
        nanoseconds_per_command=round(spent * 1e9 / (2 * _PROBES), 1),
        bytes_per_order=round(held / size, 1),
        first_copy_ms=round(first_copy_s * 1e3, 2),
        copy_ms=round(copy_s * 1e3, 2),
        restore_ms=round(restore_s * 1e3, 2),
    )


def _shared_cost(pairs: int) -> SharedCost:
    gc.collect()
    before = _resident_bytes()
    actors = [_actor(_NoSnapshots(), market_id=number + 1) for number in range(pairs)]
    records = [encode_commands(number + 1, resting(first_id=1, count=1)) for number in range(pairs)]
    for actor, record in zip(actors, records, strict=True):
        actor.apply(0, 1, [record])
    held = _resident_bytes() - before
    orders = [encode_commands(number + 1, resting(first_id=2, count=1)) for number in range(pairs)]
    spent = time.thread_time()
    for actor, record in zip(actors, orders, strict=True):
        actor.apply(1, 2, [record])
    spent = time.thread_time() - spent
    return SharedCost(
        pairs=pairs,
        kilobytes_per_pair=round(held / pairs / 1e3, 1),
        microseconds_per_order=round(spent * 1e6 / pairs, 1),
    )


def _recovery(length: int, tell: Callable[[str], None]) -> Recovery:
    tell(f"a log of {length:,} commands")
    flow = realistic_flow(count=length, seed=1)
    values = [
        encode_commands(MARKET.market_id, flow[start : start + _BATCH])
        for start in range(0, len(flow), _BATCH)
    ]
    began = time.perf_counter()
    actor = _actor(_NoSnapshots())
    for first in range(0, len(values), 64):
        part = values[first : first + 64]
        actor.apply(first, first + len(part), part)
    seconds = time.perf_counter() - began
    snapshot = actor.export()
    snapshot_s, again = _timed(lambda: _actor(_NoSnapshots(snapshot)))
    if again.state_hash() != actor.state_hash():
        raise AssertionError("the pair came back as another one")
    return Recovery(
        log_commands=length,
        open_orders=int(actor.stats()["open_orders"]),
        seconds=round(seconds, 3),
        snapshot_seconds=round(snapshot_s, 4),
    )


def _actor(store: _NoSnapshots, *, market_id: int = MARKET.market_id) -> PairActor:
    market = replace(MARKET, market_id=market_id, pair=f"Q{market_id}-USD")
    return PairActor(market, store, PairLimits(snapshot_every_commands=1 << 40))


def resting(*, first_id: int, count: int) -> RecordArray:
    """Return orders to buy that rest on ten thousand levels and never trade."""
    commands = np.zeros(count, COMMAND_DTYPE)
    ids = np.arange(first_id, first_id + count)
    commands["kind"] = CommandKind.PLACE
    commands["side"] = Side.BUY
    commands["order_type"] = OrderType.LIMIT
    commands["time_in_force"] = TimeInForce.GTC
    commands["order_id"] = commands["user_id"] = ids
    commands["price_ticks"] = 1_000 + ids * 7_919 % _LEVELS
    commands["quantity_lots"] = 1_000
    return commands


def _timed(function: Callable[[], _T]) -> tuple[float, _T]:
    began = time.perf_counter()
    outcome = function()
    return time.perf_counter() - began, outcome


def _resident_bytes() -> int:
    resident: int = psutil.Process().memory_info().rss
    return resident
