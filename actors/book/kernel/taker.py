"""A taker's whole way: it trades while it may, shows its image, then rests or is gone."""

from actors.book.kernel.answers import image
from actors.book.kernel.clients import finish
from actors.book.kernel.jit import inlined
from actors.book.kernel.layout import (
    CLIENT_AT,
    FILLED,
    NEW,
    OPEN,
    ORDER,
    PARTIALLY_FILLED,
    QUANTITY,
    QUOTE,
    Book,
)
from actors.book.kernel.matching import match, outcome
from actors.book.kernel.queues import enter, forget, release_slot, rest
from actors.book.kernel.rules import limit_of


@inlined
def execute(book: Book, slot: int, flags: int, command_id: int) -> None:
    """Let an order meet the other side, show its image with `flags`, and rest or end it.

    With NEW among them the order is not known under its id yet; without, it is open and has left
    its queue.
    """
    stop = match(book, slot, limit_of(book, slot), command_id)
    status, reason = outcome(book, slot, stop)
    if book.orders[slot, QUOTE] != 0:
        book.orders[slot, QUANTITY] = book.orders[slot, FILLED]
    image(book, slot, ORDER, status, flags, reason, command_id)
    is_new = flags & NEW != 0
    if status == OPEN or status == PARTIALLY_FILLED:  # noqa: SIM109
        if is_new:
            enter(book, slot)
        rest(book, slot)
    elif is_new:
        if book.orders[slot, CLIENT_AT] >= 0:
            finish(book.state, book.clients, book.client_map, book.orders[slot, CLIENT_AT])
        release_slot(book, slot)
    else:
        forget(book, slot)
