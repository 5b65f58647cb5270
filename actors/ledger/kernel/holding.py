"""Holds: what a market's commands may cost, set aside before they are written."""

from actors.book.kernel.jit import inlined
from actors.book.kernel.tables import probe
from actors.book.vocabulary import CommandKind, OrderType, Side
from actors.ledger.contract import MAX_AMENDS
from actors.ledger.kernel.layout import (
    A_STATUS,
    A_TIER,
    B_AVAILABLE,
    B_HELD,
    BY_NOTIONAL,
    IN_BUDGET,
    IN_COMMAND_ID,
    IN_GENERATION,
    IN_ORDER_ID,
    IN_PRICE,
    IN_QUANTITY,
    IN_QUOTE,
    IN_SIDE_SHIFT,
    IN_TYPE_SHIFT,
    IN_USER,
    M_BASE,
    M_FENCED,
    M_LOT_UNITS,
    M_MAX_PRICE,
    M_MAX_QUANTITY,
    M_QUOTE,
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
    R_ASSET,
    R_AVAILABLE,
    R_ID,
    R_NEEDED,
    RESULT_WORDS,
    S_ORDERS,
    S_SHARD,
    S_SHARDS,
    TIER_SHIFT,
    Tables,
    Words,
)
from actors.ledger.kernel.orders import (
    add_amend,
    amend_of,
    asset_of,
    cost_of,
    drop_amend,
    hold_worst,
    worst,
)
from actors.ledger.kernel.rows import available_of, balance_of, pair_probe
from actors.ledger.vocabulary import AccountStatus, Outcome

PLACE, AMEND = int(CommandKind.PLACE), int(CommandKind.AMEND)
BUY, SELL = int(Side.BUY), int(Side.SELL)
LIMIT, MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
UNKNOWN, FROZEN, CLOSED = (
    int(AccountStatus.UNKNOWN),
    int(AccountStatus.FROZEN),
    int(AccountStatus.CLOSED),
)
DONE = int(Outcome.DONE)
INSUFFICIENT = int(Outcome.INSUFFICIENT)
IS_FROZEN = int(Outcome.FROZEN)
IS_CLOSED = int(Outcome.CLOSED)
UNKNOWN_ACCOUNT = int(Outcome.UNKNOWN_ACCOUNT)
DUPLICATE = int(Outcome.DUPLICATE)
MALFORMED = int(Outcome.MALFORMED)
UNKNOWN_ORDER = int(Outcome.UNKNOWN_ORDER)
NOT_OWNER = int(Outcome.NOT_OWNER)
IS_FENCED = int(Outcome.FENCED)
TOO_MANY_AMENDS = int(Outcome.TOO_MANY_AMENDS)


@inlined
def owns(t: Tables, user: int) -> bool:
    """Return whether a user is this shard's."""
    shards = t.state[S_SHARDS]
    return user >= 1 and (shards == 1 or user % shards == t.state[S_SHARD])


@inlined
def status_of(t: Tables, user: int) -> int:
    """Return the status of a user's account, UNKNOWN where it is another shard's."""
    if not owns(t, user):
        return UNKNOWN
    at = probe(t.accounts, user)
    return t.accounts[at, A_STATUS] if t.accounts[at, 0] != 0 else UNKNOWN


@inlined
def _refusal(status: int) -> int:
    if status == UNKNOWN:
        return UNKNOWN_ACCOUNT
    if status == FROZEN:
        return IS_FROZEN
    return IS_CLOSED if status == CLOSED else DONE


@inlined
def hold(t: Tables, market: int, words: Words, base: int, results: Words, at: int) -> None:
    """Hold what the command at `base` may cost, and write its result."""
    kind = words[base] & 0xFF
    user = words[base + IN_USER]
    status, tier = UNKNOWN, 0
    if owns(t, user):
        account = probe(t.accounts, user)
        if t.accounts[account, 0] != 0:
            status, tier = t.accounts[account, A_STATUS], t.accounts[account, A_TIER]
    for word in range(RESULT_WORDS):
        results[at, word] = 0
    results[at, R_ID] = words[base + IN_ORDER_ID]
    if kind in (PLACE, AMEND) and words[base + IN_GENERATION] < t.markets[market, M_FENCED]:
        outcome = IS_FENCED
    elif kind == PLACE:
        outcome = _refusal(status)
        if outcome == DONE:
            outcome = _place(t, market, words, base, results, at)
    elif kind == AMEND:
        outcome = _amend(t, market, words, base, results, at)
    else:
        outcome = UNKNOWN_ACCOUNT if user != 0 and status == UNKNOWN else DONE
    results[at, 0] = outcome | tier << TIER_SHIFT


@inlined
def _wanted(t: Tables, market: int, words: Words, base: int) -> int:
    """Return how much a PLACE may take at most: lots, or ticks x lots of a MARKET buy.

    0 where nothing bounds it, or where its fields are none that the book would accept.
    """
    side = (words[base] >> IN_SIDE_SHIFT) & 0xFF
    order_type = (words[base] >> IN_TYPE_SHIFT) & 0xFF
    price, quantity = words[base + IN_PRICE], words[base + IN_QUANTITY]
    quote, budget = words[base + IN_QUOTE], words[base + IN_BUDGET]
    max_price, max_lots = t.markets[market, M_MAX_PRICE], t.markets[market, M_MAX_QUANTITY]
    if words[base + IN_ORDER_ID] < 1 or (side != BUY and side != SELL):
        return 0
    if order_type == LIMIT:
        fits = 1 <= price <= max_price and 1 <= quantity <= max_lots
        return quantity if fits and quote == 0 and budget == 0 else 0
    if order_type != MARKET or price != 0 or (quantity != 0) == (quote != 0):
        return 0
    needs_budget = (quantity != 0) == (side == BUY)
    if needs_budget == (budget == 0):
        return 0
    total = budget if needs_budget else quantity + quote
    bound = max_price * max_lots if side == BUY else max_lots
    return total if 1 <= total <= bound else 0


@inlined
def _place(t: Tables, market: int, words: Words, base: int, results: Words, at: int) -> int:
    total = _wanted(t, market, words, base)
    if total == 0:
        return MALFORMED
    order_id, user = words[base + IN_ORDER_ID], words[base + IN_USER]
    row = pair_probe(t.orders, order_id, market + 1)
    if t.orders[row, O_ID] != 0:
        return DUPLICATE
    side = (words[base] >> IN_SIDE_SHIFT) & 0xFF
    price = words[base + IN_PRICE]
    small = side
    asset = t.markets[market, M_QUOTE]
    if side == SELL:
        asset = t.markets[market, M_BASE]
        needed = total * t.markets[market, M_LOT_UNITS]
    elif price == 0:
        small |= BY_NOTIONAL
        needed = cost_of(t, market, total)
    else:
        needed = cost_of(t, market, price * total)
    available = available_of(t, user, asset)
    results[at, R_ASSET] = asset
    results[at, R_NEEDED] = needed
    results[at, R_AVAILABLE] = available
    if needed > available:
        return INSUFFICIENT
    balance = balance_of(t, user, asset)
    t.balances[balance, B_AVAILABLE] = available - needed
    t.balances[balance, B_HELD] += needed
    orders = t.orders
    orders[row, O_ID] = order_id
    orders[row, O_MARKET] = market + 1
    orders[row, O_USER] = user
    orders[row, O_SMALL] = small
    orders[row, O_PRICE] = price
    orders[row, O_TOTAL] = total
    orders[row, O_DONE] = 0
    orders[row, O_HELD] = needed
    orders[row, O_COMMAND] = words[base + IN_COMMAND_ID]
    orders[row, O_GENERATION] = words[base + IN_GENERATION]
    orders[row, O_AMEND] = NONE
    orders[row, O_AMENDS] = 0
    t.state[S_ORDERS] += 1
    return DONE


@inlined
def _amend(t: Tables, market: int, words: Words, base: int, results: Words, at: int) -> int:
    order_id, user = words[base + IN_ORDER_ID], words[base + IN_USER]
    if order_id == 0:
        return UNKNOWN_ORDER
    row = pair_probe(t.orders, order_id, market + 1)
    if t.orders[row, O_ID] == 0 or t.orders[row, O_PRICE] == 0:
        return UNKNOWN_ORDER
    if user != 0 and user != t.orders[row, O_USER]:
        return NOT_OWNER
    refusal = _refusal(status_of(t, t.orders[row, O_USER]))
    if refusal != DONE:
        return refusal
    price, quantity = words[base + IN_PRICE], words[base + IN_QUANTITY]
    if (
        not 0 <= price <= t.markets[market, M_MAX_PRICE]
        or not 0 <= quantity <= t.markets[market, M_MAX_QUANTITY]
        or (price == 0 and quantity == 0)
    ):
        return MALFORMED
    command_id = words[base + IN_COMMAND_ID]
    if amend_of(t, row, command_id) != NONE:
        return DUPLICATE
    if t.orders[row, O_AMENDS] == MAX_AMENDS:
        return TOO_MANY_AMENDS
    add_amend(t, row, command_id, price, quantity, words[base + IN_GENERATION])
    needed = worst(t, row) - t.orders[row, O_HELD]
    asset = asset_of(t, row)
    available = available_of(t, t.orders[row, O_USER], asset)
    results[at, R_ASSET] = asset
    results[at, R_NEEDED] = needed
    results[at, R_AVAILABLE] = available
    if needed > available:
        drop_amend(t, row, amend_of(t, row, command_id))
        return INSUFFICIENT
    hold_worst(t, row)
    return DONE
