"""Contract of every order book: the kernel's, and the naive one that judges it."""

from typing import NamedTuple, Protocol

from actors.book.market import Market
from actors.book.records import RecordArray


class Applied(NamedTuple):
    """Outcome of a batch of commands.

    `events` (`EVENT_DTYPE`) carry consecutive sequences; `levels` (`LEVEL_DTYPE`) hold every
    level that the batch touched, once, as it stands after the batch (quantity 0: gone), bids
    first, each side by ascending price. The batch took the depth's update id from
    `previous_update_id` (exclusive) to `last_update_id` (inclusive).
    """

    events: RecordArray
    levels: RecordArray
    previous_update_id: int
    last_update_id: int


class Book(Protocol):
    """One market's book: a fold of its commands, with no clock, no random and no I/O."""

    @property
    def market(self) -> Market: ...
    @property
    def sequence(self) -> int: ...
    @property
    def update_id(self) -> int: ...
    @property
    def last_trade_id(self) -> int: ...
    @property
    def time_us(self) -> int: ...
    @property
    def halted(self) -> bool: ...
    @property
    def open_orders(self) -> int: ...

    def apply(self, commands: RecordArray) -> Applied:
        """Apply commands (`COMMAND_DTYPE`) in order; the outcome owns its arrays."""
        ...

    def depth(self, limit: int) -> tuple[RecordArray, RecordArray]:
        """Return bids and asks (`LEVEL_DTYPE`), best first, at most `limit` levels a side."""
        ...

    def orders(self, limit: int) -> tuple[RecordArray, RecordArray]:
        """Return bids' and asks' order images (`EVENT_DTYPE`), in priority, `limit` each."""
        ...

    def next_expiry_us(self) -> int:
        """Return the earliest expiry among open orders, 0 where none waits for one."""
        ...

    def state_hash(self) -> int:
        """Return the 64-bit hash of the book's whole state (docs/matching.md)."""
        ...

    def snapshot(self) -> bytes:
        """Return the state as self-checking bytes; see `restore` of the implementation."""
        ...
