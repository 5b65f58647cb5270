"""Two books side by side: the same commands in, and every difference a failure."""

import numpy as np

from actors.book.compiled import CompiledBook
from actors.book.contract import Applied, Book
from actors.book.market import Market
from actors.book.naive import NaiveBook
from actors.book.records import RecordArray


class Twins:
    """The naive book and the compiled one over the same commands."""

    def __init__(self, market: Market) -> None:
        self.naive = NaiveBook(market)
        self.compiled = CompiledBook(market)

    def apply(self, commands: RecordArray) -> Applied:
        """Apply to both, compare the answers, and return the naive one's."""
        expected = self.naive.apply(commands)
        actual = self.compiled.apply(commands)
        assert_same_applied(expected, actual, commands)
        return expected

    def compare(self, *, rows: int = 1_000) -> None:
        """Compare all that can be asked of the two books."""
        assert_same_state(self.naive, self.compiled, rows=rows)


def assert_same_applied(expected: Applied, actual: Applied, commands: RecordArray) -> None:
    """Compare two answers field by field."""
    assert_same_rows(expected.events, actual.events, "event", commands)
    assert_same_rows(expected.levels, actual.levels, "level", commands)
    for name in ("previous_update_id", "last_update_id"):
        assert_same(getattr(expected, name), getattr(actual, name), name)


def assert_same_state(expected: Book, actual: Book, *, rows: int = 1_000) -> None:
    """Compare counters, depth, orders, next expiry and state hash of two books."""
    for name in ("sequence", "update_id", "last_trade_id", "time_us", "halted", "open_orders"):
        assert_same(getattr(expected, name), getattr(actual, name), name)
    for side in (0, 1):
        assert_same_rows(expected.depth(rows)[side], actual.depth(rows)[side], "depth")
        assert_same_rows(expected.orders(rows)[side], actual.orders(rows)[side], "order")
    assert_same(expected.next_expiry_us(), actual.next_expiry_us(), "next_expiry_us")
    assert_same(expected.state_hash(), actual.state_hash(), "state_hash")


def assert_same(expected: int, actual: int, what: str) -> None:
    """Compare two values and name them."""
    assert expected == actual, f"{what}: {expected} expected, {actual} came"


def assert_same_rows(
    expected: RecordArray, actual: RecordArray, what: str, commands: RecordArray | None = None
) -> None:
    """Compare two record arrays of one layout; the message names the first field that differs."""
    assert expected.dtype == actual.dtype
    if expected.tobytes() == actual.tobytes():
        return
    for index in range(min(len(expected), len(actual))):
        if expected[index].tobytes() != actual[index].tobytes():
            fields = _differences(expected[index], actual[index])
            raise AssertionError(f"{what} {index}: {fields}\n{_cause(expected[index], commands)}")
    longer = expected if len(expected) > len(actual) else actual
    raise AssertionError(
        f"{len(expected)} {what}s expected, {len(actual)} came; the first one without a twin: "
        f"{longer[min(len(expected), len(actual))]}"
    )


def _differences(expected: np.void, actual: np.void) -> str:
    names = expected.dtype.names or ()
    return ", ".join(
        f"{name} {expected[name]} expected, {actual[name]} came"
        for name in names
        if expected[name].tobytes() != actual[name].tobytes()
    )


def _cause(event: np.void, commands: RecordArray | None) -> str:
    names = event.dtype.names or ()
    if commands is None or "command_id" not in names:
        return f"row {event}"
    cause = commands[commands["command_id"] == event["command_id"]]
    return f"event {event}\ncommand {cause}"
