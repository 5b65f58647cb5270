"""Price levels of a side: found or made by price, dropped when empty, asked in order.

Near the market they stand in the window, elsewhere in the ladder.
"""

from actors.book.kernel import ladder, window
from actors.book.kernel.jit import index, inlined
from actors.book.kernel.layout import (
    D_COUNT,
    L_COUNT,
    L_FILLED,
    L_FIRST,
    L_KEY,
    L_LAST,
    L_NEXT_FREE,
    L_QUANTITY,
    L_TOUCHED,
    S_BEST,
    S_FREE_LEVEL,
    S_LEVELS,
    S_MISSES,
    S_SIDE_BLOCKS,
    S_SIDE_LEVELS,
    S_TOP,
    S_WINDOW,
    T_LEVEL,
    WINDOW_TICKS,
    Book,
)


@inlined
def level_of(book: Book, side: int, key: int) -> int:
    """Return the level with this key, made where there is none."""
    state = book.state
    fresh = state[S_FREE_LEVEL]
    if fresh < 0:
        fresh = state[S_LEVELS]
    place = window.place_of(book, side, key)
    if window.is_inside(place):
        level = window.level_in(book, side, place)
        if level >= 0:
            return index(level)
        window.put(book, side, place, fresh)
    else:
        level = ladder.find_or_add(window.outside_of(book), side, key, fresh)
        if level != fresh:
            return index(level)
        state[S_MISSES] += 1
    fresh = index(fresh)
    _begin(book, side, fresh, key)
    best = state[S_BEST + side]
    if best < 0 or key > book.levels[best, L_KEY]:
        state[S_BEST + side] = fresh
    return fresh


@inlined
def _begin(book: Book, side: int, level: int, key: int) -> None:
    """Make the first free row an empty level."""
    state = book.state
    if state[S_FREE_LEVEL] >= 0:
        state[S_FREE_LEVEL] = book.levels[level, L_NEXT_FREE]
    else:
        state[S_LEVELS] += 1
    state[S_SIDE_LEVELS + side] += 1
    book.levels[level, L_KEY] = key
    book.levels[level, L_QUANTITY] = 0
    book.levels[level, L_FILLED] = 0
    book.levels[level, L_COUNT] = 0
    book.levels[level, L_FIRST] = -1
    book.levels[level, L_LAST] = -1
    book.levels[level, L_TOUCHED] = -1


@inlined
def drop_level(book: Book, side: int, level: int) -> None:
    """Give up an empty level, and find the best one anew where it was that."""
    state = book.state
    place = window.place_of(book, side, book.levels[level, L_KEY])
    if window.is_inside(place):
        window.take(book, side, place)
    else:
        ladder.remove(window.outside_of(book), side, level)
        if book.levels[level, L_TOUCHED] >= 0:
            book.touched[side, book.levels[level, L_TOUCHED], T_LEVEL] = -1
    state[S_SIDE_LEVELS + side] -= 1
    book.levels[level, L_NEXT_FREE] = state[S_FREE_LEVEL]
    state[S_FREE_LEVEL] = level
    if state[S_BEST + side] == level:
        state[S_BEST + side] = _best(book, side)


@inlined
def _best(book: Book, side: int) -> int:
    """Return the best of the window's best level and the ladder's, -1 where there is neither."""
    outside = book.state[S_TOP + side]
    place = window.highest(book, side)
    if place < 0:
        return outside
    if outside >= 0 and book.levels[outside, L_KEY] > place + book.state[S_WINDOW + side]:
        return outside
    return window.level_in(book, side, place)


@inlined
def first_level(book: Book, side: int) -> tuple[int, int, int, int]:
    """Return the best level and what `next_level` goes on from; -1 where the side is empty."""
    return next_level(book, side, book.state[S_SIDE_BLOCKS + side], 0, WINDOW_TICKS)


@inlined
def next_level(book: Book, side: int, row: int, at: int, place: int) -> tuple[int, int, int, int]:
    """Return the next worse level and where it stands; -1 after the last.

    What comes next is among the first `at` levels of the ladder's row, and the rows below it, and
    in the window below `place`.
    """
    if at == 0 and row > 0:
        row -= 1
        at = book.directory[D_COUNT, ladder.block_of(window.outside_of(book), side, row)]
    inside = window.next_below(book, side, place)
    if at > 0:
        outside = ladder.level_at(window.outside_of(book), side, row, at)
        if inside < 0 or book.levels[outside, L_KEY] > inside + book.state[S_WINDOW + side]:
            return outside, row, at - 1, place
    if inside >= 0:
        return window.level_in(book, side, inside), row, at, inside
    return -1, row, 0, 0
