"""The PLACE command: a new order is refused, rejected with its image, or becomes a taker."""

from actors.book.kernel.answers import image, refuse
from actors.book.kernel.clients import finish, has_client_id, take
from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import (
    CLIENT,
    CLIENT_AT,
    CREATED,
    EXPIRES,
    FEES,
    FILLED,
    FLAGS_SHIFT,
    GENERATION,
    GTD,
    HEAD,
    IN_CLIENT,
    IN_COMMAND_ID,
    IN_EXPIRES,
    IN_FEES,
    IN_FLAGS_SHIFT,
    IN_GENERATION,
    IN_ORDER_ID,
    IN_PRICE,
    IN_QUANTITY,
    IN_QUOTE,
    IN_RULES,
    IN_SHARD_SHIFT,
    IN_SIDE_SHIFT,
    IN_USER,
    LAST,
    NEW,
    NO_REASON,
    NOTIONAL,
    ORDER,
    ORDER_ID,
    POST_ONLY,
    PRICE,
    QUANTITY,
    QUOTE,
    R_DUPLICATE_CLIENT,
    R_DUPLICATE_ORDER,
    R_FENCED,
    R_MALFORMED,
    REJECTED,
    RELATED_ORDER,
    RULES,
    RULES_BUT_SHARD,
    S_TIME,
    SHARD_SHIFT,
    SIDE_SHIFT,
    TIME_IN_FORCE_SHIFT,
    TOLD_WORDS,
    USER,
    Book,
    Words,
)
from actors.book.kernel.queues import byte_of, release_slot, take_slot
from actors.book.kernel.rules import is_fenced, namesake, objection

SMALL_FIELDS = 0xFFFF_FFFF  # side, order type, time in force, prevention: a byte each


@inlined
def place(book: Book, commands: Words, base: int, slot: int) -> int:
    """Return the slot of a new order that may trade, -1 for one that was answered already.

    `slot` is that of an open order with the same id, -1 where there is none.
    """
    order_id = commands[base + IN_ORDER_ID]
    command_id = commands[base + IN_COMMAND_ID]
    fenced = is_fenced(book, commands, base)
    if fenced or order_id < 1 or slot >= 0:
        reason = R_MALFORMED if order_id < 1 else R_DUPLICATE_ORDER
        if fenced:
            reason = R_FENCED
        refuse(book, order_id, commands[base + IN_USER], reason, command_id)
        return -1
    slot = take_slot(book)
    _write(book, slot, commands, base)
    reason = objection(book, slot)
    if reason != NO_REASON:
        _reject(book, slot, reason, command_id)
        return -1
    book.orders[slot, CLIENT_AT] = -1
    if has_client_id(book.orders, slot):
        taken = take(book.state, book.clients, book.client_map, book.orders, slot)
        book.orders[slot, CLIENT_AT] = taken
    return slot


@inner
def _reject(book: Book, slot: int, reason: int, command_id: int) -> None:
    """Answer with the image of an order that is gone at once.

    Its client order id is remembered unless it was taken before, or nothing about it is well
    formed.
    """
    row = image(book, slot, ORDER, REJECTED, LAST | NEW, reason, command_id)
    if reason == R_DUPLICATE_CLIENT:
        book.events[row, RELATED_ORDER] = namesake(book, slot)
    elif reason != R_MALFORMED and has_client_id(book.orders, slot):
        taken = take(book.state, book.clients, book.client_map, book.orders, slot)
        finish(book.state, book.clients, book.client_map, taken)
    release_slot(book, slot)


@inlined
def _write(book: Book, slot: int, commands: Words, base: int) -> None:
    orders = book.orders
    first = commands[base]
    small = (first >> IN_SIDE_SHIFT) & SMALL_FIELDS
    flags = (first >> IN_FLAGS_SHIFT) & POST_ONLY
    orders[slot, HEAD] = (small << SIDE_SHIFT) | (flags << FLAGS_SHIFT)
    orders[slot, ORDER_ID] = commands[base + IN_ORDER_ID]
    orders[slot, USER] = commands[base + IN_USER]
    orders[slot, PRICE] = commands[base + IN_PRICE]
    orders[slot, QUANTITY] = commands[base + IN_QUANTITY]
    orders[slot, FILLED] = 0
    orders[slot, NOTIONAL] = 0
    is_gtd = byte_of(book, slot, TIME_IN_FORCE_SHIFT) == GTD
    orders[slot, EXPIRES] = commands[base + IN_EXPIRES] if is_gtd else 0
    orders[slot, QUOTE] = commands[base + IN_QUOTE]
    orders[slot, CREATED] = book.state[S_TIME]
    for word in range(TOLD_WORDS):
        orders[slot, CLIENT + word] = commands[base + IN_CLIENT + word]
    orders[slot, GENERATION] = commands[base + IN_GENERATION]
    orders[slot, FEES] = commands[base + IN_FEES]
    shard = (first >> IN_SHARD_SHIFT) << SHARD_SHIFT
    orders[slot, RULES] = (commands[base + IN_RULES] & RULES_BUT_SHARD) | shard
