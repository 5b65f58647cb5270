"""The compiled book's state as bytes: a checked header, open orders, finished client order ids
and fences.

It is written in the newest version and read in every version of `DECODERS`, each of which lifts
what it reads to the newest layout. A new layout adds its entry, and the one before is given the old
widths and a lift; the header keeps its layout. Version 1 has orders of the log's version 1, and no
fences.
"""

import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from actors.book.errors import UnreadableSnapshotError
from actors.book.kernel import memory
from actors.book.kernel.calls import calls_of
from actors.book.kernel.layout import (
    EVENT_WORDS,
    FINISHED_WORDS,
    S_FENCES,
    S_FINISHED,
    S_HALTED,
    S_OPEN,
    S_SEQUENCE,
    S_SHARDS,
    S_TIME,
    S_TRADE_ID,
    S_UPDATE_ID,
    WORD,
    Book,
    Words,
)
from actors.book.market import Market
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.versions import EVENT_1_DTYPE, lifted_events

MAGIC = 0x534B_5246  # b"FRKS"
VERSION = 2
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
FENCE_WORDS = 2
_KEPT = (S_TIME, S_SEQUENCE, S_TRADE_ID, S_UPDATE_ID, S_HALTED)
_FENCES = len(_KEPT)  # where in the header's state they are counted


class _Counts(NamedTuple):
    """How many rows of each kind a snapshot has."""

    orders: int
    finished: int
    fences: int

    @property
    def size(self) -> int:
        """Return how many bytes the whole snapshot has."""
        words = self.orders * EVENT_WORDS + self.finished * FINISHED_WORDS
        return HEADER_DTYPE.itemsize + (words + self.fences * FENCE_WORDS) * WORD.itemsize


class BookImage:
    """A book's state at one moment, copied; `sealed` makes a snapshot of it, in any thread."""

    def __init__(self, market: Market, kept: Words, words: Words, counts: _Counts) -> None:
        self._market = market
        self._kept = kept
        self._counts = counts
        self.words = words

    def sealed(self) -> memoryview:
        """Return the snapshot, in the image's own memory; equal states give equal bytes."""
        data = self.words.data.cast("B")[: self._counts.size]
        header = np.zeros(1, HEADER_DTYPE)
        header["magic"] = MAGIC
        header["version"] = VERSION
        header["market_id"] = self._market.market_id
        header["orders"] = self._counts.orders
        header["finished"] = self._counts.finished
        header["state"][0, : len(self._kept)] = self._kept
        header["state"][0, _FENCES] = self._counts.fences
        data[: HEADER_DTYPE.itemsize] = header.tobytes()
        header["checksum"] = zlib.crc32(data[_CHECKED_FROM:])
        data[: HEADER_DTYPE.itemsize] = header.tobytes()
        return data


def capture(market: Market, book: Book, *, memory_of: BookImage | None = None) -> BookImage:
    """Copy a book's state: all that its market has to wait for.

    The memory of an earlier image is used again where it is large enough; that one is gone then.
    To touch memory for the first time costs ten times what the copy does.
    """
    counts = _Counts(*(int(book.state[word]) for word in (S_OPEN, S_FINISHED, S_FENCES)))
    size = counts.size // WORD.itemsize
    words = memory_of.words if memory_of is not None else np.empty(0, WORD)
    if len(words) < size:
        words = np.empty(size + size // 4, WORD)
    image = BookImage(market, book.state[list(_KEPT)], words, counts)
    rows, ids, fences = _rows(words, counts)
    calls_of(book).pack(rows, ids)
    known = book.fences[: book.state[S_SHARDS]]
    fences[:, 0] = np.flatnonzero(known)
    fences[:, 1] = known[known != 0]
    return image


def encode(market: Market, book: Book) -> bytes:
    """Return the bytes of a book; equal states give equal bytes."""
    return bytes(capture(market, book).sealed())


def _rows(words: Words, counts: _Counts) -> tuple[Words, Words, Words]:
    """Return where in an image orders' images, finished client order ids and fences lie."""
    rows = []
    at = HEADER_DTYPE.itemsize // WORD.itemsize
    for count, width in zip(counts, (EVENT_WORDS, FINISHED_WORDS, FENCE_WORDS), strict=True):
        rows.append(words[at : at + count * width].reshape(count, width))
        at += count * width
    return rows[0], rows[1], rows[2]


class Parts(NamedTuple):
    """A snapshot for those who are not the kernel.

    `orders` (`EVENT_DTYPE`) are the open orders' images, bids before asks, in priority. In each,
    `trade_id` and `trade_lots` are the places of its user's next and previous order to rest, -1
    where there is none. `finished` has a row of user, order id and five words of the client order
    id for each one that is remembered, from the oldest. `fences` has a row of shard and newest
    generation for each shard of which one is known, by ascending shard.
    """

    time_us: int
    sequence: int
    last_trade_id: int
    update_id: int
    halted: bool
    orders: RecordArray
    finished: Words
    fences: Words


Decoders = Mapping[int, Callable[[np.void, memoryview], Parts]]
"""Of each version, what makes of a checked header and the bytes after it the newest layout."""


def _version_1(header: np.void, body: memoryview) -> Parts:
    one = _taken_apart(header, body, EVENT_1_DTYPE, fences=0)
    return one._replace(orders=lifted_events(one.orders))


def _version_2(header: np.void, body: memoryview) -> Parts:
    return _taken_apart(header, body, EVENT_DTYPE, fences=int(header["state"][_FENCES]))


def _taken_apart(
    header: np.void, body: memoryview, layout: np.dtype[np.void], *, fences: int
) -> Parts:
    """Return the parts of a body with orders in this layout and so many fences."""
    orders, finished = int(header["orders"]), int(header["finished"])
    ids_at = orders * layout.itemsize
    fences_at = ids_at + finished * FINISHED_WORDS * WORD.itemsize
    if len(body) != fences_at + fences * FENCE_WORDS * WORD.itemsize:
        raise UnreadableSnapshotError("snapshot's length does not match its counts")
    time_us, sequence, last_trade_id, update_id, halted = header["state"][: len(_KEPT)].tolist()
    return Parts(
        time_us=time_us,
        sequence=sequence,
        last_trade_id=last_trade_id,
        update_id=update_id,
        halted=bool(halted),
        orders=np.frombuffer(body[:ids_at], layout),
        finished=np.frombuffer(body[ids_at:fences_at], WORD).reshape(finished, FINISHED_WORDS),
        fences=np.frombuffer(body[fences_at:], WORD).reshape(fences, FENCE_WORDS),
    )


DECODERS: Decoders = {1: _version_1, 2: _version_2}


def parts(market: Market, data: bytes | memoryview, *, decoders: Decoders = DECODERS) -> Parts:
    """Take a snapshot apart, of whatever version. Raises UnreadableSnapshotError.

    Of the newest version, the arrays are read-only views of `data`.
    """
    header = _checked_header(market, data, decoders)
    return decoders[int(header["version"])](header, memoryview(data)[HEADER_DTYPE.itemsize :])


def decode(
    market: Market,
    data: bytes | memoryview,
    *,
    minimum_orders: int,
    decoders: Decoders = DECODERS,
) -> Book:
    """Return the arrays of the book in `data`, with room for at least `minimum_orders`.

    Raises UnreadableSnapshotError.
    """
    one = parts(market, data, decoders=decoders)
    orders, finished = len(one.orders), len(one.finished)
    shards = int(one.fences[-1, 0]) + 1 if len(one.fences) else 0
    book = memory.allocate(
        market,
        orders=max(minimum_orders, orders + 1),
        client_ids=max(minimum_orders, orders + finished + 1),
        shards=shards,
    )
    rows = one.orders.view(WORD).reshape(orders, EVENT_WORDS)
    # The kernel's call takes no address of read-only or unaligned memory.
    fit = [np.require(words, requirements=["C", "A", "W"]) for words in (rows, one.finished)]
    calls_of(book).load(fit[0], fit[1])
    book.state[list(_KEPT)] = _kept(one)
    book.fences[one.fences[:, 0]] = one.fences[:, 1]
    book.state[S_FENCES] = len(one.fences)
    book.state[S_SHARDS] = shards
    return book


def assemble(market: Market, taken_apart: Parts) -> bytes:
    """Return the snapshot that `parts` would take apart so."""
    one = taken_apart
    counts = _Counts(len(one.orders), len(one.finished), len(one.fences))
    words = np.empty(counts.size // WORD.itemsize, WORD)
    rows, ids, fences = _rows(words, counts)
    rows[:] = np.ascontiguousarray(one.orders).view(WORD).reshape(rows.shape)
    ids[:] = one.finished
    fences[:] = one.fences
    return bytes(BookImage(market, _kept(one), words, counts).sealed())


def _kept(one: Parts) -> Words:
    counters = (one.time_us, one.sequence, one.last_trade_id, one.update_id, int(one.halted))
    return np.array(counters, WORD)


def _checked_header(market: Market, data: bytes | memoryview, decoders: Decoders) -> np.void:
    if len(data) < HEADER_DTYPE.itemsize:
        raise UnreadableSnapshotError(f"snapshot of {len(data)} bytes is shorter than its header")
    header: np.void = np.frombuffer(data, HEADER_DTYPE, count=1)[0]
    if int(header["magic"]) != MAGIC:
        raise UnreadableSnapshotError("not a snapshot of a book")
    if int(header["version"]) not in decoders:
        known = ", ".join(map(str, sorted(decoders)))
        raise UnreadableSnapshotError(
            f"snapshot has version {header['version']}, this build reads {known}"
        )
    if zlib.crc32(memoryview(data)[_CHECKED_FROM:]) != int(header["checksum"]):
        raise UnreadableSnapshotError("snapshot is torn: its checksum does not match its content")
    if int(header["market_id"]) != market.market_id:
        raise UnreadableSnapshotError(
            f"snapshot of market {header['market_id']} offered to market {market.market_id}"
        )
    return header
