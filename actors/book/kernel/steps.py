"""Steps: the parts of a command between which the kernel may stop, and the space that one needs.

An order whose time has come leaves the book in a step of its own; when none is due any more, the
command itself is the last step. What is left to do stands in the book alone (the orders that are
due) and in the command's position, so the kernel may return between any two steps, be given larger
arrays or have its events taken out, and go on with the same results. Whatever else a command sets
off belongs into steps as well: the orders that are to become takers wait in the book, each of them
is a step, and a chain of any length needs no more space than the largest of its steps.

The space for a step is known before it begins, and is asked for there and nowhere else:

- Events: one when an order expires. In a command's own step every open order answers at most once,
  as a maker, as cancelled or as the one that is amended: with that answer it leaves the book, or
  the taker ends. `OWN_EVENTS` more is a new order's image, the end of a cancel-all or a refusal.
- Order slots, users, client order ids and blocks: one each, for the order that comes to rest, whose
  level splits at most one block.
- Touched levels: those that there are, and one that is made. A level that goes keeps its row, and
  one that comes back outside the window takes another.
- Fences: room for the shard that a fence names.
"""

from actors.book.kernel import cancel, commands
from actors.book.kernel.jit import inlined
from actors.book.kernel.layout import (
    FENCE,
    IN_TIME,
    NEED_BLOCKS,
    NEED_CLIENTS,
    NEED_EVENTS,
    NEED_FENCES,
    NEED_ORDERS,
    NEED_TOUCHED,
    NEED_USERS,
    OWN_EVENTS,
    READY,
    S_BLOCKS,
    S_CLIENTS,
    S_EVENTS,
    S_FREE_BLOCK,
    S_FREE_CLIENT,
    S_FREE_SLOT,
    S_OPEN,
    S_SIDE_LEVELS,
    S_SIDE_LEVELS_SELL,
    S_SLOTS,
    S_TIME,
    S_TOUCHED_LEVELS,
    S_USERS,
    Book,
    Words,
)
from actors.book.kernel.rules import shard_of


@inlined
def step(book: Book, words: Words, base: int) -> tuple[int, int]:
    """Take the next step of the command whose first word stands at `base`.

    Returns what must grow before it can be taken (READY: it was), and how many commands it ended.
    """
    state = book.state
    state[S_TIME] = max(state[S_TIME], words[base + IN_TIME])
    due = cancel.is_due(book)
    need = _need(book, 1 if due else state[S_OPEN] + OWN_EVENTS)
    if need != READY:
        return need, 0
    if due:
        cancel.expire(book)
        return READY, 0
    if words[base] & 0xFF == FENCE and shard_of(words, base) >= book.fences.shape[0]:
        return NEED_FENCES, 0
    commands.run(book, words, base)
    return READY, 1


@inlined
def _need(book: Book, events: int) -> int:
    """Return what must grow before a step that makes at most so many events."""
    state = book.state
    if state[S_EVENTS] + events > book.events.shape[0]:
        return NEED_EVENTS
    if state[S_FREE_SLOT] < 0 and state[S_SLOTS] == book.orders.shape[0]:
        return NEED_ORDERS
    if 2 * (state[S_USERS] + 1) > book.users.shape[0]:
        return NEED_USERS
    if state[S_FREE_CLIENT] < 0 and state[S_CLIENTS] == book.clients.shape[0]:
        return NEED_CLIENTS
    if state[S_FREE_BLOCK] < 0 and state[S_BLOCKS] == book.blocks.shape[0]:
        return NEED_BLOCKS
    levels = state[S_SIDE_LEVELS] + state[S_SIDE_LEVELS_SELL]
    if state[S_TOUCHED_LEVELS] + levels >= book.changed.shape[0]:
        return NEED_TOUCHED
    return READY
