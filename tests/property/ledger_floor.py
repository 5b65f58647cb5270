"""A floor of several pairs and shards: real books, whose events all ledgers settle alike.

Every ledger gets the same calls, and every difference between two of one shard is a failure.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from actors.book.market import Market
from actors.book.naive import NaiveBook
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side
from actors.ledger.assets import MarketAssets, asset_code
from actors.ledger.compiled import CompiledLedger
from actors.ledger.naive import NaiveLedger
from actors.ledger.records import JOURNAL_DTYPE
from actors.ledger.transfers import over_before
from actors.ledger.vocabulary import JournalKind, Outcome

LEDGERS = (NaiveLedger, CompiledLedger)
Twin = NaiveLedger | CompiledLedger
BTC, ETH, USD = (asset_code(symbol) for symbol in ("BTC", "ETH", "USD"))
KEY_MEMORY = 5


def market(market_id: int, pair: str, *, tick_size: str, lot_size: str) -> Market:
    return Market(
        market_id=market_id,
        pair=pair,
        tick_size=tick_size,
        lot_size=lot_size,
        min_notional_units=20,
        max_price_ticks=1_000,
        max_quantity_lots=200,
        protection_bps=700,
    )


# A tick x lot is 3/10, 7/10 and 3/200 of a unit.
MARKETS = (
    market(1, "BTC-USD", tick_size="0.01", lot_size="0.0000003"),
    market(2, "ETH-USD", tick_size="0.00035", lot_size="0.00002"),
    market(3, "ETH-BTC", tick_size="0.000005", lot_size="0.00003"),
)


def command(kind: CommandKind, **fields: int) -> RecordArray:
    """Return one command."""
    row = np.zeros(1, COMMAND_DTYPE)
    row["kind"] = kind
    for name, value in fields.items():
        row[name] = value
    return row


def record(kind: JournalKind, **fields: int) -> RecordArray:
    """Return one journal record; `key` is both words of its idempotency key."""
    row = np.zeros(1, JOURNAL_DTYPE)
    row["kind"] = kind
    row["idempotency_key"] = fields.pop("key", 0)
    for name, value in fields.items():
        row[name] = value
    return row


class Floor:
    """Books, ledgers of every shard, and what is on its way between them."""

    def __init__(self, *, shards: int, markets: Sequence[Market] = MARKETS) -> None:
        self.shards = shards
        self.markets = {one.market_id: one for one in markets}
        self.assets = {one.market_id: MarketAssets.of(one) for one in markets}
        self.books = {one.market_id: NaiveBook(one) for one in markets}
        self.ledgers: list[list[Twin]] = [
            [
                ledger(self.assets.values(), shard=shard, shards=shards, key_memory=KEY_MEMORY)
                for ledger in LEDGERS
            ]
            for shard in range(shards)
        ]
        self.written: dict[int, list[RecordArray]] = {one: [] for one in self.markets}
        self.events: dict[int, list[RecordArray]] = {one: [] for one in self.markets}
        self.late: dict[int, list[RecordArray]] = {one: [] for one in self.markets}
        self.offsets = [0] * shards
        self.doubted: set[int] = set()

    def shard_of(self, user_id: int) -> int:
        return max(user_id, 0) % self.shards

    def write(self, shard: int, row: RecordArray) -> np.void:
        """Admit a journal record and, where nothing speaks against it, write and read it."""
        result = self.admit(shard, row)
        return self.read(shard, row) if result["outcome"] == Outcome.DONE else result

    def admit(self, shard: int, row: RecordArray) -> np.void:
        row["generation"] = self.ledgers[shard][0].generation
        return _first([one.admit(row) for one in self.ledgers[shard]])

    def retract(self, shard: int, row: RecordArray) -> None:
        for one in self.ledgers[shard]:
            one.retract(row)

    def read(self, shard: int, row: RecordArray) -> np.void:
        offset = self.offsets[shard]
        self.offsets[shard] += 1
        return _first([one.journal(offset, row) for one in self.ledgers[shard]])

    def hold(self, market_id: int, row: RecordArray) -> np.void:
        """Ask the user's shard to hold, and stamp the command."""
        shard = self.shard_of(int(row["user_id"][0]))
        row["shard"] = shard
        row["generation"] = self.ledgers[shard][0].generation
        return _first([one.hold(market_id, row) for one in self.ledgers[shard]])

    def send(
        self, market_id: int, row: RecordArray, *, late: bool = False, lost: bool = False
    ) -> np.void:
        """Hold and, where that is done, write the command to the pair's log.

        A late one comes there behind the next fence, a lost one never; nobody knows which.
        """
        result = self.hold(market_id, row)
        if result["outcome"] != Outcome.DONE:
            return result
        if late or lost:
            self.doubted.add(int(row["shard"][0]))
        if not lost:
            (self.late if late else self.written)[market_id].append(row)
        return result

    def release(self, market_id: int, row: RecordArray) -> None:
        for one in self.ledgers[int(row["shard"][0])]:
            one.release(market_id, row)

    def apply(self, market_id: int) -> None:
        """Let the book take all that is written."""
        if self.written[market_id]:
            commands = np.concatenate(self.written[market_id])
            self.written[market_id] = []
            self.events[market_id].append(self.books[market_id].apply(commands).events)

    def settle(self, market_id: int, *, repeat: bool = False) -> None:
        """Let all shards settle what the book has said; `repeat` gives all of it twice."""
        if not self.events[market_id]:
            return
        events = np.concatenate(self.events[market_id])
        self.events[market_id] = []
        for one in self.all_ledgers():
            one.settle(market_id, events)
            if repeat:
                one.settle(market_id, events)

    def flush(self) -> None:
        """Bring every command to its end."""
        for shard in sorted(self.doubted):
            self.fence(shard)
        for market_id in self.markets:
            self.apply(market_id)
            self.settle(market_id)

    def fence(self, shard: int) -> None:
        """Begin a generation: in the journal, then in every pair's log."""
        self.doubted.discard(shard)
        self.read(shard, record(JournalKind.FENCE, id=self.offsets[shard] + 1))
        for market_id in self.markets:
            row = command(CommandKind.FENCE)
            row["shard"], row["generation"] = shard, self.ledgers[shard][0].generation
            behind = [one for one in self.late[market_id] if one["shard"][0] == shard]
            self.written[market_id] += [row, *behind]
            self.late[market_id] = [one for one in self.late[market_id] if one["shard"][0] != shard]

    def close_transfers(self, sender: int, receiver: int) -> np.void:
        """Tell a shard how far the transfers of another one are over."""
        number = over_before(self.ledgers[sender][0], receiver)
        row = record(JournalKind.TRANSFER_CLOSED, id=self.offsets[receiver] + 1, related_id=number)
        row["related_user_id"] = sender + self.shards
        return self.write(receiver, row)

    def restart(self) -> None:
        """Put every ledger through its snapshot."""
        self.ledgers = [
            [
                type(one).restore(
                    self.assets.values(),
                    one.snapshot(),
                    shard=one.shard,
                    shards=one.shards,
                    key_memory=KEY_MEMORY,
                )
                for one in twins
            ]
            for twins in self.ledgers
        ]

    def all_ledgers(self) -> list[Twin]:
        return [one for twins in self.ledgers for one in twins]

    def compare(self) -> None:
        """Compare all that can be asked of the ledgers of each shard."""
        for twins in self.ledgers:
            for question in ("accounts", "balances", "holds", "transactions", "arrivals", "totals"):
                _same([getattr(one, question)() for one in twins])
            for number in ("generation", "journal_position", "open_holds"):
                assert len({getattr(one, number) for one in twins}) == 1
            for market_id in self.markets:
                assert len({one.position(market_id) for one in twins}) == 1
                assert len({one.fenced(market_id) for one in twins}) == 1
            assert len({one.state_hash() for one in twins}) == 1

    def assert_sums_hold(self) -> None:
        """Deposits less withdrawals are users, fees and transit; what is held says for what."""
        supply: dict[int, int] = defaultdict(int)
        for twins in self.ledgers:
            ledger = twins[0]
            for asset, deposited, fees, transit in ledger.totals().tolist():
                assert fees >= 0
                supply[asset] += deposited - fees - transit
            held: dict[tuple[int, int], int] = defaultdict(int)
            for one in ledger.holds():
                held[int(one["user_id"]), int(one["asset"])] += int(one["amount"])
            for one in ledger.transactions():
                if not one["journaled"] or one["kind"] == JournalKind.WITHDRAWAL:
                    held[int(one["user_id"]), int(one["asset"])] += int(one["amount"])
            for user_id, asset, available, in_hold in ledger.balances().tolist():
                assert available >= 0, (user_id, asset, available)
                assert in_hold == held.pop((user_id, asset), 0), (user_id, asset)
                supply[asset] -= available + in_hold
            assert not any(held.values())
        assert not any(supply.values()), dict(supply)

    def assert_holds_are_what_open_orders_may_cost(self) -> None:
        """Every open order of every book holds its cost, and nothing else does."""
        expected = {}
        for market_id, book in self.books.items():
            assets = self.assets[market_id]
            for images in book.orders(10_000):
                for one in images:
                    left = int(one["quantity_lots"] - one["filled_lots"])
                    cost = left * assets.lot_units
                    if one["side"] == Side.BUY:
                        worth = left * int(one["price_ticks"]) * assets.numerator
                        cost = -(-worth // assets.denominator)
                    expected[market_id, int(one["order_id"])] = cost
        found = {
            (int(one["market_id"]), int(one["order_id"])): int(one["amount"])
            for twins in self.ledgers
            for one in twins[0].holds()
        }
        assert found == expected


def limit(side: Side, **fields: int) -> RecordArray:
    """Return the PLACE of a limit order."""
    return command(CommandKind.PLACE, side=side, order_type=OrderType.LIMIT, **fields)


def _first(answers: list[RecordArray]) -> np.void:
    """Return the first result of what all answered."""
    result: np.void = _same(answers)[0]
    return result


def _same(answers: list[RecordArray]) -> RecordArray:
    """Return what all answered, which must be the same."""
    first, *others = answers
    for other in others:
        assert other.dtype == first.dtype
        assert other.tolist() == first.tolist()
    return first
