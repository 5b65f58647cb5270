"""State, state hash and snapshot of the naive ledger (docs/accounts.md, "State hash").

Its snapshot has no version: it is never stored, and the build that made it reads it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from actors.book.naive_state import hash_words, seal, unseal
from actors.book.records import RecordArray
from actors.ledger.assets import MarketAssets
from actors.ledger.contract import KEY_MEMORY, Account
from actors.ledger.errors import UnreadableLedgerError
from actors.ledger.naive_orders import NaiveAmend, NaiveOrder
from actors.ledger.records import (
    ACCOUNT_DTYPE,
    ARRIVAL_DTYPE,
    BALANCE_DTYPE,
    HOLD_DTYPE,
    TOTAL_DTYPE,
    TRANSACTION_DTYPE,
)
from actors.ledger.vocabulary import AccountStatus

Key = tuple[int, int, int, int]


@dataclass(slots=True)
class NaiveAccount:
    """What the journal says of a user, and how many facts concerned them."""

    status: int = AccountStatus.UNKNOWN
    fee_tier: int = 0
    sequence: int = 0


@dataclass(slots=True)
class NaiveBalance:
    available: int = 0
    held: int = 0


@dataclass(slots=True)
class NaiveTotal:
    """Sums of one asset: deposits less withdrawals, fees taken, transfers out less those in.

    Transit is told modulo 2^64.
    """

    supply: int = 0
    fees: int = 0
    transit: int = 0


@dataclass(slots=True)
class NaiveTransaction:
    """A withdrawal, a transfer or an adjustment that is not over; `journaled` is its offset + 1."""

    kind: int
    user_id: int
    asset: int
    amount: int
    related_user_id: int
    journaled: int = 0


@dataclass(slots=True)
class NaiveArrival:
    """A transfer that came; `number` is the `journaled` of the sender's transaction."""

    user_id: int
    asset: int
    amount: int
    number: int
    outcome: int


class NaiveKey(NamedTuple):
    """The first record of a key: its id, its outcome, and what it asked for."""

    id: int
    outcome: int
    fee_tier: int
    asset: int
    amount: int
    related_id: int
    related_user_id: int


@dataclass(slots=True)
class NaiveMarket:
    assets: MarketAssets
    sequence: int = 0
    fenced: int = 0


class NaiveLedgerState:
    """What a naive ledger holds, and every way to look at it."""

    def __init__(
        self,
        markets: Iterable[MarketAssets],
        *,
        shard: int = 0,
        shards: int = 1,
        key_memory: int = KEY_MEMORY,
    ) -> None:
        self._shard = shard
        self._shards = shards
        self._key_memory = key_memory
        self._generation = 0
        self._journal_position = 0
        self._markets = {assets.market_id: NaiveMarket(assets) for assets in markets}
        self._accounts: dict[int, NaiveAccount] = {}
        self._balances: dict[tuple[int, int], NaiveBalance] = {}
        self._orders: dict[tuple[int, int], NaiveOrder] = {}
        self._transactions: dict[int, NaiveTransaction] = {}
        self._totals: dict[int, NaiveTotal] = {}
        self._keys: dict[Key, NaiveKey] = {}
        self._arrivals: dict[tuple[int, int], NaiveArrival] = {}
        self._closed = [0] * shards

    @property
    def shard(self) -> int:
        return self._shard

    @property
    def shards(self) -> int:
        return self._shards

    @property
    def generation(self) -> int:
        return self._generation

    @property
    def journal_position(self) -> int:
        return self._journal_position

    @property
    def open_holds(self) -> int:
        return len(self._orders)

    def position(self, market_id: int) -> int:
        """Return the sequence of the last event of a market that was settled, 0 before any."""
        return self._markets[market_id].sequence

    def fenced(self, market_id: int) -> int:
        """Return this shard's highest generation that a market's events have told, or 0."""
        return self._markets[market_id].fenced

    def account(self, user_id: int) -> Account:
        """Return a user's account; one of another shard is as unknown as one never opened."""
        one = self._accounts.get(user_id, NaiveAccount())
        return Account(AccountStatus(one.status), one.fee_tier, one.sequence)

    def accounts(self) -> RecordArray:
        """Return all accounts (`ACCOUNT_DTYPE`) by user."""
        return np.array([row for row in self._account_rows() if any(row[1:])], ACCOUNT_DTYPE)

    def balances_of(self, user_id: int) -> RecordArray:
        """Return a user's balances (`BALANCE_DTYPE`) by asset, without those that are nothing."""
        rows: RecordArray = self.balances()[self.balances()["user_id"] == user_id]
        return rows

    def balances(self) -> RecordArray:
        """Return all balances (`BALANCE_DTYPE`) by user and asset, as `balances_of`."""
        return np.array([row for row in self._balance_rows() if any(row[2:])], BALANCE_DTYPE)

    def holds(self) -> RecordArray:
        """Return what each order holds (`HOLD_DTYPE`), by market and order."""
        rows = [
            (*key, one.user_id, one.asset, one.held, one.answered, len(one.amends))
            for key, one in sorted(self._orders.items())
        ]
        return np.array(rows, HOLD_DTYPE)

    def transactions(self) -> RecordArray:
        """Return what is held or on its way by the journal (`TRANSACTION_DTYPE`), by id."""
        return np.array(list(self._transaction_rows()), TRANSACTION_DTYPE)

    def arrivals(self) -> RecordArray:
        """Return the transfers that came and are not over (`ARRIVAL_DTYPE`), by id and sender."""
        return np.array(list(self._arrival_rows()), ARRIVAL_DTYPE)

    def totals(self) -> RecordArray:
        """Return this shard's sums (`TOTAL_DTYPE`) by asset, without those that are nothing."""
        return np.array([row for row in self._total_rows() if any(row[1:])], TOTAL_DTYPE)

    def state_hash(self) -> int:
        """Return the 64-bit hash of the ledger's whole state (docs/accounts.md)."""
        words = [self._shard, self._shards, self._generation, self._journal_position]
        rooms: list[Iterable[Sequence[int]]] = [
            (row for row in self._account_rows() if any(row[1:])),
            (row for row in self._balance_rows() if any(row[2:])),
            self._order_rows(),
            self._amend_rows(),
            self._transaction_rows(),
            (row for row in self._total_rows() if any(row[1:])),
            (row for row in self._market_rows() if any(row[1:])),
            self._key_rows(),
            self._arrival_rows(),
            (row for row in enumerate(self._closed) if row[1]),
        ]
        for tag, rows in enumerate(rooms, start=1):
            words.append(sum(hash_words([tag, *row]) for row in rows))
        return hash_words(words)

    def snapshot(self) -> bytes:
        """Return the state as JSON behind its checksum; `restore` reads it."""
        return seal(
            {
                "shard": [self._shard, self._shards],
                "generation": self._generation,
                "journal_position": self._journal_position,
                "markets": list(self._market_rows()),
                "accounts": list(self._account_rows()),
                "balances": list(self._balance_rows()),
                "orders": [[key, self._fields_of(one)] for key, one in self._orders.items()],
                "transactions": [[i, astuple(one)] for i, one in self._transactions.items()],
                "totals": list(self._total_rows()),
                "keys": [[key, one] for key, one in self._keys.items()],
                "arrivals": list(self._arrival_rows()),
                "closed": self._closed,
            }
        )

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
        """Return the ledger that `snapshot` described.

        Raises DamagedSnapshotError for bytes that were changed, UnreadableLedgerError for those of
        another shard.
        """
        state = unseal(data)
        if state["shard"] != [shard, shards]:
            raise UnreadableLedgerError(f"the snapshot is of shard {state['shard']}")
        ledger = cls(markets, shard=shard, shards=shards, key_memory=key_memory)
        ledger._generation = state["generation"]
        ledger._journal_position = state["journal_position"]
        for market_id, sequence, fenced in state["markets"]:
            market = ledger._markets[market_id]
            market.sequence, market.fenced = sequence, fenced
        for user_id, *account in state["accounts"]:
            ledger._accounts[user_id] = NaiveAccount(*account)
        for user_id, asset, *balance in state["balances"]:
            ledger._balances[user_id, asset] = NaiveBalance(*balance)
        for (market_id, order_id), (amends, *order) in state["orders"]:
            one = NaiveOrder(ledger._markets[market_id].assets, order_id, *order)
            one.amends = [NaiveAmend(*amend) for amend in amends]
            ledger._orders[market_id, order_id] = one
        for transaction_id, transaction in state["transactions"]:
            ledger._transactions[transaction_id] = NaiveTransaction(*transaction)
        for asset, *total in state["totals"]:
            ledger._totals[asset] = NaiveTotal(*total)
        for (user_id, kind, first, second), one in state["keys"]:
            ledger._keys[user_id, kind, first, second] = NaiveKey(*one)
        for transfer_id, sender, *arrival in state["arrivals"]:
            ledger._arrivals[transfer_id, sender] = NaiveArrival(*arrival)
        ledger._closed = state["closed"]
        return ledger

    @staticmethod
    def _fields_of(one: NaiveOrder) -> list[Any]:
        return [
            [astuple(amend) for amend in one.amends],
            one.user_id,
            one.side,
            one.by_notional,
            one.price_ticks,
            one.total,
            one.done,
            one.command_id,
            one.generation,
            one.answered,
            one.held,
        ]

    def _account_rows(self) -> Iterator[tuple[int, ...]]:
        for user_id, one in sorted(self._accounts.items()):
            yield user_id, one.status, one.fee_tier, one.sequence

    def _balance_rows(self) -> Iterator[tuple[int, ...]]:
        for key, one in sorted(self._balances.items()):
            yield *key, one.available, one.held

    def _order_rows(self) -> Iterator[tuple[int, ...]]:
        for key, one in self._orders.items():
            small = one.side | one.by_notional << 8 | one.answered << 16
            yield (
                *key,
                one.user_id,
                small,
                one.price_ticks,
                one.total,
                one.done,
                one.held,
                one.command_id,
                one.generation,
            )

    def _amend_rows(self) -> Iterator[tuple[int, ...]]:
        for key, order in self._orders.items():
            for place, one in enumerate(order.amends):
                amended = (one.command_id, one.price_ticks, one.quantity_lots, one.generation)
                yield (*key, place, *amended)

    def _transaction_rows(self) -> Iterator[tuple[int, ...]]:
        for transaction_id, one in sorted(self._transactions.items()):
            moved = (one.user_id, one.asset, one.amount, one.related_user_id)
            yield (transaction_id, one.kind, one.journaled, *moved)

    def _total_rows(self) -> Iterator[tuple[int, ...]]:
        for asset, one in sorted(self._totals.items()):
            yield asset, one.supply, one.fees, (one.transit + 2**63) % 2**64 - 2**63

    def _market_rows(self) -> Iterator[tuple[int, ...]]:
        for market_id, one in self._markets.items():
            yield market_id, one.sequence, one.fenced

    def _key_rows(self) -> Iterator[tuple[int, ...]]:
        for age, ((user_id, kind, *words), one) in enumerate(self._keys.items()):
            small = kind | one.fee_tier << 8
            moved = (one.asset, one.amount, one.related_id, one.related_user_id)
            yield (age, user_id, small, *words, one.id, one.outcome, *moved)

    def _arrival_rows(self) -> Iterator[tuple[int, ...]]:
        for key, one in sorted(self._arrivals.items()):
            yield (*key, *astuple(one))

    def _owns(self, user_id: int) -> bool:
        return user_id >= 1 and user_id % self._shards == self._shard

    def _account(self, user_id: int) -> NaiveAccount:
        return self._accounts.setdefault(user_id, NaiveAccount())

    def _balance(self, user_id: int, asset: int) -> NaiveBalance:
        return self._balances.setdefault((user_id, asset), NaiveBalance())

    def _available(self, user_id: int, asset: int) -> int:
        return self._balances.get((user_id, asset), NaiveBalance()).available

    def _total(self, asset: int) -> NaiveTotal:
        return self._totals.setdefault(asset, NaiveTotal())

    def _move(self, user_id: int, asset: int, *, available: int = 0, held: int = 0) -> None:
        balance = self._balance(user_id, asset)
        balance.available += available
        balance.held += held
