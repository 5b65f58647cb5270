"""The functions that Python calls, each over a batch.

Where a table has no room for what the next item may need, a batch stops: the caller makes the table
larger and calls again with the position that was returned.
"""

from collections.abc import Callable

from actors.book import records as book_records
from actors.book import vocabulary as book_vocabulary
from actors.book.kernel import jit, machine, tables
from actors.book.kernel.jit import index, inlined
from actors.book.kernel.tables import copy_rows, probe
from actors.ledger import amounts, contract, records, vocabulary
from actors.ledger.kernel import (
    ahead,
    arrivals,
    caching,
    holding,
    journal,
    keys,
    layout,
    orders,
    rows,
    settling,
)
from actors.ledger.kernel.caching import entry, source_digest
from actors.ledger.kernel.layout import (
    ACCOUNT_WORDS,
    AMEND_WORDS,
    ARRIVAL_WORDS,
    BALANCE_WORDS,
    COMMAND_WORDS,
    EVENT_WORDS,
    IN_COMMAND_ID,
    IN_ORDER_ID,
    J_ID,
    JOURNAL_WORDS,
    KEY_WORDS,
    M_SEQUENCE,
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
    O_ID,
    ORDER_WORDS,
    READY,
    S_ACCOUNTS,
    S_AMENDS,
    S_ARRIVALS,
    S_BALANCES,
    S_FINGERPRINT,
    S_FREE_AMEND,
    S_KEYS,
    S_ORDERS,
    S_TOTALS,
    S_TRANSACTIONS,
    SEQUENCE,
    TOTAL_WORDS,
    TRANSACTION_WORDS,
    Tables,
    Words,
)

# All that the machine code is made of: the places of fields and the numbers of words are constants
# in it.
SOURCES = (
    ahead,
    amounts,
    arrivals,
    book_records,
    book_vocabulary,
    caching,
    contract,
    holding,
    jit,
    journal,
    keys,
    layout,
    machine,
    orders,
    records,
    rows,
    settling,
    tables,
    vocabulary,
)
_KERNEL = source_digest(SOURCES)


@inlined
def _check(t: Tables, fingerprint: int) -> None:
    """Raise ValueError where rows lack the widths by which the compiler then finds them."""
    t.state[S_FINGERPRINT] = fingerprint
    if not (
        t.markets.shape[1] == MARKET_WORDS
        and t.accounts.shape[1] == ACCOUNT_WORDS
        and t.balances.shape[1] == BALANCE_WORDS
        and t.orders.shape[1] == ORDER_WORDS
        and t.amends.shape[1] == AMEND_WORDS
        and t.transactions.shape[1] == TRANSACTION_WORDS
        and t.totals.shape[1] == TOTAL_WORDS
        and t.keys.shape[1] == KEY_WORDS
        and t.key_map.shape[1] == MAP_WORDS
        and t.arrivals.shape[1] == ARRIVAL_WORDS
    ):
        raise ValueError("these are not the tables of a ledger")


@inlined
def _need(t: Tables, accounts: int, balances: int, totals: int) -> int:
    """Return what must grow before so many rows of these are made, one order and one amend."""
    state = t.state
    if 2 * (state[S_ACCOUNTS] + accounts) > t.accounts.shape[0]:
        return NEED_ACCOUNTS
    if 2 * (state[S_BALANCES] + balances) > t.balances.shape[0]:
        return NEED_BALANCES
    if 2 * (state[S_TOTALS] + totals) > t.totals.shape[0]:
        return NEED_TOTALS
    if 2 * (state[S_ORDERS] + 1) > t.orders.shape[0]:
        return NEED_ORDERS
    if state[S_FREE_AMEND] == NONE and state[S_AMENDS] == t.amends.shape[0]:
        return NEED_AMENDS
    return READY


@inlined
def _need_of_record(t: Tables) -> int:
    state = t.state
    if 2 * (state[S_TRANSACTIONS] + 1) > t.transactions.shape[0]:
        return NEED_TRANSACTIONS
    if state[S_KEYS] == t.keys.shape[0]:
        return NEED_KEYS
    if 2 * (state[S_ARRIVALS] + 1) > t.arrivals.shape[0]:
        return NEED_ARRIVALS
    return _need(t, 1, 2, 2)


def _make_holding(fingerprint: int) -> tuple[Callable[..., tuple[int, int]], Callable[..., int]]:
    @entry
    def hold_commands(
        t: Tables, market: int, words: Words, position: int, results: Words
    ) -> tuple[int, int]:
        """Hold for the commands from `position` on; return what must grow, and the position."""
        _check(t, fingerprint)
        count = words.shape[0] // COMMAND_WORDS
        looks_ahead = ahead.is_worth_it(t)
        while position < count:
            need = _need(t, 0, 1, 0)
            if need != READY:
                return need, position
            base = index(position * COMMAND_WORDS)
            if looks_ahead:
                ahead.look_at_command(t, market, words, base)
            holding.hold(t, index(market), words, base, results, index(position))
            position += 1
        return READY, position

    @entry
    def release_commands(t: Tables, market: int, words: Words) -> int:
        """Give back what the commands hold; it needs no room."""
        _check(t, fingerprint)
        for place in range(words.shape[0] // COMMAND_WORDS):
            base = index(place * COMMAND_WORDS)
            at = rows.pair_probe(t.orders, words[base + IN_ORDER_ID], market + 1)
            if t.orders[at, O_ID] != 0:
                orders.release(t, at, words[base + IN_COMMAND_ID])
        return READY

    return hold_commands, release_commands


def _make_settling(fingerprint: int) -> Callable[..., tuple[int, int]]:
    @entry
    def settle_events(t: Tables, market: int, words: Words, position: int) -> tuple[int, int]:
        """Settle the events from `position` on; return what must grow, and the position."""
        _check(t, fingerprint)
        count = words.shape[0] // EVENT_WORDS
        looks_ahead = ahead.is_worth_it(t)
        while position < count:
            need = _need(t, 2, 4, 2)
            if need != READY:
                return need, position
            base = index(position * EVENT_WORDS)
            if looks_ahead:
                ahead.look_at_event(t, market, words, base)
            settling.settle(t, index(market), words, base)
            t.markets[market, M_SEQUENCE] = words[base + SEQUENCE]
            position += 1
        return READY, position

    return settle_events


def _make_journal(fingerprint: int) -> tuple[Callable[..., tuple[int, int]], ...]:
    @entry
    def admit_records(t: Tables, words: Words, position: int, results: Words) -> tuple[int, int]:
        """Admit the records from `position` on; return what must grow, and the position."""
        _check(t, fingerprint)
        count = words.shape[0] // JOURNAL_WORDS
        while position < count:
            need = _need_of_record(t)
            if need != READY:
                return need, position
            base = index(position * JOURNAL_WORDS)
            journal.admit(t, words, base, results, index(position))
            position += 1
        return READY, position

    @entry
    def apply_records(
        t: Tables, words: Words, position: int, results: Words, offset: int
    ) -> tuple[int, int]:
        """Apply the records from `position` on; return what must grow, and the position."""
        _check(t, fingerprint)
        count = words.shape[0] // JOURNAL_WORDS
        while position < count:
            need = _need_of_record(t)
            if need != READY:
                return need, position
            base = index(position * JOURNAL_WORDS)
            journal.apply(t, offset, words, base, results, index(position))
            position += 1
        return READY, position

    return admit_records, apply_records


def _make_moves(fingerprint: int) -> tuple[Callable[..., int], ...]:
    @entry
    def retract_records(t: Tables, words: Words) -> int:
        """Give back what the records hold; it needs no room."""
        _check(t, fingerprint)
        for place in range(words.shape[0] // JOURNAL_WORDS):
            journal.retract(t, words[index(place * JOURNAL_WORDS) + J_ID])
        return READY

    @entry
    def move_rows(old: Words, new: Words) -> int:
        copy_rows(old, new)
        return fingerprint

    @entry
    def move_pairs(old: Words, new: Words) -> int:
        rows.copy_pairs(old, new)
        return fingerprint

    @entry
    def remember_keys(t: Tables, old: Words) -> int:
        """Remember keys again, from the oldest; there is room for all."""
        for row in range(old.shape[0]):
            behind = keys.next_row(t)
            for word in range(KEY_WORDS):
                t.keys[behind, word] = old[row, word]
            keys.take_in(t, behind)
        return fingerprint

    @entry
    def place_of(table: Words, first: int, second: int) -> int:
        """Return the row of a key, of two words where `second` is not 0; -1 for none."""
        at = probe(table, first) if second == 0 else rows.pair_probe(table, first, second)
        return at if table[at, 0] != 0 and fingerprint >= 0 else -1

    return retract_records, move_rows, move_pairs, remember_keys, place_of


hold_commands, release_commands = _make_holding(_KERNEL)
settle_events = _make_settling(_KERNEL)
admit_records, apply_records = _make_journal(_KERNEL)
retract_records, move_rows, move_pairs, remember_keys, place_of = _make_moves(_KERNEL)
