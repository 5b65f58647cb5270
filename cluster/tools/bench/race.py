"""Books side by side over one flow: rounds that take turns, so that a noisy moment hits all.

Every book runs in one thread, and a rate counts that thread's CPU seconds: on a core of its own
they are the wall's, on a busy machine they leave out the time that others had the core.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from actors.book.compiled import CompiledBook
from actors.book.market import Market
from actors.book.naive import NaiveBook
from actors.book.records import RecordArray
from cluster.tools.bench.flow import realistic_flow
from cluster.tools.bench.peers import Peer, installed_peers, rows_of

SCENARIOS = {"fixed mid": 0.0, "5 % swing": 0.05, "20 % swing": 0.2, "60 % swing": 0.6}
BATCH_SIZES = (1, 16, 256, 4096)
COMPARED_BATCH_SIZE = 256
NAIVE = "naive"
ROUNDS = 7
WARM_SHARE = 0.2
SMALLEST_SEGMENT = 100

MARKET = Market(
    market_id=1,
    pair="BTC-USD",
    tick_size="0.01",
    lot_size="0.0001",
    min_notional_units=0,
    max_price_ticks=100_000_000,
    max_quantity_lots=1_000_000_000,
)

_COLD_START = """
import time
started = time.perf_counter()
import numpy as np
from actors.book.compiled import CompiledBook
from actors.book.records import COMMAND_DTYPE
from cluster.tools.bench.race import MARKET
book = CompiledBook(MARKET)
commands = np.zeros(1, COMMAND_DTYPE)
commands["kind"] = 7
book.apply(commands)
print(time.perf_counter() - started)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookRate:
    """Medians over the rounds of one book in one scenario; a peer counts no events."""

    name: str
    scenario: str
    batch_size: int
    commands_per_second: float
    events_per_second: float


class Runner:
    """One book on its way through a flow."""

    def __init__(self, name: str, batch_size: int, run: Callable[[int, int], int]) -> None:
        self.name = name
        self.batch_size = batch_size
        self.segment = SMALLEST_SEGMENT
        self.rates: list[tuple[float, float]] = []
        self._run = run
        self._position = 0

    def advance(self, count: int) -> tuple[float, float]:
        """Run the next `count` commands; return commands and events per second."""
        start, stop = self._position, self._position + count
        self._position = stop
        began = time.thread_time()
        events = self._run(start, stop)
        elapsed = time.thread_time() - began
        return count / elapsed, events / elapsed


def race(*, scenario: str, commands: int, seconds: float, seed: int, peers: bool) -> list[BookRate]:
    """Run all books over one scenario in about `seconds` of measuring, warm-up not counted.

    Each book first takes the flow's first fifth; then every round gives each its turn.
    """
    flow = realistic_flow(
        count=commands, seed=seed, swing=SCENARIOS[scenario], max_quantity_lots=1_000_000
    )
    runners = _runners(flow, peers=peers)
    warm = int(commands * WARM_SHARE)
    turn_seconds = seconds / (ROUNDS * len(runners))
    longest = (commands - warm) // ROUNDS
    for runner in runners:
        rate, _ = runner.advance(warm)
        runner.segment = min(max(int(rate * turn_seconds), SMALLEST_SEGMENT), longest)
    for _ in range(ROUNDS):
        for runner in runners:
            runner.rates.append(runner.advance(runner.segment))
    return [
        BookRate(
            name=runner.name,
            scenario=scenario,
            batch_size=runner.batch_size,
            commands_per_second=statistics.median(rate for rate, _ in runner.rates),
            events_per_second=statistics.median(rate for _, rate in runner.rates),
        )
        for runner in runners
    ]


def cached_start_seconds(*, tries: int = 3) -> float:
    """Return the median time from an empty interpreter to the first applied command.

    Imports of numpy and LLVM are counted, the interpreter's own start is not; the machine code lies
    on disk.
    """
    _cold_start()
    return statistics.median(_cold_start() for _ in range(tries))


def _cold_start() -> float:
    answer = subprocess.run(
        [sys.executable, "-c", _COLD_START], check=True, capture_output=True, text=True
    )
    return float(answer.stdout)


def _runners(flow: RecordArray, *, peers: bool) -> list[Runner]:
    runners = [
        Runner("forkast", size, _run_book(CompiledBook(MARKET), flow, size)) for size in BATCH_SIZES
    ]
    runners.append(
        Runner(NAIVE, COMPARED_BATCH_SIZE, _run_book(NaiveBook(MARKET), flow, COMPARED_BATCH_SIZE))
    )
    if peers:
        runners += [
            Runner(name, 1, _run_peer(make(), flow)) for name, make in installed_peers().items()
        ]
    return runners


def _run_book(
    book: CompiledBook | NaiveBook, flow: RecordArray, batch_size: int
) -> Callable[[int, int], int]:
    def run(start: int, stop: int) -> int:
        events = 0
        for first, last in pairwise([*range(start, stop, batch_size), stop]):
            events += len(book.apply(flow[first:last]).events)
        return events

    return run


def _run_peer(peer: Peer, flow: RecordArray) -> Callable[[int, int], int]:
    rows = rows_of(flow)

    def run(start: int, stop: int) -> int:
        peer.apply(rows[start:stop])
        return 0

    return run
