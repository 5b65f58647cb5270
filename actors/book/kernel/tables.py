"""Open-addressing tables: order id to slot, user id to list, hash of a client id to its row.

A row's first word is its key, never 0; 0 is a free row. Linear probing at a load of at most one
half; a removal shifts the following rows back, so no tombstones are left behind.
"""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import Words

# 2^64 over the golden ratio, as a signed word (Knuth's multiplicative hashing).
GOLDEN = 0x9E3779B97F4A7C15 - 2**64


@inlined
def home(key: int, mask: int) -> int:
    """Return the row where a key's probing starts."""
    return index(((key * GOLDEN) >> 32) & mask)


@inlined
def probe(table: Words, key: int) -> int:
    """Return the row of `key`, or the free row where it belongs."""
    mask = table.shape[0] - 1
    at = home(key, mask)
    while table[at, 0] != key and table[at, 0] != 0:
        at = index((at + 1) & mask)
    return at


@inlined
def value_of(table: Words, key: int) -> int:
    """Return the second word of the row of `key`, or -1. Keys below 1 are never found."""
    if key < 1:
        return -1
    at = probe(table, key)
    if table[at, 0] == key:
        return table[at, 1]
    return -1


@inlined
def put(table: Words, key: int, value: int) -> None:
    """Write a row whose key is not yet in the table."""
    mask = table.shape[0] - 1
    at = home(key, mask)
    while table[at, 0] != 0:
        at = index((at + 1) & mask)
    table[at, 0] = key
    table[at, 1] = value


@inlined
def vacate(table: Words, at: int) -> None:
    """Free a row and move back those that had to give way to it."""
    mask = table.shape[0] - 1
    hole = at
    look = index((at + 1) & mask)
    while table[look, 0] != 0:
        if ((look - home(table[look, 0], mask)) & mask) >= ((look - hole) & mask):
            for word in range(table.shape[1]):
                table[hole, word] = table[look, word]
            hole = look
        look = index((look + 1) & mask)
    table[hole, 0] = 0


@inner
def copy_rows(old: Words, new: Words) -> None:
    """Put every row of a table into an empty, larger one."""
    mask = new.shape[0] - 1
    for row in range(old.shape[0]):
        if old[row, 0] != 0:
            at = home(old[row, 0], mask)
            while new[at, 0] != 0:
                at = (at + 1) & mask
            for word in range(old.shape[1]):
                new[at, word] = old[row, word]
