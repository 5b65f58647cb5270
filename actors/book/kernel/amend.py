"""The AMEND command: an open order changes at its place, or leaves it and is a taker again."""

from actors.book.kernel.answers import image, open_status, refuse
from actors.book.kernel.jit import index, inlined
from actors.book.kernel.layout import (
    FILLED,
    FLAGS_SHIFT,
    IN_COMMAND_ID,
    IN_ORDER_ID,
    IN_PRICE,
    IN_QUANTITY,
    IN_USER,
    L_QUANTITY,
    LAST,
    LEVEL,
    NO_REASON,
    ORDER,
    POST_ONLY,
    PRICE,
    QUANTITY,
    R_ABOVE_MAXIMUM,
    R_BELOW_FILLED,
    R_BELOW_MINIMUM,
    R_FENCED,
    R_HALTED,
    R_MALFORMED,
    R_WOULD_CROSS,
    S_HALTED,
    S_MAX_PRICE,
    S_MAX_QUANTITY,
    S_MIN_NOTIONAL,
    Book,
    Words,
)
from actors.book.kernel.queues import byte_of, leave, side_of
from actors.book.kernel.report import touch
from actors.book.kernel.rules import cancel_refusal, crosses, is_fenced


@inlined
def amend(book: Book, commands: Words, base: int, slot: int) -> int:
    """Return the slot of an order that lost its place, -1 for one that was answered already.

    `slot` is the open order's, -1 where there is none.
    """
    command_id = commands[base + IN_COMMAND_ID]
    reason = _refusal(book, commands, base, slot)
    if reason != NO_REASON:
        refuse(book, commands[base + IN_ORDER_ID], commands[base + IN_USER], reason, command_id)
        return -1
    slot = index(slot)
    orders = book.orders
    price = _or(commands[base + IN_PRICE], orders[slot, PRICE])
    quantity = _or(commands[base + IN_QUANTITY], orders[slot, QUANTITY])
    if price == orders[slot, PRICE] and quantity <= orders[slot, QUANTITY]:
        _shrink(book, slot, quantity)
        image(book, slot, ORDER, open_status(book, slot), LAST, NO_REASON, command_id)
        return -1
    leave(book, slot)
    orders[slot, PRICE] = price
    orders[slot, QUANTITY] = quantity
    return slot


@inlined
def _or(value: int, unchanged: int) -> int:
    return value if value != 0 else unchanged


@inlined
def _refusal(book: Book, commands: Words, base: int, slot: int) -> int:
    orders, state = book.orders, book.state
    if is_fenced(book, commands, base):
        return R_FENCED
    if state[S_HALTED] != 0:
        return R_HALTED
    reason = cancel_refusal(book, slot, commands[base + IN_USER])
    if reason != NO_REASON:
        return reason
    price, quantity = commands[base + IN_PRICE], commands[base + IN_QUANTITY]
    if price < 0 or quantity < 0 or (price == 0 and quantity == 0):
        return R_MALFORMED
    if price > state[S_MAX_PRICE] or quantity > state[S_MAX_QUANTITY]:
        return R_ABOVE_MAXIMUM
    price, quantity = _or(price, orders[slot, PRICE]), _or(quantity, orders[slot, QUANTITY])
    if quantity <= orders[slot, FILLED]:
        return R_BELOW_FILLED
    if price * quantity < state[S_MIN_NOTIONAL]:
        return R_BELOW_MINIMUM
    stays = price == orders[slot, PRICE] and quantity <= orders[slot, QUANTITY]
    post_only = byte_of(book, slot, FLAGS_SHIFT) == POST_ONLY
    if post_only and not stays and crosses(book, side_of(book, slot), price):
        return R_WOULD_CROSS
    return NO_REASON


@inlined
def _shrink(book: Book, slot: int, quantity: int) -> None:
    """Give an order a quantity that is not larger, at its place in the queue."""
    level = index(book.orders[slot, LEVEL])
    book.levels[level, L_QUANTITY] -= book.orders[slot, QUANTITY] - quantity
    book.orders[slot, QUANTITY] = quantity
    touch(book, side_of(book, slot), level)
