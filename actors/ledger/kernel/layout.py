"""Places of all numbers in the ledger's arrays, which are of 64-bit integers.

All but `state`, `markets`, `amends`, `keys` and `closed` are tables by open addressing, at most
half full; a row's first word is its key, never 0 but in a free row. Balances, orders and arrivals
have two words of key.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actors.book.records import COMMAND_DTYPE, EVENT_DTYPE
from actors.ledger.records import JOURNAL_DTYPE, RESULT_DTYPE

Words = npt.NDArray[np.int64]
WORD = np.dtype(np.int64)


class Tables(NamedTuple):
    """All arrays of one ledger.

    `state` counters and settings; `markets` a row each, in the order given; `accounts` by user;
    `balances` by user and asset; `orders` that hold something, by order and market; `amends` that
    wait, each order's a list; `transactions` by id; `totals` by asset; `keys` remembered outcomes,
    a ring from the oldest; `key_map` the keys' hash to their place in the ring; `arrivals` of
    transfers by id and sender; `closed`, of each shard, below what number its transfers are over.
    """

    state: Words
    markets: Words
    accounts: Words
    balances: Words
    orders: Words
    amends: Words
    transactions: Words
    totals: Words
    keys: Words
    key_map: Words
    arrivals: Words
    closed: Words


def _word(layout: np.dtype[np.void], name: str) -> int:
    fields: Mapping[str, tuple[Any, ...]] = layout.fields or {}
    return int(fields[name][1]) // WORD.itemsize


# Commands. Side, order type are bytes of the first word.
COMMAND_WORDS = COMMAND_DTYPE.itemsize // WORD.itemsize
IN_SIDE_SHIFT, IN_TYPE_SHIFT = 8, 16
IN_COMMAND_ID = _word(COMMAND_DTYPE, "command_id")
IN_ORDER_ID = _word(COMMAND_DTYPE, "order_id")
IN_USER = _word(COMMAND_DTYPE, "user_id")
IN_PRICE = _word(COMMAND_DTYPE, "price_ticks")
IN_QUANTITY = _word(COMMAND_DTYPE, "quantity_lots")
IN_QUOTE = _word(COMMAND_DTYPE, "quote_units")
IN_BUDGET = _word(COMMAND_DTYPE, "budget")
IN_GENERATION = _word(COMMAND_DTYPE, "generation")

# Events. Kind, status and side are bytes of the first word.
EVENT_WORDS = EVENT_DTYPE.itemsize // WORD.itemsize
STATUS_SHIFT, SIDE_SHIFT = 8, 16
SEQUENCE = _word(EVENT_DTYPE, "sequence")
ORDER_ID = _word(EVENT_DTYPE, "order_id")
USER = _word(EVENT_DTYPE, "user_id")
PRICE = _word(EVENT_DTYPE, "price_ticks")
QUANTITY = _word(EVENT_DTYPE, "quantity_lots")
FILLED = _word(EVENT_DTYPE, "filled_lots")
COMMAND_ID = _word(EVENT_DTYPE, "command_id")
TRADE_LOTS = _word(EVENT_DTYPE, "trade_lots")
RELATED_ORDER = _word(EVENT_DTYPE, "related_order_id")
RELATED_USER = _word(EVENT_DTYPE, "related_user_id")
GENERATION = _word(EVENT_DTYPE, "generation")
MAKER_FEE = _word(EVENT_DTYPE, "maker_fee")  # the lower half, signed
RELATED_FEE = _word(EVENT_DTYPE, "related_fee")  # the lower half, signed
SHARD = _word(EVENT_DTYPE, "shard")
SHARD_SHIFT = 48

# Journal records. Kind and fee tier are bytes of the first word.
JOURNAL_WORDS = JOURNAL_DTYPE.itemsize // WORD.itemsize
J_TIER_SHIFT = 8
J_ID = _word(JOURNAL_DTYPE, "id")
J_GENERATION = _word(JOURNAL_DTYPE, "generation")
J_USER = _word(JOURNAL_DTYPE, "user_id")
J_ASSET = _word(JOURNAL_DTYPE, "asset")
J_AMOUNT = _word(JOURNAL_DTYPE, "amount")
J_RELATED = _word(JOURNAL_DTYPE, "related_id")
J_RELATED_USER = _word(JOURNAL_DTYPE, "related_user_id")
J_KEY = _word(JOURNAL_DTYPE, "idempotency_key")

# Results. Outcome, repeated and fee tier are bytes of the first word.
RESULT_WORDS = RESULT_DTYPE.itemsize // WORD.itemsize
REPEATED_SHIFT, TIER_SHIFT = 8, 16
R_ID, R_ASSET, R_NEEDED, R_AVAILABLE = 1, 2, 3, 4

MARKET_WORDS = 10
(
    M_ID,
    M_BASE,
    M_QUOTE,
    M_LOT_UNITS,
    M_NUMERATOR,
    M_DENOMINATOR,
    M_MAX_PRICE,
    M_MAX_QUANTITY,
    M_SEQUENCE,
    M_FENCED,
) = range(MARKET_WORDS)

ACCOUNT_WORDS = 4
A_USER, A_STATUS, A_TIER, A_SEQUENCE = range(ACCOUNT_WORDS)

BALANCE_WORDS = 4
B_USER, B_ASSET, B_AVAILABLE, B_HELD = range(BALANCE_WORDS)

# An order's market is its row in `markets`; amends are numbers of rows, NONE at an end.
ORDER_WORDS = 12
(
    O_ID,
    O_MARKET,
    O_USER,
    O_SMALL,
    O_PRICE,
    O_TOTAL,
    O_DONE,
    O_HELD,
    O_COMMAND,
    O_GENERATION,
    O_AMEND,
    O_AMENDS,
) = range(ORDER_WORDS)
BY_NOTIONAL, ANSWERED = 1 << 8, 1 << 16
SIDE_BYTE = 0xFF
NONE = -1

AMEND_WORDS = 5
D_COMMAND, D_PRICE, D_QUANTITY, D_GENERATION, D_NEXT = range(AMEND_WORDS)

TRANSACTION_WORDS = 7
X_ID, X_KIND, X_JOURNALED, X_USER, X_ASSET, X_AMOUNT, X_RELATED_USER = range(TRANSACTION_WORDS)

TOTAL_WORDS = 4
T_ASSET, T_SUPPLY, T_FEES, T_TRANSIT = range(TOTAL_WORDS)

# Kind and fee tier are bytes of K_SMALL, as of a record's first word.
KEY_WORDS = 10
(
    K_USER,
    K_SMALL,
    K_FIRST,
    K_SECOND,
    K_ID,
    K_OUTCOME,
    K_ASSET,
    K_AMOUNT,
    K_RELATED,
    K_RELATED_USER,
) = range(KEY_WORDS)
MAP_WORDS = 2

ARRIVAL_WORDS = 7
V_ID, V_FROM, V_USER, V_ASSET, V_AMOUNT, V_NUMBER, V_OUTCOME = range(ARRIVAL_WORDS)

# State: what survives, settings, then rows in use.
STATE_WORDS = 17
(
    S_GENERATION,
    S_POSITION,
    S_SHARD,
    S_SHARDS,
    S_LIMIT,
    S_KEY_MEMORY,
    S_ACCOUNTS,
    S_BALANCES,
    S_ORDERS,
    S_AMENDS,
    S_FREE_AMEND,
    S_TRANSACTIONS,
    S_TOTALS,
    S_KEYS,
    S_OLDEST_KEY,
    S_ARRIVALS,
    S_FINGERPRINT,
) = range(STATE_WORDS)

# What must grow before a step; READY: nothing.
READY, NEED_ACCOUNTS, NEED_BALANCES, NEED_ORDERS, NEED_AMENDS = range(5)
NEED_TRANSACTIONS, NEED_TOTALS, NEED_KEYS, NEED_ARRIVALS = 5, 6, 7, 8
