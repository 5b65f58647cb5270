"""The kernel stops between two steps wherever an array is full, and goes on as if it had not."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.kernel import memory
from actors.book.kernel.calls import calls_of
from actors.book.kernel.layout import (
    BEGIN,
    COMMAND_WORDS,
    EVENT_WORDS,
    NEED_EVENTS,
    OWN_EVENTS,
    READY,
    S_EVENTS,
    S_OPEN,
    S_TIME,
    WORD,
)
from actors.book.market import Market
from actors.book.naive import NaiveBook
from actors.book.records import COMMAND_DTYPE, EVENT_DTYPE, RecordArray
from actors.book.vocabulary import (
    CommandKind,
    EventKind,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.property.streams import ARENAS, stream

GUARD = -7
MAKERS = 300


class CrampedBook:
    """A book whose array of events has the rows that the next step may need, and none more.

    `stops` counts the times when it was full, `stops_inside` those after an expiry that the
    command at hand had set off.
    """

    def __init__(self, market: Market) -> None:
        self.arrays = memory.allocate(market, orders=1, client_ids=1)
        self.stops = self.stops_inside = 0
        self._cramp()

    def _cramp(self) -> None:
        rows = int(self.arrays.state[S_OPEN]) + OWN_EVENTS
        self._memory = np.full((rows + 1, EVENT_WORDS), GUARD, WORD)
        self.arrays = self.arrays._replace(events=self._memory[:rows])
        self.arrays.state[S_EVENTS] = 0

    def apply(self, commands: RecordArray) -> RecordArray:
        words = np.array(commands).view(WORD)
        taken: list[RecordArray] = []
        position = BEGIN
        self._cramp()
        while True:
            need, position, count, *_ = calls_of(self.arrays).apply(words, len(commands), position)
            assert (self._memory[len(self.arrays.events) :] == GUARD).all()
            if need not in (READY, NEED_EVENTS):
                self.arrays = memory.grow(self.arrays, need)
                continue
            taken.append(self._memory[:count].copy().reshape(-1).view(EVENT_DTYPE))
            if need == READY:
                return np.concatenate(taken)
            self.stops += 1
            inside = (taken[-1]["status"] == OrderStatus.EXPIRED)[-1:].any()
            self.stops_inside += inside and self._is_at(words, position)
            self._cramp()

    def _is_at(self, words: np.ndarray, position: int) -> bool:
        command = words[position * COMMAND_WORDS :][:COMMAND_WORDS].view(COMMAND_DTYPE)[0]
        return int(command["time_us"]) == int(self.arrays.state[S_TIME])

    def state_hash(self) -> int:
        return calls_of(self.arrays).state_hash()


def orders(count: int, *, first_id: int = 1, **fields: int) -> RecordArray:
    """Return `count` GTC limit orders of one lot each; `fields` are set in all of them."""
    commands = np.zeros(count, COMMAND_DTYPE)
    settings = {
        "kind": CommandKind.PLACE,
        "side": Side.SELL,
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "user_id": 1,
        "price_ticks": 100,
        "quantity_lots": 1,
    }
    for name, value in (settings | fields).items():
        commands[name] = value
    commands["order_id"] = commands["command_id"] = np.arange(first_id, first_id + count)
    return commands


@pytest.mark.parametrize("batch_size", [1, 37, 4_000])
@pytest.mark.parametrize("arena", ARENAS)
def test_the_smallest_array_gives_the_same_events_in_every_batching(
    arena: str, batch_size: int
) -> None:
    commands = stream(ARENAS[arena], seed=31, count=4_000)
    ample = CompiledBook(ARENAS[arena].market, initial_orders=65_536)
    expected = ample.apply(commands).events
    cramped = CrampedBook(ARENAS[arena].market)
    events = [
        cramped.apply(commands[start : start + batch_size])
        for start in range(0, len(commands), batch_size)
    ]
    assert np.concatenate(events).tobytes() == expected.tobytes()
    assert cramped.state_hash() == ample.state_hash()
    assert (cramped.stops == 0) == (batch_size == 1)


def test_a_cancel_all_fills_the_smallest_array_to_its_last_row(wide_market: Market) -> None:
    cramped = CrampedBook(wide_market)
    cramped.apply(orders(MAKERS))
    events = cramped.apply(orders(1, kind=CommandKind.CANCEL_ALL, side=0))
    assert len(cramped.arrays.events) == len(events) == MAKERS + OWN_EVENTS
    assert events["status"][:-1].tolist() == [OrderStatus.CANCELLED] * MAKERS
    assert int(events["kind"][-1]) == EventKind.DONE


@pytest.mark.parametrize(
    "prevention",
    [
        SelfTradePrevention.NONE,
        SelfTradePrevention.EXPIRE_MAKER,
        SelfTradePrevention.DECREMENT,
    ],
)
def test_a_sweep_of_all_makers_fills_the_smallest_array_to_its_last_row(
    wide_market: Market, prevention: SelfTradePrevention
) -> None:
    makers = orders(MAKERS)
    makers["price_ticks"] += np.arange(MAKERS) % 50
    makers["user_id"][::2] = 2
    cramped = CrampedBook(wide_market)
    cramped.apply(makers)
    sweep = orders(
        1,
        first_id=MAKERS + 1,
        side=Side.BUY,
        price_ticks=1_000,
        quantity_lots=MAKERS + 1,
        self_trade_prevention=prevention,
    )
    events = cramped.apply(sweep)
    assert len(cramped.arrays.events) == len(events) == MAKERS + OWN_EVENTS
    traded = int((events["kind"] == EventKind.TRADE).sum())
    assert traded == (MAKERS if prevention == SelfTradePrevention.NONE else MAKERS // 2)
    assert int(events["order_id"][-1]) == MAKERS + 1
    assert int(cramped.arrays.state[S_OPEN]) == 1


def test_an_amended_order_that_sweeps_all_others_makes_no_more_events_than_they(
    wide_market: Market,
) -> None:
    cramped = CrampedBook(wide_market)
    cramped.apply(orders(MAKERS))
    cramped.apply(orders(1, first_id=MAKERS + 1, side=Side.BUY, price_ticks=1, user_id=2))
    amend = orders(
        1,
        first_id=MAKERS + 1,
        kind=CommandKind.AMEND,
        user_id=2,
        price_ticks=100,
        quantity_lots=MAKERS,
    )
    events = cramped.apply(amend)
    assert len(events) == MAKERS + 1 <= len(cramped.arrays.events)
    assert int(events["status"][-1]) == OrderStatus.FILLED
    assert int(cramped.arrays.state[S_OPEN]) == 0


@pytest.mark.parametrize("lasting", [0, 1, MAKERS])
def test_a_command_that_lets_orders_expire_is_left_and_gone_on_with(
    wide_market: Market, lasting: int
) -> None:
    due = orders(MAKERS, time_in_force=TimeInForce.GTD, expires_us=1_000, time_us=10)
    stay = orders(lasting, first_id=MAKERS + 1, time_us=10)
    before = orders(1, first_id=5_000, side=Side.BUY, price_ticks=1, user_id=2, time_us=20)
    sweep = orders(
        1,
        first_id=6_000,
        side=Side.BUY,
        quantity_lots=MAKERS + lasting,
        user_id=3,
        time_us=2_000,
    )
    batch = np.concatenate([before, sweep])
    ample = CompiledBook(wide_market, initial_orders=65_536)
    cramped = CrampedBook(wide_market)
    for part in (due, stay):
        ample.apply(part)
        cramped.apply(part)
    cramped.stops = cramped.stops_inside = 0
    expected, actual = ample.apply(batch).events, cramped.apply(batch)
    assert actual.tobytes() == expected.tobytes()
    assert cramped.state_hash() == ample.state_hash()
    assert cramped.stops_inside == 1
    assert (expected["status"] == OrderStatus.EXPIRED).sum() == MAKERS


def fold_both(arena: str, count: int) -> None:
    """Apply a stream with the smallest arrays of events and to the naive book, and compare."""
    commands = stream(ARENAS[arena], seed=8, count=count)
    naive, cramped = NaiveBook(ARENAS[arena].market), CrampedBook(ARENAS[arena].market)
    assert cramped.apply(commands).tobytes() == naive.apply(commands).events.tobytes()
    assert cramped.state_hash() == naive.state_hash()
    assert cramped.stops_inside > 0


def test_the_interpreted_kernel_finds_no_row_beyond_the_smallest_array() -> None:
    statement = f"from {__name__} import fold_both; fold_both('crowded', 1_000)"
    done = subprocess.run(
        [sys.executable, "-c", statement],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
