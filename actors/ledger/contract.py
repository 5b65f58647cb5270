"""Contract of every ledger: the compiled one, and the naive one that judges it.

`docs/accounts.md` says what each function does with each kind of record.
"""

from typing import NamedTuple, Protocol

from actors.book.records import RecordArray
from actors.ledger.vocabulary import AccountStatus

KEY_MEMORY = 1_000_000
"""How many idempotency keys are remembered where nobody says otherwise."""

MAX_AMENDS = 64
"""How many amends of one order may wait for their answers."""


class Account(NamedTuple):
    """A user's account; `sequence` counts the facts that concerned it."""

    status: AccountStatus
    fee_tier: int
    sequence: int


class Ledger(Protocol):
    """One shard's accounts: a fold of its journal and of all pairs' events, without a clock.

    `shard` of `shards` has the users whose id leaves `shard` when divided by `shards`. What the
    journal and the events say is fact and is applied as it is; what may be refused is asked for
    first, by `hold` and `admit`, which change no more than what is held.

    Whoever writes begins with a fence in the journal, and stamps what it holds and admits for,
    before it asks, with the generation of that fence: its offset + 1. A higher `generation` is
    another writer's: to be looked at before each write, and then nothing may be written any more.
    """

    @property
    def shard(self) -> int: ...
    @property
    def shards(self) -> int: ...
    @property
    def generation(self) -> int: ...
    @property
    def journal_position(self) -> int: ...
    @property
    def open_holds(self) -> int: ...

    def position(self, market_id: int) -> int:
        """Return the sequence of the last event of a market that was settled, 0 before any."""
        ...

    def fenced(self, market_id: int) -> int:
        """Return this shard's highest generation that a market's events have told, or 0."""
        ...

    def hold(self, market_id: int, commands: RecordArray) -> RecordArray:
        """Hold what a market's commands (`COMMAND_DTYPE`) may cost, one after the other.

        To be called before they are written, stamped with shard and generation. The writer must
        append commands in the order of their holds, market by market: an answer to an amend ends
        those of its order that were held before it.

        Returns `RESULT_DTYPE`: `id` the order's, `needed`
        and `available` in `asset` where the command costs anything.
        """
        ...

    def release(self, market_id: int, commands: RecordArray) -> None:
        """Give back what these commands hold: they are for certain in no log."""
        ...

    def settle(self, market_id: int, events: RecordArray) -> None:
        """Settle a market's events (`EVENT_DTYPE`), of consecutive sequences.

        Those up to its position are passed over. Raises SequenceGapError, and settles nothing,
        where they do not continue it.
        """
        ...

    def admit(self, records: RecordArray) -> RecordArray:
        """Judge journal records (`JOURNAL_DTYPE`) before they are written; hold what they take.

        Returns `RESULT_DTYPE`, `id` that of the record, or of the first with its key.
        """
        ...

    def retract(self, records: RecordArray) -> None:
        """Give back what these records hold: they are for certain not in the journal."""
        ...

    def journal(self, offset: int, records: RecordArray) -> RecordArray:
        """Apply the journal records (`JOURNAL_DTYPE`) that lie at an offset, each offset once.

        Returns `RESULT_DTYPE` as `admit` does; PASSED_OVER for an offset before the position.
        """
        ...

    def account(self, user_id: int) -> Account:
        """Return a user's account; one of another shard is as unknown as one never opened."""
        ...

    def accounts(self) -> RecordArray:
        """Return all accounts (`ACCOUNT_DTYPE`) by user."""
        ...

    def balances_of(self, user_id: int) -> RecordArray:
        """Return a user's balances (`BALANCE_DTYPE`) by asset, without those that are nothing."""
        ...

    def balances(self) -> RecordArray:
        """Return all balances (`BALANCE_DTYPE`) by user and asset, as `balances_of`."""
        ...

    def holds(self) -> RecordArray:
        """Return what each order holds (`HOLD_DTYPE`), by market and order."""
        ...

    def transactions(self) -> RecordArray:
        """Return what is held or on its way by the journal (`TRANSACTION_DTYPE`), by id."""
        ...

    def arrivals(self) -> RecordArray:
        """Return the transfers that came and are not over (`ARRIVAL_DTYPE`), by id and sender."""
        ...

    def totals(self) -> RecordArray:
        """Return this shard's sums (`TOTAL_DTYPE`) by asset, without those that are nothing."""
        ...

    def state_hash(self) -> int:
        """Return the 64-bit hash of the ledger's whole state (docs/accounts.md)."""
        ...

    def snapshot(self) -> bytes:
        """Return the state as self-checking bytes; see `restore` of the implementation."""
        ...
