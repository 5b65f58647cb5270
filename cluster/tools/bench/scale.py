"""`forkast bench scale`: how cost grows with pairs, with the size of a book, and with its log."""

import contextlib
import gc
import logging
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import numpy as np
import psutil
import structlog
import typer
from rich.console import Console

from actors.book.codec import encode_commands
from actors.book.compiled import CompiledBook
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce
from actors.fold.ports import StoredSnapshot
from actors.pair.actor import PairActor
from actors.platform.config import PairLimits
from cluster.cli.options import running_state, topology_of
from cluster.tools.bench.flow import realistic_flow
from cluster.tools.bench.pipeline.command import measure, own_platform
from cluster.tools.bench.race import MARKET
from cluster.tools.bench.scale_report import (
    BookCost,
    Recovery,
    Report,
    SharedCost,
    Throughput,
    markdown,
    print_tables,
)

_T = TypeVar("_T")

_BUSY_PAIRS = (1, 2, 4, 8)
_OPEN_ORDERS = (1_000, 10_000, 100_000, 1_000_000)
_QUIET_PAIRS = (10, 50, 100, 200)
_LOG_COMMANDS = (10_000, 100_000, 1_000_000)
_BATCH = 256
_PROBES = 20_000
_LEVELS = 10_000

_console = Console(stderr=True, highlight=False)


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


def scale(
    seconds: Annotated[float, typer.Option(min=1, help="How long each throughput is held.")] = 10.0,
    most: Annotated[int, typer.Option(min=1_000, help="Largest book and longest log.")] = 1_000_000,
    platform: Annotated[bool, typer.Option(help="Start one to measure throughput.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print tables and plots for a page.")
    ] = False,
) -> None:
    """Measure how cost grows: with pairs, open orders, quiet pairs in one process, and the log."""
    # A line for each pair that starts would be hundreds, and stand among the JSON.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    report = Report(
        throughput=list(_throughput(seconds)) if platform else [],
        book=[_book_cost(size) for size in _OPEN_ORDERS if size <= most],
        shared=[_shared_cost(pairs) for pairs in _QUIET_PAIRS],
        recovery=[_recovery(length) for length in _LOG_COMMANDS if length <= most],
    )
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    elif as_markdown:
        sys.stdout.write(markdown(report))
    else:
        print_tables(report)


def _throughput(seconds: float) -> Iterator[Throughput]:
    with contextlib.ExitStack() as stack:
        folder: Path = stack.enter_context(own_platform())
        state = running_state(folder)
        topology = topology_of(state.markets_file)
        for pairs in _BUSY_PAIRS:
            result = measure("packed-log", state, topology, pairs=pairs, seed=1, seconds=seconds)
            yield Throughput(
                pairs=pairs,
                orders_per_second=result.orders_per_second,
                rows_per_second=result.rows_per_second,
            )


def _book_cost(size: int) -> BookCost:
    _console.print(f"a book of {size:,} open orders")
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


def _recovery(length: int) -> Recovery:
    _console.print(f"a log of {length:,} commands")
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
