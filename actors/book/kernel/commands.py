"""One command after another: docs/matching.md, what each does and answers."""

from actors.book.kernel.answers import bare, image, open_status, order_image, refuse
from actors.book.kernel.clients import finish, has_client_id, take
from actors.book.kernel.jit import index, inlined, inner
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
    ORDER,
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
    lift,
    release_slot,
    rest,
    side_of,
    take_slot,
    touch,
)
from actors.book.kernel.rules import crosses, limit_of, namesake, objection
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
    if kind == PLACE or kind == CANCEL or kind == AMEND:  # noqa: SIM109
        _work(book, commands, base, kind)
    elif kind != CLOCK:
        _operate(book, commands, base, kind)


@inlined
def _work(book: Book, commands: Words, base: int, kind: int) -> None:
    """Apply a command about one order: what all three kinds share stands here once.

    The order is lifted off the book where it must be, meets the other side where it may, shows
    its image, and then rests, or is gone.
    """
    command_id = commands[base + IN_COMMAND_ID]
    order_id = commands[base + IN_ORDER_ID]
    slot = value_of(book.order_map, order_id)
    reason = _refusal(book, commands, base, kind, slot)
    if reason != NO_REASON:
        refuse(book, order_id, commands[base + IN_USER], reason, command_id)
        return
    status, flags, takes = CANCELLED, LAST, False
    if kind == PLACE:
        slot = take_slot(book)
        _write_slot(book, slot, commands, base)
        reason = objection(book, slot)
        status, flags, takes = REJECTED, LAST | NEW, reason == NO_REASON
    elif kind == AMEND:
        slot = index(slot)
        takes = _loses_its_place(book, slot, commands, base)
        if not takes:
            _shrink(book, slot, commands[base + IN_QUANTITY])
            image(book, slot, ORDER, open_status(book, slot), LAST, NO_REASON, command_id)
            return
    else:
        reason = R_CANCELLED
    slot = index(slot)
    if kind != PLACE:
        lift(book, slot)
    if takes:
        if kind == AMEND:
            book.orders[slot, PRICE] = _or(commands[base + IN_PRICE], book.orders[slot, PRICE])
            quantity = _or(commands[base + IN_QUANTITY], book.orders[slot, QUANTITY])
            book.orders[slot, QUANTITY] = quantity
        stop = match(book, slot, limit_of(book, slot), command_id)
        status, reason = outcome(book, slot, stop)
        if book.orders[slot, QUOTE] != 0:
            book.orders[slot, QUANTITY] = book.orders[slot, FILLED]
    row = image(book, slot, ORDER, status, flags, reason, command_id)
    if kind == PLACE:
        _take_client_id(book, slot, row, reason)
    if status == OPEN or status == PARTIALLY_FILLED:  # noqa: SIM109
        if kind == PLACE:
            enter(book, slot)
        rest(book, slot)
    elif kind == PLACE:
        if book.orders[slot, CLIENT_AT] >= 0:
            finish(book.state, book.clients, book.client_map, book.orders[slot, CLIENT_AT])
        release_slot(book, slot)
    else:
        forget(book, slot)


@inlined
def _or(value: int, unchanged: int) -> int:
    return value if value != 0 else unchanged


@inlined
def _refusal(book: Book, commands: Words, base: int, kind: int, slot: int) -> int:
    """Return why a command is refused without an image; `slot` is -1 for an unknown order."""
    if kind == PLACE:
        if commands[base + IN_ORDER_ID] < 1:
            return R_MALFORMED
        return R_DUPLICATE_ORDER if slot >= 0 else NO_REASON
    if kind == AMEND and book.state[S_HALTED] != 0:
        return R_HALTED
    if slot < 0:
        return R_UNKNOWN_ORDER
    user_id = commands[base + IN_USER]
    if user_id != 0 and user_id != book.orders[slot, USER]:
        return R_NOT_OWNER
    if kind == AMEND:
        return _amend_refusal(book, slot, commands[base + IN_PRICE], commands[base + IN_QUANTITY])
    return NO_REASON


@inlined
def _amend_refusal(book: Book, slot: int, price: int, quantity: int) -> int:
    orders, state = book.orders, book.state
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
def _loses_its_place(book: Book, slot: int, commands: Words, base: int) -> bool:
    price, quantity = book.orders[slot, PRICE], book.orders[slot, QUANTITY]
    return _or(commands[base + IN_PRICE], price) != price or commands[base + IN_QUANTITY] > quantity


@inlined
def _shrink(book: Book, slot: int, quantity: int) -> None:
    """Give an order a new quantity, not larger (0: the same), at its place in the queue."""
    quantity = _or(quantity, book.orders[slot, QUANTITY])
    level = index(book.orders[slot, LEVEL])
    book.levels[level, L_QUANTITY] -= book.orders[slot, QUANTITY] - quantity
    book.orders[slot, QUANTITY] = quantity
    touch(book, side_of(book, slot), level)


@inlined
def _take_client_id(book: Book, slot: int, row: int, reason: int) -> None:
    """Remember a new order's client order id, or name the order that has it, in event `row`."""
    book.orders[slot, CLIENT_AT] = -1
    if has_client_id(book.orders, slot):
        if reason == R_DUPLICATE_CLIENT:
            book.events[row, RELATED_ORDER] = namesake(book, slot)
        elif reason != R_MALFORMED:
            taken = take(book.state, book.clients, book.client_map, book.orders, slot)
            book.orders[slot, CLIENT_AT] = taken


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
        order_image(book, slot, EXPIRED, R_TIME_EXPIRED, 0)
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
            order_image(book, slot, CANCELLED, R_CANCELLED, command_id)
            depart(book, slot)
            removed += 1
        slot = after
    row = bare(book, DONE, 0, 0, user_id, NO_REASON, command_id)
    book.events[row, QUANTITY] = removed
