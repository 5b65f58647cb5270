"""Client order ids: taken by an order, remembered for a while after its end.

Rows of finished orders form a list from the oldest to the newest; the oldest makes room.
"""

from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import (
    C_NEXT,
    C_ORDER,
    C_USER,
    C_WORD,
    CLIENT,
    CLIENT_WORDS,
    ORDER_ID,
    S_CLIENT_MEMORY,
    S_CLIENTS,
    S_FINISHED,
    S_FREE_CLIENT,
    S_NEWEST,
    S_OLDEST,
    USER,
    Book,
    Words,
)
from actors.book.kernel.tables import GOLDEN, home, put, vacate


@inlined
def has_client_id(orders: Words, slot: int) -> bool:
    """Return whether an order carries a client order id."""
    joined = 0
    for word in range(CLIENT_WORDS):
        joined |= orders[slot, CLIENT + word]
    return joined != 0


@inlined
def _hash(user: int, rows: Words, row: int, first: int) -> int:
    mixed = user * GOLDEN
    for word in range(CLIENT_WORDS):
        mixed = (mixed ^ rows[row, first + word]) * GOLDEN
        mixed ^= mixed >> 32
    return mixed | 1


@inner
def first_order_of(book: Book, slot: int) -> int:
    """Return the order id that holds the slot's (user, client order id), or 0."""
    key = _hash(book.orders[slot, USER], book.orders, slot, CLIENT)
    mask = book.client_map.shape[0] - 1
    at = home(key, mask)
    while book.client_map[at, 0] != 0:
        if book.client_map[at, 0] == key:
            row = book.client_map[at, 1]
            same = book.clients[row, C_USER] == book.orders[slot, USER]
            for word in range(CLIENT_WORDS):
                same &= book.clients[row, C_WORD + word] == book.orders[slot, CLIENT + word]
            if same:
                return book.clients[row, C_ORDER]
        at = (at + 1) & mask
    return 0


@inner
def take(book: Book, slot: int) -> int:
    """Remember the slot's client order id and return its row."""
    state = book.state
    row = state[S_FREE_CLIENT]
    if row >= 0:
        state[S_FREE_CLIENT] = book.clients[row, C_NEXT]
    else:
        row = state[S_CLIENTS]
        state[S_CLIENTS] += 1
    book.clients[row, C_USER] = book.orders[slot, USER]
    book.clients[row, C_ORDER] = book.orders[slot, ORDER_ID]
    for word in range(CLIENT_WORDS):
        book.clients[row, C_WORD + word] = book.orders[slot, CLIENT + word]
    put(book.client_map, _hash(book.orders[slot, USER], book.orders, slot, CLIENT), row)
    return row


@inner
def finish(book: Book, row: int) -> None:
    """Queue a row among the finished ones and forget the oldest beyond the market's memory."""
    state = book.state
    book.clients[row, C_NEXT] = -1
    if state[S_NEWEST] < 0:
        state[S_OLDEST] = row
    else:
        book.clients[state[S_NEWEST], C_NEXT] = row
    state[S_NEWEST] = row
    state[S_FINISHED] += 1
    if state[S_FINISHED] > state[S_CLIENT_MEMORY]:
        _forget_oldest(book)


@inlined
def _forget_oldest(book: Book) -> None:
    state = book.state
    row = state[S_OLDEST]
    state[S_OLDEST] = book.clients[row, C_NEXT]
    state[S_FINISHED] -= 1
    if state[S_OLDEST] < 0:
        state[S_NEWEST] = -1
    mask = book.client_map.shape[0] - 1
    at = home(_hash(book.clients[row, C_USER], book.clients, row, C_WORD), mask)
    while book.client_map[at, 0] == 0 or book.client_map[at, 1] != row:
        at = (at + 1) & mask
    vacate(book.client_map, at)
    book.clients[row, C_NEXT] = state[S_FREE_CLIENT]
    state[S_FREE_CLIENT] = row
