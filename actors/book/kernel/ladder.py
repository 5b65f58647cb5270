"""Price levels of a side outside the window, in order: blocks of sorted keys under a directory.

Best at hand, a level found or made in two short searches, and never more moved than one block
and, once in sixteen insertions at most, the directory: a few microseconds at a million levels.
A directory row's low bound is at most its block's smallest key; the first row's is KEY_MIN. Each
side keeps one block for ever, so only that one may be empty.
"""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    BLOCK_KEYS,
    BLOCK_WORDS,
    D_BLOCK,
    D_COUNT,
    D_LOW,
    D_NEXT_FREE,
    KEY_MAX,
    KEY_MIN,
    L_BLOCK,
    L_KEY,
    S_BLOCKS,
    S_FREE_BLOCK,
    S_SIDE_BLOCKS,
    S_TOP,
    Ladder,
)

FEW_KEYS = BLOCK_KEYS // 4
MERGED_KEYS = BLOCK_KEYS - FEW_KEYS


@inlined
def locate(book: Ladder, side: int, key: int) -> tuple[int, int]:
    """Return the directory row of `key` and how many keys of its block are at most `key`."""
    row = _row_of(book, side, key)
    return row, _up_to(book, block_of(book, side, row), key)


@inlined
def block_of(book: Ladder, side: int, row: int) -> int:
    """Return the block of a directory row."""
    return index(book.directory[2 * side + D_BLOCK, row])


@inlined
def _row_of(book: Ladder, side: int, key: int) -> int:
    lows = 2 * side + D_LOW
    row = index(book.state[S_SIDE_BLOCKS + side] - 1)
    if book.directory[lows, row] > key:
        span = row
        row = 0
        while span > 1:
            half = span >> 1
            row += half if book.directory[lows, index(row + half)] <= key else 0
            span -= half
    return index(row)


@inlined
def _up_to(book: Ladder, block: int, key: int) -> int:
    """Return how many keys of a block are at most `key`."""
    at = 0
    for place in range(BLOCK_KEYS):
        at += 1 if book.blocks[block, place] <= key else 0
    return index(at)


@inner
def find_or_add(book: Ladder, side: int, key: int, level: int) -> int:
    """Return the level with this key; where there is none, add `level` as that."""
    row, at = locate(book, side, key)
    if at > 0:
        found = level_at(book, side, row, at)
        if book.levels[found, L_KEY] == key:
            return found
    block = block_of(book, side, row)
    count = index(book.directory[D_COUNT, block])
    if count == BLOCK_KEYS:
        _split(book, side, row)
        count = BLOCK_KEYS // 2
        if at > count:
            at -= count
            row += 1
            block = block_of(book, side, row)
    for place in range(count, at, -1):
        below = index(place - 1)
        book.blocks[block, below + 1] = book.blocks[block, below]
        book.blocks[block, BLOCK_KEYS + below + 1] = book.blocks[block, BLOCK_KEYS + below]
    book.blocks[block, at] = key
    book.blocks[block, BLOCK_KEYS + at] = level
    book.levels[level, L_BLOCK] = block
    book.directory[D_COUNT, block] = count + 1
    if at == count and row == book.state[S_SIDE_BLOCKS + side] - 1:
        book.state[S_TOP + side] = level
    return level


@inner
def remove(book: Ladder, side: int, level: int) -> None:
    """Take out a level and find the best one here anew."""
    state = book.state
    block = index(book.levels[level, L_BLOCK])
    count = index(book.directory[D_COUNT, block] - 1)
    if level != state[S_TOP + side]:
        at = _up_to(book, block, book.levels[level, L_KEY])
        for place in range(at, count + 1):
            below = index(place - 1)
            book.blocks[block, below] = book.blocks[block, below + 1]
            book.blocks[block, BLOCK_KEYS + below] = book.blocks[block, BLOCK_KEYS + below + 1]
    book.directory[D_COUNT, block] = count
    book.blocks[block, count] = KEY_MAX
    if count < FEW_KEYS and state[S_SIDE_BLOCKS + side] > 1:
        _merge(book, side, _row_of(book, side, book.levels[level, L_KEY]))
    last = block_of(book, side, index(state[S_SIDE_BLOCKS + side] - 1))
    held = index(book.directory[D_COUNT, last])
    state[S_TOP + side] = book.blocks[last, BLOCK_KEYS + held - 1] if held > 0 else -1


@inner
def at_most(book: Ladder, side: int, key: int) -> int:
    """Return the level with the largest key that is at most `key`, -1 where none is."""
    row, at = locate(book, side, key)
    if at == 0:
        row -= 1
        if row < 0:
            return -1
        at = book.directory[D_COUNT, block_of(book, side, row)]
    return level_at(book, side, row, at)


@inlined
def level_at(book: Ladder, side: int, row: int, at: int) -> int:
    """Return the level whose key is the last of `at` in the block of a directory row."""
    return index(book.blocks[block_of(book, side, row), BLOCK_KEYS + at - 1])


@inlined
def _merge(book: Ladder, side: int, row: int) -> None:
    """Give up a row with few keys if it has none or the one below has room for them."""
    count = book.directory[D_COUNT, block_of(book, side, row)]
    below = block_of(book, side, max(row - 1, 0))
    if count == 0 or (row > 0 and book.directory[D_COUNT, below] + count <= MERGED_KEYS):
        _close_row(book, side, row)


@inlined
def _split(book: Ladder, side: int, row: int) -> None:
    """Move the upper half of a full block into a new one behind it."""
    half = BLOCK_KEYS // 2
    block = book.directory[2 * side + D_BLOCK, row]
    _open_row(book, side, row + 1, book.blocks[block, half])
    above = book.directory[2 * side + D_BLOCK, row + 1]
    _move(book, block, half, above, 0, half)


@inlined
def _move(book: Ladder, source: int, first: int, target: int, at: int, count: int) -> None:
    for place in range(count):
        book.blocks[target, at + place] = book.blocks[source, first + place]
        level = book.blocks[source, BLOCK_KEYS + first + place]
        book.blocks[target, BLOCK_KEYS + at + place] = level
        book.levels[level, L_BLOCK] = target
        book.blocks[source, first + place] = KEY_MAX
    book.directory[D_COUNT, source] -= count
    book.directory[D_COUNT, target] += count


@inlined
def _open_row(book: Ladder, side: int, row: int, low: int) -> None:
    """Put an empty block into the directory at `row`."""
    state = book.state
    block = state[S_FREE_BLOCK]
    if block >= 0:
        state[S_FREE_BLOCK] = book.directory[D_NEXT_FREE, block]
    else:
        block = state[S_BLOCKS]
        state[S_BLOCKS] += 1
    for word in range(BLOCK_WORDS):
        book.blocks[block, word] = KEY_MAX
    book.directory[D_COUNT, block] = 0
    for place in range(state[S_SIDE_BLOCKS + side], row, -1):
        book.directory[2 * side + D_LOW, place] = book.directory[2 * side + D_LOW, place - 1]
        book.directory[2 * side + D_BLOCK, place] = book.directory[2 * side + D_BLOCK, place - 1]
    state[S_SIDE_BLOCKS + side] += 1
    book.directory[2 * side + D_LOW, row] = low
    book.directory[2 * side + D_BLOCK, row] = block


@inlined
def _close_row(book: Ladder, side: int, row: int) -> None:
    """Take a block out of the directory, its keys poured into the block below."""
    block = book.directory[2 * side + D_BLOCK, row]
    count = book.directory[D_COUNT, block]
    if count > 0:
        below = book.directory[2 * side + D_BLOCK, row - 1]
        _move(book, block, 0, below, book.directory[D_COUNT, below], count)
    book.directory[D_NEXT_FREE, block] = book.state[S_FREE_BLOCK]
    book.state[S_FREE_BLOCK] = block
    rows = book.state[S_SIDE_BLOCKS + side] - 1
    book.state[S_SIDE_BLOCKS + side] = rows
    for place in range(row, rows):
        book.directory[2 * side + D_LOW, place] = book.directory[2 * side + D_LOW, place + 1]
        book.directory[2 * side + D_BLOCK, place] = book.directory[2 * side + D_BLOCK, place + 1]
    book.directory[2 * side + D_LOW, 0] = KEY_MIN
