"""GTD orders by (expiry, order id): a binary heap of slots, each of which knows its place."""

from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import EXPIRES, HEAP_AT, ORDER_ID, S_HEAP, Book, Words


@inlined
def _sooner(orders: Words, one: int, other: int) -> bool:
    if orders[one, EXPIRES] != orders[other, EXPIRES]:
        return orders[one, EXPIRES] < orders[other, EXPIRES]
    return orders[one, ORDER_ID] < orders[other, ORDER_ID]


@inlined
def _set(book: Book, at: int, slot: int) -> None:
    book.heap[at] = slot
    book.orders[slot, HEAP_AT] = at


@inlined
def _rise(book: Book, at: int, slot: int) -> int:
    while at > 0:
        above = (at - 1) >> 1
        if not _sooner(book.orders, slot, book.heap[above]):
            break
        _set(book, at, book.heap[above])
        at = above
    return at


@inner
def push(book: Book, slot: int) -> None:
    """Add an order."""
    at = book.state[S_HEAP]
    book.state[S_HEAP] += 1
    _set(book, _rise(book, at, slot), slot)


@inner
def drop(book: Book, slot: int) -> None:
    """Remove an order from wherever it stands."""
    at = book.orders[slot, HEAP_AT]
    size = book.state[S_HEAP] - 1
    book.state[S_HEAP] = size
    if at == size:
        return
    moved = book.heap[size]
    at = _rise(book, at, moved)
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and _sooner(book.orders, book.heap[below + 1], book.heap[below]):
            below += 1
        if not _sooner(book.orders, book.heap[below], moved):
            break
        _set(book, at, book.heap[below])
        at = below
    _set(book, at, moved)
