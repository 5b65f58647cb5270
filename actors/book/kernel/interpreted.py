"""Calls of the kernel's source as plain Python: for a debugger, and for tests of its bounds."""

import numpy as np

from actors.book.kernel import batch, frame, store, tables, views
from actors.book.kernel.calls import Answer
from actors.book.kernel.layout import COMMAND_WORDS, OVERRUN, WORD, Book, Words


class InterpretedCalls:
    """See `actors.book.kernel.calls.Calls`."""

    def __init__(self, book: Book) -> None:
        frame.check(book)
        self._book = book

    def apply(self, words: Words | bytes, count: int, position: int) -> Answer:
        commands = np.frombuffer(words, WORD, count * COMMAND_WORDS)
        with _wrapping():
            answer = batch.apply(self._book, commands, position)
        if answer[0] == OVERRUN:
            raise AssertionError("a step made more events than there was room for")
        return answer

    def depth(self, side: int, rows: Words) -> None:
        views.depth(self._book, side, rows)

    def images(self, side: int, rows: Words) -> int:
        return views.images(self._book, side, rows)

    def state_hash(self) -> int:
        with _wrapping():
            return int(views.state_hash(self._book))

    def pack(self, rows: Words, finished: Words) -> None:
        with _wrapping():
            store.pack(self._book, rows, finished)

    def load(self, rows: Words, finished: Words) -> None:
        with _wrapping():
            store.load(self._book, rows, finished)


def copy_rows(old: Words, new: Words) -> None:
    """See `actors.book.kernel.calls.copy_rows`."""
    with _wrapping():
        tables.copy_rows(old, new)


def _wrapping() -> np.errstate:
    """Machine integers wrap silently, numpy's warn: the hashes mean to wrap."""
    return np.errstate(over="ignore")
