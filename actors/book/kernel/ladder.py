"""Price levels of a side in order: blocks of sorted keys under a sorted directory.

Best at hand, a level found or made in two short searches, and never more moved than one block
and, once in thirty-two insertions at most, the directory: a few microseconds at a million levels.
A directory row's low bound is at most its block's smallest key; the first row's is KEY_MIN.
"""

from actors.book.kernel.jit import inlined, inner
from actors.book.kernel.layout import (
    BLOCK_KEYS,
    BLOCK_WORDS,
    D_BLOCK,
    D_COUNT,
    D_LOW,
    D_NEXT_FREE,
    KEY_MAX,
    KEY_MIN,
    S_BEST,
    S_BLOCKS,
    S_FREE_BLOCK,
    S_SIDE_BLOCKS,
    Book,
)

FEW_KEYS = BLOCK_KEYS // 4
MERGED_KEYS = BLOCK_KEYS - FEW_KEYS


@inlined
def locate(book: Book, side: int, key: int) -> tuple[int, int]:
    """Return the directory row of `key` and how many keys of its block are at most `key`."""
    lows = 2 * side + D_LOW
    row = book.state[S_SIDE_BLOCKS + side] - 1
    if book.directory[lows, row] > key:
        span = row
        row = 0
        while span > 1:
            half = span >> 1
            row += half if book.directory[lows, row + half] <= key else 0
            span -= half
    block = book.directory[2 * side + D_BLOCK, row]
    at = 0
    for index in range(BLOCK_KEYS):
        at += 1 if book.blocks[block, index] <= key else 0
    return row, at


@inlined
def find(book: Book, side: int, key: int) -> int:
    """Return the level with this key, or -1."""
    if book.state[S_SIDE_BLOCKS + side] == 0:
        return -1
    row, at = locate(book, side, key)
    block = book.directory[2 * side + D_BLOCK, row]
    if at > 0 and book.blocks[block, at - 1] == key:
        return book.blocks[block, BLOCK_KEYS + at - 1]
    return -1


@inlined
def insert(book: Book, side: int, key: int, level: int) -> None:
    """Add a level whose key is not there yet."""
    if book.state[S_SIDE_BLOCKS + side] == 0:
        _open_row(book, side, 0, KEY_MIN)
    row, at = locate(book, side, key)
    block = book.directory[2 * side + D_BLOCK, row]
    if book.directory[D_COUNT, block] == BLOCK_KEYS:
        _split(book, side, row)
        row, at = locate(book, side, key)
        block = book.directory[2 * side + D_BLOCK, row]
    count = book.directory[D_COUNT, block]
    for index in range(count, at, -1):
        book.blocks[block, index] = book.blocks[block, index - 1]
        book.blocks[block, BLOCK_KEYS + index] = book.blocks[block, BLOCK_KEYS + index - 1]
    book.blocks[block, at] = key
    book.blocks[block, BLOCK_KEYS + at] = level
    book.directory[D_COUNT, block] = count + 1
    if at == count and row == book.state[S_SIDE_BLOCKS + side] - 1:
        book.state[S_BEST + side] = level


@inlined
def remove(book: Book, side: int, key: int) -> None:
    """Take out the level with this key, which is there."""
    row, at = locate(book, side, key)
    block = book.directory[2 * side + D_BLOCK, row]
    count = book.directory[D_COUNT, block] - 1
    for index in range(at - 1, count):
        book.blocks[block, index] = book.blocks[block, index + 1]
        book.blocks[block, BLOCK_KEYS + index] = book.blocks[block, BLOCK_KEYS + index + 1]
    book.blocks[block, count] = KEY_MAX
    book.directory[D_COUNT, block] = count
    if count < FEW_KEYS:
        _thin_out(book, side, row)
    _find_best(book, side)


@inlined
def _find_best(book: Book, side: int) -> None:
    rows = book.state[S_SIDE_BLOCKS + side]
    if rows == 0:
        book.state[S_BEST + side] = -1
        return
    block = book.directory[2 * side + D_BLOCK, rows - 1]
    last = book.directory[D_COUNT, block] - 1
    book.state[S_BEST + side] = book.blocks[block, BLOCK_KEYS + last]


@inner
def _thin_out(book: Book, side: int, row: int) -> None:
    """Give up an empty block; pour one with few keys into its neighbour below."""
    block = book.directory[2 * side + D_BLOCK, row]
    count = book.directory[D_COUNT, block]
    if count == 0:
        _close_row(book, side, row)
    elif row > 0:
        below = book.directory[2 * side + D_BLOCK, row - 1]
        held = book.directory[D_COUNT, below]
        if held + count <= MERGED_KEYS:
            _move(book, block, 0, below, held, count)
            _close_row(book, side, row)


@inner
def _split(book: Book, side: int, row: int) -> None:
    """Move the upper half of a full block into a new one behind it."""
    half = BLOCK_KEYS // 2
    block = book.directory[2 * side + D_BLOCK, row]
    _open_row(book, side, row + 1, book.blocks[block, half])
    above = book.directory[2 * side + D_BLOCK, row + 1]
    _move(book, block, half, above, 0, half)


@inlined
def _move(book: Book, source: int, first: int, target: int, at: int, count: int) -> None:
    for index in range(count):
        book.blocks[target, at + index] = book.blocks[source, first + index]
        level = book.blocks[source, BLOCK_KEYS + first + index]
        book.blocks[target, BLOCK_KEYS + at + index] = level
        book.blocks[source, first + index] = KEY_MAX
    book.directory[D_COUNT, source] -= count
    book.directory[D_COUNT, target] += count


@inner
def _open_row(book: Book, side: int, row: int, low: int) -> None:
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
    for index in range(state[S_SIDE_BLOCKS + side], row, -1):
        book.directory[2 * side + D_LOW, index] = book.directory[2 * side + D_LOW, index - 1]
        book.directory[2 * side + D_BLOCK, index] = book.directory[2 * side + D_BLOCK, index - 1]
    state[S_SIDE_BLOCKS + side] += 1
    book.directory[2 * side + D_LOW, row] = low
    book.directory[2 * side + D_BLOCK, row] = block


@inner
def _close_row(book: Book, side: int, row: int) -> None:
    """Take an empty block out of the directory."""
    block = book.directory[2 * side + D_BLOCK, row]
    book.directory[D_NEXT_FREE, block] = book.state[S_FREE_BLOCK]
    book.state[S_FREE_BLOCK] = block
    rows = book.state[S_SIDE_BLOCKS + side] - 1
    book.state[S_SIDE_BLOCKS + side] = rows
    for index in range(row, rows):
        book.directory[2 * side + D_LOW, index] = book.directory[2 * side + D_LOW, index + 1]
        book.directory[2 * side + D_BLOCK, index] = book.directory[2 * side + D_BLOCK, index + 1]
    book.directory[2 * side + D_LOW, 0] = KEY_MIN
