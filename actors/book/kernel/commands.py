"""Commands, each sent to what does its work: docs/matching.md, what each does and answers."""

from actors.book.kernel.amend import amend
from actors.book.kernel.answers import bare, refuse
from actors.book.kernel.cancel import cancel, cancel_all
from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    AMEND,
    CANCEL,
    CANCEL_ALL,
    CLOCK,
    FENCE,
    FENCE_EVENT,
    GENERATION,
    HALT,
    HALTED_STATUS,
    IN_COMMAND_ID,
    IN_GENERATION,
    IN_ORDER_ID,
    IN_USER,
    LAST,
    MARKET_EVENT,
    NEW,
    NO_REASON,
    PLACE,
    R_MALFORMED,
    RESUME,
    RULES,
    S_FENCES,
    S_HALTED,
    S_SHARDS,
    SHARD_SHIFT,
    TRADING,
    Book,
    Words,
)
from actors.book.kernel.place import place
from actors.book.kernel.rules import shard_of
from actors.book.kernel.tables import value_of
from actors.book.kernel.taker import execute


@inlined
def run(book: Book, commands: Words, base: int) -> None:
    """Apply the command whose first word stands at `base`."""
    kind = commands[base] & 0xFF
    if kind == PLACE or kind == CANCEL or kind == AMEND:  # noqa: SIM109
        slot = value_of(book.order_map, commands[base + IN_ORDER_ID])
        if kind == PLACE:
            taker = place(book, commands, base, slot)
        elif kind == AMEND:
            taker = amend(book, commands, base, slot)
        else:
            cancel(book, commands, base, slot)
            taker = -1
        if taker >= 0:
            # Inlined once for both kinds: it is the largest part.
            flags = LAST | NEW if kind == PLACE else LAST
            execute(book, index(taker), flags, commands[base + IN_COMMAND_ID])
    elif kind != CLOCK:
        _operate(book, commands, base, kind)


@inner
def _operate(book: Book, commands: Words, base: int, kind: int) -> None:
    """Apply the rare kinds, and refuse what is no command."""
    command_id = commands[base + IN_COMMAND_ID]
    if kind == CANCEL_ALL:
        cancel_all(book, commands, base)
    elif kind in (HALT, RESUME):
        book.state[S_HALTED] = 1 if kind == HALT else 0
        status = HALTED_STATUS if kind == HALT else TRADING
        bare(book, MARKET_EVENT, status, 0, 0, NO_REASON, command_id)
    elif kind == FENCE and commands[base + IN_GENERATION] > 0:
        _fence(book, commands, base)
    else:
        refuse(
            book, commands[base + IN_ORDER_ID], commands[base + IN_USER], R_MALFORMED, command_id
        )


@inlined
def _fence(book: Book, commands: Words, base: int) -> None:
    """Remember a shard's generation where it is the newest, and answer with the newest."""
    state, fences = book.state, book.fences
    shard = shard_of(commands, base)
    if fences[shard] == 0:
        state[S_FENCES] += 1
        state[S_SHARDS] = max(state[S_SHARDS], shard + 1)
    fences[shard] = max(fences[shard], commands[base + IN_GENERATION])
    row = bare(book, FENCE_EVENT, 0, 0, 0, NO_REASON, commands[base + IN_COMMAND_ID])
    book.events[row, GENERATION] = fences[shard]
    book.events[row, RULES] = shard << SHARD_SHIFT
