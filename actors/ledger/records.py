"""Fixed-width records of accounts: the journal's items, and what a ledger answers.

All fields are little-endian; a change of the journal's layout is a new version in its codec's
header. Amounts are integers of 1e-8 of their asset, times microseconds since the Unix epoch.
"""

import numpy as np

JOURNAL_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("fee_tier", "u1"),
        ("reserved", "<u2"),
        ("reserved2", "<u4"),
        ("id", "<i8"),
        ("generation", "<i8"),
        ("user_id", "<i8"),
        ("asset", "<i8"),
        ("amount", "<i8"),
        ("time_us", "<i8"),
        ("related_id", "<i8"),
        ("related_user_id", "<i8"),
        ("idempotency_key", "<i8", (2,)),
        ("spare", "<i8", (5,)),
    ]
)

RESULT_DTYPE = np.dtype(
    [
        ("outcome", "u1"),
        ("repeated", "u1"),
        ("fee_tier", "u1"),
        ("reserved", "u1"),
        ("reserved2", "<u4"),
        ("id", "<i8"),
        ("asset", "<i8"),
        ("needed", "<i8"),
        ("available", "<i8"),
    ]
)

ACCOUNT_DTYPE = np.dtype(
    [("user_id", "<i8"), ("status", "<i8"), ("fee_tier", "<i8"), ("sequence", "<i8")]
)

BALANCE_DTYPE = np.dtype(
    [("user_id", "<i8"), ("asset", "<i8"), ("available", "<i8"), ("held", "<i8")]
)

HOLD_DTYPE = np.dtype(
    [
        ("market_id", "<i8"),
        ("order_id", "<i8"),
        ("user_id", "<i8"),
        ("asset", "<i8"),
        ("amount", "<i8"),
        ("answered", "<i8"),
        ("amends", "<i8"),
    ]
)

TRANSACTION_DTYPE = np.dtype(
    [
        ("id", "<i8"),
        ("kind", "<i8"),
        ("journaled", "<i8"),
        ("user_id", "<i8"),
        ("asset", "<i8"),
        ("amount", "<i8"),
        ("related_user_id", "<i8"),
    ]
)

ARRIVAL_DTYPE = np.dtype(
    [
        ("id", "<i8"),
        ("related_user_id", "<i8"),
        ("user_id", "<i8"),
        ("asset", "<i8"),
        ("amount", "<i8"),
        ("related_id", "<i8"),
        ("outcome", "<i8"),
    ]
)

TOTAL_DTYPE = np.dtype([("asset", "<i8"), ("supply", "<i8"), ("fees", "<i8"), ("transit", "<i8")])
