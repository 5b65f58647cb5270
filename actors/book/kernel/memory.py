"""The arrays of a book: made small, grown by doubling, outside the compiled loop.

Each begins where a line of the processor's caches does. A slot and an event are four lines then, a
level is one; memory as numpy takes it lies a quarter of a line further, and each would be one more.
"""

import math

import numpy as np

from actors.book.kernel.calls import copy_rows
from actors.book.kernel.layout import (
    BLOCK_KEYS,
    BLOCK_WORDS,
    CACHE_LINE_WORDS,
    CHANGED_WORDS,
    CLIENT_ROW_WORDS,
    D_BLOCK,
    D_LOW,
    DIGITS,
    DIRECTORY_ROWS,
    EVENT_WORDS,
    KEY_MAX,
    KEY_MIN,
    LEVEL_WORDS,
    MAP_WORDS,
    NEED_BLOCKS,
    NEED_CLIENTS,
    NEED_EVENTS,
    NEED_FENCES,
    NEED_ORDERS,
    NEED_TOUCHED,
    NEED_USERS,
    OWN_EVENTS,
    S_BEST,
    S_BEST_SELL,
    S_BLOCKS,
    S_CLIENT_MEMORY,
    S_FREE_BLOCK,
    S_FREE_CLIENT,
    S_FREE_LEVEL,
    S_FREE_SLOT,
    S_MARKET_ID,
    S_MAX_NOTIONAL,
    S_MAX_PRICE,
    S_MAX_QUANTITY,
    S_MIN_NOTIONAL,
    S_NEWEST,
    S_OLDEST,
    S_OPEN,
    S_PROTECTION_BPS,
    S_SIDE_BLOCKS,
    S_SIDE_BLOCKS_SELL,
    S_TOP,
    S_TOP_SELL,
    S_WINDOW_SELL,
    STATE_WORDS,
    TICK,
    TOUCHED_WORDS,
    USER_WORDS,
    WINDOW_COLUMNS,
    WINDOW_ROWS,
    WINDOW_TICKS,
    WORD,
    Book,
    Words,
)
from actors.book.market import Market

FEW_SHARDS = 64
_EMPTY_LISTS = (
    S_FREE_SLOT,
    S_FREE_LEVEL,
    S_FREE_BLOCK,
    S_FREE_CLIENT,
    S_OLDEST,
    S_NEWEST,
    S_BEST,
    S_BEST_SELL,
    S_TOP,
    S_TOP_SELL,
)


def allocate(market: Market, *, orders: int, client_ids: int, shards: int = 0) -> Book:
    """Return the arrays of an empty book with room for so many orders, client order ids and shards.

    All are rounded up to a power of two. Pages that were never written cost no memory.
    """
    order_rows = _power_of_two(orders)
    client_rows = _power_of_two(client_ids)
    # A block is at least half full when it is split off; few are thinner.
    block_rows = max(4, order_rows // (BLOCK_KEYS // 4))
    blocks = _zeros(block_rows, BLOCK_WORDS)
    directory = _zeros(DIRECTORY_ROWS, block_rows)
    for side in (0, 1):
        blocks[side] = KEY_MAX
        directory[2 * side + D_LOW, 0] = KEY_MIN
        directory[2 * side + D_BLOCK, 0] = side
    return Book(
        state=_new_state(market),
        events=_zeros(4 * order_rows, EVENT_WORDS),
        orders=_zeros(order_rows, EVENT_WORDS),
        order_map=_zeros(2 * order_rows, MAP_WORDS),
        heap=_zeros(order_rows),
        levels=_zeros(order_rows, LEVEL_WORDS),
        users=_zeros(2 * order_rows, USER_WORDS),
        clients=_zeros(client_rows, CLIENT_ROW_WORDS),
        client_map=_zeros(2 * client_rows, MAP_WORDS),
        bits=_zeros(WINDOW_ROWS, WINDOW_COLUMNS),
        ticks=np.zeros(WINDOW_TICKS, TICK),
        blocks=blocks,
        directory=directory,
        touched=_zeros(2, order_rows, TOUCHED_WORDS),
        changed=_zeros(order_rows, CHANGED_WORDS),
        fences=_zeros(_power_of_two(max(shards, FEW_SHARDS))),
    )


def grow(book: Book, need: int) -> Book:
    """Return the book with twice the room for what `need` names; links are row numbers, so stay.

    Events are given up: the caller has taken them, and their room is sized by the open orders.
    """
    if need == NEED_EVENTS:
        rows = _power_of_two(max(2 * len(book.events), event_rows(int(book.state[S_OPEN]))))
        return book._replace(events=_zeros(rows, EVENT_WORDS))
    if need == NEED_ORDERS:
        return book._replace(
            orders=_doubled(book.orders),
            order_map=_rehashed(book.order_map),
            heap=_doubled(book.heap),
            levels=_doubled(book.levels),
        )
    if need == NEED_USERS:
        return book._replace(users=_rehashed(book.users))
    if need == NEED_CLIENTS:
        return book._replace(clients=_doubled(book.clients), client_map=_rehashed(book.client_map))
    if need == NEED_BLOCKS:
        return book._replace(
            blocks=_doubled(book.blocks), directory=_doubled(book.directory, axis=1)
        )
    if need == NEED_TOUCHED:
        return book._replace(
            touched=_doubled(book.touched, axis=1),
            changed=_zeros(2 * len(book.changed), CHANGED_WORDS),
        )
    if need == NEED_FENCES:
        return book._replace(fences=_doubled(book.fences))
    raise AssertionError(f"nothing is known to need {need}")


def with_new_events(book: Book) -> Book:
    """Return the book with another array of events; the one before stays with whoever has it."""
    return book._replace(events=_zeros(*book.events.shape))


def event_rows(open_orders: int) -> int:
    """Return how long an array of events is that takes two steps of a book with so many orders.

    One would do; with two, a stop to take events out pays for as many events as a step may need.
    """
    return 2 * (open_orders + OWN_EVENTS)


def _new_state(market: Market) -> Words:
    state = _zeros(STATE_WORDS + DIGITS)
    state[S_BLOCKS] = 2
    state[S_WINDOW_SELL] = 1 - WINDOW_TICKS
    state[S_SIDE_BLOCKS] = state[S_SIDE_BLOCKS_SELL] = 1
    for word in _EMPTY_LISTS:
        state[word] = -1
    state[S_MARKET_ID] = market.market_id
    state[S_MIN_NOTIONAL] = market.min_notional_units
    state[S_MAX_PRICE] = market.max_price_ticks
    state[S_MAX_QUANTITY] = market.max_quantity_lots
    state[S_MAX_NOTIONAL] = market.max_notional_units
    state[S_PROTECTION_BPS] = market.protection_bps
    state[S_CLIENT_MEMORY] = market.client_id_memory
    return state


def _power_of_two(count: int) -> int:
    return 1 << max(count - 1, 1).bit_length()


def _zeros(*shape: int) -> Words:
    """Return an array that starts at a cache line; its base is the memory that it lies in."""
    memory = np.zeros(math.prod(shape) + CACHE_LINE_WORDS, WORD)
    before = -memory.ctypes.data % (CACHE_LINE_WORDS * WORD.itemsize)
    return np.ndarray(shape, WORD, memory, before)


def _doubled(rows: Words, *, axis: int = 0) -> Words:
    shape = [*rows.shape]
    shape[axis] *= 2
    larger = _zeros(*shape)
    larger[tuple(slice(length) for length in rows.shape)] = rows
    return larger


def _rehashed(table: Words) -> Words:
    larger = _zeros(2 * len(table), table.shape[1])
    copy_rows(table, larger)
    return larger
