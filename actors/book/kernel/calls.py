"""Calls of the kernel from Python: to its machine code, or to its source where that is wanted."""

import struct
from collections.abc import Callable
from typing import Protocol, cast

from actors.book.kernel import frame
from actors.book.kernel.layout import OVERRUN, Book, Words
from actors.book.kernel.machine_code import INTERPRETED, machine_code

Answer = tuple[int, int, int, int, int, int]
_answer: Callable[[frame.Frame], Answer] = cast(
    Callable[[frame.Frame], Answer], struct.Struct(f"{frame.ANSWER_WORDS}q").unpack_from
)


class Calls(Protocol):
    """What the kernel does with the arrays of one book; they stay what they are."""

    def apply(self, words: Words | bytes, count: int, position: int) -> Answer:
        """Apply so many commands; see `actors.book.kernel.batch.apply`.

        Raises AssertionError where the kernel has a fault.
        """

    def depth(self, side: int, rows: Words) -> None:
        """Fill rows with the levels of a side, best first; there are at least as many."""

    def images(self, side: int, rows: Words) -> int:
        """Fill rows with the images of a side's orders, in priority; return how many there were."""

    def state_hash(self) -> int:
        """Return the hash that docs/matching.md defines."""

    def pack(self, rows: Words, finished: Words) -> None:
        """Fill rows with the open orders and `finished` with finished client order ids."""

    def load(self, rows: Words, finished: Words) -> None:
        """Put into an empty book, which has the room, what `pack` took out of another."""


def prepare() -> None:
    """Have the machine code ready, here and on disk; what is interpreted has none."""
    if not INTERPRETED:
        machine_code()


def calls_of(book: Book) -> Calls:
    """Return the kernel's calls for these arrays. Raises ValueError for those of another layout."""
    if INTERPRETED:
        from actors.book.kernel.interpreted import InterpretedCalls

        return InterpretedCalls(book)
    return CompiledCalls(book)


def copy_rows(old: Words, new: Words) -> None:
    """Put every row of a table into an empty, larger one of the same width."""
    if INTERPRETED:
        from actors.book.kernel import interpreted

        interpreted.copy_rows(old, new)
        return
    words = frame.empty_frame()
    frame.name_rows(words, old, new)
    words[frame.WIDTH] = new.shape[1]
    machine_code().copy_rows(frame.address(words))


class CompiledCalls:
    """Calls of the machine code, by a frame of the book's own. Not for two threads at once."""

    def __init__(self, book: Book) -> None:
        self._book = book  # what the frame has the addresses of
        self._frame = frame.new_frame(book)
        self._at = frame.address(self._frame)
        self._code = machine_code()
        self._apply = self._code.apply_commands

    def apply(self, words: Words | bytes, count: int, position: int) -> Answer:
        told = self._frame
        told[frame.NUMBER] = position
        told[frame.FIRST_ROWS] = count
        self._apply(self._at, words if isinstance(words, bytes) else frame.address(words))
        answer = _answer(told)
        if answer[0] == OVERRUN:
            raise AssertionError("a step made more events than there was room for")
        return answer

    def depth(self, side: int, rows: Words) -> None:
        self._frame[frame.NUMBER] = side
        frame.name_rows(self._frame, rows)
        self._code.fill_depth(self._at)

    def images(self, side: int, rows: Words) -> int:
        self._frame[frame.NUMBER] = side
        frame.name_rows(self._frame, rows)
        self._code.fill_images(self._at)
        return self._frame[frame.ANSWER]

    def state_hash(self) -> int:
        self._code.hash_state(self._at)
        return self._frame[frame.ANSWER] % 2**64

    def pack(self, rows: Words, finished: Words) -> None:
        frame.name_rows(self._frame, rows, finished)
        self._code.pack(self._at)

    def load(self, rows: Words, finished: Words) -> None:
        frame.name_rows(self._frame, rows, finished)
        self._code.load(self._at)
