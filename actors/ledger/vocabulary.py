"""Words of accounts as small integers, the same in journal, memory and storage.

The numbers are part of the journal's format: they may be added to, never changed.
"""

from enum import IntEnum


class JournalKind(IntEnum):
    """What a journal record says; `docs/accounts.md` says what each does."""

    OPEN = 1
    DEPOSIT = 2
    ADJUSTMENT = 3
    WITHDRAWAL = 4
    WITHDRAWAL_CONFIRMED = 5
    WITHDRAWAL_REFUSED = 6
    TRANSFER_OUT = 7
    TRANSFER_IN = 8
    TRANSFER_SETTLED = 9
    TRANSFER_REFUSED = 10
    FEE_TIER = 11
    FREEZE = 12
    UNFREEZE = 13
    CLOSE = 14
    FENCE = 15
    TRANSFER_CLOSED = 16


class AccountStatus(IntEnum):
    """UNKNOWN is an account that was never opened; a FROZEN one takes cancels only."""

    UNKNOWN = 0
    ACTIVE = 1
    FROZEN = 2
    CLOSED = 3


class Outcome(IntEnum):
    """What became of an order's hold or of a journal record; all but DONE changed nothing."""

    DONE = 1
    INSUFFICIENT = 2
    FROZEN = 3
    CLOSED = 4
    UNKNOWN_ACCOUNT = 5
    DUPLICATE = 6
    MALFORMED = 7
    UNKNOWN_ORDER = 8
    NOT_OWNER = 9
    UNKNOWN_TRANSACTION = 10
    FENCED = 11
    ABOVE_LIMIT = 12
    NOT_EMPTY = 13
    PASSED_OVER = 14
    KEY_REUSED = 15
    TOO_MANY_AMENDS = 16
    TRANSFER_OVER = 17
