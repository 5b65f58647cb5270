"""The levels that a batch touched: each once, by side and price, as it stands after the batch.

In the window a touched level is a bit, so they are sorted from the start, and one that went and
came again is noted once. Those outside are listed as they are touched, and sorted here.
"""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    BUY,
    DIGIT_BITS,
    DIGITS,
    L_COUNT,
    L_FILLED,
    L_KEY,
    L_QUANTITY,
    L_TOUCHED,
    MIDDLE_ROWS,
    S_TOUCHED,
    S_TOUCHED_LEVELS,
    S_UPDATE_ID,
    S_WINDOW,
    STATE_WORDS,
    T_LEVEL,
    T_PRICE,
    TOP_ROW,
    TOUCHED_COLUMN,
    Book,
)
from actors.book.kernel.machine import bit, highest_bit, lowest_bit
from actors.book.kernel.window import is_inside, level_in, mark, place_of

FEW = 24


@inlined
def touch(book: Book, side: int, level: int) -> None:
    """Note an elementary change of a level."""
    state = book.state
    state[S_UPDATE_ID] += 1
    place = place_of(book, side, book.levels[level, L_KEY])
    if is_inside(place):
        if book.bits[index(place >> 6), TOUCHED_COLUMN + side] & bit(place & 63) == 0:
            mark(book, TOUCHED_COLUMN + side, place)
            state[S_TOUCHED_LEVELS] += 1
    elif book.levels[level, L_TOUCHED] < 0:
        at = index(state[S_TOUCHED + side])
        state[S_TOUCHED + side] = at + 1
        state[S_TOUCHED_LEVELS] += 1
        book.levels[level, L_TOUCHED] = at
        book.touched[side, at, T_PRICE] = abs(book.levels[level, L_KEY])
        book.touched[side, at, T_LEVEL] = level


@inner
def report(book: Book) -> int:
    """Write the touched levels into `changed` and forget them; return how many rows."""
    state = book.state
    rows = 0
    for side in range(2):
        count = state[S_TOUCHED + side]
        state[S_TOUCHED + side] = 0
        column = _sort(book, side, count)
        at = 0
        while at < count and book.touched[side, at, column + T_PRICE] < state[S_WINDOW]:
            at += 1
        rows = _report_outside(book, side, column, 0, at, rows)
        rows = _report_window(book, side, rows)
        rows = _report_outside(book, side, column, at, count, rows)
    state[S_TOUCHED_LEVELS] = 0
    return rows


@inlined
def _report_outside(book: Book, side: int, column: int, first: int, last: int, rows: int) -> int:
    """Write levels of the sorted list; return the next row."""
    before = rows
    for at in range(first, last):
        price = book.touched[side, at, column + T_PRICE]
        level = book.touched[side, at, column + T_LEVEL]
        # A level that went and came again stands twice, side by side, at most once alive.
        if rows == before or book.changed[rows - 1, 1] != price:
            _write_gone(book, side, price, rows)
            rows += 1
        if level >= 0:
            book.levels[level, L_TOUCHED] = -1
            _write_level(book, level, rows - 1)
    return rows


@inlined
def _report_window(book: Book, side: int, rows: int) -> int:
    """Write a side's touched levels in the window by ascending price; return the next row."""
    bits, column = book.bits, TOUCHED_COLUMN + side
    base = book.state[S_WINDOW + side]
    top = bits[TOP_ROW, column]
    bits[TOP_ROW, column] = 0
    while top != 0:
        at = _cheapest(side, top)
        top ^= bit(at)
        middle = bits[MIDDLE_ROWS + at, column]
        bits[MIDDLE_ROWS + at, column] = 0
        while middle != 0:
            row = _cheapest(side, middle)
            middle ^= bit(row)
            row |= at << 6
            word = bits[row, column]
            bits[row, column] = 0
            while word != 0:
                place = _cheapest(side, word)
                word ^= bit(place)
                place |= row << 6
                _write_gone(book, side, abs(base + place), rows)
                level = level_in(book, side, place)
                if level >= 0 and bits[row, side] & bit(place & 63) != 0:
                    _write_level(book, level, rows)
                rows += 1
    return rows


@inlined
def _cheapest(side: int, word: int) -> int:
    """Return the bit of the lowest price: a side's highest bit is its best one."""
    return lowest_bit(word) if side == 0 else highest_bit(word)


@inlined
def _write_gone(book: Book, side: int, price: int, row: int) -> None:
    book.changed[row, 0] = side + BUY
    book.changed[row, 1] = price
    book.changed[row, 2] = 0
    book.changed[row, 3] = 0
    book.changed[row, 4] = 0


@inlined
def _write_level(book: Book, level: int, row: int) -> None:
    book.changed[row, 2] = book.levels[level, L_QUANTITY]
    book.changed[row, 3] = book.levels[level, L_FILLED]
    book.changed[row, 4] = book.levels[level, L_COUNT]


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
