"""The functions that Python calls. Each takes its own arguments and then the arrays of `Book`.

The arrays come one by one because that is the cheapest call into compiled code.
"""

from collections.abc import Callable

import numpy as np

from actors.book.kernel import (
    ahead,
    amend,
    answers,
    cancel,
    clients,
    commands,
    heap,
    jit,
    ladder,
    layout,
    levels,
    machine,
    matching,
    place,
    queues,
    report,
    rules,
    steps,
    store,
    tables,
    taker,
    views,
    window,
)
from actors.book.kernel.jit import entry, index, inlined
from actors.book.kernel.layout import (
    BEGIN,
    BLOCK_WORDS,
    CHANGED_WORDS,
    CLIENT_ROW_WORDS,
    COMMAND_WORDS,
    EVENT_WORDS,
    LEVEL_WORDS,
    MAP_WORDS,
    NEED_BLOCKS,
    READY,
    S_EVENTS,
    S_FINGERPRINT,
    S_PREVIOUS_UPDATE_ID,
    S_UPDATE_ID,
    TOUCHED_WORDS,
    USER_WORDS,
    WINDOW_COLUMNS,
    WINDOW_ROWS,
    Book,
    Ticks,
    Words,
)

_KERNEL = jit.fingerprint(
    [
        ahead,
        amend,
        answers,
        cancel,
        clients,
        commands,
        heap,
        jit,
        ladder,
        layout,
        levels,
        machine,
        matching,
        place,
        queues,
        report,
        rules,
        steps,
        store,
        taker,
        tables,
        views,
        window,
    ]
)


@inlined
def _is_of_this_layout(book: Book) -> bool:
    """Return whether all rows have their widths, by which the compiler then finds them."""
    return (
        book.events.shape[1] == EVENT_WORDS
        and book.orders.shape[1] == EVENT_WORDS
        and book.order_map.shape[1] == MAP_WORDS
        and book.levels.shape[1] == LEVEL_WORDS
        and book.users.shape[1] == USER_WORDS
        and book.clients.shape[1] == CLIENT_ROW_WORDS
        and book.client_map.shape[1] == MAP_WORDS
        and book.bits.shape == (WINDOW_ROWS, WINDOW_COLUMNS)
        and book.blocks.shape[1] == BLOCK_WORDS
        and book.touched.shape[2] == TOUCHED_WORDS
        and book.changed.shape[1] == CHANGED_WORDS
    )


def _make_apply(fingerprint: int) -> Callable[..., tuple[int, int, int, int, int, int]]:
    @entry
    def apply_commands(
        words: Words,
        position: int,
        state: Words,
        events: Words,
        orders: Words,
        order_map: Words,
        heap: Words,
        levels: Words,
        users: Words,
        clients: Words,
        client_map: Words,
        bits: Words,
        ticks: Ticks,
        blocks: Words,
        directory: Words,
        touched: Words,
        changed: Words,
        fences: Words,
    ) -> tuple[int, int, int, int, int, int]:
        """Take the steps of all commands, or go on with those of the command at `position`.

        `position` is BEGIN in the first call, less the rows of events that are to be left alone,
        and in the next what the one before returned.
        Returns what must grow (READY: nothing), the position reached, how many events and how
        many changed levels stand in their arrays, and the update ids before and after. The caller
        makes what is named larger, or takes the events out and sets S_EVENTS to 0, and calls again.
        Raises ValueError for arrays of another layout.
        """
        book = Book(
            state, events, orders, order_map, heap, levels, users, clients, client_map,
            bits, ticks, blocks, directory, touched, changed, fences,
        )  # fmt: skip
        if not _is_of_this_layout(book):
            raise ValueError("these are not the arrays of a book")
        state[S_FINGERPRINT] = fingerprint
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
        if state[S_EVENTS] > events.shape[0]:
            raise AssertionError("a step made more events than there was room for")
        rows = report.report(book)
        before, after = state[S_PREVIOUS_UPDATE_ID], state[S_UPDATE_ID]
        return READY, position, state[S_EVENTS], rows, before, after

    return apply_commands


def _make_questions(fingerprint: int) -> tuple[Callable[..., int], ...]:
    """Return the entries that are called now and then, and take the arrays as one `Book`."""

    @entry
    def fill_depth(book: Book, side: int, rows: Words) -> int:
        views.depth(book, side, rows)
        return fingerprint

    @entry
    def fill_images(book: Book, side: int, rows: Words) -> int:
        return views.images(book, side, rows) if fingerprint >= 0 else 0

    @entry
    def fill_hash(book: Book, result: Words) -> int:
        result[0] = np.int64(views.state_hash(book))
        return fingerprint

    @entry
    def pack(book: Book, rows: Words, finished: Words) -> int:
        store.pack(book, rows, finished)
        return fingerprint

    @entry
    def load(book: Book, rows: Words, finished: Words) -> int:
        store.load(book, rows, finished)
        return fingerprint

    @entry
    def copy_rows(old: Words, new: Words) -> int:
        tables.copy_rows(old, new)
        return fingerprint

    return fill_depth, fill_images, fill_hash, pack, load, copy_rows


apply_commands = _make_apply(_KERNEL)
fill_depth, fill_images, fill_hash, pack, load, copy_rows = _make_questions(_KERNEL)
