"""Questions to a book that change nothing: depth, orders in priority, the state hash."""

import numpy as np

from actors.book.kernel.answers import open_status
from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import (
    BUDGET,
    BUY,
    C_NEXT,
    C_ORDER,
    C_USER,
    CLIENT,
    CLIENT_WORDS,
    COMMAND_ID,
    CREATED,
    EVENT_WORDS,
    EXPIRES,
    FILLED,
    HEAD,
    L_COUNT,
    L_FILLED,
    L_FIRST,
    L_KEY,
    L_QUANTITY,
    NEXT,
    NOTIONAL,
    ORDER,
    ORDER_ID,
    PRICE,
    QUANTITY,
    REASON,
    RELATED_FEE,
    RELATED_ORDER,
    RELATED_USER,
    RULES,
    S_HALTED,
    S_MARKET_ID,
    S_OLDEST,
    S_OPEN,
    S_SEQUENCE,
    S_SHARDS,
    S_TIME,
    S_TRADE_ID,
    S_UPDATE_ID,
    SEQUENCE,
    SIDE_SHIFT,
    SPARE,
    STATUS_SHIFT,
    TIME,
    TRADE_ID,
    TRADE_LOTS,
    USER,
    Book,
    Words,
)
from actors.book.kernel.levels import first_level, next_level

SMALL_FIELDS_AND_FLAGS = 0x1_FFFF_FFFF
STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


@inner
def depth(book: Book, side: int, rows: Words) -> None:
    """Fill `rows` with a side's levels, best first; there are at least as many."""
    level, row, at, place = first_level(book, side)
    for index in range(rows.shape[0]):
        rows[index, 0] = side + BUY
        rows[index, 1] = abs(book.levels[level, L_KEY])
        rows[index, 2] = book.levels[level, L_QUANTITY]
        rows[index, 3] = book.levels[level, L_FILLED]
        rows[index, 4] = book.levels[level, L_COUNT]
        level, row, at, place = next_level(book, side, row, at, place)


@inner
def images(book: Book, side: int, rows: Words) -> int:
    """Fill `rows` with the images of a side's orders in priority; return how many there were."""
    count = 0
    level, row, at, place = first_level(book, side)
    while level >= 0:
        slot = book.levels[level, L_FIRST]
        while slot >= 0:
            if count == rows.shape[0]:
                return count
            _write_image(book, slot, rows, count)
            count += 1
            slot = book.orders[slot, NEXT]
        level, row, at, place = next_level(book, side, row, at, place)
    return count


@inlined
def _write_image(book: Book, slot: int, rows: Words, row: int) -> None:
    for word in range(EVENT_WORDS):
        rows[row, word] = book.orders[slot, word]
    rows[row, HEAD] |= ORDER | (open_status(book, slot) << STATUS_SHIFT)
    rows[row, REASON] = book.state[S_MARKET_ID] << 32
    rows[row, TIME] = book.state[S_TIME]
    for word in (SEQUENCE, COMMAND_ID, TRADE_ID, TRADE_LOTS, RELATED_ORDER, RELATED_USER):
        rows[row, word] = 0
    rows[row, RELATED_FEE] = 0
    rows[row, SPARE] = 0


@inlined
def _mixed(hashed: np.uint64, word: int) -> np.uint64:
    x = (hashed + STEP) ^ np.uint64(word)
    x = (x ^ (x >> SHIFTS[0])) * FIRST_FACTOR
    x = (x ^ (x >> SHIFTS[1])) * SECOND_FACTOR
    return x ^ (x >> SHIFTS[2])


@inner
def state_hash(book: Book) -> np.uint64:
    """Return the hash that docs/matching.md defines."""
    state = book.state
    hashed = np.uint64(0)
    for word in (S_TIME, S_SEQUENCE, S_TRADE_ID, S_UPDATE_ID, S_HALTED):
        hashed = _mixed(hashed, state[word])
    for side in range(2):
        level, row, at, place = first_level(book, side)
        while level >= 0:
            slot = book.levels[level, L_FIRST]
            while slot >= 0:
                hashed = _with_order(book, slot, hashed)
                slot = book.orders[slot, NEXT]
            level, row, at, place = next_level(book, side, row, at, place)
    client = state[S_OLDEST]
    while client >= 0:
        hashed = _mixed(hashed, book.clients[client, C_USER])
        hashed = _mixed(hashed, book.clients[client, C_ORDER])
        client = book.clients[client, C_NEXT]
    for shard in range(state[S_SHARDS]):
        if book.fences[shard] != 0:
            hashed = _mixed(hashed, shard)
            hashed = _mixed(hashed, book.fences[shard])
    return _mixed(hashed, state[S_OPEN])


@inlined
def _with_order(book: Book, slot: int, hashed: np.uint64) -> np.uint64:
    orders = book.orders
    for word in (ORDER_ID, USER, PRICE, QUANTITY, FILLED, NOTIONAL, EXPIRES, CREATED):
        hashed = _mixed(hashed, orders[slot, word])
    hashed = _mixed(hashed, (orders[slot, HEAD] >> SIDE_SHIFT) & SMALL_FIELDS_AND_FLAGS)
    for word in range(CLIENT_WORDS):
        hashed = _mixed(hashed, orders[slot, CLIENT + word])
    joined = 0
    for word in range(BUDGET, RULES + 1):
        joined |= orders[slot, word]
    if joined != 0:
        for word in range(BUDGET, RULES + 1):
            hashed = _mixed(hashed, orders[slot, word])
    return hashed
