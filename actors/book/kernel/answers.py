"""Events: copies of an order's slot, or a row of their own."""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    COMMAND_ID,
    EVENT_WORDS,
    FILLED,
    FLAGS_SHIFT,
    HEAD,
    LAST,
    OPEN,
    ORDER,
    ORDER_ID,
    PARTIALLY_FILLED,
    REASON,
    REFUSED,
    RELATED_FEE,
    RELATED_ORDER,
    RELATED_USER,
    S_EVENTS,
    S_MARKET_ID,
    S_SEQUENCE,
    S_TIME,
    SEQUENCE,
    SPARE,
    STATUS_SHIFT,
    TIME,
    TRADE_ID,
    TRADE_LOTS,
    USER,
    Book,
)
from actors.book.kernel.machine import copy_row


@inlined
def _number(book: Book, at: int, reason: int, command_id: int) -> None:
    state = book.state
    state[S_EVENTS] = at + 1
    state[S_SEQUENCE] += 1
    book.events[at, REASON] = reason | (state[S_MARKET_ID] << 32)
    book.events[at, SEQUENCE] = state[S_SEQUENCE]
    book.events[at, TIME] = state[S_TIME]
    book.events[at, COMMAND_ID] = command_id


@inlined
def image(
    book: Book, slot: int, kind: int, status: int, flags: int, reason: int, command_id: int
) -> int:
    """Append an order's image and return its row."""
    at = index(book.state[S_EVENTS])
    copy_row(book.events, at, book.orders, slot)
    book.events[at, HEAD] |= kind | (status << STATUS_SHIFT) | (flags << FLAGS_SHIFT)
    book.events[at, TRADE_ID] = 0
    book.events[at, TRADE_LOTS] = 0
    book.events[at, RELATED_ORDER] = 0
    book.events[at, RELATED_USER] = 0
    book.events[at, RELATED_FEE] = 0
    book.events[at, SPARE] = 0
    _number(book, at, reason, command_id)
    return at


@inner
def order_image(book: Book, slot: int, status: int, reason: int, command_id: int) -> None:
    """Append an ORDER event that does not end a command, out of line for the rarer ones."""
    image(book, slot, ORDER, status, 0, reason, command_id)


@inner
def bare(
    book: Book, kind: int, status: int, order_id: int, user_id: int, reason: int, command_id: int
) -> int:
    """Append an event that ends a command and shows no order; return its row."""
    at = index(book.state[S_EVENTS])
    for word in range(EVENT_WORDS):
        book.events[at, word] = 0
    book.events[at, HEAD] = kind | (status << STATUS_SHIFT) | (LAST << FLAGS_SHIFT)
    book.events[at, ORDER_ID] = order_id
    book.events[at, USER] = user_id
    _number(book, at, reason, command_id)
    return at


@inlined
def refuse(book: Book, order_id: int, user_id: int, reason: int, command_id: int) -> None:
    """Append a REFUSED event."""
    bare(book, REFUSED, 0, order_id, user_id, reason, command_id)


@inlined
def open_status(book: Book, slot: int) -> int:
    """Return the status of an order that is open."""
    return OPEN if book.orders[slot, FILLED] == 0 else PARTIALLY_FILLED
