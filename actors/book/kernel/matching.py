"""A taker against the other side of the book: trades, and what self-trade prevention does."""

from actors.book.kernel.answers import image, open_status, order_image
from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    BUDGET,
    CANCELLED,
    DECREMENT,
    EXPIRE_BOTH,
    EXPIRE_TAKER,
    FEES,
    FILLED,
    FILLED_STATUS,
    GTC,
    GTD,
    L_FILLED,
    L_FIRST,
    L_KEY,
    L_QUANTITY,
    LIMIT,
    NO_PREVENTION,
    NO_REASON,
    NOTIONAL,
    ORDER_ID,
    PARTIALLY_FILLED,
    PREVENTION_SHIFT,
    QUANTITY,
    QUOTE,
    R_BUDGET_SPENT,
    R_NO_LIQUIDITY,
    R_PROTECTION,
    R_SELF_TRADE,
    R_UNFILLED,
    RELATED_FEE,
    RELATED_ORDER,
    RELATED_USER,
    S_BEST,
    S_TRADE_ID,
    TAKER_FEE_SHIFT,
    TIME_IN_FORCE_SHIFT,
    TRADE,
    TRADE_ID,
    TRADE_LOTS,
    TYPE_SHIFT,
    USER,
    Book,
    Words,
)
from actors.book.kernel.queues import (
    byte_of,
    depart,
    forget,
    key_of,
    leave_best,
    remaining,
    side_of,
)
from actors.book.kernel.report import touch

# Why a taker stopped.
WANTS_NOTHING, SELF_TRADE, NO_OPPOSITE, BEYOND_LIMIT, BUDGET_SPENT = range(5)


@inlined
def match(book: Book, slot: int, limit: int, command_id: int) -> int:
    """Trade an order that is off the book while it may; return why it stopped."""
    orders, state = book.orders, book.state
    other = 1 - side_of(book, slot)
    limit_key = key_of(other, limit)
    is_plain = orders[slot, QUOTE] | orders[slot, BUDGET] == 0
    spent = taken = 0
    prevention = byte_of(book, slot, PREVENTION_SHIFT)
    while True:
        level = state[S_BEST + other]
        # With no opposite order left, a tick is the least that a lot could be worth.
        price = abs(book.levels[level, L_KEY]) if level >= 0 else 1
        wanted = remaining(book, slot)
        if not is_plain:
            wanted = _wanted(orders, slot, price, spent, taken)
        if wanted == 0:
            return WANTS_NOTHING if is_plain else _satisfied(orders, slot, price, spent)
        if level < 0:
            return NO_OPPOSITE
        key = book.levels[level, L_KEY]
        if key < limit_key:
            return BEYOND_LIMIT
        maker = index(book.levels[level, L_FIRST])
        lots = min(wanted, remaining(book, maker))
        if prevention == NO_PREVENTION or orders[maker, USER] != orders[slot, USER]:
            _trade(book, slot, maker, lots, price, command_id)
            spent += lots * price
            taken += lots
        elif prevention == EXPIRE_TAKER:
            return SELF_TRADE
        elif prevention == DECREMENT:
            _decrement(book, slot, maker, lots, command_id)
            spent += lots * price
            taken += lots
            if lots == wanted:
                return SELF_TRADE
        else:
            _expire_maker(book, maker, command_id)
            if prevention == EXPIRE_BOTH:
                return SELF_TRADE


@inlined
def _wanted(orders: Words, slot: int, price: int, spent: int, taken: int) -> int:
    """Return how many lots a taker by quote or with a budget wants at a price."""
    quote, budget = orders[slot, QUOTE], orders[slot, BUDGET]
    if quote == 0:
        return min(orders[slot, QUANTITY] - orders[slot, FILLED], (budget - spent) // price)
    wanted = (quote - spent) // price
    return wanted if budget == 0 else min(wanted, budget - taken)


@inlined
def _satisfied(orders: Words, slot: int, price: int, spent: int) -> int:
    """Return why such a taker wants nothing: it has what it came for, or its budget is spent."""
    quote = orders[slot, QUOTE]
    left = orders[slot, QUANTITY] - orders[slot, FILLED]
    if quote != 0:
        left = (quote - spent) // price
    return WANTS_NOTHING if left == 0 else BUDGET_SPENT


@inlined
def _trade(book: Book, taker: int, maker: int, lots: int, price: int, command_id: int) -> None:
    orders, state = book.orders, book.state
    level = index(state[S_BEST + side_of(book, maker)])
    orders[maker, FILLED] += lots
    orders[maker, NOTIONAL] += lots * price
    orders[taker, FILLED] += lots
    orders[taker, NOTIONAL] += lots * price
    book.levels[level, L_QUANTITY] -= lots
    book.levels[level, L_FILLED] += lots
    touch(book, side_of(book, maker), level)
    is_filled = remaining(book, maker) == 0
    status = FILLED_STATUS if is_filled else PARTIALLY_FILLED
    row = image(book, maker, TRADE, status, 0, NO_REASON, command_id)
    state[S_TRADE_ID] += 1
    book.events[row, TRADE_ID] = state[S_TRADE_ID]
    book.events[row, TRADE_LOTS] = lots
    book.events[row, RELATED_ORDER] = orders[taker, ORDER_ID]
    book.events[row, RELATED_USER] = orders[taker, USER]
    book.events[row, RELATED_FEE] = orders[taker, FEES] >> TAKER_FEE_SHIFT
    if is_filled:
        leave_best(book, maker)
        forget(book, maker)


@inner
def _expire_maker(book: Book, maker: int, command_id: int) -> None:
    order_image(book, maker, CANCELLED, R_SELF_TRADE, command_id)
    depart(book, maker)


@inner
def _decrement(book: Book, taker: int, maker: int, lots: int, command_id: int) -> None:
    """Take from both what they would have traded; the taker's image by quote stays."""
    orders = book.orders
    side = side_of(book, maker)
    level = book.state[S_BEST + side]
    orders[maker, QUANTITY] -= lots
    book.levels[level, L_QUANTITY] -= lots
    if orders[taker, QUOTE] == 0:
        orders[taker, QUANTITY] -= lots
    if remaining(book, maker) == 0:
        order_image(book, maker, CANCELLED, R_SELF_TRADE, command_id)
        depart(book, maker)
    else:
        touch(book, side, level)
        order_image(book, maker, open_status(book, maker), R_SELF_TRADE, command_id)


@inlined
def outcome(book: Book, slot: int, stop: int) -> tuple[int, int]:
    """Return the status and reason of a taker that stopped; OPEN statuses rest."""
    is_limit = byte_of(book, slot, TYPE_SHIFT) == LIMIT
    time_in_force = byte_of(book, slot, TIME_IN_FORCE_SHIFT)
    if stop == SELF_TRADE:
        return CANCELLED, R_SELF_TRADE
    if stop == BUDGET_SPENT:
        return CANCELLED, R_BUDGET_SPENT
    if stop == WANTS_NOTHING:
        if book.orders[slot, QUOTE] == 0 or book.orders[slot, FILLED] > 0:
            return FILLED_STATUS, NO_REASON
        return CANCELLED, R_UNFILLED
    if time_in_force in (GTC, GTD):
        return open_status(book, slot), NO_REASON
    if is_limit:
        return CANCELLED, R_UNFILLED
    if stop == NO_OPPOSITE:
        return CANCELLED, R_NO_LIQUIDITY
    return CANCELLED, R_PROTECTION
