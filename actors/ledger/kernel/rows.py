"""Rows of the ledger's tables: found, made, taken out, and moved to larger tables."""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.tables import GOLDEN, probe
from actors.ledger.kernel.layout import (
    A_USER,
    ACCOUNT_WORDS,
    B_ASSET,
    B_AVAILABLE,
    B_USER,
    S_ACCOUNTS,
    S_BALANCES,
    S_TOTALS,
    T_SUPPLY,
    Tables,
    Words,
)

# Odd, and unlike GOLDEN: the second word of a key must not undo the first.
_SECOND = 0xD6E8FEB86659FD93 - 2**64


@inlined
def pair_home(first: int, second: int, mask: int) -> int:
    """Return the row where the probing of a key of two words starts."""
    return index((((first ^ (second * _SECOND)) * GOLDEN) >> 32) & mask)


@inlined
def pair_probe(table: Words, first: int, second: int) -> int:
    """Return the row of a key of two words, or the free row where it belongs."""
    mask = table.shape[0] - 1
    at = pair_home(first, second, mask)
    while table[at, 0] != 0 and (table[at, 0] != first or table[at, 1] != second):
        at = index((at + 1) & mask)
    return at


@inlined
def pair_vacate(table: Words, at: int) -> None:
    """Free a row and move back those that had to give way to it."""
    mask = table.shape[0] - 1
    hole = at
    look = index((at + 1) & mask)
    while table[look, 0] != 0:
        home = pair_home(table[look, 0], table[look, 1], mask)
        if ((look - home) & mask) >= ((look - hole) & mask):
            for word in range(table.shape[1]):
                table[hole, word] = table[look, word]
            hole = look
        look = index((look + 1) & mask)
    table[hole, 0] = 0


@inner
def copy_pairs(old: Words, new: Words) -> None:
    """Put every row of a table with keys of two words into an empty, larger one."""
    for row in range(old.shape[0]):
        if old[row, 0] != 0:
            at = pair_probe(new, old[row, 0], old[row, 1])
            for word in range(old.shape[1]):
                new[at, word] = old[row, word]


@inlined
def account_of(t: Tables, user: int) -> int:
    """Return the row of a user's account, made where there is none; there is room for one."""
    at = probe(t.accounts, user)
    if t.accounts[at, A_USER] == 0:
        t.accounts[at, A_USER] = user
        for word in range(1, ACCOUNT_WORDS):
            t.accounts[at, word] = 0
        t.state[S_ACCOUNTS] += 1
    return at


@inlined
def balance_of(t: Tables, user: int, asset: int) -> int:
    """Return the row of a user's balance, made where there is none; there is room for one."""
    at = pair_probe(t.balances, user, asset)
    if t.balances[at, B_USER] == 0:
        t.balances[at, B_USER] = user
        t.balances[at, B_ASSET] = asset
        t.state[S_BALANCES] += 1
    return at


@inlined
def available_of(t: Tables, user: int, asset: int) -> int:
    """Return what a user has available, 0 where there is no row; none is made."""
    at = pair_probe(t.balances, user, asset)
    return t.balances[at, B_AVAILABLE] if t.balances[at, B_USER] != 0 else 0


@inlined
def supply_of(t: Tables, asset: int) -> int:
    """Return an asset's supply, 0 where there is no row; none is made."""
    at = probe(t.totals, asset)
    return t.totals[at, T_SUPPLY] if t.totals[at, 0] != 0 else 0


@inlined
def total_of(t: Tables, asset: int) -> int:
    """Return the row of an asset's sums, made where there is none; there is room for one."""
    at = probe(t.totals, asset)
    if t.totals[at, 0] == 0:
        t.totals[at, 0] = asset
        t.state[S_TOTALS] += 1
    return at
