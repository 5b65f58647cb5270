"""Orders of the compiled ledger: what each may still cost, and the amends that wait."""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.vocabulary import Side
from actors.ledger import amounts
from actors.ledger.kernel.layout import (
    ANSWERED,
    B_AVAILABLE,
    B_HELD,
    BY_NOTIONAL,
    D_COMMAND,
    D_GENERATION,
    D_NEXT,
    D_PRICE,
    D_QUANTITY,
    M_BASE,
    M_DENOMINATOR,
    M_LOT_UNITS,
    M_NUMERATOR,
    M_QUOTE,
    NONE,
    O_AMEND,
    O_AMENDS,
    O_COMMAND,
    O_DONE,
    O_HELD,
    O_MARKET,
    O_PRICE,
    O_SMALL,
    O_TOTAL,
    O_USER,
    S_AMENDS,
    S_FREE_AMEND,
    S_ORDERS,
    SIDE_BYTE,
    Tables,
)
from actors.ledger.kernel.rows import balance_of, pair_vacate

BUY = int(Side.BUY)

_rounded_up = inlined(amounts.rounded_up)
_rounded_down = inlined(amounts.rounded_down)


@inlined
def cost_of(t: Tables, market: int, notional: int) -> int:
    """Return the most that so many ticks x lots may cost."""
    numerator, denominator = t.markets[market, M_NUMERATOR], t.markets[market, M_DENOMINATOR]
    if denominator == 1:
        return notional * numerator
    return _rounded_up(notional, numerator, denominator)


@inlined
def quote_of(t: Tables, market: int, notional: int) -> int:
    """Return what a fill of so many ticks x lots moves of the quote asset."""
    numerator, denominator = t.markets[market, M_NUMERATOR], t.markets[market, M_DENOMINATOR]
    if denominator == 1:
        return notional * numerator
    return _rounded_down(notional, numerator, denominator)


@inlined
def worst(t: Tables, at: int) -> int:
    """Return the most that an order may cost from now on, whatever becomes of its amends."""
    orders = t.orders
    market = index(orders[at, O_MARKET] - 1)
    left = max(orders[at, O_TOTAL] - orders[at, O_DONE], 0)
    small = orders[at, O_SMALL]
    if small & BY_NOTIONAL != 0:
        return cost_of(t, market, left)
    buys = small & SIDE_BYTE == BUY
    price = orders[at, O_PRICE] if buys else 1
    most = price * left
    if orders[at, O_AMENDS] != 0:
        most = _worst_amended(t, at, price, left, buys)
    return cost_of(t, market, most) if buys else most * t.markets[market, M_LOT_UNITS]


@inner
def _worst_amended(t: Tables, at: int, price: int, lots: int, buys: bool) -> int:
    most = price * lots
    done = t.orders[at, O_DONE]
    row = t.orders[at, O_AMEND]
    while row != NONE:
        new_price, new_lots = price, lots
        if buys and t.amends[row, D_PRICE] != 0:
            new_price = t.amends[row, D_PRICE]
        if t.amends[row, D_QUANTITY] != 0:
            new_lots = max(t.amends[row, D_QUANTITY] - done, 0)
        before = max(price, new_price) * min(lots, new_lots)
        most = max(most, before + new_price * max(new_lots - lots, 0))
        price, lots = max(price, new_price), max(lots, new_lots)
        row = t.amends[row, D_NEXT]
    return most


@inlined
def asset_of(t: Tables, at: int) -> int:
    """Return what an order holds."""
    market = index(t.orders[at, O_MARKET] - 1)
    buys = t.orders[at, O_SMALL] & SIDE_BYTE == BUY
    return t.markets[market, M_QUOTE] if buys else t.markets[market, M_BASE]


@inlined
def hold_worst(t: Tables, at: int) -> None:
    """Let an order hold what it may cost; the difference is taken from what is available."""
    most = worst(t, at)
    change = most - t.orders[at, O_HELD]
    if change != 0:
        balance = balance_of(t, t.orders[at, O_USER], asset_of(t, at))
        t.balances[balance, B_AVAILABLE] -= change
        t.balances[balance, B_HELD] += change
        t.orders[at, O_HELD] = most


@inlined
def forget(t: Tables, at: int) -> None:
    """Give back all that an order holds, and forget it; other orders may change their rows."""
    held = t.orders[at, O_HELD]
    balance = balance_of(t, t.orders[at, O_USER], asset_of(t, at))
    t.balances[balance, B_AVAILABLE] += held
    t.balances[balance, B_HELD] -= held
    if t.orders[at, O_AMENDS] != 0:
        forget_amends(t, at, NONE)
    pair_vacate(t.orders, at)
    t.state[S_ORDERS] -= 1


@inner
def forget_amends(t: Tables, at: int, generation: int) -> None:
    """Forget an order's amends of generations below this one, all of them where it is NONE."""
    kept = NONE
    row = t.orders[at, O_AMEND]
    while row != NONE:
        following = t.amends[row, D_NEXT]
        if generation != NONE and t.amends[row, D_GENERATION] >= generation:
            kept = row
        else:
            _unlink(t, at, kept, row)
        row = following


@inner
def amend_of(t: Tables, at: int, command_id: int) -> int:
    """Return the row of an order's amend that waits and has this command's id, or NONE."""
    row = t.orders[at, O_AMEND]
    while row != NONE and t.amends[row, D_COMMAND] != command_id:
        row = t.amends[row, D_NEXT]
    return row


@inner
def add_amend(
    t: Tables, at: int, command_id: int, price: int, quantity: int, generation: int
) -> None:
    """Put an amend behind an order's others; there is room for one."""
    row = t.state[S_FREE_AMEND]
    if row != NONE:
        t.state[S_FREE_AMEND] = t.amends[row, D_NEXT]
    else:
        row = t.state[S_AMENDS]
        t.state[S_AMENDS] += 1
    t.amends[row, D_COMMAND] = command_id
    t.amends[row, D_PRICE] = price
    t.amends[row, D_QUANTITY] = quantity
    t.amends[row, D_GENERATION] = generation
    t.amends[row, D_NEXT] = NONE
    last = NONE
    following = t.orders[at, O_AMEND]
    while following != NONE:
        last = following
        following = t.amends[following, D_NEXT]
    if last == NONE:
        t.orders[at, O_AMEND] = row
    else:
        t.amends[last, D_NEXT] = row
    t.orders[at, O_AMENDS] += 1


@inner
def drop_amend(t: Tables, at: int, row: int) -> None:
    """Take an amend out of an order's list."""
    before = NONE
    look = t.orders[at, O_AMEND]
    while look != row:
        before = look
        look = t.amends[look, D_NEXT]
    _unlink(t, at, before, row)


@inlined
def _unlink(t: Tables, at: int, before: int, row: int) -> None:
    if before == NONE:
        t.orders[at, O_AMEND] = t.amends[row, D_NEXT]
    else:
        t.amends[before, D_NEXT] = t.amends[row, D_NEXT]
    t.amends[row, D_NEXT] = t.state[S_FREE_AMEND]
    t.state[S_FREE_AMEND] = row
    t.orders[at, O_AMENDS] -= 1


@inlined
def answer_amend(t: Tables, at: int, command_id: int) -> int:
    """Return the row of an amend that an event answers, or NONE.

    It is taken out of its list, with all that were held before it: they are in no log.
    """
    if t.orders[at, O_AMENDS] == 0:
        return NONE
    row = amend_of(t, at, command_id)
    if row != NONE:
        while t.orders[at, O_AMEND] != row:
            _unlink(t, at, NONE, t.orders[at, O_AMEND])
        _unlink(t, at, NONE, row)
    return row


@inlined
def is_placed_by(t: Tables, at: int, command_id: int) -> bool:
    """Return whether an order is not answered and this command is its PLACE."""
    return t.orders[at, O_SMALL] & ANSWERED == 0 and t.orders[at, O_COMMAND] == command_id


@inlined
def refuse(t: Tables, at: int, command_id: int) -> None:
    """End a command that the book has refused."""
    if is_placed_by(t, at, command_id):
        forget(t, at)
    elif answer_amend(t, at, command_id) != NONE:
        hold_worst(t, at)


@inlined
def release(t: Tables, at: int, command_id: int) -> None:
    """End a command that is in no log; it says nothing of any other."""
    if is_placed_by(t, at, command_id):
        forget(t, at)
    elif t.orders[at, O_AMENDS] != 0:
        row = amend_of(t, at, command_id)
        if row != NONE:
            drop_amend(t, at, row)
            hold_worst(t, at)
