"""Rules that an order must satisfy: docs/matching.md, the checks in their order."""

from actors.book.kernel import clients
from actors.book.kernel.jit import index, inlined, inner
from actors.book.kernel.layout import (
    BUDGET,
    BUY,
    DECREMENT,
    DISPLAY,
    EXPIRE_MAKER,
    EXPIRES,
    FEE_MAX,
    FEES,
    FLAGS_SHIFT,
    FOK,
    GTC,
    GTD,
    IN_GENERATION,
    IN_SHARD_SHIFT,
    IOC,
    L_FIRST,
    L_KEY,
    L_QUANTITY,
    LIMIT,
    LIST,
    MARKET,
    NEXT,
    NO_PREVENTION,
    NO_REASON,
    POST_ONLY,
    PREVENTION_SHIFT,
    PRICE,
    QUANTITY,
    QUOTE,
    R_ABOVE_MAXIMUM,
    R_BELOW_MINIMUM,
    R_DUPLICATE_CLIENT,
    R_EXPIRED,
    R_HALTED,
    R_MALFORMED,
    R_NOT_ENOUGH,
    R_NOT_OWNER,
    R_NOT_POSITIVE,
    R_UNKNOWN_ORDER,
    R_WOULD_CROSS,
    RULES,
    RULES_BUT_SHARD,
    S_BEST,
    S_HALTED,
    S_MAX_NOTIONAL,
    S_MAX_PRICE,
    S_MAX_QUANTITY,
    S_MIN_NOTIONAL,
    S_PROTECTION_BPS,
    S_TIME,
    SELL,
    SHARD_MASK,
    SIDE_SHIFT,
    TAKER_FEE_SHIFT,
    TIME_IN_FORCE_SHIFT,
    TRIGGER,
    TYPE_SHIFT,
    USER,
    Book,
    Words,
)
from actors.book.kernel.levels import first_level, next_level
from actors.book.kernel.queues import best_key, byte_of, key_of, remaining, side_of

BASIS_POINTS = 10_000
HALF, HALF_SIGN = 0xFFFF_FFFF, 0x8000_0000


@inlined
def is_fenced(book: Book, commands: Words, base: int) -> bool:
    """Return whether a newer generation of its shard has shut a command out."""
    shard = shard_of(commands, base)
    newest = book.fences[shard] if shard < book.fences.shape[0] else 0
    return commands[base + IN_GENERATION] < newest


@inlined
def shard_of(commands: Words, base: int) -> int:
    """Return the shard that stamped a command."""
    return index((commands[base] >> IN_SHARD_SHIFT) & SHARD_MASK)


@inlined
def well_formed(book: Book, slot: int) -> bool:
    """Return whether an order's fields fit together (check 3)."""
    orders = book.orders
    side = byte_of(book, slot, SIDE_SHIFT)
    order_type = byte_of(book, slot, TYPE_SHIFT)
    time_in_force = byte_of(book, slot, TIME_IN_FORCE_SHIFT)
    at_once = time_in_force in (IOC, FOK)
    post_only = byte_of(book, slot, FLAGS_SHIFT) == POST_ONLY
    if orders[slot, USER] < 1 or side < BUY or side > SELL:
        return False
    if time_in_force < GTC or time_in_force > GTD:
        return False
    if byte_of(book, slot, PREVENTION_SHIFT) > DECREMENT or (post_only and at_once):
        return False
    if time_in_force == GTD and orders[slot, EXPIRES] < 1:
        return False
    if _waits(orders, slot) or not _fees_fit(orders[slot, FEES]):
        return False
    by_quote = orders[slot, QUOTE] != 0
    has_budget = orders[slot, BUDGET] != 0
    if order_type == LIMIT:
        return not (by_quote or has_budget)
    if order_type != MARKET or not at_once or post_only or orders[slot, PRICE] != 0:
        return False
    if by_quote == (orders[slot, QUANTITY] != 0):
        return False
    if has_budget and by_quote != (side == SELL):
        return False
    return not (by_quote and time_in_force == FOK)


@inlined
def _waits(orders: Words, slot: int) -> bool:
    """Return whether an order asks for what only orders that wait have."""
    joined = orders[slot, TRIGGER] | orders[slot, DISPLAY] | orders[slot, LIST]
    return joined | (orders[slot, RULES] & RULES_BUT_SHARD) != 0


@inlined
def _fees_fit(fees: int) -> bool:
    """Return whether an order's rates are within bounds, its rebate within the taker's rate."""
    maker = ((fees & HALF) ^ HALF_SIGN) - HALF_SIGN
    taker = fees >> TAKER_FEE_SHIFT
    return 0 <= taker <= FEE_MAX and -taker <= maker <= FEE_MAX


@inlined
def objection(book: Book, slot: int) -> int:
    """Return why a new order is rejected, or NO_REASON (checks 3 to 11)."""
    if not well_formed(book, slot):
        return R_MALFORMED
    if clients.has_client_id(book.orders, slot) and namesake(book, slot) != 0:
        return R_DUPLICATE_CLIENT
    if book.state[S_HALTED] != 0:
        return R_HALTED
    reason = _value_objection(book, slot)
    if reason != NO_REASON:
        return reason
    post_only = byte_of(book, slot, FLAGS_SHIFT) == POST_ONLY
    if post_only and crosses(book, side_of(book, slot), book.orders[slot, PRICE]):
        return R_WOULD_CROSS
    if byte_of(book, slot, TIME_IN_FORCE_SHIFT) == FOK and not _can_fill(book, slot):
        return R_NOT_ENOUGH
    return NO_REASON


@inlined
def namesake(book: Book, slot: int) -> int:
    """Return the order of the same user that took the same client order id, or 0."""
    return clients.first_order_of(book.clients, book.client_map, book.orders, slot)


@inlined
def _value_objection(book: Book, slot: int) -> int:
    orders, state = book.orders, book.state
    if byte_of(book, slot, TIME_IN_FORCE_SHIFT) == GTD and orders[slot, EXPIRES] <= state[S_TIME]:
        return R_EXPIRED
    price, quantity, quote = orders[slot, PRICE], orders[slot, QUANTITY], orders[slot, QUOTE]
    is_limit = byte_of(book, slot, TYPE_SHIFT) == LIMIT
    if is_limit:
        if price < 1 or quantity < 1:
            return R_NOT_POSITIVE
    elif quantity < 0 or quote < 0 or orders[slot, BUDGET] < 0:
        return R_NOT_POSITIVE
    if price > state[S_MAX_PRICE] or quantity > state[S_MAX_QUANTITY]:
        return R_ABOVE_MAXIMUM
    if quote > state[S_MAX_NOTIONAL]:
        return R_ABOVE_MAXIMUM
    # The maximum of price x maximum of quantity fits 64 bits, so the product does here.
    if is_limit and price * quantity < state[S_MIN_NOTIONAL]:
        return R_BELOW_MINIMUM
    if quote != 0 and quote < state[S_MIN_NOTIONAL]:
        return R_BELOW_MINIMUM
    return NO_REASON


@inlined
def cancel_refusal(book: Book, slot: int, user_id: int) -> int:
    """Return why a user may not touch an order (`slot` -1: unknown), or NO_REASON."""
    if slot < 0:
        return R_UNKNOWN_ORDER
    if user_id != 0 and user_id != book.orders[slot, USER]:
        return R_NOT_OWNER
    return NO_REASON


@inlined
def crosses(book: Book, side: int, price: int) -> bool:
    """Return whether an order of `side` at `price` would meet the best opposite order."""
    if book.state[S_BEST + 1 - side] < 0:
        return False
    return best_key(book, 1 - side) >= key_of(1 - side, price)


@inlined
def limit_of(book: Book, slot: int) -> int:
    """Return the worst price a taker may trade at: a market order's is its protection price."""
    if byte_of(book, slot, TYPE_SHIFT) == LIMIT:
        return book.orders[slot, PRICE]
    side = side_of(book, slot)
    if book.state[S_BEST + 1 - side] < 0:
        return 0
    best = abs(best_key(book, 1 - side))
    room = best * book.state[S_PROTECTION_BPS] // BASIS_POINTS
    if side == 0:
        return min(best + room, book.state[S_MAX_PRICE])
    return max(best - room, 1)


@inner
def _can_fill(book: Book, slot: int) -> bool:
    """Return whether a FOK order finds its whole quantity within its limit and its budget."""
    other = 1 - side_of(book, slot)
    limit_key = key_of(other, limit_of(book, slot))
    wanted, budget = book.orders[slot, QUANTITY], book.orders[slot, BUDGET]
    cost = 0
    level, row, at, place = first_level(book, other)
    while level >= 0 and book.levels[level, L_KEY] >= limit_key:
        before = wanted
        wanted, stopped = _wanted_after(book, slot, level, wanted)
        cost += (before - max(wanted, 0)) * abs(book.levels[level, L_KEY])
        if wanted <= 0 or stopped:
            return wanted <= 0 and (budget == 0 or cost <= budget)
        level, row, at, place = next_level(book, other, row, at, place)
    return False


@inlined
def _wanted_after(book: Book, slot: int, level: int, wanted: int) -> tuple[int, bool]:
    """Return what a FOK order still wants after a level, and whether its own order stops it."""
    prevention = byte_of(book, slot, PREVENTION_SHIFT)
    if prevention == NO_PREVENTION:
        return wanted - book.levels[level, L_QUANTITY], False
    maker = book.levels[level, L_FIRST]
    while maker >= 0 and wanted > 0:
        if book.orders[maker, USER] != book.orders[slot, USER]:
            wanted -= remaining(book, maker)
        elif prevention != EXPIRE_MAKER:
            return wanted, True
        maker = book.orders[maker, NEXT]
    return wanted, False
