"""Orders that leave on request or at their time: CANCEL, CANCEL_ALL and expiry."""

from actors.book.kernel.answers import bare, image, order_image, refuse
from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    BUY,
    CANCELLED,
    DONE,
    EXPIRED,
    EXPIRES,
    IN_COMMAND_ID,
    IN_ORDER_ID,
    IN_SIDE_SHIFT,
    IN_USER,
    LAST,
    NO_REASON,
    ORDER,
    QUANTITY,
    R_CANCELLED,
    R_TIME_EXPIRED,
    S_HEAP,
    S_TIME,
    SELL,
    SIDE_SHIFT,
    U_FIRST,
    USER_NEXT,
    Book,
    Words,
)
from actors.book.kernel.queues import byte_of, depart, forget, leave
from actors.book.kernel.rules import cancel_refusal
from actors.book.kernel.tables import probe


@inlined
def cancel(book: Book, commands: Words, base: int, slot: int) -> None:
    """Remove an open order; `slot` is -1 where there is none."""
    user_id, command_id = commands[base + IN_USER], commands[base + IN_COMMAND_ID]
    reason = cancel_refusal(book, slot, user_id)
    if reason != NO_REASON:
        refuse(book, commands[base + IN_ORDER_ID], user_id, reason, command_id)
        return
    slot = index(slot)
    leave(book, slot)
    image(book, slot, ORDER, CANCELLED, LAST, R_CANCELLED, command_id)
    forget(book, slot)


@inner
def cancel_all(book: Book, commands: Words, base: int) -> None:
    """Remove all of a user's orders, or those of one side, and say how many they were."""
    user_id = commands[base + IN_USER]
    command_id = commands[base + IN_COMMAND_ID]
    side = (commands[base] >> IN_SIDE_SHIFT) & 0xFF
    slot = -1
    if user_id > 0:
        at = probe(book.users, user_id)
        if book.users[at, 0] == user_id:
            slot = book.users[at, U_FIRST]
    removed = 0
    while slot >= 0:
        after = book.orders[slot, USER_NEXT]
        if (side != BUY and side != SELL) or byte_of(book, slot, SIDE_SHIFT) == side:
            order_image(book, slot, CANCELLED, R_CANCELLED, command_id)
            depart(book, slot)
            removed += 1
        slot = after
    row = bare(book, DONE, 0, 0, user_id, NO_REASON, command_id)
    book.events[row, QUANTITY] = removed


@inlined
def is_due(book: Book) -> bool:
    """Return whether an order's time has come."""
    if book.state[S_HEAP] == 0:
        return False
    return book.orders[book.heap[0], EXPIRES] <= book.state[S_TIME]


@inner
def expire(book: Book) -> None:
    """Remove the order whose time came first."""
    slot = book.heap[0]
    order_image(book, slot, EXPIRED, R_TIME_EXPIRED, 0)
    depart(book, slot)
