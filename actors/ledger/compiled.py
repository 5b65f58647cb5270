"""The compiled ledger: the kernel's arrays behind the contract that every ledger answers."""

from collections.abc import Callable, Iterable
from typing import Self

import numpy as np

from actors.book.records import RecordArray
from actors.ledger import compiled_snapshot, compiled_views
from actors.ledger.assets import MarketAssets
from actors.ledger.contract import KEY_MEMORY, Account
from actors.ledger.errors import SequenceGapError
from actors.ledger.kernel import entries, memory
from actors.ledger.kernel.layout import (
    A_SEQUENCE,
    A_STATUS,
    A_TIER,
    B_AVAILABLE,
    M_FENCED,
    M_ID,
    M_SEQUENCE,
    READY,
    RESULT_WORDS,
    S_GENERATION,
    S_ORDERS,
    S_POSITION,
    S_SHARD,
    S_SHARDS,
    T_ASSET,
    WORD,
    Tables,
    Words,
)
from actors.ledger.records import (
    ACCOUNT_DTYPE,
    ARRIVAL_DTYPE,
    BALANCE_DTYPE,
    HOLD_DTYPE,
    RESULT_DTYPE,
    TOTAL_DTYPE,
    TRANSACTION_DTYPE,
)
from actors.ledger.vocabulary import AccountStatus, JournalKind, Outcome

DEFAULT_ROWS = 64
_OF_AMOUNT = [
    JournalKind.DEPOSIT,
    JournalKind.ADJUSTMENT,
    JournalKind.WITHDRAWAL,
    JournalKind.TRANSFER_OUT,
    JournalKind.TRANSFER_IN,
]


class CompiledLedger:
    """One shard's accounts over preallocated arrays; see `actors.ledger.contract.Ledger`.

    The tables double when they must. Not for use by two threads at once. Raises ValueError for two
    markets of one id.
    """

    def __init__(
        self,
        markets: Iterable[MarketAssets],
        *,
        shard: int = 0,
        shards: int = 1,
        key_memory: int = KEY_MEMORY,
    ) -> None:
        self._use(
            memory.allocate(
                list(markets),
                shard=shard,
                shards=shards,
                key_memory=key_memory,
                accounts=DEFAULT_ROWS,
                balances=DEFAULT_ROWS,
                orders=DEFAULT_ROWS,
                transactions=DEFAULT_ROWS,
                keys=DEFAULT_ROWS,
                amends=DEFAULT_ROWS,
                totals=DEFAULT_ROWS,
                arrivals=DEFAULT_ROWS,
            )
        )

    def _use(self, tables: Tables) -> None:
        ids = tables.markets[:, M_ID].tolist()
        self._tables = tables
        self._rows = {market_id: row for row, market_id in enumerate(ids)}
        if len(self._rows) != len(ids):
            raise ValueError("every market needs a market_id of its own")

    @property
    def shard(self) -> int:
        return int(self._tables.state[S_SHARD])

    @property
    def shards(self) -> int:
        return int(self._tables.state[S_SHARDS])

    @property
    def generation(self) -> int:
        return int(self._tables.state[S_GENERATION])

    @property
    def journal_position(self) -> int:
        return int(self._tables.state[S_POSITION])

    @property
    def open_holds(self) -> int:
        return int(self._tables.state[S_ORDERS])

    def position(self, market_id: int) -> int:
        """Return the sequence of the last event of a market that was settled, 0 before any."""
        return int(self._tables.markets[self._rows[market_id], M_SEQUENCE])

    def fenced(self, market_id: int) -> int:
        """Return this shard's highest generation that a market's events have told, or 0."""
        return int(self._tables.markets[self._rows[market_id], M_FENCED])

    def hold(self, market_id: int, commands: RecordArray) -> RecordArray:
        """Hold what a market's commands (`COMMAND_DTYPE`) may cost, one after the other."""
        results = np.empty((len(commands), RESULT_WORDS), WORD)
        row, words = self._rows[market_id], _words(commands)
        self._run(lambda at: entries.hold_commands(self._tables, row, words, at, results))
        return results.reshape(-1).view(RESULT_DTYPE)

    def _run(self, compiled: Callable[[int], tuple[int, int]]) -> None:
        """Go on where the kernel ran out of room, as often as it does."""
        need, position = compiled(0)
        while need != READY:
            self._tables = memory.grow(self._tables, need)
            need, position = compiled(position)

    def release(self, market_id: int, commands: RecordArray) -> None:
        """Give back what these commands hold: they are for certain in no log."""
        entries.release_commands(self._tables, self._rows[market_id], _words(commands))

    def settle(self, market_id: int, events: RecordArray) -> None:
        """Settle a market's events (`EVENT_DTYPE`), of consecutive sequences."""
        sequences = events["sequence"]
        position = self.position(market_id)
        new = sequences > position
        count = int(np.count_nonzero(new))
        expected = np.arange(position + 1, position + 1 + count)
        fresh = sequences if count == len(events) else sequences[new]
        if not np.array_equal(fresh, expected):
            wrong = int(np.argmin(fresh == expected))
            raise SequenceGapError(
                f"market {market_id}: event {fresh[wrong]} came, {expected[wrong]} is next"
            )
        row = self._rows[market_id]
        words = _words(events if count == len(events) else events[new])
        self._run(lambda at: entries.settle_events(self._tables, row, words, at))

    def admit(self, records: RecordArray) -> RecordArray:
        """Judge journal records (`JOURNAL_DTYPE`) before they are written; hold what they take."""
        results, words = np.empty((len(records), RESULT_WORDS), WORD), _words(records)
        self._run(lambda at: entries.admit_records(self._tables, words, at, results))
        return results.reshape(-1).view(RESULT_DTYPE)

    def retract(self, records: RecordArray) -> None:
        """Give back what these records hold: they are for certain not in the journal."""
        entries.retract_records(self._tables, _words(records))

    def journal(self, offset: int, records: RecordArray) -> RecordArray:
        """Apply the journal records (`JOURNAL_DTYPE`) that lie at an offset, each offset once."""
        if offset < self.journal_position:
            return _passed_over(records)
        results, words = np.empty((len(records), RESULT_WORDS), WORD), _words(records)
        self._run(lambda at: entries.apply_records(self._tables, words, at, results, offset))
        self._tables.state[S_POSITION] = offset + 1
        return results.reshape(-1).view(RESULT_DTYPE)

    def account(self, user_id: int) -> Account:
        """Return a user's account; one of another shard is as unknown as one never opened."""
        accounts = self._tables.accounts
        at = entries.place_of(accounts, user_id, 0) if user_id > 0 else -1
        if at < 0:
            return Account(AccountStatus.UNKNOWN, 0, 0)
        status, tier, sequence = (int(accounts[at, one]) for one in (A_STATUS, A_TIER, A_SEQUENCE))
        return Account(AccountStatus(status), tier, sequence)

    def accounts(self) -> RecordArray:
        """Return all accounts (`ACCOUNT_DTYPE`) by user."""
        return _records(compiled_views.told_of(self._tables.accounts, 1), ACCOUNT_DTYPE)

    def balances_of(self, user_id: int) -> RecordArray:
        """Return a user's balances (`BALANCE_DTYPE`) by asset, without those that are nothing."""
        balances, totals = self._tables.balances, self._tables.totals
        assets = {*totals[:, T_ASSET].tolist(), *compiled_views.assets_of(self._tables)} - {0}
        places = [entries.place_of(balances, user_id, asset) for asset in sorted(assets)]
        rows = balances[[at for at in places if at >= 0]]
        return _records(rows[rows[:, B_AVAILABLE:].any(axis=1)], BALANCE_DTYPE)

    def balances(self) -> RecordArray:
        """Return all balances (`BALANCE_DTYPE`) by user and asset, as `balances_of`."""
        return _records(compiled_views.told_of(self._tables.balances, B_AVAILABLE), BALANCE_DTYPE)

    def holds(self) -> RecordArray:
        """Return what each order holds (`HOLD_DTYPE`), by market and order."""
        return _records(compiled_views.holds_of(self._tables), HOLD_DTYPE)

    def transactions(self) -> RecordArray:
        """Return what is held or on its way by the journal (`TRANSACTION_DTYPE`), by id."""
        return _records(compiled_views.rows_of(self._tables.transactions), TRANSACTION_DTYPE)

    def arrivals(self) -> RecordArray:
        """Return the transfers that came and are not over (`ARRIVAL_DTYPE`), by id and sender."""
        return _records(compiled_views.rows_of(self._tables.arrivals), ARRIVAL_DTYPE)

    def totals(self) -> RecordArray:
        """Return this shard's sums (`TOTAL_DTYPE`) by asset, without those that are nothing."""
        return _records(compiled_views.told_of(self._tables.totals, 1), TOTAL_DTYPE)

    def state_hash(self) -> int:
        """Return the 64-bit hash of the ledger's whole state (docs/accounts.md)."""
        return compiled_views.state_hash(self._tables)

    def snapshot(self) -> bytes:
        """Return the state as self-checking bytes for `restore`."""
        return compiled_snapshot.encode(self._tables)

    @classmethod
    def restore(
        cls,
        markets: Iterable[MarketAssets],
        data: bytes,
        *,
        shard: int = 0,
        shards: int = 1,
        key_memory: int = KEY_MEMORY,
    ) -> Self:
        """Return the ledger that a snapshot holds, with markets that may have become more.

        Raises UnreadableLedgerError for bytes that are torn, of another shard, of a version that
        this build lacks, or of a market that there is no more.
        """
        ledger = cls.__new__(cls)
        ledger._use(
            compiled_snapshot.decode(
                list(markets),
                data,
                shard=shard,
                shards=shards,
                key_memory=key_memory,
                least=DEFAULT_ROWS,
            )
        )
        return ledger


def _words(records: RecordArray) -> Words:
    """Return records as one flat array, of memory of the one kind that the compiled call knows."""
    fit = records if records.flags.carray else np.array(records)
    return np.ndarray(len(fit) * fit.dtype.itemsize // WORD.itemsize, WORD, fit)


def _records(rows: Words, dtype: np.dtype[np.void]) -> RecordArray:
    return np.ascontiguousarray(rows).reshape(-1).view(dtype)


def _passed_over(records: RecordArray) -> RecordArray:
    results = np.zeros(len(records), RESULT_DTYPE)
    results["outcome"] = Outcome.PASSED_OVER
    results["id"] = records["id"]
    results["asset"] = np.where(np.isin(records["kind"], _OF_AMOUNT), records["asset"], 0)
    return results
