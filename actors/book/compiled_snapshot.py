"""The compiled book's state as bytes: a checked header, open orders, finished client order ids."""

import zlib
from typing import NamedTuple

import numpy as np

from actors.book.errors import SnapshotRefusedError
from actors.book.kernel import entries, memory
from actors.book.kernel.layout import (
    EVENT_WORDS,
    S_FINISHED,
    S_HALTED,
    S_OPEN,
    S_SEQUENCE,
    S_TIME,
    S_TRADE_ID,
    S_UPDATE_ID,
    WORD,
    Book,
    Words,
)
from actors.book.kernel.store import FINISHED_WORDS
from actors.book.market import Market
from actors.book.records import EVENT_DTYPE, RecordArray

MAGIC = 0x534B_5246  # b"FRKS"
VERSION = 1
HEADER_DTYPE = np.dtype(
    [
        ("magic", "<u4"),
        ("version", "<u4"),
        ("checksum", "<u4"),  # CRC-32 of all that follows
        ("market_id", "<u4"),
        ("orders", "<i8"),
        ("finished", "<i8"),
        ("state", "<i8", (8,)),
    ]
)
_CHECKED_FROM = 12
_KEPT = (S_TIME, S_SEQUENCE, S_TRADE_ID, S_UPDATE_ID, S_HALTED)


class BookImage:
    """A book's state at one moment, copied; `sealed` makes a snapshot of it, in any thread."""

    def __init__(
        self, market: Market, kept: Words, words: Words, orders: int, finished: int
    ) -> None:
        self._market = market
        self._kept = kept
        self._orders = orders
        self._finished = finished
        self.words = words

    def sealed(self) -> memoryview:
        """Return the snapshot, in the image's own memory; equal states give equal bytes."""
        data = self.words.data.cast("B")[: _size(self._orders, self._finished)]
        header = np.zeros(1, HEADER_DTYPE)
        header["magic"] = MAGIC
        header["version"] = VERSION
        header["market_id"] = self._market.market_id
        header["orders"] = self._orders
        header["finished"] = self._finished
        header["state"][0, : len(self._kept)] = self._kept
        data[: HEADER_DTYPE.itemsize] = header.tobytes()
        header["checksum"] = zlib.crc32(data[_CHECKED_FROM:])
        data[: HEADER_DTYPE.itemsize] = header.tobytes()
        return data


def capture(market: Market, book: Book, *, memory_of: BookImage | None = None) -> BookImage:
    """Copy a book's state: all that its market has to wait for.

    The memory of an earlier image is used again where it is large enough; that one is gone then.
    To touch memory for the first time costs ten times what the copy does.
    """
    orders, finished = int(book.state[S_OPEN]), int(book.state[S_FINISHED])
    size = _size(orders, finished) // WORD.itemsize
    words = memory_of.words if memory_of is not None else np.empty(0, WORD)
    if len(words) < size:
        words = np.empty(size + size // 4, WORD)
    image = BookImage(market, book.state[list(_KEPT)], words, orders, finished)
    rows, ids = _rows(words, orders, finished)
    entries.pack(book, rows, ids)
    return image


def encode(market: Market, book: Book) -> bytes:
    """Return the bytes of a book; equal states give equal bytes."""
    return bytes(capture(market, book).sealed())


def _size(orders: int, finished: int) -> int:
    words = orders * EVENT_WORDS + finished * FINISHED_WORDS
    return HEADER_DTYPE.itemsize + words * WORD.itemsize


def _rows(words: Words, orders: int, finished: int) -> tuple[Words, Words]:
    """Return where in an image the orders' images and the finished client order ids lie."""
    first = HEADER_DTYPE.itemsize // WORD.itemsize
    middle = first + orders * EVENT_WORDS
    last = middle + finished * FINISHED_WORDS
    return (
        words[first:middle].reshape(orders, EVENT_WORDS),
        words[middle:last].reshape(finished, FINISHED_WORDS),
    )


def decode(market: Market, data: bytes | memoryview, *, minimum_orders: int) -> Book:
    """Return the arrays of the book in `data`, with room for at least `minimum_orders`.

    Raises SnapshotRefusedError.
    """
    header = _checked_header(market, data)
    order_count, finished_count = int(header["orders"]), int(header["finished"])
    words = np.frombuffer(data, WORD, offset=HEADER_DTYPE.itemsize).copy()
    rows = words[: order_count * EVENT_WORDS].reshape(order_count, EVENT_WORDS)
    finished = words[order_count * EVENT_WORDS :].reshape(finished_count, FINISHED_WORDS)
    book = memory.allocate(
        market,
        orders=max(minimum_orders, order_count + 1),
        client_ids=max(minimum_orders, order_count + finished_count + 1),
    )
    entries.load(book, rows, finished)
    book.state[list(_KEPT)] = header["state"][: len(_KEPT)]
    return book


class Parts(NamedTuple):
    """A snapshot for those who are not the kernel.

    `orders` (`EVENT_DTYPE`) are the open orders' images, bids before asks, in priority. In each,
    `trade_id` and `trade_lots` are the places of its user's next and previous order to rest, -1
    where there is none. `finished` has a row of user, order id and five words of the client order
    id for each one that is remembered, from the oldest.
    """

    time_us: int
    sequence: int
    last_trade_id: int
    update_id: int
    halted: bool
    orders: RecordArray
    finished: Words


def parts(market: Market, data: bytes | memoryview) -> Parts:
    """Take a snapshot apart. Raises SnapshotRefusedError."""
    header = _checked_header(market, data)
    rows = int(header["orders"]) * EVENT_WORDS
    words = np.frombuffer(data, WORD, offset=HEADER_DTYPE.itemsize)
    time_us, sequence, last_trade_id, update_id, halted = header["state"][: len(_KEPT)].tolist()
    return Parts(
        time_us=time_us,
        sequence=sequence,
        last_trade_id=last_trade_id,
        update_id=update_id,
        halted=bool(halted),
        orders=words[:rows].view(EVENT_DTYPE),
        finished=words[rows:].reshape(-1, FINISHED_WORDS),
    )


def assemble(market: Market, taken_apart: Parts) -> bytes:
    """Return the snapshot that `parts` would take apart so."""
    one = taken_apart
    kept = (one.time_us, one.sequence, one.last_trade_id, one.update_id, int(one.halted))
    orders, finished = len(one.orders), len(one.finished)
    words = np.empty(_size(orders, finished) // WORD.itemsize, WORD)
    rows, ids = _rows(words, orders, finished)
    rows[:] = np.ascontiguousarray(one.orders).view(WORD).reshape(orders, EVENT_WORDS)
    ids[:] = one.finished
    return bytes(BookImage(market, np.array(kept, WORD), words, orders, finished).sealed())


def _checked_header(market: Market, data: bytes | memoryview) -> np.void:
    if len(data) < HEADER_DTYPE.itemsize:
        raise SnapshotRefusedError(f"snapshot of {len(data)} bytes is shorter than its header")
    header: np.void = np.frombuffer(data, HEADER_DTYPE, count=1)[0]
    if int(header["magic"]) != MAGIC or int(header["version"]) != VERSION:
        raise SnapshotRefusedError("not a snapshot that this build can read")
    if zlib.crc32(memoryview(data)[_CHECKED_FROM:]) != int(header["checksum"]):
        raise SnapshotRefusedError("snapshot is torn: its checksum does not match its content")
    if len(data) != _size(int(header["orders"]), int(header["finished"])):
        raise SnapshotRefusedError("snapshot's length does not match its counts")
    if int(header["market_id"]) != market.market_id:
        raise SnapshotRefusedError(
            f"snapshot of market {header['market_id']} offered to market {market.market_id}"
        )
    return header
