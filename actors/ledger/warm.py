"""Warm-up of the ledger's compiled cache: `python -m actors.ledger.warm`, once per installation."""

import numpy as np

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, EVENT_DTYPE
from actors.book.vocabulary import CommandKind, EventKind, OrderType, Side
from actors.ledger.assets import MarketAssets, asset_code
from actors.ledger.compiled import CompiledLedger
from actors.ledger.contract import Ledger
from actors.ledger.records import JOURNAL_DTYPE
from actors.ledger.vocabulary import JournalKind

_USERS = 100


def warm() -> None:
    """Call every entry of the kernel once, so that a later process finds it compiled."""
    markets = [
        MarketAssets.of(
            Market(
                market_id=1,
                pair="WARM-UP",
                tick_size="1",
                lot_size="1",
                min_notional_units=0,
                max_price_ticks=1_000,
                max_quantity_lots=1_000,
            )
        )
    ]
    ledger: Ledger = CompiledLedger(markets)
    ids = np.arange(1, _USERS + 1)
    records = np.zeros(_USERS, JOURNAL_DTYPE)
    records["id"] = records["user_id"] = ids
    records["asset"], records["amount"] = asset_code("WARM"), 10**10
    for offset, kind in enumerate((JournalKind.OPEN, JournalKind.DEPOSIT)):
        records["kind"] = kind
        records["idempotency_key"][:, 0] = ids + _USERS * offset
        ledger.retract(records[: len(ledger.admit(records)) // 2])
        ledger.journal(offset, records)
    commands = np.zeros(_USERS, COMMAND_DTYPE)
    commands["kind"], commands["side"] = CommandKind.PLACE, Side.SELL
    commands["order_type"] = OrderType.LIMIT
    commands["order_id"] = commands["user_id"] = ids
    commands["price_ticks"] = commands["quantity_lots"] = 1
    ledger.hold(1, commands)
    ledger.release(1, commands[:1])
    events = np.zeros(1, EVENT_DTYPE)
    events["kind"], events["sequence"] = EventKind.MARKET, 1
    ledger.settle(1, events)
    CompiledLedger.restore(markets, ledger.snapshot()).balances_of(1)


if __name__ == "__main__":
    warm()
