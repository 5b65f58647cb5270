"""A batch of commands: every step of each, and the report of what they changed."""

from actors.book.kernel import ahead, report, steps, window
from actors.book.kernel.jit import index, inlined
from actors.book.kernel.layout import (
    BEGIN,
    COMMAND_WORDS,
    NEED_BLOCKS,
    OVERRUN,
    READY,
    S_EVENTS,
    S_PREVIOUS_UPDATE_ID,
    S_UPDATE_ID,
    Book,
    Words,
)


@inlined
def apply(book: Book, words: Words, position: int) -> tuple[int, int, int, int, int, int]:
    """Take the steps of all commands, or go on with those of the command at `position`.

    `position` is BEGIN in the first call, less the rows of events that are to be left alone,
    and in the next what the one before returned.
    Returns what must grow (READY: nothing), the position reached, how many events and how
    many changed levels stand in their arrays, and the update ids before and after. The caller
    makes what is named larger, or takes the events out and sets S_EVENTS to 0, and calls again.
    """
    state = book.state
    count = words.shape[0] // COMMAND_WORDS
    if position <= BEGIN:
        if window.should_move(book):
            if window.blocks_short(book):
                return NEED_BLOCKS, position, BEGIN - position, 0, 0, 0
            window.move(book)
        state[S_EVENTS] = BEGIN - position
        position = 0
        state[S_PREVIOUS_UPDATE_ID] = state[S_UPDATE_ID]
    looks_ahead = ahead.is_worth_it(book, count)
    while position < count:
        if looks_ahead:
            ahead.look_ahead(book, words, index(position * COMMAND_WORDS))
        need, ended = steps.step(book, words, index(position * COMMAND_WORDS))
        if need != READY:
            return need, position, state[S_EVENTS], 0, 0, 0
        position += ended
    if state[S_EVENTS] > book.events.shape[0]:
        return OVERRUN, position, state[S_EVENTS], 0, 0, 0
    rows = report.report(book)
    before, after = state[S_PREVIOUS_UPDATE_ID], state[S_UPDATE_ID]
    return READY, position, state[S_EVENTS], rows, before, after
