"""The compiled book: the kernel's arrays behind the contract that every book answers."""

import sys
from typing import Self

import numpy as np

from actors.book import compiled_snapshot
from actors.book.compiled_snapshot import BookImage, Decoders
from actors.book.contract import Applied
from actors.book.kernel import memory
from actors.book.kernel.calls import calls_of
from actors.book.kernel.layout import (
    BEGIN,
    CHANGED_WORDS,
    COMMAND_WORDS,
    EVENT_WORDS,
    EXPIRES,
    NEED_EVENTS,
    READY,
    S_EVENTS,
    S_HALTED,
    S_HEAP,
    S_OPEN,
    S_SEQUENCE,
    S_SIDE_LEVELS,
    S_TIME,
    S_TRADE_ID,
    S_UPDATE_ID,
    WORD,
    Book,
    Words,
)
from actors.book.market import Market
from actors.book.records import EVENT_DTYPE, LEVEL_DTYPE, RecordArray

DEFAULT_ORDERS = 1_024
EVENT_BYTES = EVENT_DTYPE.itemsize
# Commands of which a copy costs less than to ask numpy for an array's address.
FEW = 64


class CompiledBook:
    """One market's book over preallocated arrays; see `actors.book.contract.Book`.

    `initial_orders` sizes the arrays at the start (rounded up to a power of two); they double
    when they must. Not for use by two threads at once.
    """

    def __init__(self, market: Market, *, initial_orders: int = DEFAULT_ORDERS) -> None:
        self._market = market
        self._begin(memory.allocate(market, orders=initial_orders, client_ids=initial_orders))

    def _begin(self, arrays: Book) -> None:
        self._image: BookImage | None = None
        self._events: Words | None = None
        self._use(arrays)

    def _use(self, arrays: Book) -> None:
        self._arrays = arrays
        self._calls = calls_of(arrays)
        self._state = arrays.state
        self._changed_words = arrays.changed.reshape(-1)
        if arrays.events is not self._events:
            self._events = arrays.events
            self._lent_rows = 0
            self._events_memory = arrays.events.base
            self._own_references = sys.getrefcount(self._events_memory)

    @property
    def market(self) -> Market:
        return self._market

    @property
    def sequence(self) -> int:
        return int(self._state[S_SEQUENCE])

    @property
    def update_id(self) -> int:
        return int(self._state[S_UPDATE_ID])

    @property
    def last_trade_id(self) -> int:
        return int(self._state[S_TRADE_ID])

    @property
    def time_us(self) -> int:
        return int(self._state[S_TIME])

    @property
    def halted(self) -> bool:
        return bool(self._state[S_HALTED])

    @property
    def open_orders(self) -> int:
        return int(self._state[S_OPEN])

    def apply(self, commands: RecordArray) -> Applied:
        """Apply commands (`COMMAND_DTYPE`) in order; the outcome owns its arrays."""
        count = len(commands)
        words = commands.tobytes() if count <= FEW else _words_of(commands)
        first = self._first_free_row()
        need, position, last, rows, before, after = self._calls.apply(words, count, BEGIN - first)
        if need != READY:
            return self._apply_growing(words, count, need, position)
        self._lent_rows = last
        events = np.ndarray(last - first, EVENT_DTYPE, self._events, first * EVENT_BYTES)
        return Applied(events, self._levels(rows), before, after)

    def _levels(self, rows: int) -> RecordArray:
        return np.ndarray(rows, LEVEL_DTYPE, self._changed_words[: rows * CHANGED_WORDS].copy())

    def _first_free_row(self) -> int:
        """Return the row from which on no outcome that somebody still has stands in the events.

        Outcomes are views of the kernel's own memory, which counts them by its references. When the
        last is gone, the same memory is used again: memory that is touched for the first time costs
        more than the matching.
        """
        if sys.getrefcount(self._events_memory) == self._own_references:
            self._lent_rows = 0
        elif 2 * self._lent_rows > len(self._arrays.events):
            self._use(memory.with_new_events(self._arrays))
        return self._lent_rows

    def _apply_growing(self, words: Words | bytes, count: int, need: int, position: int) -> Applied:
        """Go on where the kernel ran out of room, as often as it does."""
        taken: list[Words] = []
        while need != READY:
            if need == NEED_EVENTS:
                self._make_room_for_events(taken)
            else:
                self._use(memory.grow(self._arrays, need))
            need, position, last, rows, before, after = self._calls.apply(words, count, position)
        taken.append(self._arrays.events[self._lent_rows : last])
        return Applied(
            np.concatenate(taken).reshape(-1).view(EVENT_DTYPE),
            self._levels(rows),
            before,
            after,
        )

    def _make_room_for_events(self, taken: list[Words]) -> None:
        """Take the events out; make their array larger where the open orders call for it."""
        taken.append(self._arrays.events[self._lent_rows : int(self._state[S_EVENTS])].copy())
        self._state[S_EVENTS] = 0
        if len(self._arrays.events) < memory.event_rows(self.open_orders):
            self._use(memory.grow(self._arrays, NEED_EVENTS))
        elif self._lent_rows > 0:
            self._use(memory.with_new_events(self._arrays))

    def depth(self, limit: int) -> tuple[RecordArray, RecordArray]:
        """Return bids and asks (`LEVEL_DTYPE`), best first, at most `limit` levels a side."""
        bids, asks = (self._depth_of(side, limit) for side in (0, 1))
        return bids, asks

    def _depth_of(self, side: int, limit: int) -> RecordArray:
        count = min(limit, int(self._state[S_SIDE_LEVELS + side]))
        rows = np.empty((count, CHANGED_WORDS), WORD)
        self._calls.depth(side, rows)
        return rows.reshape(-1).view(LEVEL_DTYPE)

    def orders(self, limit: int) -> tuple[RecordArray, RecordArray]:
        """Return bids' and asks' order images (`EVENT_DTYPE`), in priority, `limit` each."""
        bids, asks = (self._images_of(side, limit) for side in (0, 1))
        return bids, asks

    def _images_of(self, side: int, limit: int) -> RecordArray:
        rows = np.empty((min(limit, self.open_orders), EVENT_WORDS), WORD)
        count = self._calls.images(side, rows)
        return rows[:count].reshape(-1).view(EVENT_DTYPE)

    def next_expiry_us(self) -> int:
        """Return the earliest expiry among open orders, 0 where none waits for one."""
        if self._state[S_HEAP] == 0:
            return 0
        return int(self._arrays.orders[self._arrays.heap[0], EXPIRES])

    def state_hash(self) -> int:
        """Return the 64-bit hash of the book's whole state (docs/matching.md)."""
        return self._calls.state_hash()

    def snapshot(self) -> bytes:
        """Return the state as self-checking bytes for `restore`."""
        return compiled_snapshot.encode(self._market, self._arrays)

    def capture(self) -> BookImage:
        """Return a copy of the state from which a snapshot can be made; good until the next."""
        self._image = compiled_snapshot.capture(self._market, self._arrays, memory_of=self._image)
        return self._image

    @classmethod
    def restore(
        cls,
        market: Market,
        data: bytes | memoryview,
        *,
        decoders: Decoders = compiled_snapshot.DECODERS,
    ) -> Self:
        """Return the book that a snapshot holds, of any version that `decoders` reads.

        Raises UnreadableSnapshotError for bytes that are torn, of another market or version.
        """
        book = cls.__new__(cls)
        book._market = market
        book._begin(
            compiled_snapshot.decode(market, data, minimum_orders=DEFAULT_ORDERS, decoders=decoders)
        )
        return book


def _words_of(commands: RecordArray) -> Words:
    """Return commands as words; the kernel takes no address of read-only or unaligned memory."""
    fit = commands if commands.flags.carray else np.array(commands)
    return np.ndarray(len(fit) * COMMAND_WORDS, WORD, fit)
