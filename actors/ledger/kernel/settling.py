"""Settlement: a pair's events, applied as they are to the balances and orders of this shard."""

from actors.book.kernel.jit import index, inlined, inner
from actors.book.vocabulary import EventKind, OrderStatus, Side
from actors.ledger import amounts
from actors.ledger.kernel.holding import owns
from actors.ledger.kernel.layout import (
    A_SEQUENCE,
    ANSWERED,
    B_AVAILABLE,
    BY_NOTIONAL,
    COMMAND_ID,
    D_PRICE,
    D_QUANTITY,
    FILLED,
    GENERATION,
    M_BASE,
    M_FENCED,
    M_LOT_UNITS,
    M_QUOTE,
    MAKER_FEE,
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
    ORDER_ID,
    PRICE,
    QUANTITY,
    RELATED_FEE,
    RELATED_ORDER,
    RELATED_USER,
    S_ORDERS,
    S_SHARD,
    SHARD,
    SHARD_SHIFT,
    SIDE_SHIFT,
    STATUS_SHIFT,
    T_FEES,
    TRADE_LOTS,
    USER,
    Tables,
    Words,
)
from actors.ledger.kernel.orders import (
    answer_amend,
    forget,
    forget_amends,
    hold_worst,
    quote_of,
    refuse,
)
from actors.ledger.kernel.rows import account_of, balance_of, pair_probe, total_of

TRADE, ORDER, REFUSED, FENCE = (
    int(EventKind.TRADE),
    int(EventKind.ORDER),
    int(EventKind.REFUSED),
    int(EventKind.FENCE),
)
OPEN, PARTIALLY_FILLED = int(OrderStatus.OPEN), int(OrderStatus.PARTIALLY_FILLED)
BUY = int(Side.BUY)
_HALF = 32

_share = inlined(amounts.share)


@inlined
def settle(t: Tables, market: int, words: Words, base: int) -> None:
    """Settle the event at `base`; there is room for all that one can make."""
    kind = words[base] & 0xFF
    if kind == TRADE:
        _trade(t, market, words, base)
    elif kind == ORDER:
        user = words[base + USER]
        if owns(t, user):
            _count_fact(t, user)
            _image(t, market, words, base)
    elif kind == REFUSED:
        _refused(t, market, words, base)
    elif kind == FENCE and (words[base + SHARD] >> SHARD_SHIFT) & 0xFFFF == t.state[S_SHARD]:
        _fence(t, market, words[base + GENERATION])


@inlined
def _count_fact(t: Tables, user: int) -> None:
    t.accounts[account_of(t, user), A_SEQUENCE] += 1


@inlined
def _move(t: Tables, user: int, asset: int, amount: int) -> None:
    t.balances[balance_of(t, user, asset), B_AVAILABLE] += amount


@inlined
def _trade(t: Tables, market: int, words: Words, base: int) -> None:
    taker, maker = words[base + RELATED_USER], words[base + USER]
    of_taker, of_maker = owns(t, taker), owns(t, maker)
    if not of_taker and not of_maker:
        return
    lots = words[base + TRADE_LOTS]
    notional = words[base + PRICE] * lots
    to_taker, to_maker = lots * t.markets[market, M_LOT_UNITS], quote_of(t, market, notional)
    taker_asset, maker_asset = t.markets[market, M_BASE], t.markets[market, M_QUOTE]
    if (words[base] >> SIDE_SHIFT) & 0xFF == BUY:
        to_taker, to_maker = to_maker, to_taker
        taker_asset, maker_asset = maker_asset, taker_asset
    maker_rate = (words[base + MAKER_FEE] << _HALF) >> _HALF
    taker_rate = (words[base + RELATED_FEE] << _HALF) >> _HALF
    taker_fee = _share(to_taker, max(taker_rate, 0))
    maker_fee, rebate = 0, 0
    if maker_rate > 0:
        maker_fee = _share(to_maker, maker_rate)
    elif maker_rate < 0:
        rebate = min(_share(to_taker, -maker_rate), taker_fee)
    if of_taker:
        _count_fact(t, taker)
        _move(t, taker, maker_asset, -to_maker)
        _move(t, taker, taker_asset, to_taker - taker_fee)
        if taker_fee != rebate:
            t.totals[total_of(t, taker_asset), T_FEES] += taker_fee - rebate
        _fill_taker(t, market, words, base, notional, lots)
    if of_maker:
        _count_fact(t, maker)
        _move(t, maker, taker_asset, rebate - to_taker)
        _move(t, maker, maker_asset, to_maker - maker_fee)
        if maker_fee != 0:
            t.totals[total_of(t, maker_asset), T_FEES] += maker_fee
        _image(t, market, words, base)


@inlined
def _fill_taker(t: Tables, market: int, words: Words, base: int, notional: int, lots: int) -> None:
    at = pair_probe(t.orders, words[base + RELATED_ORDER], market + 1)
    if t.orders[at, O_ID] == 0:
        return
    amend = answer_amend(t, at, words[base + COMMAND_ID])
    if amend != NONE:
        # The row is free, and as it was until another takes it.
        if t.amends[amend, D_PRICE] != 0:
            t.orders[at, O_PRICE] = t.amends[amend, D_PRICE]
        if t.amends[amend, D_QUANTITY] != 0:
            t.orders[at, O_TOTAL] = t.amends[amend, D_QUANTITY]
    t.orders[at, O_DONE] += notional if t.orders[at, O_SMALL] & BY_NOTIONAL != 0 else lots
    hold_worst(t, at)


@inner
def _image(t: Tables, market: int, words: Words, base: int) -> None:
    """Hold what an order's image says that it may still cost, nothing where it has ended."""
    order_id = words[base + ORDER_ID]
    at = pair_probe(t.orders, order_id, market + 1)
    status = (words[base] >> STATUS_SHIFT) & 0xFF
    if status != OPEN and status != PARTIALLY_FILLED:
        if t.orders[at, O_ID] != 0:
            forget(t, at)
        return
    orders = t.orders
    if orders[at, O_ID] == 0:
        orders[at, O_ID] = order_id
        orders[at, O_MARKET] = market + 1
        orders[at, O_USER] = words[base + USER]
        orders[at, O_SMALL] = (words[base] >> SIDE_SHIFT) & 0xFF
        orders[at, O_HELD] = 0
        orders[at, O_AMEND] = NONE
        orders[at, O_AMENDS] = 0
        t.state[S_ORDERS] += 1
    answer_amend(t, at, words[base + COMMAND_ID])
    orders[at, O_PRICE] = words[base + PRICE]
    orders[at, O_TOTAL] = words[base + QUANTITY]
    orders[at, O_DONE] = words[base + FILLED]
    orders[at, O_COMMAND] = 0
    orders[at, O_GENERATION] = 0
    orders[at, O_SMALL] |= ANSWERED
    hold_worst(t, at)


@inner
def _refused(t: Tables, market: int, words: Words, base: int) -> None:
    if owns(t, words[base + USER]):
        _count_fact(t, words[base + USER])
    at = pair_probe(t.orders, words[base + ORDER_ID], market + 1)
    if t.orders[at, O_ID] != 0:
        refuse(t, at, words[base + COMMAND_ID])


@inner
def _fence(t: Tables, market: int, generation: int) -> None:
    """Give back what older generations asked for: the market refuses it from now on."""
    t.markets[market, M_FENCED] = max(t.markets[market, M_FENCED], generation)
    orders = t.orders
    at = 0
    while at < orders.shape[0]:
        if orders[at, O_ID] != 0 and orders[at, O_MARKET] == market + 1:
            if orders[at, O_SMALL] & ANSWERED == 0 and orders[at, O_GENERATION] < generation:
                # Another order may have come to this row, from further down or past the end.
                forget(t, index(at))
                continue
            if orders[at, O_AMENDS] != 0:
                forget_amends(t, index(at), generation)
                hold_worst(t, index(at))
        at += 1
