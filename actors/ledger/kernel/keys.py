"""Remembered idempotency keys: a ring of outcomes from the oldest, and a map of the keys' hash."""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.tables import GOLDEN, home, put, vacate
from actors.ledger.kernel.layout import (
    J_ID,
    J_KEY,
    J_RELATED_USER,
    J_USER,
    K_FIRST,
    K_ID,
    K_OUTCOME,
    K_SECOND,
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


@inlined
def key_of(words: Words, base: int) -> tuple[int, int, int]:
    """Return what the record's outcome is remembered by; user 0 where it is not."""
    first, second = words[base + J_KEY], words[base + J_KEY + 1]
    if words[base] & 0xFF == TRANSFER_IN:
        return -words[base + J_USER], words[base + J_ID], words[base + J_RELATED_USER]
    return words[base + J_USER] if first != 0 or second != 0 else 0, first, second


@inlined
def _hash(user: int, first: int, second: int) -> int:
    mixed = (user * GOLDEN) ^ first
    mixed = (mixed ^ (mixed >> 32)) * GOLDEN ^ second
    mixed = (mixed ^ (mixed >> 32)) * GOLDEN
    return (mixed ^ (mixed >> 32)) | 1


@inner
def remembered(t: Tables, words: Words, base: int) -> int:
    """Return where the outcome of a record's key is remembered, or NONE."""
    user, first, second = key_of(words, base)
    if user == 0:
        return NONE
    key = _hash(user, first, second)
    mask = t.key_map.shape[0] - 1
    at = home(key, mask)
    while t.key_map[at, 0] != 0:
        row = index(t.key_map[at, 1])
        if (
            t.key_map[at, 0] == key
            and t.keys[row, K_USER] == user
            and t.keys[row, K_FIRST] == first
            and t.keys[row, K_SECOND] == second
        ):
            return row
        at = index((at + 1) & mask)
    return NONE


@inner
def remember(t: Tables, user: int, first: int, second: int, first_id: int, outcome: int) -> None:
    """Remember a key's outcome behind all others, and forget the oldest beyond the memory."""
    mask = t.keys.shape[0] - 1
    row = index((t.state[S_OLDEST_KEY] + t.state[S_KEYS]) & mask)
    t.keys[row, K_USER] = user
    t.keys[row, K_FIRST] = first
    t.keys[row, K_SECOND] = second
    t.keys[row, K_ID] = first_id
    t.keys[row, K_OUTCOME] = outcome
    put(t.key_map, _hash(user, first, second), row)
    t.state[S_KEYS] += 1
    if t.state[S_KEYS] > t.state[S_KEY_MEMORY]:
        oldest = index(t.state[S_OLDEST_KEY])
        key = _hash(t.keys[oldest, K_USER], t.keys[oldest, K_FIRST], t.keys[oldest, K_SECOND])
        map_mask = t.key_map.shape[0] - 1
        at = home(key, map_mask)
        while t.key_map[at, 0] == 0 or t.key_map[at, 1] != oldest:
            at = index((at + 1) & map_mask)
        vacate(t.key_map, at)
        t.state[S_OLDEST_KEY] = (oldest + 1) & mask
        t.state[S_KEYS] -= 1
