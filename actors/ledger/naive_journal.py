"""The journal of the naive ledger: what each record does, and what it is judged by."""

from typing import NamedTuple

import numpy as np

from actors.book.market import INT64_MAX
from actors.book.records import RecordArray
from actors.ledger.naive_state import (
    Key,
    NaiveArrival,
    NaiveKey,
    NaiveLedgerState,
    NaiveTransaction,
)
from actors.ledger.records import RESULT_DTYPE
from actors.ledger.vocabulary import AccountStatus, JournalKind, Outcome

_TAKES = (JournalKind.WITHDRAWAL, JournalKind.TRANSFER_OUT)
_OF_AMOUNT = (*_TAKES, JournalKind.DEPOSIT, JournalKind.TRANSFER_IN, JournalKind.ADJUSTMENT)
_ENDS = {
    JournalKind.WITHDRAWAL_CONFIRMED: JournalKind.WITHDRAWAL,
    JournalKind.WITHDRAWAL_REFUSED: JournalKind.WITHDRAWAL,
    JournalKind.TRANSFER_SETTLED: JournalKind.TRANSFER_OUT,
    JournalKind.TRANSFER_REFUSED: JournalKind.TRANSFER_OUT,
}
# Outcomes that are not remembered: they say nothing of what the record asks for.
_OF_NO_RECORD = (Outcome.FENCED, Outcome.KEY_REUSED, Outcome.TRANSFER_OVER)
_ALSO_CLOSED = (JournalKind.ADJUSTMENT, *_ENDS)


class NaiveRecord(NamedTuple):
    """One row of `JOURNAL_DTYPE` as Python integers."""

    kind: int
    fee_tier: int
    id: int
    generation: int
    user_id: int
    asset: int
    amount: int
    related_id: int
    related_user_id: int
    first_word: int
    second_word: int

    @property
    def key(self) -> Key | None:
        """Return what the record's outcome is remembered by, None where it is not."""
        if self.kind in (JournalKind.TRANSFER_IN, JournalKind.TRANSFER_CLOSED):
            return None
        if self.first_word or self.second_word:
            return self.user_id, self.kind, self.first_word, self.second_word
        return None

    def remembered(self, outcome: int) -> NaiveKey:
        """Return what is remembered of the record under its key."""
        asked = (self.fee_tier, self.asset, self.amount, self.related_id, self.related_user_id)
        return NaiveKey(self.id, outcome, *asked)

    def arrival(self, outcome: int) -> NaiveArrival:
        """Return what is kept of a TRANSFER_IN."""
        return NaiveArrival(self.user_id, self.asset, self.amount, self.related_id, outcome)

    @property
    def takes(self) -> int:
        """Return how much of what is available the record takes when it is admitted."""
        if self.kind in _TAKES:
            return self.amount
        return -self.amount if self.kind == JournalKind.ADJUSTMENT and self.amount < 0 else 0


def records_of(rows: RecordArray) -> list[NaiveRecord]:
    """Return journal records as tuples."""
    names = [name for name in NaiveRecord._fields if not name.endswith("_word")]
    columns = [rows[name].tolist() for name in names]
    return [
        NaiveRecord(*fields, *words)
        for *fields, words in zip(*columns, rows["idempotency_key"].tolist(), strict=True)
    ]


class NaiveJournal(NaiveLedgerState):
    """Facts of the journal, and what is held for those that are on their way into it."""

    def admit(self, records: RecordArray) -> RecordArray:
        """Judge journal records (`JOURNAL_DTYPE`) before they are written; hold what they take."""
        return self._results(records_of(records), [self._admit(one) for one in records_of(records)])

    def retract(self, records: RecordArray) -> None:
        """Give back what these records hold: they are for certain not in the journal."""
        for record in records_of(records):
            self._retract(record.id)

    def journal(self, offset: int, records: RecordArray) -> RecordArray:
        """Apply the journal records (`JOURNAL_DTYPE`) that lie at an offset, each offset once."""
        rows = records_of(records)
        if offset < self._journal_position:
            return self._results(rows, [(Outcome.PASSED_OVER, 0, 0)] * len(rows))
        outcomes = [self._apply(offset, one) for one in rows]
        self._journal_position = offset + 1
        return self._results(rows, outcomes)

    @staticmethod
    def _results(rows: list[NaiveRecord], outcomes: list[tuple[int, int, int]]) -> RecordArray:
        """Make results of each record's outcome, the first record's id (0: its own), available."""
        results = np.zeros(len(rows), RESULT_DTYPE)
        for result, row, (outcome, first_id, available) in zip(
            results, rows, outcomes, strict=True
        ):
            result["outcome"] = outcome
            result["repeated"] = first_id != 0
            result["id"] = first_id or row.id
            if not first_id and row.kind in _OF_AMOUNT:
                result["asset"] = row.asset
                result["needed"] = row.takes if outcome in (1, 2) else 0
                result["available"] = available
        return results

    def _admit(self, record: NaiveRecord) -> tuple[int, int, int]:
        outcome, first_id = self._judged(record)
        arrives = record.kind == JournalKind.TRANSFER_IN and self._owns(record.user_id)
        if arrives and not first_id and outcome in (Outcome.UNKNOWN_ACCOUNT, Outcome.CLOSED):
            # Refused for good only where it is read: the sender must hear the same ever after.
            return Outcome.DONE, 0, 0
        if outcome != Outcome.DONE or first_id:
            return outcome, first_id, 0
        if record.kind == JournalKind.CLOSE and not self._is_empty(record.user_id):
            return Outcome.NOT_EMPTY, 0, 0
        if record.takes == 0:
            return outcome, 0, 0
        if record.id in self._transactions:
            return Outcome.DUPLICATE, 0, 0
        available = self._available(record.user_id, record.asset)
        if record.takes > available:
            return Outcome.INSUFFICIENT, 0, available
        self._move(record.user_id, record.asset, available=-record.takes, held=record.takes)
        self._transactions[record.id] = NaiveTransaction(
            record.kind, record.user_id, record.asset, record.takes, record.related_user_id
        )
        return outcome, 0, available

    def _is_empty(self, user_id: int) -> bool:
        return (
            len(self.balances_of(user_id)) == 0
            and not any(one.user_id == user_id for one in self._orders.values())
            and not any(one.user_id == user_id for one in self._transactions.values())
        )

    def _retract(self, record_id: int) -> None:
        one = self._transactions.get(record_id)
        if one is not None and not one.journaled:
            self._move(one.user_id, one.asset, available=one.amount, held=-one.amount)
            del self._transactions[record_id]

    def _apply(self, offset: int, record: NaiveRecord) -> tuple[int, int, int]:
        self._retract(record.id)
        outcome, first_id = self._judged(record)
        if first_id or outcome in _OF_NO_RECORD:
            return outcome, first_id, 0
        if record.kind == JournalKind.FENCE:
            self._generation = offset + 1
            for transaction_id in list(self._transactions):
                self._retract(transaction_id)
            return outcome, 0, 0
        if outcome == Outcome.DONE:
            self._do(offset, record)
        if not self._owns(record.user_id) or record.id < 1:
            return outcome, 0, 0
        key = record.key
        if record.kind == JournalKind.TRANSFER_IN and outcome != Outcome.MALFORMED:
            self._arrivals[record.id, record.related_user_id] = record.arrival(outcome)
        elif key is not None and record.kind in set(JournalKind):
            self._keys[key] = record.remembered(outcome)
            if len(self._keys) > self._key_memory:
                del self._keys[next(iter(self._keys))]
        return outcome, 0, 0

    def _judged(self, record: NaiveRecord) -> tuple[int, int]:
        """Return what journal and status say of a record, and the first one's id if it repeats."""
        if record.kind == JournalKind.FENCE:
            return Outcome.DONE, 0
        if record.generation < self._generation:
            return Outcome.FENCED, 0
        if record.kind not in set(JournalKind) or record.id < 1:
            return Outcome.MALFORMED, 0
        if record.kind == JournalKind.TRANSFER_IN:
            return self._judged_arrival(record)
        if record.kind == JournalKind.TRANSFER_CLOSED:
            return Outcome.DONE if record.related_user_id >= 1 else Outcome.MALFORMED, 0
        first = self._keys.get(record.key) if record.key else None
        if first is None:
            return self._judged_by_account(record), 0
        if first != record.remembered(first.outcome)._replace(id=first.id):
            return Outcome.KEY_REUSED, 0
        return first.outcome, first.id

    def _judged_arrival(self, record: NaiveRecord) -> tuple[int, int]:
        sender = record.related_user_id
        if sender < 1 or sender == record.user_id or record.related_id < 1:
            return Outcome.MALFORMED, 0
        if record.related_id < self._closed[sender % self._shards]:
            return Outcome.TRANSFER_OVER, 0
        first = self._arrivals.get((record.id, sender))
        if first is None:
            return self._judged_by_account(record), 0
        if first != record.arrival(first.outcome):
            return Outcome.KEY_REUSED, 0
        return first.outcome, record.id

    def _judged_by_account(self, record: NaiveRecord) -> Outcome:
        status = AccountStatus.UNKNOWN
        if self._owns(record.user_id):
            status = self.account(record.user_id).status
        elif record.kind == JournalKind.OPEN:
            return Outcome.MALFORMED
        if record.kind == JournalKind.OPEN:
            return Outcome.DONE if status == AccountStatus.UNKNOWN else Outcome.DUPLICATE
        if status == AccountStatus.UNKNOWN:
            return Outcome.UNKNOWN_ACCOUNT
        if status == AccountStatus.CLOSED and record.kind not in _ALSO_CLOSED:
            return Outcome.CLOSED
        if status == AccountStatus.FROZEN and record.kind in _TAKES:
            return Outcome.FROZEN
        if record.kind in _OF_AMOUNT:
            return self._judged_by_amount(record)
        if record.kind in _ENDS:
            one = self._transactions.get(record.related_id)
            if one is None or not one.journaled or one.user_id != record.user_id:
                return Outcome.UNKNOWN_TRANSACTION
            if one.kind != _ENDS[JournalKind(record.kind)]:
                return Outcome.UNKNOWN_TRANSACTION
        return Outcome.DONE

    def _judged_by_amount(self, record: NaiveRecord) -> Outcome:
        limit = INT64_MAX // self._shards
        least = -limit if record.kind == JournalKind.ADJUSTMENT else 1
        if record.asset < 1 or record.amount < least or record.amount == 0:
            return Outcome.MALFORMED
        adds = record.kind in (JournalKind.DEPOSIT, JournalKind.ADJUSTMENT)
        if adds and self._supply(record.asset) + record.amount > limit:
            return Outcome.ABOVE_LIMIT
        if record.kind == JournalKind.TRANSFER_OUT and (
            record.related_user_id < 1 or record.related_user_id == record.user_id
        ):
            return Outcome.MALFORMED
        one = self._transactions.get(record.id)
        if record.kind in _TAKES and one is not None and one.journaled:
            return Outcome.DUPLICATE
        return Outcome.DONE

    def _supply(self, asset: int) -> int:
        return self._totals[asset].supply if asset in self._totals else 0

    def _close(self, sender: int, number: int) -> None:
        """Forget the arrivals from a sender's shard of which it says that they are over."""
        shard = sender % self._shards
        self._closed[shard] = max(self._closed[shard], number)
        for key, one in list(self._arrivals.items()):
            if key[1] % self._shards == shard and one.number < self._closed[shard]:
                del self._arrivals[key]

    def _do(self, offset: int, record: NaiveRecord) -> None:
        kind, user_id, asset, amount = record.kind, record.user_id, record.asset, record.amount
        if kind == JournalKind.TRANSFER_CLOSED:
            self._close(record.related_user_id, record.related_id)
            return
        account = self._account(user_id)
        account.sequence += 1
        if kind == JournalKind.OPEN:
            account.status, account.fee_tier = AccountStatus.ACTIVE, record.fee_tier
        elif kind == JournalKind.FEE_TIER:
            account.fee_tier = record.fee_tier
        elif kind == JournalKind.FREEZE:
            account.status = AccountStatus.FROZEN
        elif kind == JournalKind.UNFREEZE:
            account.status = AccountStatus.ACTIVE
        elif kind == JournalKind.CLOSE:
            account.status = AccountStatus.CLOSED
        elif kind in (JournalKind.DEPOSIT, JournalKind.ADJUSTMENT):
            self._move(user_id, asset, available=amount)
            self._total(asset).supply += amount
        elif kind == JournalKind.TRANSFER_IN:
            self._move(user_id, asset, available=amount)
            self._total(asset).transit -= amount
        elif kind in _TAKES:
            leaves = kind == JournalKind.TRANSFER_OUT
            self._move(user_id, asset, available=-amount, held=0 if leaves else amount)
            self._total(asset).transit += amount if leaves else 0
            self._transactions[record.id] = NaiveTransaction(
                kind, user_id, asset, amount, record.related_user_id, journaled=offset + 1
            )
        else:
            self._end(record)

    def _end(self, record: NaiveRecord) -> None:
        one = self._transactions.pop(record.related_id)
        if record.kind == JournalKind.WITHDRAWAL_CONFIRMED:
            self._move(one.user_id, one.asset, held=-one.amount)
            self._total(one.asset).supply -= one.amount
        elif record.kind == JournalKind.WITHDRAWAL_REFUSED:
            self._move(one.user_id, one.asset, available=one.amount, held=-one.amount)
        elif record.kind == JournalKind.TRANSFER_REFUSED:
            self._move(one.user_id, one.asset, available=one.amount)
            self._total(one.asset).transit -= one.amount
