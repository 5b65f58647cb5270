"""Levels near the market: a bit for each price in a window, and for each word of bits another.

Three stages of words reach over the window, so a level is found by one load and the best one, or
the next, in three. Both sides share the window; each counts its keys from its own worst one, so the
highest bit is the better one for both. Levels outside are the ladder's.

The window moves between two batches, when the market has left its middle half and levels enough
were made outside since to pay for it: a move costs time in proportion to the levels.
"""

from actors.book.kernel import ladder
from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    L_BLOCK,
    L_KEY,
    MIDDLE_ROWS,
    S_BEST,
    S_BEST_SELL,
    S_BLOCKS,
    S_MISSES,
    S_SIDE_LEVELS,
    S_SIDE_LEVELS_SELL,
    S_WINDOW,
    S_WINDOW_SELL,
    TOP_ROW,
    WINDOW_TICKS,
    Book,
    Ladder,
)
from actors.book.kernel.machine import bit, highest_bit

HALF_WINDOW = WINDOW_TICKS // 2
ROOM_A_BLOCK = 16


@inlined
def outside_of(book: Book) -> Ladder:
    """Return what keeps the levels outside: as few arrays as there need be in a call."""
    return Ladder(book.state, book.levels, book.blocks, book.directory)


@inlined
def place_of(book: Book, side: int, key: int) -> int:
    """Return the place of a key in the window of its side; see `is_inside`."""
    return key - book.state[S_WINDOW + side]


@inlined
def is_inside(place: int) -> bool:
    """Return whether a place is one in the window."""
    return place >= 0 and place < WINDOW_TICKS


@inlined
def tick_of(side: int, place: int) -> int:
    """Return the row of `ticks` that both sides' places of one price share."""
    return index(place if side == 0 else WINDOW_TICKS - 1 - place)


@inlined
def level_in(book: Book, side: int, place: int) -> int:
    """Return the level at a place inside, -1 where there is none."""
    return int(book.ticks[tick_of(side, place)]) - 1


@inlined
def mark(book: Book, column: int, place: int) -> None:
    """Set the bit of a place inside, and those above it."""
    bits = book.bits
    row = index(place >> 6)
    word = bits[row, column]
    bits[row, column] = word | bit(place & 63)
    if word == 0:
        middle = index(MIDDLE_ROWS + (row >> 6))
        bits[middle, column] |= bit(row & 63)
        bits[TOP_ROW, column] |= bit(row >> 6)


@inlined
def clear(book: Book, column: int, place: int) -> None:
    """Take the bit of a place inside, which is set, and those above it that have none below."""
    bits = book.bits
    row = index(place >> 6)
    word = bits[row, column] ^ bit(place & 63)
    bits[row, column] = word
    if word == 0:
        middle = index(MIDDLE_ROWS + (row >> 6))
        above = bits[middle, column] ^ bit(row & 63)
        bits[middle, column] = above
        if above == 0:
            bits[TOP_ROW, column] ^= bit(row >> 6)


@inlined
def put(book: Book, side: int, place: int, level: int) -> None:
    """Add a level at a free place inside."""
    book.ticks[tick_of(side, place)] = level + 1
    mark(book, side, place)


@inlined
def take(book: Book, side: int, place: int) -> None:
    """Remove the level at a place inside."""
    book.ticks[tick_of(side, place)] = 0
    clear(book, side, place)


@inlined
def highest(book: Book, column: int) -> int:
    """Return the highest place whose bit is set, -1 where none is."""
    top = book.bits[TOP_ROW, column]
    if top == 0:
        return -1
    at = highest_bit(top)
    row = (at << 6) | highest_bit(book.bits[index(MIDDLE_ROWS + at), column])
    return (row << 6) | highest_bit(book.bits[index(row), column])


@inner
def next_below(book: Book, column: int, place: int) -> int:
    """Return the highest place below this one (0 to WINDOW_TICKS) whose bit is set, or -1."""
    bits = book.bits
    if place == 0:
        return -1
    row = (place - 1) >> 6
    word = bits[row, column] & _up_to((place - 1) & 63)
    if word == 0:
        at = row >> 6
        above = bits[MIDDLE_ROWS + at, column] & (bit(row & 63) - 1)
        if above == 0:
            top = bits[TOP_ROW, column] & (bit(at) - 1)
            if top == 0:
                return -1
            at = highest_bit(top)
            above = bits[MIDDLE_ROWS + at, column]
        row = (at << 6) | highest_bit(above)
        word = bits[row, column]
    return (row << 6) | highest_bit(word)


@inlined
def _up_to(place: int) -> int:
    """Return the word in which the bits 0 to `place` are set."""
    return (bit(place) - 1) | bit(place)


@inlined
def blocks_short(book: Book) -> bool:
    """Return whether the ladder may need more blocks than there are, should the window move now.

    A block may be split by the first level that it takes, and then by every sixteenth.
    """
    levels = book.state[S_SIDE_LEVELS] + book.state[S_SIDE_LEVELS_SELL]
    used = book.state[S_BLOCKS]
    return used + used + levels // ROOM_A_BLOCK + 2 > book.blocks.shape[0]


@inlined
def should_move(book: Book) -> bool:
    """Return whether a move is paid for and worth it."""
    state = book.state
    if state[S_MISSES] <= state[S_SIDE_LEVELS] + state[S_SIDE_LEVELS_SELL]:
        return False
    off = abs(_market(book) - (state[S_WINDOW] + HALF_WINDOW))
    return off > HALF_WINDOW // 2 and _wanted_low(book) != state[S_WINDOW]


@inlined
def _market(book: Book) -> int:
    """Return the price around which the book stands: between the best ones, or the only one."""
    bid, ask = book.state[S_BEST], book.state[S_BEST_SELL]
    if bid < 0 and ask < 0:
        return book.state[S_WINDOW] + HALF_WINDOW
    if ask < 0:
        return book.levels[bid, L_KEY]
    if bid < 0:
        return -book.levels[ask, L_KEY]
    return (book.levels[bid, L_KEY] - book.levels[ask, L_KEY]) >> 1


@inlined
def _wanted_low(book: Book) -> int:
    return max(_market(book) - HALF_WINDOW, 0)


@inner
def move(book: Book) -> None:
    """Put the market into the middle. No level may be noted as touched."""
    state = book.state
    low = _wanted_low(book)
    bids, asks = _take_all(book, 0), _take_all(book, 1)
    state[S_WINDOW] = low
    state[S_WINDOW_SELL] = -(low + WINDOW_TICKS - 1)
    state[S_MISSES] = 0
    for side in range(2):
        _fetch_in(book, side)
        level = bids if side == 0 else asks
        while level >= 0:
            after = book.levels[level, L_BLOCK]
            settle(book, side, level)
            level = after


@inlined
def settle(book: Book, side: int, level: int) -> None:
    """Put a level where its key belongs: into the window or into the ladder."""
    key = book.levels[level, L_KEY]
    place = place_of(book, side, key)
    if is_inside(place):
        put(book, side, place, level)
    else:
        ladder.find_or_add(outside_of(book), side, key, level)


@inlined
def _take_all(book: Book, side: int) -> int:
    """Empty a side's window and return the first of its levels, each of which names the next."""
    first = -1
    place = highest(book, side)
    while place >= 0:
        level = level_in(book, side, place)
        take(book, side, place)
        book.levels[level, L_BLOCK] = first
        first = level
        place = highest(book, side)
    return first


@inlined
def _fetch_in(book: Book, side: int) -> None:
    """Take from the ladder what lies in the window now."""
    last = book.state[S_WINDOW + side] + WINDOW_TICKS - 1
    level = ladder.at_most(outside_of(book), side, last)
    while level >= 0 and is_inside(place_of(book, side, book.levels[level, L_KEY])):
        ladder.remove(outside_of(book), side, level)
        put(book, side, place_of(book, side, book.levels[level, L_KEY]), level)
        level = ladder.at_most(outside_of(book), side, last)
