"""Places of all numbers in the kernel's arrays, which are of 64-bit integers.

Commands and events are seen as rows of words. An order's slot is the image that its next event
will show: an event is a copy of the slot in which only the words that belong to the event (and
hold the slot's links meanwhile) are written anew.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actors.book.reasons import Reason
from actors.book.records import CLIENT_ORDER_ID_WORDS, COMMAND_DTYPE, EVENT_DTYPE, LEVEL_DTYPE
from actors.book.vocabulary import (
    CommandKind,
    EventKind,
    Flag,
    MarketStatus,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

Words = npt.NDArray[np.int64]
WORD = np.dtype(np.int64)
Ticks = npt.NDArray[np.int32]
TICK = np.dtype(np.int32)
CACHE_LINE_WORDS = 8


class Book(NamedTuple):
    """All arrays of one book.

    `state` counters, list heads and limits; `events` (rows of EVENT_WORDS); `orders` (slots);
    `order_map` order id to slot; `heap` slots of GTD orders, soonest first; `levels` one row a
    price; `users` user id to ends of the list of their orders; `clients` remembered client order
    ids; `client_map` their hash to row; `bits` and `ticks` levels in the window around the market;
    `blocks` sorted keys and numbers of the levels outside; `directory` the order of the blocks;
    `touched` levels outside to report, by side; `changed` the report; `fences` by shard the newest
    generation, 0 where none was named.
    """

    state: Words
    events: Words
    orders: Words
    order_map: Words
    heap: Words
    levels: Words
    users: Words
    clients: Words
    client_map: Words
    bits: Words
    ticks: Ticks
    blocks: Words
    directory: Words
    touched: Words
    changed: Words
    fences: Words


class Ladder(NamedTuple):
    """The arrays of a book with which the levels outside the window are kept in order."""

    state: Words
    levels: Words
    blocks: Words
    directory: Words


def _word(layout: np.dtype[np.void], name: str) -> int:
    fields: Mapping[str, tuple[Any, ...]] = layout.fields or {}
    return int(fields[name][1]) // WORD.itemsize


# Commands, one after another in a flat array.
COMMAND_WORDS = COMMAND_DTYPE.itemsize // WORD.itemsize
IN_COMMAND_ID = _word(COMMAND_DTYPE, "command_id")
IN_ORDER_ID = _word(COMMAND_DTYPE, "order_id")
IN_USER = _word(COMMAND_DTYPE, "user_id")
IN_PRICE = _word(COMMAND_DTYPE, "price_ticks")
IN_QUANTITY = _word(COMMAND_DTYPE, "quantity_lots")
IN_QUOTE = _word(COMMAND_DTYPE, "quote_units")
IN_TIME = _word(COMMAND_DTYPE, "time_us")
IN_EXPIRES = _word(COMMAND_DTYPE, "expires_us")
IN_CLIENT = _word(COMMAND_DTYPE, "client_order_id")
IN_GENERATION = _word(COMMAND_DTYPE, "generation")
IN_FEES = _word(COMMAND_DTYPE, "maker_fee")  # and the taker's in its upper half
IN_RULES = _word(COMMAND_DTYPE, "trail_bps")  # and trigger and leg
# Bytes of a command's first word, as shifts.
IN_SIDE_SHIFT = 8
IN_FLAGS_SHIFT = 40
IN_SHARD_SHIFT = 48

# Events and order slots.
EVENT_WORDS = EVENT_DTYPE.itemsize // WORD.itemsize
HEAD = 0
REASON = 1  # and the market's id in its upper half
SEQUENCE = _word(EVENT_DTYPE, "sequence")
TIME = _word(EVENT_DTYPE, "time_us")
ORDER_ID = _word(EVENT_DTYPE, "order_id")
USER = _word(EVENT_DTYPE, "user_id")
PRICE = _word(EVENT_DTYPE, "price_ticks")
QUANTITY = _word(EVENT_DTYPE, "quantity_lots")
FILLED = _word(EVENT_DTYPE, "filled_lots")
NOTIONAL = _word(EVENT_DTYPE, "notional")
EXPIRES = _word(EVENT_DTYPE, "expires_us")
QUOTE = _word(EVENT_DTYPE, "quote_units")
CREATED = _word(EVENT_DTYPE, "created_us")
COMMAND_ID = _word(EVENT_DTYPE, "command_id")
TRADE_ID = _word(EVENT_DTYPE, "trade_id")
TRADE_LOTS = _word(EVENT_DTYPE, "trade_lots")
RELATED_ORDER = _word(EVENT_DTYPE, "related_order_id")
RELATED_USER = _word(EVENT_DTYPE, "related_user_id")
CLIENT = _word(EVENT_DTYPE, "client_order_id")
BUDGET = _word(EVENT_DTYPE, "budget")
TRIGGER = _word(EVENT_DTYPE, "trigger_ticks")
DISPLAY = _word(EVENT_DTYPE, "display_lots")
LIST = _word(EVENT_DTYPE, "list_id")
GENERATION = _word(EVENT_DTYPE, "generation")
FEES = _word(EVENT_DTYPE, "maker_fee")
RULES = _word(EVENT_DTYPE, "trail_bps")  # and trigger, leg and shard
RELATED_FEE = _word(EVENT_DTYPE, "related_fee")
SPARE = _word(EVENT_DTYPE, "spare")
CLIENT_WORDS = CLIENT_ORDER_ID_WORDS
# An order's words from its client order id on, as a command has them too, in one piece.
TOLD_WORDS = GENERATION - CLIENT
# Bytes of an event's first word, as shifts; side to prevention lie in a command's order.
STATUS_SHIFT = 8
SIDE_SHIFT = 16
TYPE_SHIFT = 24
TIME_IN_FORCE_SHIFT = 32
PREVENTION_SHIFT = 40
FLAGS_SHIFT = 48
# And of its word RULES, where a command's first word has it as well.
SHARD_SHIFT = IN_SHARD_SHIFT
SHARD_MASK = 0xFFFF
RULES_BUT_SHARD = (1 << SHARD_SHIFT) - 1
TAKER_FEE_SHIFT = 32  # of the word FEES
FEE_MAX = 100_000  # millionths
# A slot's links, in the words that belong to an event.
NEXT = SEQUENCE
PREVIOUS = TIME
LEVEL = COMMAND_ID
USER_NEXT = TRADE_ID
USER_PREVIOUS = TRADE_LOTS
HEAP_AT = RELATED_ORDER
CLIENT_AT = RELATED_USER

# Levels. A key is the price for bids and its negative for asks: the best has the largest.
LEVEL_WORDS = 8
L_KEY, L_QUANTITY, L_FILLED, L_COUNT, L_FIRST, L_LAST, L_TOUCHED, L_BLOCK = range(LEVEL_WORDS)
L_NEXT_FREE = L_FIRST  # of a level that is not in use
# Window: bits of WINDOW_TICKS consecutive keys a side, then of the words of these that are not 0,
# then of the words of those. A row has a column for each side's levels and for each side's touched
# ones. By price, the number of the level and 1, or 0.
WINDOW_BITS = 16
WINDOW_TICKS = 1 << WINDOW_BITS
MIDDLE_ROWS = WINDOW_TICKS >> 6
TOP_ROW = MIDDLE_ROWS + (MIDDLE_ROWS >> 6)
WINDOW_ROWS = TOP_ROW + 1
TOUCHED_COLUMN, WINDOW_COLUMNS = 2, 4
# Blocks: keys, ascending and padded with KEY_MAX, then the levels' numbers.
BLOCK_KEYS = 32
BLOCK_WORDS = 2 * BLOCK_KEYS
KEY_MIN, KEY_MAX = -(2**63), 2**63 - 1
# Directory: two rows a side, then by block number how many keys it holds and the free list.
D_LOW, D_BLOCK, D_COUNT, D_NEXT_FREE, DIRECTORY_ROWS = 0, 1, 4, 5, 6

# Tables by open addressing: of a key and its value, and of users. Then remembered client order ids
# and touched levels.
MAP_WORDS = 2
U_FIRST, U_LAST, USER_WORDS = 1, 2, 4
C_USER, C_WORD, C_ORDER, C_NEXT, CLIENT_ROW_WORDS = 0, 1, 6, 7, 8
T_PRICE, T_LEVEL, TOUCHED_WORDS = 0, 1, 4
CHANGED_WORDS = LEVEL_DTYPE.itemsize // WORD.itemsize
# A finished client order id in a snapshot.
FINISHED_USER, FINISHED_ORDER, FINISHED_WORD = 0, 1, 2
FINISHED_WORDS = 2 + CLIENT_WORDS

# State: what survives, then capacity in use, then the market's rules. BUY is 0, SELL is 1.
(
    S_TIME,
    S_SEQUENCE,
    S_TRADE_ID,
    S_UPDATE_ID,
    S_HALTED,
    S_OPEN,
    S_FINISHED,
    S_PREVIOUS_UPDATE_ID,
    S_EVENTS,
    S_SLOTS,
    S_FREE_SLOT,
    S_HEAP,
    S_LEVELS,
    S_FREE_LEVEL,
    S_USERS,
    S_CLIENTS,
    S_FREE_CLIENT,
    S_OLDEST,
    S_NEWEST,
    S_BLOCKS,
    S_FREE_BLOCK,
    S_BEST,
    S_BEST_SELL,
    S_TOP,
    S_TOP_SELL,
    S_WINDOW,
    S_WINDOW_SELL,
    S_MISSES,
    S_SIDE_BLOCKS,
    S_SIDE_BLOCKS_SELL,
    S_SIDE_LEVELS,
    S_SIDE_LEVELS_SELL,
    S_TOUCHED,
    S_TOUCHED_SELL,
    S_TOUCHED_LEVELS,
    S_FENCES,
    S_SHARDS,
    S_MARKET_ID,
    S_MIN_NOTIONAL,
    S_MAX_PRICE,
    S_MAX_QUANTITY,
    S_MAX_NOTIONAL,
    S_PROTECTION_BPS,
    S_CLIENT_MEMORY,
    STATE_WORDS,
) = range(45)

# Buckets by which the report sorts, counted after the state.
DIGIT_BITS = 8
DIGITS = 1 << DIGIT_BITS

# Events of one step beside one for each open order (actors/book/kernel/steps.py).
OWN_EVENTS = 1

# Where `apply_commands` starts; a command may be gone on with, so 0 would not tell.
BEGIN = -1
# What must grow before the next step can be taken.
(
    READY,
    NEED_EVENTS,
    NEED_ORDERS,
    NEED_USERS,
    NEED_CLIENTS,
    NEED_BLOCKS,
    NEED_TOUCHED,
    NEED_FENCES,
) = range(8)
# A fault of the kernel: a step made more events than there was room for.
OVERRUN = -1

# Words of the field as plain integers, which compile to constants.
PLACE, CANCEL, AMEND, CANCEL_ALL, HALT, RESUME, CLOCK, FENCE = (
    int(CommandKind.PLACE),
    int(CommandKind.CANCEL),
    int(CommandKind.AMEND),
    int(CommandKind.CANCEL_ALL),
    int(CommandKind.HALT),
    int(CommandKind.RESUME),
    int(CommandKind.CLOCK),
    int(CommandKind.FENCE),
)
TRADE, ORDER, REFUSED, MARKET_EVENT, DONE, FENCE_EVENT = (
    int(EventKind.TRADE),
    int(EventKind.ORDER),
    int(EventKind.REFUSED),
    int(EventKind.MARKET),
    int(EventKind.DONE),
    int(EventKind.FENCE),
)
OPEN, PARTIALLY_FILLED, FILLED_STATUS, CANCELLED, REJECTED, EXPIRED = (
    int(OrderStatus.OPEN),
    int(OrderStatus.PARTIALLY_FILLED),
    int(OrderStatus.FILLED),
    int(OrderStatus.CANCELLED),
    int(OrderStatus.REJECTED),
    int(OrderStatus.EXPIRED),
)
BUY, SELL = int(Side.BUY), int(Side.SELL)
LIMIT, MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
GTC, IOC, FOK, GTD = (
    int(TimeInForce.GTC),
    int(TimeInForce.IOC),
    int(TimeInForce.FOK),
    int(TimeInForce.GTD),
)
NO_PREVENTION, EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH, DECREMENT = (
    int(SelfTradePrevention.NONE),
    int(SelfTradePrevention.EXPIRE_TAKER),
    int(SelfTradePrevention.EXPIRE_MAKER),
    int(SelfTradePrevention.EXPIRE_BOTH),
    int(SelfTradePrevention.DECREMENT),
)
TRADING, HALTED_STATUS = int(MarketStatus.TRADING), int(MarketStatus.HALTED)
POST_ONLY, LAST, NEW = int(Flag.POST_ONLY), int(Flag.LAST), int(Flag.NEW)
NO_REASON = int(Reason.NONE)
R_MALFORMED = int(Reason.MALFORMED)
R_NOT_POSITIVE = int(Reason.NOT_POSITIVE)
R_BELOW_MINIMUM = int(Reason.BELOW_MINIMUM_NOTIONAL)
R_ABOVE_MAXIMUM = int(Reason.ABOVE_MAXIMUM)
R_EXPIRED = int(Reason.EXPIRED)
R_DUPLICATE_ORDER = int(Reason.DUPLICATE_ORDER_ID)
R_DUPLICATE_CLIENT = int(Reason.DUPLICATE_CLIENT_ORDER_ID)
R_BELOW_FILLED = int(Reason.QUANTITY_BELOW_FILLED)
R_HALTED = int(Reason.HALTED)
R_WOULD_CROSS = int(Reason.WOULD_CROSS)
R_NOT_ENOUGH = int(Reason.NOT_ENOUGH_TO_FILL)
R_UNKNOWN_ORDER = int(Reason.UNKNOWN_ORDER)
R_NOT_OWNER = int(Reason.NOT_OWNER)
R_FENCED = int(Reason.FENCED)
R_CANCELLED = int(Reason.CANCELLED_BY_USER)
R_UNFILLED = int(Reason.UNFILLED_REMAINDER)
R_NO_LIQUIDITY = int(Reason.NO_LIQUIDITY)
R_PROTECTION = int(Reason.PROTECTION_PRICE)
R_SELF_TRADE = int(Reason.SELF_TRADE)
R_TIME_EXPIRED = int(Reason.TIME_EXPIRED)
R_BUDGET_SPENT = int(Reason.BUDGET_SPENT)
