"""Price levels of a side in order: blocks of sorted keys under a sorted directory.

Best at hand, a level found or made in two short searches, and never more moved than one block
and, once in thirty-two insertions at most, the directory: a few microseconds at a million levels.
A directory row's low bound is at most its block's smallest key; the first row's is KEY_MIN. Each
side keeps one block for ever, so only that one may be empty.
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
def insert(book: Book, side: int, row: int, at: int, key: int, level: int) -> None:
    """Add a level where `locate` said that its key belongs."""
    block = book.directory[2 * side + D_BLOCK, row]
    count = book.directory[D_COUNT, block]
    if count == BLOCK_KEYS:
        _split(book, side, row)
        count = BLOCK_KEYS // 2
        if at > count:
            at -= count
            row += 1
            block = book.directory[2 * side + D_BLOCK, row]
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
    for index in range(at, book.directory[D_COUNT, block]):
        book.blocks[block, index - 1] = book.blocks[block, index]
        book.blocks[block, BLOCK_KEYS + index - 1] = book.blocks[block, BLOCK_KEYS + index]
    _shorten(book, side, row, block)


@inlined
def remove_best(book: Book, side: int) -> None:
    """Take out the best level, which is there."""
    row = book.state[S_SIDE_BLOCKS + side] - 1
    _shorten(book, side, row, book.directory[2 * side + D_BLOCK, row])


@inlined
def _shorten(book: Book, side: int, row: int, block: int) -> None:
    """Drop a block's last key, merge what is left with little, and find the best level anew."""
    count = book.directory[D_COUNT, block] - 1
    book.directory[D_COUNT, block] = count
    book.blocks[block, count] = KEY_MAX
    if count < FEW_KEYS and book.state[S_SIDE_BLOCKS + side] > 1:
        below = book.directory[2 * side + D_BLOCK, max(row - 1, 0)]
        if count == 0 or (row > 0 and book.directory[D_COUNT, below] + count <= MERGED_KEYS):
            _close_row(book, side, row)
    last = book.directory[2 * side + D_BLOCK, book.state[S_SIDE_BLOCKS + side] - 1]
    held = book.directory[D_COUNT, last]
    book.state[S_BEST + side] = book.blocks[last, BLOCK_KEYS + held - 1] if held > 0 else -1


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


@inlined
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
    for index in range(row, rows):
        book.directory[2 * side + D_LOW, index] = book.directory[2 * side + D_LOW, index + 1]
        book.directory[2 * side + D_BLOCK, index] = book.directory[2 * side + D_BLOCK, index + 1]
    book.directory[2 * side + D_LOW, 0] = KEY_MIN
