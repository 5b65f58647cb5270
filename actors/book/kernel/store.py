"""A book's orders and finished client order ids as two compact arrays, and back.

The arrays depend on the book's state alone, not on where its slots happened to lie.
"""

from actors.book.kernel import clients
from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import (
    C_NEXT,
    C_ORDER,
    C_USER,
    C_WORD,
    CLIENT,
    CLIENT_AT,
    CLIENT_WORDS,
    COMMAND_ID,
    EVENT_WORDS,
    FINISHED_ORDER,
    FINISHED_USER,
    FINISHED_WORD,
    L_FIRST,
    NEXT,
    ORDER_ID,
    REASON,
    RELATED_FEE,
    RELATED_ORDER,
    RELATED_USER,
    S_OLDEST,
    S_SLOTS,
    S_USERS,
    SEQUENCE,
    SPARE,
    TIME,
    U_FIRST,
    U_LAST,
    USER,
    USER_NEXT,
    USER_PREVIOUS,
    Book,
    Words,
)
from actors.book.kernel.levels import first_level, next_level
from actors.book.kernel.queues import enter, join_queue
from actors.book.kernel.tables import probe


@inner
def pack(book: Book, rows: Words, finished: Words) -> None:
    """Fill `rows` with the open orders, bids before asks, in priority, and `finished` by age.

    The links of the users' lists are row numbers, -1 at an end.
    """
    count = 0
    for side in range(2):
        level, row, at, place = first_level(book, side)
        while level >= 0:
            slot = book.levels[level, L_FIRST]
            while slot >= 0:
                for word in range(EVENT_WORDS):
                    rows[count, word] = book.orders[slot, word]
                book.orders[slot, SPARE] = count
                count += 1
                slot = book.orders[slot, NEXT]
            level, row, at, place = next_level(book, side, row, at, place)
    for image in range(count):
        for word in (USER_NEXT, USER_PREVIOUS):
            slot = rows[image, word]
            rows[image, word] = -1 if slot < 0 else book.orders[slot, SPARE]
        for word in (REASON, SEQUENCE, TIME, COMMAND_ID, RELATED_ORDER, RELATED_USER):
            rows[image, word] = 0
        rows[image, RELATED_FEE] = 0
        rows[image, SPARE] = 0
    _pack_finished(book, finished)


@inlined
def _pack_finished(book: Book, finished: Words) -> None:
    at = 0
    row = book.state[S_OLDEST]
    while row >= 0:
        finished[at, FINISHED_USER] = book.clients[row, C_USER]
        finished[at, FINISHED_ORDER] = book.clients[row, C_ORDER]
        for word in range(CLIENT_WORDS):
            finished[at, FINISHED_WORD + word] = book.clients[row, C_WORD + word]
        at += 1
        row = book.clients[row, C_NEXT]


@inner
def load(book: Book, rows: Words, finished: Words) -> None:
    """Put into an empty book, which has the room, what `pack` took out of another."""
    book.state[S_SLOTS] = rows.shape[0]
    for slot in range(rows.shape[0]):
        for word in range(EVENT_WORDS):
            book.orders[slot, word] = rows[slot, word]
        join_queue(book, slot)
        enter(book, slot)
        book.orders[slot, CLIENT_AT] = -1
        if clients.has_client_id(book.orders, slot):
            book.orders[slot, CLIENT_AT] = clients.take(
                book.state, book.clients, book.client_map, book.orders, slot
            )
        if rows[slot, USER_PREVIOUS] < 0:
            at = probe(book.users, rows[slot, USER])
            book.users[at, 0] = rows[slot, USER]
            book.users[at, U_FIRST] = slot
            book.state[S_USERS] += 1
    for slot in range(rows.shape[0]):
        if rows[slot, USER_NEXT] < 0:
            book.users[probe(book.users, rows[slot, USER]), U_LAST] = slot
    _load_finished(book, rows.shape[0], finished)


@inlined
def _load_finished(book: Book, unused_slot: int, finished: Words) -> None:
    for at in range(finished.shape[0]):
        book.orders[unused_slot, USER] = finished[at, FINISHED_USER]
        book.orders[unused_slot, ORDER_ID] = finished[at, FINISHED_ORDER]
        for word in range(CLIENT_WORDS):
            book.orders[unused_slot, CLIENT + word] = finished[at, FINISHED_WORD + word]
        row = clients.take(book.state, book.clients, book.client_map, book.orders, unused_slot)
        clients.finish(book.state, book.clients, book.client_map, row)
