"""Questions to the compiled ledger's arrays: rows in order, and the state hash."""

import numpy as np
import numpy.typing as npt

from actors.book.naive_state import hash_words
from actors.ledger.kernel.layout import (
    ANSWERED,
    D_NEXT,
    M_BASE,
    M_FENCED,
    M_ID,
    M_QUOTE,
    M_SEQUENCE,
    NONE,
    O_AMEND,
    O_AMENDS,
    O_COMMAND,
    O_DONE,
    O_GENERATION,
    O_HELD,
    O_ID,
    O_MARKET,
    O_PRICE,
    O_SMALL,
    O_TOTAL,
    O_USER,
    S_GENERATION,
    S_POSITION,
    S_SHARD,
    S_SHARDS,
    SIDE_BYTE,
    Tables,
    Words,
)
from actors.ledger.kernel.memory import keys_by_age

Hashes = npt.NDArray[np.uint64]
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_BUY = 1
_ORDER_HASHED = (
    *(O_MARKET, O_ID, O_USER, O_SMALL, O_PRICE, O_TOTAL, O_DONE, O_HELD),
    *(O_COMMAND, O_GENERATION),
)


def rows_of(table: Words) -> Words:
    """Return a table's rows by their first word, then the second."""
    rows = table[table[:, 0] != 0]
    in_order: Words = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    return in_order


def told_of(table: Words, first: int) -> Words:
    """Return a table's rows in order, of which any word from `first` on is not 0."""
    rows = rows_of(table)
    return rows[rows[:, first:].any(axis=1)]


def assets_of(t: Tables) -> set[int]:
    """Return the assets of all markets."""
    return set(t.markets[:, [M_BASE, M_QUOTE]].reshape(-1).tolist())


def orders_of(t: Tables) -> Words:
    """Return the orders by market and id, with the markets' own ids."""
    rows = t.orders[t.orders[:, O_ID] != 0]
    rows[:, O_MARKET] = t.markets[rows[:, O_MARKET] - 1, M_ID]
    in_order: Words = rows[np.lexsort((rows[:, O_ID], rows[:, O_MARKET]))]
    return in_order


def holds_of(t: Tables) -> Words:
    """Return rows of `HOLD_DTYPE`."""
    orders = orders_of(t)
    by_id = np.argsort(t.markets[:, M_ID])
    place = by_id[np.searchsorted(t.markets[by_id, M_ID], orders[:, O_MARKET])]
    buys = orders[:, O_SMALL] & SIDE_BYTE == _BUY
    assets = np.where(buys, t.markets[place, M_QUOTE], t.markets[place, M_BASE])
    answered = (orders[:, O_SMALL] & ANSWERED != 0).astype(np.int64)
    columns = [orders[:, word] for word in (O_MARKET, O_ID, O_USER)]
    return np.column_stack([*columns, assets, orders[:, O_HELD], answered, orders[:, O_AMENDS]])


def amends_of(t: Tables) -> Words:
    """Return market, order and place of each amend that waits, then its own words but the link."""
    found = []
    for order in orders_of(t):
        row, place = int(order[O_AMEND]), 0
        while row != NONE:
            found.append([order[O_MARKET], order[O_ID], place, *t.amends[row, :D_NEXT]])
            row, place = int(t.amends[row, D_NEXT]), place + 1
    return np.array(found, np.int64).reshape(len(found), 3 + D_NEXT)


def closed_of(t: Tables) -> Words:
    """Return each shard and below what number its transfers are over, where that is not 0."""
    closed: Words = np.column_stack([np.arange(len(t.closed)), t.closed])[t.closed != 0]
    return closed


def state_hash(t: Tables) -> int:
    """Return the hash that docs/accounts.md defines."""
    markets = t.markets[:, [M_ID, M_SEQUENCE, M_FENCED]]
    orders = orders_of(t)[:, _ORDER_HASHED]
    keys = keys_by_age(t)
    rooms = [
        told_of(t.accounts, 1),
        told_of(t.balances, 2),
        orders,
        amends_of(t),
        rows_of(t.transactions),
        told_of(t.totals, 1),
        markets[markets[:, 1:].any(axis=1)],
        np.column_stack([np.arange(len(keys)), keys]),
        rows_of(t.arrivals),
        closed_of(t),
    ]
    words = [int(t.state[word]) for word in (S_SHARD, S_SHARDS, S_GENERATION, S_POSITION)]
    return hash_words([*words, *(_sum(tag, rows) for tag, rows in enumerate(rooms, start=1))])


def _sum(tag: int, rows: Words) -> int:
    """Return the sum of the hashes of rows, each with its tag before it."""
    hashes = _mixed(np.zeros(len(rows), np.uint64), np.full(len(rows), tag, np.uint64))
    for word in range(rows.shape[1]):
        hashes = _mixed(hashes, rows[:, word].astype(np.uint64))
    return int(hashes.sum(dtype=np.uint64))


def _mixed(hashed: Hashes, words: Hashes) -> Hashes:
    x = (hashed + _STEP) ^ words
    x = (x ^ (x >> _SHIFTS[0])) * _FACTORS[0]
    x = (x ^ (x >> _SHIFTS[1])) * _FACTORS[1]
    return x ^ (x >> _SHIFTS[2])
