"""The levels that a batch touched: each once, by side and price, as it stands after the batch."""

from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import (
    BUY,
    L_COUNT,
    L_FILLED,
    L_QUANTITY,
    L_TOUCHED,
    S_TOUCHED,
    STATE_WORDS,
    T_LEVEL,
    T_PRICE,
    Book,
)

DIGIT_BITS = 8
DIGITS = 1 << DIGIT_BITS
FEW = 24


@inner
def report(book: Book) -> int:
    """Write the touched levels into `changed` and forget them; return how many rows."""
    rows = 0
    for side in range(2):
        count = book.state[S_TOUCHED + side]
        book.state[S_TOUCHED + side] = 0
        column = _sort(book, side, count)
        first = rows
        for at in range(count):
            price = book.touched[side, at, column + T_PRICE]
            level = book.touched[side, at, column + T_LEVEL]
            # A level that went and came again stands twice, side by side, at most once alive.
            if rows == first or book.changed[rows - 1, 1] != price:
                rows += 1
                book.changed[rows - 1, 0] = side + BUY
                book.changed[rows - 1, 1] = price
                book.changed[rows - 1, 2] = 0
                book.changed[rows - 1, 3] = 0
                book.changed[rows - 1, 4] = 0
            if level >= 0:
                book.levels[level, L_TOUCHED] = -1
                book.changed[rows - 1, 2] = book.levels[level, L_QUANTITY]
                book.changed[rows - 1, 3] = book.levels[level, L_FILLED]
                book.changed[rows - 1, 4] = book.levels[level, L_COUNT]
    return rows


@inlined
def _sort(book: Book, side: int, count: int) -> int:
    """Sort a side's touched rows by price; return the column at which the result stands."""
    if count <= FEW:
        _insertion_sort(book, side, count)
        return 0
    low = high = book.touched[side, 0, T_PRICE]
    for at in range(1, count):
        low = min(low, book.touched[side, at, T_PRICE])
        high = max(high, book.touched[side, at, T_PRICE])
    source, shift = 0, 0
    while (high - low) >> shift > 0:
        _radix_pass(book, side, count, low, shift, source)
        source = 2 - source
        shift += DIGIT_BITS
    return source


@inlined
def _insertion_sort(book: Book, side: int, count: int) -> None:
    touched = book.touched
    for end in range(1, count):
        price, level = touched[side, end, T_PRICE], touched[side, end, T_LEVEL]
        at = end
        while at > 0 and touched[side, at - 1, T_PRICE] > price:
            touched[side, at, T_PRICE] = touched[side, at - 1, T_PRICE]
            touched[side, at, T_LEVEL] = touched[side, at - 1, T_LEVEL]
            at -= 1
        touched[side, at, T_PRICE] = price
        touched[side, at, T_LEVEL] = level


@inlined
def _radix_pass(book: Book, side: int, count: int, low: int, shift: int, source: int) -> None:
    """Move the rows from columns `source` to the other two, stably by one digit of the price."""
    touched, state = book.touched, book.state
    target = 2 - source
    for digit in range(DIGITS):
        state[STATE_WORDS + digit] = 0
    for at in range(count):
        digit = ((touched[side, at, source] - low) >> shift) & (DIGITS - 1)
        state[STATE_WORDS + digit] += 1
    total = 0
    for digit in range(DIGITS):
        held = state[STATE_WORDS + digit]
        state[STATE_WORDS + digit] = total
        total += held
    for at in range(count):
        price = touched[side, at, source]
        digit = ((price - low) >> shift) & (DIGITS - 1)
        to = state[STATE_WORDS + digit]
        state[STATE_WORDS + digit] = to + 1
        touched[side, to, target] = price
        touched[side, to, target + 1] = touched[side, at, source + 1]
