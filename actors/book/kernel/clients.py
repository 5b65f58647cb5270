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
def first_order_of(clients: Words, client_map: Words, orders: Words, slot: int) -> int:
    """Return the order id that holds the slot's (user, client order id), or 0."""
    key = _hash(orders[slot, USER], orders, slot, CLIENT)
    mask = client_map.shape[0] - 1
    at = home(key, mask)
    while client_map[at, 0] != 0:
        if client_map[at, 0] == key:
            row = client_map[at, 1]
            same = clients[row, C_USER] == orders[slot, USER]
            for word in range(CLIENT_WORDS):
                same &= clients[row, C_WORD + word] == orders[slot, CLIENT + word]
            if same:
                return clients[row, C_ORDER]
        at = (at + 1) & mask
    return 0


@inner
def take(state: Words, clients: Words, client_map: Words, orders: Words, slot: int) -> int:
    """Remember the slot's client order id and return its row."""
    row = state[S_FREE_CLIENT]
    if row >= 0:
        state[S_FREE_CLIENT] = clients[row, C_NEXT]
    else:
        row = state[S_CLIENTS]
        state[S_CLIENTS] += 1
    clients[row, C_USER] = orders[slot, USER]
    clients[row, C_ORDER] = orders[slot, ORDER_ID]
    for word in range(CLIENT_WORDS):
        clients[row, C_WORD + word] = orders[slot, CLIENT + word]
    put(client_map, _hash(orders[slot, USER], orders, slot, CLIENT), row)
    return row


@inner
def finish(state: Words, clients: Words, client_map: Words, row: int) -> None:
    """Queue a row among the finished ones and forget the oldest beyond the market's memory."""
    clients[row, C_NEXT] = -1
    if state[S_NEWEST] < 0:
        state[S_OLDEST] = row
    else:
        clients[state[S_NEWEST], C_NEXT] = row
    state[S_NEWEST] = row
    state[S_FINISHED] += 1
    if state[S_FINISHED] > state[S_CLIENT_MEMORY]:
        _forget_oldest(state, clients, client_map)


@inlined
def _forget_oldest(state: Words, clients: Words, client_map: Words) -> None:
    row = state[S_OLDEST]
    state[S_OLDEST] = clients[row, C_NEXT]
    state[S_FINISHED] -= 1
    mask = client_map.shape[0] - 1
    at = home(_hash(clients[row, C_USER], clients, row, C_WORD), mask)
    while client_map[at, 1] != row or client_map[at, 0] == 0:
        at = (at + 1) & mask
    vacate(client_map, at)
    clients[row, C_NEXT] = state[S_FREE_CLIENT]
    state[S_FREE_CLIENT] = row
