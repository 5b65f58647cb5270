"""Remembered idempotency keys: a ring of outcomes from the oldest, and a map of the keys' hash."""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.tables import GOLDEN, home, put, vacate
from actors.ledger.kernel.layout import (
    J_AMOUNT,
    J_ASSET,
    J_ID,
    J_KEY,
    J_RELATED,
    J_RELATED_USER,
    J_USER,
    K_AMOUNT,
    K_ASSET,
    K_FIRST,
    K_ID,
    K_OUTCOME,
    K_RELATED,
    K_RELATED_USER,
    K_SECOND,
    K_SMALL,
    K_USER,
    NONE,
    S_KEY_MEMORY,
    S_KEYS,
    S_OLDEST_KEY,
    Tables,
    Words,
)
from actors.ledger.vocabulary import JournalKind

TRANSFER_IN = int(JournalKind.TRANSFER_IN)
TRANSFER_CLOSED = int(JournalKind.TRANSFER_CLOSED)
_KIND_BYTE, _KIND_AND_TIER = 0xFF, 0xFFFF


@inlined
def has_key(words: Words, base: int) -> bool:
    """Return whether a record's outcome is remembered by an idempotency key."""
    return (
        (words[base + J_KEY] != 0 or words[base + J_KEY + 1] != 0)
        and words[base] & _KIND_BYTE != TRANSFER_IN
        and words[base] & _KIND_BYTE != TRANSFER_CLOSED
    )


@inlined
def _hash(user: int, kind: int, first: int, second: int) -> int:
    mixed = ((user << 8 | kind) * GOLDEN) ^ first
    mixed = (mixed ^ (mixed >> 32)) * GOLDEN ^ second
    mixed = (mixed ^ (mixed >> 32)) * GOLDEN
    return (mixed ^ (mixed >> 32)) | 1


@inlined
def _hash_of(t: Tables, row: int) -> int:
    kind = t.keys[row, K_SMALL] & _KIND_BYTE
    return _hash(t.keys[row, K_USER], kind, t.keys[row, K_FIRST], t.keys[row, K_SECOND])


@inner
def remembered(t: Tables, words: Words, base: int) -> int:
    """Return where the outcome of a record's key is remembered, or NONE."""
    if not has_key(words, base):
        return NONE
    user, kind = words[base + J_USER], words[base] & _KIND_BYTE
    first, second = words[base + J_KEY], words[base + J_KEY + 1]
    key = _hash(user, kind, first, second)
    mask = t.key_map.shape[0] - 1
    at = home(key, mask)
    while t.key_map[at, 0] != 0:
        row = index(t.key_map[at, 1])
        if (
            t.key_map[at, 0] == key
            and t.keys[row, K_USER] == user
            and t.keys[row, K_SMALL] & _KIND_BYTE == kind
            and t.keys[row, K_FIRST] == first
            and t.keys[row, K_SECOND] == second
        ):
            return row
        at = index((at + 1) & mask)
    return NONE


@inlined
def says_the_same(t: Tables, row: int, words: Words, base: int) -> bool:
    """Return whether a record asks for what the first one of its key, in `row`, asked for."""
    return (
        t.keys[row, K_SMALL] == words[base] & _KIND_AND_TIER
        and t.keys[row, K_ASSET] == words[base + J_ASSET]
        and t.keys[row, K_AMOUNT] == words[base + J_AMOUNT]
        and t.keys[row, K_RELATED] == words[base + J_RELATED]
        and t.keys[row, K_RELATED_USER] == words[base + J_RELATED_USER]
    )


@inlined
def next_row(t: Tables) -> int:
    """Return the row behind all that are remembered; there is room for one."""
    return index((t.state[S_OLDEST_KEY] + t.state[S_KEYS]) & (t.keys.shape[0] - 1))


@inner
def remember(t: Tables, words: Words, base: int, outcome: int) -> None:
    """Remember the outcome of a record's key behind all others."""
    row = next_row(t)
    t.keys[row, K_USER] = words[base + J_USER]
    t.keys[row, K_SMALL] = words[base] & _KIND_AND_TIER
    t.keys[row, K_FIRST] = words[base + J_KEY]
    t.keys[row, K_SECOND] = words[base + J_KEY + 1]
    t.keys[row, K_ID] = words[base + J_ID]
    t.keys[row, K_OUTCOME] = outcome
    t.keys[row, K_ASSET] = words[base + J_ASSET]
    t.keys[row, K_AMOUNT] = words[base + J_AMOUNT]
    t.keys[row, K_RELATED] = words[base + J_RELATED]
    t.keys[row, K_RELATED_USER] = words[base + J_RELATED_USER]
    take_in(t, row)


@inner
def take_in(t: Tables, row: int) -> None:
    """Count the row behind all others in, and forget the oldest beyond the memory."""
    put(t.key_map, _hash_of(t, row), row)
    t.state[S_KEYS] += 1
    if t.state[S_KEYS] > t.state[S_KEY_MEMORY]:
        oldest = index(t.state[S_OLDEST_KEY])
        map_mask = t.key_map.shape[0] - 1
        at = home(_hash_of(t, oldest), map_mask)
        while t.key_map[at, 0] == 0 or t.key_map[at, 1] != oldest:
            at = index((at + 1) & map_mask)
        vacate(t.key_map, at)
        t.state[S_OLDEST_KEY] = (oldest + 1) & (t.keys.shape[0] - 1)
        t.state[S_KEYS] -= 1
