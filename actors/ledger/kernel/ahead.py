"""Rows that the commands and events to come will need, asked for before their turn.

What an item touches lies where its ids say, anywhere in tables that are larger than the processor's
caches; most often in the row where the search for it begins. Nothing is written, and what was asked
for in vain does no harm.
"""

from actors.book.kernel.jit import index, inlined
from actors.book.kernel.machine import fetch
from actors.book.kernel.tables import home
from actors.book.vocabulary import EventKind
from actors.ledger.kernel.layout import (
    B_HELD,
    COMMAND_WORDS,
    EVENT_WORDS,
    IN_ORDER_ID,
    IN_USER,
    M_BASE,
    M_QUOTE,
    O_AMENDS,
    ORDER_ID,
    RELATED_ORDER,
    RELATED_USER,
    USER,
    Tables,
    Words,
)
from actors.ledger.kernel.rows import pair_home

COMMANDS_AHEAD, EVENTS_AHEAD = 10, 5
MANY_ROWS = 1 << 13

TRADE = int(EventKind.TRADE)


@inlined
def is_worth_it(t: Tables) -> bool:
    """Return whether the tables are so large that most rows are in no cache."""
    return t.balances.shape[0] > MANY_ROWS


@inlined
def look_at_command(t: Tables, market: int, words: Words, base: int) -> None:
    """Ask for what the command COMMANDS_AHEAD behind the one at `base` needs, or the last one."""
    at = index(min(base + COMMANDS_AHEAD * COMMAND_WORDS, words.shape[0] - COMMAND_WORDS))
    _ask_for_order(t, market, words[at + IN_ORDER_ID])
    _ask_for_user(t, market, words[at + IN_USER])


@inlined
def look_at_event(t: Tables, market: int, words: Words, base: int) -> None:
    """Ask for what the event EVENTS_AHEAD behind the one at `base` needs, or the last one."""
    at = index(min(base + EVENTS_AHEAD * EVENT_WORDS, words.shape[0] - EVENT_WORDS))
    _ask_for_order(t, market, words[at + ORDER_ID])
    _ask_for_user(t, market, words[at + USER])
    if words[at] & 0xFF == TRADE:
        _ask_for_order(t, market, words[at + RELATED_ORDER])
        _ask_for_user(t, market, words[at + RELATED_USER])


@inlined
def _ask_for_order(t: Tables, market: int, order_id: int) -> None:
    at = pair_home(order_id, market + 1, t.orders.shape[0] - 1)
    fetch(t.orders, at, 0)
    fetch(t.orders, at, O_AMENDS)


@inlined
def _ask_for_user(t: Tables, market: int, user: int) -> None:
    fetch(t.accounts, home(user, t.accounts.shape[0] - 1), 0)
    mask = t.balances.shape[0] - 1
    fetch(t.balances, pair_home(user, t.markets[market, M_BASE], mask), B_HELD)
    fetch(t.balances, pair_home(user, t.markets[market, M_QUOTE], mask), B_HELD)
