"""GTD orders by (expiry, order id): a binary heap of slots, each of which knows its place."""

from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import EXPIRES, HEAP_AT, ORDER_ID, S_HEAP, Words


@inlined
def _sooner(orders: Words, one: int, other: int) -> bool:
    if orders[one, EXPIRES] != orders[other, EXPIRES]:
        return orders[one, EXPIRES] < orders[other, EXPIRES]
    return orders[one, ORDER_ID] < orders[other, ORDER_ID]


@inlined
def _set(heap: Words, orders: Words, at: int, slot: int) -> None:
    heap[at] = slot
    orders[slot, HEAP_AT] = at


@inlined
def _rise(heap: Words, orders: Words, at: int, slot: int) -> int:
    while at > 0:
        above = (at - 1) >> 1
        if not _sooner(orders, slot, heap[above]):
            break
        _set(heap, orders, at, heap[above])
        at = above
    return at


@inner
def push(state: Words, heap: Words, orders: Words, slot: int) -> None:
    """Add an order."""
    at = state[S_HEAP]
    state[S_HEAP] += 1
    _set(heap, orders, _rise(heap, orders, at, slot), slot)


@inner
def drop(state: Words, heap: Words, orders: Words, slot: int) -> None:
    """Remove an order from wherever it stands."""
    at = orders[slot, HEAP_AT]
    size = state[S_HEAP] - 1
    state[S_HEAP] = size
    if at == size:
        return
    moved = heap[size]
    at = _rise(heap, orders, at, moved)
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and _sooner(orders, heap[below + 1], heap[below]):
            below += 1
        if not _sooner(orders, heap[below], moved):
            break
        _set(heap, orders, at, heap[below])
        at = below
    _set(heap, orders, at, moved)
