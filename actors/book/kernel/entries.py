"""The functions that Python calls, as machine code: each takes the address of a frame.

One takes that of the commands too, which are another array with every call.
"""

from actors.book.kernel import batch, store, tables, views
from actors.book.kernel.frame import (
    ANSWER,
    ARRAYS,
    FIRST,
    FIRST_ROWS,
    FRAME_WORDS,
    NUMBER,
    SECOND,
    SECOND_ROWS,
    WIDTH,
)
from actors.book.kernel.jit import inlined
from actors.book.kernel.layout import (
    BLOCK_WORDS,
    CHANGED_WORDS,
    CLIENT_ROW_WORDS,
    COMMAND_WORDS,
    DIRECTORY_ROWS,
    EVENT_WORDS,
    FINISHED_WORDS,
    LEVEL_WORDS,
    MAP_WORDS,
    TOUCHED_WORDS,
    USER_WORDS,
    WINDOW_COLUMNS,
    WINDOW_ROWS,
    WINDOW_TICKS,
    Book,
    Words,
)
from actors.book.kernel.machine import ticks_at, words_at


@inlined
def _book(frame: Words) -> Book:
    """Return the book's arrays, in the order and the shapes of `frame.new_frame`."""
    at = frame[ARRAYS::2]
    length = frame[ARRAYS + 1 :: 2]
    return Book(
        words_at(at[0], (length[0],)),
        words_at(at[1], (length[1], EVENT_WORDS)),
        words_at(at[2], (length[2], EVENT_WORDS)),
        words_at(at[3], (length[3], MAP_WORDS)),
        words_at(at[4], (length[4],)),
        words_at(at[5], (length[5], LEVEL_WORDS)),
        words_at(at[6], (length[6], USER_WORDS)),
        words_at(at[7], (length[7], CLIENT_ROW_WORDS)),
        words_at(at[8], (length[8], MAP_WORDS)),
        words_at(at[9], (WINDOW_ROWS, WINDOW_COLUMNS)),
        ticks_at(at[10], (WINDOW_TICKS,)),
        words_at(at[11], (length[11], BLOCK_WORDS)),
        words_at(at[12], (DIRECTORY_ROWS, length[12])),
        words_at(at[13], (2, length[13], TOUCHED_WORDS)),
        words_at(at[14], (length[14], CHANGED_WORDS)),
        words_at(at[15], (length[15],)),
    )


def apply_commands(at: int, commands: int) -> None:
    """Apply FIRST_ROWS commands from position NUMBER on; the answer is that of `batch.apply`."""
    frame = words_at(at, (FRAME_WORDS,))
    words = words_at(commands, (frame[FIRST_ROWS] * COMMAND_WORDS,))
    answer = batch.apply(_book(frame), words, frame[NUMBER])
    for word in range(len(answer)):
        frame[ANSWER + word] = answer[word]


def fill_depth(at: int) -> None:
    """Fill the rows of FIRST with the levels of side NUMBER."""
    frame = words_at(at, (FRAME_WORDS,))
    views.depth(
        _book(frame), frame[NUMBER], words_at(frame[FIRST], (frame[FIRST_ROWS], CHANGED_WORDS))
    )


def fill_images(at: int) -> None:
    """Fill the rows of FIRST with the orders of side NUMBER; the answer is how many."""
    frame = words_at(at, (FRAME_WORDS,))
    frame[ANSWER] = views.images(
        _book(frame), frame[NUMBER], words_at(frame[FIRST], (frame[FIRST_ROWS], EVENT_WORDS))
    )


def hash_state(at: int) -> None:
    """Answer with the hash of the whole state."""
    frame = words_at(at, (FRAME_WORDS,))
    frame[ANSWER] = views.state_hash(_book(frame))


def pack(at: int) -> None:
    """Fill FIRST with open orders and SECOND with finished client order ids."""
    frame = words_at(at, (FRAME_WORDS,))
    finished = words_at(frame[SECOND], (frame[SECOND_ROWS], FINISHED_WORDS))
    store.pack(_book(frame), words_at(frame[FIRST], (frame[FIRST_ROWS], EVENT_WORDS)), finished)


def load(at: int) -> None:
    """Put the orders of FIRST and the finished client order ids of SECOND into an empty book."""
    frame = words_at(at, (FRAME_WORDS,))
    finished = words_at(frame[SECOND], (frame[SECOND_ROWS], FINISHED_WORDS))
    store.load(_book(frame), words_at(frame[FIRST], (frame[FIRST_ROWS], EVENT_WORDS)), finished)


def copy_rows(at: int) -> None:
    """Put the rows of FIRST into SECOND, both WIDTH wide; the frame is of no book."""
    frame = words_at(at, (FRAME_WORDS,))
    width = frame[WIDTH]
    tables.copy_rows(
        words_at(frame[FIRST], (frame[FIRST_ROWS], width)),
        words_at(frame[SECOND], (frame[SECOND_ROWS], width)),
    )


ENTRIES = (apply_commands, fill_depth, fill_images, hash_state, pack, load, copy_rows)
