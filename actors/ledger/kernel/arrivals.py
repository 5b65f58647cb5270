"""Transfers that have come, kept until the sender's shard says that they are over.

They are in no ring: what is forgotten too early would be taken once more.
"""

from actors.book.kernel.jit import index, inlined, inner
from actors.ledger.kernel.layout import (
    J_AMOUNT,
    J_ASSET,
    J_ID,
    J_RELATED,
    J_RELATED_USER,
    J_USER,
    REPEATED_SHIFT,
    S_ARRIVALS,
    S_SHARDS,
    V_AMOUNT,
    V_ASSET,
    V_FROM,
    V_ID,
    V_NUMBER,
    V_OUTCOME,
    V_USER,
    Tables,
    Words,
)
from actors.ledger.kernel.rows import pair_probe, pair_vacate
from actors.ledger.vocabulary import Outcome

DONE = int(Outcome.DONE)
MALFORMED = int(Outcome.MALFORMED)
KEY_REUSED = int(Outcome.KEY_REUSED)
TRANSFER_OVER = int(Outcome.TRANSFER_OVER)


@inlined
def _shard_of(t: Tables, user: int) -> int:
    return index(user % t.state[S_SHARDS])


@inner
def known_arrival(t: Tables, words: Words, base: int) -> int:
    """Return DONE for a TRANSFER_IN that is new, or its outcome, with REPEATED where it came."""
    sender, number = words[base + J_RELATED_USER], words[base + J_RELATED]
    if sender < 1 or sender == words[base + J_USER] or number < 1:
        return MALFORMED
    if number < t.closed[_shard_of(t, sender)]:
        return TRANSFER_OVER
    at = pair_probe(t.arrivals, words[base + J_ID], sender)
    if t.arrivals[at, V_ID] == 0:
        return DONE
    if (
        t.arrivals[at, V_USER] != words[base + J_USER]
        or t.arrivals[at, V_ASSET] != words[base + J_ASSET]
        or t.arrivals[at, V_AMOUNT] != words[base + J_AMOUNT]
        or t.arrivals[at, V_NUMBER] != number
    ):
        return KEY_REUSED
    return t.arrivals[at, V_OUTCOME] | 1 << REPEATED_SHIFT


@inner
def keep_arrival(t: Tables, words: Words, base: int, outcome: int) -> None:
    """Keep what became of a TRANSFER_IN; there is room for one."""
    sender = words[base + J_RELATED_USER]
    at = pair_probe(t.arrivals, words[base + J_ID], sender)
    t.arrivals[at, V_ID] = words[base + J_ID]
    t.arrivals[at, V_FROM] = sender
    t.arrivals[at, V_USER] = words[base + J_USER]
    t.arrivals[at, V_ASSET] = words[base + J_ASSET]
    t.arrivals[at, V_AMOUNT] = words[base + J_AMOUNT]
    t.arrivals[at, V_NUMBER] = words[base + J_RELATED]
    t.arrivals[at, V_OUTCOME] = outcome
    t.state[S_ARRIVALS] += 1


@inner
def close_arrivals(t: Tables, words: Words, base: int) -> None:
    """Forget the arrivals from a user's shard of which it says that they are over."""
    shard = _shard_of(t, words[base + J_RELATED_USER])
    if words[base + J_RELATED] <= t.closed[shard]:
        return
    t.closed[shard] = words[base + J_RELATED]
    at = 0
    while at < t.arrivals.shape[0]:
        if (
            t.arrivals[at, V_ID] != 0
            and _shard_of(t, t.arrivals[at, V_FROM]) == shard
            and t.arrivals[at, V_NUMBER] < t.closed[shard]
        ):
            # Another row may have come to this place.
            pair_vacate(t.arrivals, index(at))
            t.state[S_ARRIVALS] -= 1
        else:
            at += 1
