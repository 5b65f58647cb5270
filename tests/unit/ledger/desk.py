"""A desk at which two users with balances trade on one pair; every ledger answers alike."""

from typing import Any

import numpy as np

from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce
from actors.ledger.assets import asset_code
from actors.ledger.vocabulary import JournalKind, Outcome
from tests.property.ledger_floor import Floor, command, market, record

BTC, USD = asset_code("BTC"), asset_code("USD")
PAIR = 1
FUNDS = 1_000_000
SELLER, BUYER, STRANGER = 1, 2, 9


class Desk:
    """Users 1 and 2 have FUNDS of both assets. A lot is 10 units, a tick x lot 1/10 of a unit."""

    def __init__(self) -> None:
        self.floor = Floor(
            shards=1, markets=[market(PAIR, "BTC-USD", tick_size="0.01", lot_size="0.0000001")]
        )
        self.numbers = 0
        for user_id in (SELLER, BUYER):
            self.journal(JournalKind.OPEN, user_id=user_id)
            for asset in (BTC, USD):
                self.journal(JournalKind.DEPOSIT, user_id=user_id, asset=asset, amount=FUNDS)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def journal(self, kind: JournalKind, **fields: int) -> np.void:
        """Admit, write and read a record; return its result."""
        row = record(kind, **({"id": self.number()} | fields))
        return self.floor.write(0, row)

    def hold(self, kind: CommandKind = CommandKind.PLACE, **fields: Any) -> np.void:
        """Hold for a command and write it, which the book has not taken yet."""
        given = {"command_id": self.number(), "order_id": self.numbers, "user_id": BUYER}
        if kind == CommandKind.PLACE:
            given |= {"order_type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC}
        return self.floor.send(PAIR, command(kind, **(given | fields)))

    def send(self, kind: CommandKind = CommandKind.PLACE, **fields: Any) -> int:
        """Hold, match and settle; return the order's id."""
        result = self.hold(kind, **fields)
        assert result["outcome"] == Outcome.DONE
        self.floor.flush()
        self.floor.compare()
        self.floor.assert_sums_hold()
        self.floor.assert_holds_are_what_open_orders_may_cost()
        return int(result["id"])

    def buy(self, lots: int, price: int, **more: Any) -> int:
        return self.send(side=Side.BUY, quantity_lots=lots, price_ticks=price, **more)

    def sell(self, lots: int, price: int, **more: Any) -> int:
        fields = {"user_id": SELLER} | more
        return self.send(side=Side.SELL, quantity_lots=lots, price_ticks=price, **fields)

    def has(self, user_id: int, asset: int) -> tuple[int, int]:
        """Return what a user has available and held."""
        self.floor.compare()
        rows = [one.balances_of(user_id) for one in self.floor.ledgers[0]]
        assert len({row.tobytes() for row in rows}) == 1
        for row in rows[0]:
            if row["asset"] == asset:
                return int(row["available"]), int(row["held"])
        return 0, 0
