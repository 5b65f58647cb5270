"""Orders at rest: in the queue of their level, in the list of their user, and out again."""

from actors.book.kernel import clients, heap
from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    BUY,
    CLIENT_AT,
    FILLED,
    GTD,
    HEAD,
    L_COUNT,
    L_FILLED,
    L_FIRST,
    L_KEY,
    L_LAST,
    L_QUANTITY,
    LEVEL,
    NEXT,
    ORDER_ID,
    PREVIOUS,
    PRICE,
    QUANTITY,
    S_BEST,
    S_FREE_SLOT,
    S_OPEN,
    S_SLOTS,
    S_USERS,
    SIDE_SHIFT,
    TIME_IN_FORCE_SHIFT,
    U_FIRST,
    U_LAST,
    USER,
    USER_NEXT,
    USER_PREVIOUS,
    Book,
)
from actors.book.kernel.levels import drop_level, level_of
from actors.book.kernel.report import touch
from actors.book.kernel.tables import probe, put, vacate


@inlined
def side_of(book: Book, slot: int) -> int:
    """Return 0 for a buy order and 1 for a sell order."""
    return index(((book.orders[slot, HEAD] >> SIDE_SHIFT) & 0xFF) - BUY)


@inlined
def key_of(side: int, price: int) -> int:
    """Return the level key of a price: the larger, the better for its side."""
    return price if side == 0 else -price


@inlined
def byte_of(book: Book, slot: int, shift: int) -> int:
    """Return one of the small fields of a slot's first word."""
    return (book.orders[slot, HEAD] >> shift) & 0xFF


@inlined
def remaining(book: Book, slot: int) -> int:
    """Return what is left of an order."""
    return book.orders[slot, QUANTITY] - book.orders[slot, FILLED]


@inlined
def take_slot(book: Book) -> int:
    """Return a slot in which nothing is kept."""
    slot = book.state[S_FREE_SLOT]
    if slot >= 0:
        book.state[S_FREE_SLOT] = book.orders[slot, NEXT]
    else:
        slot = book.state[S_SLOTS]
        book.state[S_SLOTS] += 1
    return index(slot)


@inlined
def release_slot(book: Book, slot: int) -> None:
    """Give a slot back; its image may be read until the next `take_slot`."""
    book.orders[slot, NEXT] = book.state[S_FREE_SLOT]
    book.state[S_FREE_SLOT] = slot


@inlined
def join_queue(book: Book, slot: int) -> int:
    """Append an order to the queue of its price and return the level."""
    side = side_of(book, slot)
    level = level_of(book, side, key_of(side, book.orders[slot, PRICE]))
    last = book.levels[level, L_LAST]
    book.orders[slot, LEVEL] = level
    book.orders[slot, PREVIOUS] = last
    book.orders[slot, NEXT] = -1
    if last < 0:
        book.levels[level, L_FIRST] = slot
    else:
        book.orders[last, NEXT] = slot
    book.levels[level, L_LAST] = slot
    book.levels[level, L_QUANTITY] += remaining(book, slot)
    book.levels[level, L_FILLED] += book.orders[slot, FILLED]
    book.levels[level, L_COUNT] += 1
    return level


@inlined
def _leave_queue(book: Book, slot: int) -> bool:
    """Take an order out of its level and return whether that is empty now."""
    level = index(book.orders[slot, LEVEL])
    before = book.orders[slot, PREVIOUS]
    after = book.orders[slot, NEXT]
    if before < 0:
        book.levels[level, L_FIRST] = after
    else:
        book.orders[before, NEXT] = after
    if after < 0:
        book.levels[level, L_LAST] = before
    else:
        book.orders[after, PREVIOUS] = before
    book.levels[level, L_QUANTITY] -= remaining(book, slot)
    book.levels[level, L_FILLED] -= book.orders[slot, FILLED]
    book.levels[level, L_COUNT] -= 1
    return before < 0 and after < 0


@inlined
def join_user(book: Book, slot: int) -> None:
    """Append an order to the list of its user, which is in order of coming to rest."""
    user = book.orders[slot, USER]
    at = probe(book.users, user)
    book.orders[slot, USER_NEXT] = -1
    if book.users[at, 0] == 0:
        book.users[at, 0] = user
        book.users[at, U_FIRST] = slot
        book.orders[slot, USER_PREVIOUS] = -1
        book.state[S_USERS] += 1
    else:
        last = book.users[at, U_LAST]
        book.orders[last, USER_NEXT] = slot
        book.orders[slot, USER_PREVIOUS] = last
    book.users[at, U_LAST] = slot


@inlined
def leave_user(book: Book, slot: int) -> None:
    """Take an order out of the list of its user, and the user out of the table with the last."""
    before = book.orders[slot, USER_PREVIOUS]
    after = book.orders[slot, USER_NEXT]
    if before >= 0:
        book.orders[before, USER_NEXT] = after
    if after >= 0:
        book.orders[after, USER_PREVIOUS] = before
    if before >= 0 and after >= 0:
        return
    at = probe(book.users, book.orders[slot, USER])
    if before < 0 and after < 0:
        vacate(book.users, at)
        book.state[S_USERS] -= 1
    elif before < 0:
        book.users[at, U_FIRST] = after
    else:
        book.users[at, U_LAST] = before


@inlined
def rest(book: Book, slot: int) -> None:
    """Let an order come to rest at its own price, last in the queue."""
    level = join_queue(book, slot)
    touch(book, side_of(book, slot), level)
    join_user(book, slot)


@inlined
def leave(book: Book, slot: int) -> None:
    """Take an order that stays open off its level and off its user's list."""
    side = side_of(book, slot)
    level = index(book.orders[slot, LEVEL])
    touch(book, side, level)
    if _leave_queue(book, slot):
        drop_level(book, side, level)
    leave_user(book, slot)


@inlined
def leave_best(book: Book, slot: int) -> None:
    """Do as `leave` does with an order at the best level, whose change is noted already."""
    side = side_of(book, slot)
    level = index(book.orders[slot, LEVEL])
    if _leave_queue(book, slot):
        drop_level(book, side, level)
    leave_user(book, slot)


@inlined
def enter(book: Book, slot: int) -> None:
    """Make an order known under its id: from now on it is open."""
    put(book.order_map, book.orders[slot, ORDER_ID], slot)
    book.state[S_OPEN] += 1
    if byte_of(book, slot, TIME_IN_FORCE_SHIFT) == GTD:
        heap.push(book.state, book.heap, book.orders, slot)


@inlined
def forget(book: Book, slot: int) -> None:
    """End an open order that has left its queue: its id is free again."""
    vacate(book.order_map, probe(book.order_map, book.orders[slot, ORDER_ID]))
    book.state[S_OPEN] -= 1
    if byte_of(book, slot, TIME_IN_FORCE_SHIFT) == GTD:
        heap.drop(book.state, book.heap, book.orders, slot)
    if book.orders[slot, CLIENT_AT] >= 0:
        clients.finish(book.state, book.clients, book.client_map, book.orders[slot, CLIENT_AT])
    release_slot(book, slot)


@inner
def depart(book: Book, slot: int) -> None:
    """Remove a resting order for good, out of line for the rarer commands."""
    leave(book, slot)
    forget(book, slot)


@inlined
def best_key(book: Book, side: int) -> int:
    """Return the key of a side's best level, which exists."""
    return book.levels[book.state[S_BEST + side], L_KEY]
