"""The frame: words through which Python and the kernel's machine code speak.

A frame belongs to the arrays of one book. It holds the address and the length of each, which stay
until one of them is replaced, and room for the arguments and the answer of a call, so that a call
passes one address.
"""

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from actors.book.kernel.layout import (
    BLOCK_WORDS,
    CHANGED_WORDS,
    CLIENT_ROW_WORDS,
    DIRECTORY_ROWS,
    EVENT_WORDS,
    LEVEL_WORDS,
    MAP_WORDS,
    TICK,
    TOUCHED_WORDS,
    USER_WORDS,
    WINDOW_COLUMNS,
    WINDOW_ROWS,
    WINDOW_TICKS,
    WORD,
    Book,
    Words,
)

# The answer, which stands first; a number (position or side); addresses and rows of up to two
# arrays and the width of both; then of each array of the book its address and its length.
ANSWER = 0
ANSWER_WORDS = 6
NUMBER, FIRST, FIRST_ROWS, SECOND, SECOND_ROWS, WIDTH, ARRAYS = range(
    ANSWER_WORDS, ANSWER_WORDS + 7
)
FRAME_WORDS = ARRAYS + 2 * len(Book._fields)
Frame = ctypes.Array[ctypes.c_int64]

# The one side of an array that is not the same in all books; the machine code knows the others.
LENGTH = -1
_SHAPES = {
    "state": (LENGTH,),
    "events": (LENGTH, EVENT_WORDS),
    "orders": (LENGTH, EVENT_WORDS),
    "order_map": (LENGTH, MAP_WORDS),
    "heap": (LENGTH,),
    "levels": (LENGTH, LEVEL_WORDS),
    "users": (LENGTH, USER_WORDS),
    "clients": (LENGTH, CLIENT_ROW_WORDS),
    "client_map": (LENGTH, MAP_WORDS),
    "bits": (WINDOW_ROWS, WINDOW_COLUMNS),
    "ticks": (WINDOW_TICKS,),
    "blocks": (LENGTH, BLOCK_WORDS),
    "directory": (DIRECTORY_ROWS, LENGTH),
    "touched": (2, LENGTH, TOUCHED_WORDS),
    "changed": (LENGTH, CHANGED_WORDS),
    "fences": (LENGTH,),
}
_Memory = ctypes.c_byte * 0


def new_frame(book: Book) -> Frame:
    """Return a frame of these arrays. Raises ValueError for arrays of another layout."""
    frame = empty_frame()
    for place, (name, array) in enumerate(book._asdict().items()):
        frame[ARRAYS + 2 * place] = address(array)
        frame[ARRAYS + 2 * place + 1] = _length(name, array)
    return frame


def empty_frame() -> Frame:
    """Return a frame that belongs to no book."""
    return (ctypes.c_int64 * FRAME_WORDS)()


def check(book: Book) -> None:
    """Raise ValueError for arrays of another layout."""
    for name, array in book._asdict().items():
        _length(name, array)


def _length(name: str, array: npt.NDArray[np.integer]) -> int:
    """Return the length that is this array's own, 0 where all books have the same."""
    shape = _SHAPES[name]
    if array.ndim == len(shape) and array.dtype == (TICK if name == "ticks" else WORD):
        sides = list(zip(shape, array.shape, strict=True))
        if all(known in (LENGTH, side) for known, side in sides):
            return next((side for known, side in sides if known == LENGTH), 0)
    raise ValueError(f"{name} is not the array of a book")


def name_rows(frame: Frame, first: Words, second: Words | None = None) -> None:
    """Write where the arrays that a call works with begin, and how many rows they have."""
    frame[FIRST] = address(first)
    frame[FIRST_ROWS] = len(first)
    if second is not None:
        frame[SECOND] = address(second)
        frame[SECOND_ROWS] = len(second)


def address(memory: Any) -> int:
    """Return where the memory of an array or a frame begins: writable and in one piece.

    Raises TypeError or ValueError for other memory.
    """
    return ctypes.addressof(_Memory.from_buffer(memory))
