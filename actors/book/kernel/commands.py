"""One command after another: docs/matching.md, what each does and answers."""

from actors.book.kernel import clients
from actors.book.kernel.answers import bare, open_status, order_image, refuse
from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import (
    AMEND,
    BUY,
    CANCEL,
    CANCEL_ALL,
    CANCELLED,
    CLIENT,
    CLIENT_AT,
    CLIENT_WORDS,
    CLOCK,
    CREATED,
    DONE,
    EXPIRED,
    EXPIRES,
    FILLED,
    FLAGS_SHIFT,
    GTD,
    HALT,
    HALTED_STATUS,
    HEAD,
    IN_CLIENT,
    IN_COMMAND_ID,
    IN_EXPIRES,
    IN_FLAGS_SHIFT,
    IN_ORDER_ID,
    IN_PRICE,
    IN_QUANTITY,
    IN_QUOTE,
    IN_SIDE_SHIFT,
    IN_TIME,
    IN_USER,
    L_QUANTITY,
    LAST,
    LEVEL,
    MARKET_EVENT,
    NEW,
    NO_REASON,
    NOTIONAL,
    OPEN,
    ORDER_ID,
    PARTIALLY_FILLED,
    PLACE,
    POST_ONLY,
    PRICE,
    QUANTITY,
    QUOTE,
    R_ABOVE_MAXIMUM,
    R_BELOW_FILLED,
    R_BELOW_MINIMUM,
    R_CANCELLED,
    R_DUPLICATE_CLIENT,
    R_DUPLICATE_ORDER,
    R_HALTED,
    R_MALFORMED,
    R_NOT_OWNER,
    R_TIME_EXPIRED,
    R_UNKNOWN_ORDER,
    R_WOULD_CROSS,
    REJECTED,
    RELATED_ORDER,
    RESUME,
    S_HALTED,
    S_HEAP,
    S_MAX_PRICE,
    S_MAX_QUANTITY,
    S_MIN_NOTIONAL,
    S_TIME,
    SELL,
    SIDE_SHIFT,
    TIME_IN_FORCE_SHIFT,
    TRADING,
    U_FIRST,
    USER,
    USER_NEXT,
    Book,
    Words,
)
from actors.book.kernel.matching import match, outcome
from actors.book.kernel.queues import (
    byte_of,
    depart,
    enter,
    forget,
    release_slot,
    rest,
    rise,
    side_of,
    take_slot,
    touch,
)
from actors.book.kernel.rules import crosses, limit_of, objection
from actors.book.kernel.tables import probe, value_of

SMALL_FIELDS = 0xFFFF_FFFF  # side, order type, time in force, prevention: a byte each


@inlined
def run(book: Book, commands: Words, base: int) -> None:
    """Apply the command whose first word stands at `base`."""
    state = book.state
    state[S_TIME] = max(state[S_TIME], commands[base + IN_TIME])
    if state[S_HEAP] > 0:
        _expire(book)
    kind = commands[base] & 0xFF
    if kind == PLACE:
        _place(book, commands, base)
    elif kind == CANCEL:
        _cancel(book, commands, base)
    elif kind == AMEND:
        _amend(book, commands, base)
    elif kind != CLOCK:
        _operate(book, commands, base, kind)


@inner
def _operate(book: Book, commands: Words, base: int, kind: int) -> None:
    """Apply the rare kinds, and refuse what is no command."""
    command_id = commands[base + IN_COMMAND_ID]
    if kind == CANCEL_ALL:
        _cancel_all(book, commands, base)
    elif kind in (HALT, RESUME):
        book.state[S_HALTED] = 1 if kind == HALT else 0
        status = HALTED_STATUS if kind == HALT else TRADING
        bare(book, MARKET_EVENT, status, 0, 0, NO_REASON, command_id)
    else:
        refuse(
            book, commands[base + IN_ORDER_ID], commands[base + IN_USER], R_MALFORMED, command_id
        )


@inner
def _expire(book: Book) -> None:
    while book.state[S_HEAP] > 0:
        slot = book.heap[0]
        if book.orders[slot, EXPIRES] > book.state[S_TIME]:
            return
        touch(book, side_of(book, slot), book.orders[slot, LEVEL])
        order_image(book, slot, EXPIRED, 0, R_TIME_EXPIRED, 0)
        depart(book, slot)


@inlined
def _place(book: Book, commands: Words, base: int) -> None:
    order_id = commands[base + IN_ORDER_ID]
    command_id = commands[base + IN_COMMAND_ID]
    user_id = commands[base + IN_USER]
    if order_id < 1:
        refuse(book, order_id, user_id, R_MALFORMED, command_id)
        return
    if value_of(book.order_map, order_id) >= 0:
        refuse(book, order_id, user_id, R_DUPLICATE_ORDER, command_id)
        return
    slot = take_slot(book)
    _write_slot(book, slot, commands, base)
    reason = objection(book, slot)
    if reason == NO_REASON:
        stop = match(book, slot, limit_of(book, slot), command_id)
        status, reason = outcome(book, slot, stop)
        if book.orders[slot, QUOTE] != 0:
            book.orders[slot, QUANTITY] = book.orders[slot, FILLED]
    else:
        status = REJECTED
    row = order_image(book, slot, status, LAST | NEW, reason, command_id)
    if reason == R_DUPLICATE_CLIENT:
        book.events[row, RELATED_ORDER] = clients.first_order_of(book, slot)
    book.orders[slot, CLIENT_AT] = -1
    if (
        clients.has_client_id(book.orders, slot)
        and reason != R_MALFORMED
        and reason != R_DUPLICATE_CLIENT
    ):
        book.orders[slot, CLIENT_AT] = clients.take(book, slot)
    if status in (OPEN, PARTIALLY_FILLED):
        enter(book, slot)
        rest(book, slot)
    else:
        if book.orders[slot, CLIENT_AT] >= 0:
            clients.finish(book, book.orders[slot, CLIENT_AT])
        release_slot(book, slot)


@inlined
def _write_slot(book: Book, slot: int, commands: Words, base: int) -> None:
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
    for word in range(CLIENT_WORDS):
        orders[slot, CLIENT + word] = commands[base + IN_CLIENT + word]


@inlined
def _owned(book: Book, slot: int, user_id: int) -> int:
    """Return why a user may not act on the order in a slot (-1: there is none)."""
    if slot < 0:
        return R_UNKNOWN_ORDER
    if user_id != 0 and user_id != book.orders[slot, USER]:
        return R_NOT_OWNER
    return NO_REASON


@inlined
def _cancel(book: Book, commands: Words, base: int) -> None:
    order_id = commands[base + IN_ORDER_ID]
    user_id = commands[base + IN_USER]
    command_id = commands[base + IN_COMMAND_ID]
    slot = value_of(book.order_map, order_id)
    reason = _owned(book, slot, user_id)
    if reason != NO_REASON:
        refuse(book, order_id, user_id, reason, command_id)
        return
    touch(book, side_of(book, slot), book.orders[slot, LEVEL])
    order_image(book, slot, CANCELLED, LAST, R_CANCELLED, command_id)
    depart(book, slot)


@inner
def _cancel_all(book: Book, commands: Words, base: int) -> None:
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
            touch(book, side_of(book, slot), book.orders[slot, LEVEL])
            order_image(book, slot, CANCELLED, 0, R_CANCELLED, command_id)
            depart(book, slot)
            removed += 1
        slot = after
    row = bare(book, DONE, 0, 0, user_id, NO_REASON, command_id)
    book.events[row, QUANTITY] = removed


@inlined
def _amend(book: Book, commands: Words, base: int) -> None:
    order_id = commands[base + IN_ORDER_ID]
    user_id = commands[base + IN_USER]
    command_id = commands[base + IN_COMMAND_ID]
    price = commands[base + IN_PRICE]
    quantity = commands[base + IN_QUANTITY]
    slot = value_of(book.order_map, order_id)
    reason = R_HALTED if book.state[S_HALTED] != 0 else _owned(book, slot, user_id)
    if reason == NO_REASON:
        reason = _amend_objection(book, slot, price, quantity)
    if reason != NO_REASON:
        refuse(book, order_id, user_id, reason, command_id)
        return
    price = price if price != 0 else book.orders[slot, PRICE]
    quantity = quantity if quantity != 0 else book.orders[slot, QUANTITY]
    if price == book.orders[slot, PRICE] and quantity <= book.orders[slot, QUANTITY]:
        level = book.orders[slot, LEVEL]
        book.levels[level, L_QUANTITY] -= book.orders[slot, QUANTITY] - quantity
        book.orders[slot, QUANTITY] = quantity
        touch(book, side_of(book, slot), level)
        order_image(book, slot, open_status(book, slot), LAST, NO_REASON, command_id)
        return
    rise(book, slot)
    book.orders[slot, PRICE] = price
    book.orders[slot, QUANTITY] = quantity
    status, reason = outcome(book, slot, match(book, slot, price, command_id))
    order_image(book, slot, status, LAST, reason, command_id)
    if status in (OPEN, PARTIALLY_FILLED):
        rest(book, slot)
    else:
        forget(book, slot)


@inner
def _amend_objection(book: Book, slot: int, price: int, quantity: int) -> int:
    orders, state = book.orders, book.state
    if price < 0 or quantity < 0 or (price == 0 and quantity == 0):
        return R_MALFORMED
    if price > state[S_MAX_PRICE] or quantity > state[S_MAX_QUANTITY]:
        return R_ABOVE_MAXIMUM
    price = price if price != 0 else orders[slot, PRICE]
    quantity = quantity if quantity != 0 else orders[slot, QUANTITY]
    if quantity <= orders[slot, FILLED]:
        return R_BELOW_FILLED
    if price * quantity < state[S_MIN_NOTIONAL]:
        return R_BELOW_MINIMUM
    stays = price == orders[slot, PRICE] and quantity <= orders[slot, QUANTITY]
    post_only = byte_of(book, slot, FLAGS_SHIFT) == POST_ONLY
    if post_only and not stays and crosses(book, side_of(book, slot), price):
        return R_WOULD_CROSS
    return NO_REASON
