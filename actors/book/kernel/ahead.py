"""Rows that the commands to come will need, asked for before their turn.

Most of what a command touches lies where its ids say, anywhere in tables that are larger than the
processor's nearer caches. Each row names the next one (id, order, level), so a command is looked
at thrice on its way: far off, its rows in the tables; nearer, the order that they name; at last
the order's level and neighbours. Nothing is written, and what was asked for in vain does no harm.
A book whose rows find room in the caches anyway is not looked ahead for.
"""

from actors.book.kernel.jit import index, inlined
from actors.book.kernel.layout import (
    CACHE_LINE_WORDS,
    COMMAND_WORDS,
    EVENT_WORDS,
    IN_ORDER_ID,
    IN_PRICE,
    IN_USER,
    LEVEL,
    S_OPEN,
    S_WINDOW,
    USER_NEXT,
    USER_PREVIOUS,
    WINDOW_TICKS,
    Book,
    Words,
)
from actors.book.kernel.machine import fetch
from actors.book.kernel.tables import home

FAR, MIDDLE, NEAR = 18, 12, 6
MANY_ORDERS = 2_048


@inlined
def is_worth_it(book: Book, commands: int) -> bool:
    """Return whether so many commands should be looked ahead for."""
    return book.state[S_OPEN] >= MANY_ORDERS and commands > NEAR


@inlined
def look_ahead(book: Book, words: Words, base: int) -> None:
    """Ask for what the commands behind the one at `base` need; some are always there."""
    last = words.shape[0] - COMMAND_WORDS
    far = index(min(base + FAR * COMMAND_WORDS, last))
    fetch(book.order_map, home(words[far + IN_ORDER_ID], book.order_map.shape[0] - 1), 0)
    fetch(book.users, home(words[far + IN_USER], book.users.shape[0] - 1), 0)
    fetch(book.ticks, (words[far + IN_PRICE] - book.state[S_WINDOW]) & (WINDOW_TICKS - 1), 0)
    slot = _slot_of(book, words[index(min(base + MIDDLE * COMMAND_WORDS, last)) + IN_ORDER_ID])
    for word in range(0, EVENT_WORDS, CACHE_LINE_WORDS):
        fetch(book.orders, slot, word)
    slot = _slot_of(book, words[index(min(base + NEAR * COMMAND_WORDS, last)) + IN_ORDER_ID])
    fetch(book.levels, book.orders[slot, LEVEL], 0)
    fetch(book.orders, book.orders[slot, USER_NEXT], USER_PREVIOUS)
    fetch(book.orders, book.orders[slot, USER_PREVIOUS], USER_NEXT)


@inlined
def _slot_of(book: Book, order_id: int) -> int:
    """Return the slot in the row where the search for an id begins: most often it is its own."""
    return index(book.order_map[home(order_id, book.order_map.shape[0] - 1), 1])
