"""The arrays of a ledger: made small, grown by doubling, outside the compiled loop."""

from collections.abc import Callable, Sequence

import numpy as np

from actors.book.market import INT64_MAX
from actors.ledger.assets import MarketAssets
from actors.ledger.kernel.entries import move_pairs, move_rows
from actors.ledger.kernel.layout import (
    ACCOUNT_WORDS,
    AMEND_WORDS,
    ARRIVAL_WORDS,
    BALANCE_WORDS,
    KEY_WORDS,
    MAP_WORDS,
    MARKET_WORDS,
    NEED_ACCOUNTS,
    NEED_AMENDS,
    NEED_ARRIVALS,
    NEED_BALANCES,
    NEED_KEYS,
    NEED_ORDERS,
    NEED_TOTALS,
    NEED_TRANSACTIONS,
    NONE,
    ORDER_WORDS,
    S_FREE_AMEND,
    S_KEY_MEMORY,
    S_KEYS,
    S_LIMIT,
    S_OLDEST_KEY,
    S_SHARD,
    S_SHARDS,
    STATE_WORDS,
    TOTAL_WORDS,
    TRANSACTION_WORDS,
    WORD,
    Tables,
    Words,
)


def allocate(
    markets: Sequence[MarketAssets],
    *,
    shard: int,
    shards: int,
    key_memory: int,
    accounts: int,
    balances: int,
    orders: int,
    transactions: int,
    keys: int,
    amends: int,
    totals: int,
    arrivals: int,
) -> Tables:
    """Return the arrays of an empty ledger with room for so many of each.

    All are rounded up to a power of two. Pages that were never written cost no memory.
    """
    state = _zeros(STATE_WORDS)
    state[S_SHARD], state[S_SHARDS], state[S_KEY_MEMORY] = shard, shards, key_memory
    state[S_LIMIT] = INT64_MAX // shards
    state[S_FREE_AMEND] = NONE
    rows = [
        (
            one.market_id,
            one.base,
            one.quote,
            one.lot_units,
            one.numerator,
            one.denominator,
            one.max_price_ticks,
            one.max_quantity_lots,
            0,
            0,
        )
        for one in markets
    ]
    key_rows = _power_of_two(keys)
    return Tables(
        state=state,
        markets=np.array(rows, WORD).reshape(len(rows), MARKET_WORDS),
        accounts=_zeros(2 * _power_of_two(accounts), ACCOUNT_WORDS),
        balances=_zeros(2 * _power_of_two(balances), BALANCE_WORDS),
        orders=_zeros(2 * _power_of_two(orders), ORDER_WORDS),
        amends=_zeros(_power_of_two(amends), AMEND_WORDS),
        transactions=_zeros(2 * _power_of_two(transactions), TRANSACTION_WORDS),
        totals=_zeros(2 * _power_of_two(totals), TOTAL_WORDS),
        keys=_zeros(key_rows, KEY_WORDS),
        key_map=_zeros(2 * key_rows, MAP_WORDS),
        arrivals=_zeros(2 * _power_of_two(arrivals), ARRIVAL_WORDS),
        closed=_zeros(shards),
    )


def grow(t: Tables, need: int) -> Tables:
    """Return the tables with twice the room for what `need` names."""
    if need == NEED_ACCOUNTS:
        return t._replace(accounts=_moved(t.accounts, move_rows))
    if need == NEED_BALANCES:
        return t._replace(balances=_moved(t.balances, move_pairs))
    if need == NEED_ORDERS:
        return t._replace(orders=_moved(t.orders, move_pairs))
    if need == NEED_TRANSACTIONS:
        return t._replace(transactions=_moved(t.transactions, move_rows))
    if need == NEED_TOTALS:
        return t._replace(totals=_moved(t.totals, move_rows))
    if need == NEED_ARRIVALS:
        return t._replace(arrivals=_moved(t.arrivals, move_pairs))
    if need == NEED_AMENDS:
        larger = _zeros(2 * len(t.amends), AMEND_WORDS)
        larger[: len(t.amends)] = t.amends
        return t._replace(amends=larger)
    if need == NEED_KEYS:
        return _with_more_keys(t)
    raise AssertionError(f"nothing is known to need {need}")


def keys_by_age(t: Tables) -> Words:
    """Return the remembered keys from the oldest."""
    first, count = int(t.state[S_OLDEST_KEY]), int(t.state[S_KEYS])
    return t.keys[(first + np.arange(count)) % len(t.keys)]


def _with_more_keys(t: Tables) -> Tables:
    """Unroll the ring into one of twice the length; the map names places in it, so it moves too."""
    first, old = int(t.state[S_OLDEST_KEY]), keys_by_age(t)
    keys = _zeros(2 * len(t.keys), KEY_WORDS)
    keys[: len(old)] = old
    taken = t.key_map[t.key_map[:, 0] != 0]
    taken[:, 1] = (taken[:, 1] - first) % len(t.keys)
    key_map = _zeros(2 * len(t.key_map), MAP_WORDS)
    move_rows(taken, key_map)
    t.state[S_OLDEST_KEY] = 0
    return t._replace(keys=keys, key_map=key_map)


def _power_of_two(count: int) -> int:
    return 1 << max(count - 1, 1).bit_length()


def _zeros(*shape: int) -> Words:
    return np.zeros(shape, WORD)


def _moved(table: Words, move: Callable[[Words, Words], int]) -> Words:
    larger = _zeros(2 * len(table), table.shape[1])
    move(table, larger)
    return larger
