"""Rates of the ledger: holds and settlements over real orders and the events of a real book.

A flow of orders (`flow.py`) is matched beside the clock: a ledger holds for the next batch of
commands and settles the events that they caused. All users are of the one shard that is measured,
so an event with a trade is two settlements. At a flow's end what is left of it is cancelled, and
another begins, so that some thousand orders hold something all the time.

Accounts are opened for all users beforehand, so that balances, orders and accounts lie in tables
of the size that so many users make; the flow draws its users evenly from them.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from actors.book.compiled import CompiledBook
from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, EVENT_DTYPE, RecordArray, joined
from actors.book.vocabulary import CommandKind, EventKind
from actors.ledger.assets import MarketAssets
from actors.ledger.compiled import CompiledLedger
from actors.ledger.contract import Ledger
from actors.ledger.naive import NaiveLedger
from actors.ledger.records import JOURNAL_DTYPE
from actors.ledger.vocabulary import JournalKind
from actors.ledger.warm import warm
from cluster.tools.bench.flow import realistic_flow
from cluster.tools.bench.race import MARKET

ACCOUNTS = (1_000, 100_000, 1_000_000)
BATCH_SIZE = 1_024
WARM_BATCHES = 20
NAIVE_ACCOUNTS = 1_000
NAIVE_SHARE = 0.1
TAKER_FEE = 1_000
DEPOSIT = 10**12


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Commands, and the events that they caused; how many holds and settlements that is."""

    commands: RecordArray
    events: RecordArray
    holds: int
    settlements: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerRate:
    """Medians over the batches of one ledger, a second of one core's time.

    `open_holds` is how many orders held something at the end.
    """

    name: str
    accounts: int
    open_holds: int
    operations_per_second: float
    holds_per_second: float
    settlements_per_second: float


def measure_ledgers(
    *, accounts: tuple[int, ...], seconds: float, seed: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Measure each number of accounts, beside the naive ledger; it takes about `seconds`."""
    # What is compiled meanwhile would count as work.
    warm()
    rates = []
    for number in accounts:
        tell(f"{number:,} accounts")
        rates.append(
            _measured("forkast", CompiledLedger, number, seconds=seconds / len(accounts), seed=seed)
        )
    tell("the naive ledger")
    naive = _measured(
        "naive", NaiveLedger, NAIVE_ACCOUNTS, seconds=seconds * NAIVE_SHARE, seed=seed
    )
    return summarise(rates, naive, seed=seed)


def summarise(rates: list[LedgerRate], naive: LedgerRate, *, seed: int) -> dict[str, Any]:
    """Return the report that `--json` prints; a ratio is a rate to the naive ledger's."""
    return {
        "results": [
            {
                "name": rate.name,
                "accounts": rate.accounts,
                "open_holds": rate.open_holds,
                "operations_per_second": round(rate.operations_per_second),
                "holds_per_second": round(rate.holds_per_second),
                "settlements_per_second": round(rate.settlements_per_second),
                "ratio": round(rate.operations_per_second / naive.operations_per_second, 1),
            }
            for rate in (*rates, naive)
        ],
        "flow": {"batch_size": BATCH_SIZE, "seed": seed},
    }


def _measured(
    name: str, ledger_type: Callable[..., Ledger], accounts: int, *, seconds: float, seed: int
) -> LedgerRate:
    """Let a ledger take batches until the time is up; the first ones are not counted."""
    market = MarketAssets.of(_market())
    ledger = ledger_type([market])
    _open(ledger, market, accounts)
    rates: list[tuple[float, float, float]] = []
    batches = _batches(accounts, seed=seed)
    left = seconds
    while left > 0 or len(rates) <= WARM_BATCHES:
        batch = next(batches)
        began = time.thread_time()
        ledger.hold(MARKET.market_id, batch.commands)
        held = time.thread_time()
        ledger.settle(MARKET.market_id, batch.events)
        settled = time.thread_time()
        left -= settled - began
        rates.append(
            (
                (batch.holds + batch.settlements) / (settled - began),
                batch.holds / (held - began),
                batch.settlements / (settled - held),
            )
        )
    both, holds, settlements = zip(*rates[WARM_BATCHES:], strict=True)
    return LedgerRate(
        name=name,
        accounts=accounts,
        open_holds=ledger.open_holds,
        operations_per_second=statistics.median(both),
        holds_per_second=statistics.median(holds),
        settlements_per_second=statistics.median(settlements),
    )


def _market() -> Market:
    """Return the market of the other benches, with a tenth of a unit a tick x lot."""
    return replace(MARKET, lot_size="0.0000001")


def _open(ledger: Ledger, market: MarketAssets, accounts: int) -> None:
    records = np.zeros(accounts, JOURNAL_DTYPE)
    records["user_id"] = np.arange(1, accounts + 1)
    records["kind"], records["id"] = JournalKind.OPEN, records["user_id"]
    ledger.journal(0, records)
    records["kind"], records["amount"] = JournalKind.DEPOSIT, DEPOSIT
    for offset, asset in enumerate((market.base, market.quote), start=1):
        records["asset"] = asset
        ledger.journal(offset, records)


def _batches(accounts: int, *, seed: int) -> Iterator[Batch]:
    """Yield batches without end: stretches of the flow, each followed by another seed's."""
    book = CompiledBook(_market())
    first_order = 1
    while True:
        flow = realistic_flow(
            count=256 * BATCH_SIZE, seed=seed, users=accounts, first_order_id=first_order
        )
        flow["taker_fee"] = TAKER_FEE
        flow = joined([_cancels(book), flow], COMMAND_DTYPE)
        for start in range(0, len(flow), BATCH_SIZE):
            commands = flow[start : start + BATCH_SIZE]
            events = book.apply(commands).events.copy()
            trades = int(np.count_nonzero(events["kind"] == EventKind.TRADE))
            holds = int(np.count_nonzero(commands["kind"] != CommandKind.CANCEL))
            yield Batch(
                commands=commands, events=events, holds=holds, settlements=len(events) + trades
            )
        first_order += len(flow)
        seed += 1


def _cancels(book: CompiledBook) -> RecordArray:
    images = joined(book.orders(book.open_orders), EVENT_DTYPE)
    cancels = np.zeros(len(images), COMMAND_DTYPE)
    cancels["kind"] = CommandKind.CANCEL
    for name in ("order_id", "user_id"):
        cancels[name] = images[name]
    return cancels
