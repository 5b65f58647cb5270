"""Snapshot and state hash of one ledger, pinned: both are compared across builds."""

import hashlib

from actors.book.vocabulary import CommandKind, Side
from actors.ledger.compiled import CompiledLedger
from actors.ledger.compiled_snapshot import HEADER_DTYPE
from actors.ledger.vocabulary import JournalKind
from tests.unit.ledger.desk import BUYER, SELLER, USD, Desk

STATE_HASH = 0x81E646D6C5F8702E
HEADER_HEX = (
    "46524b4c 01000000 5ae20168 00000000"
    "0100000000000000 0000000000000000 0b00000000000000 0100000000000000"
    "0200000000000000 0400000000000000 0200000000000000 0200000000000000"
    "0200000000000000 0200000000000000 0100000000000000 0100000000000000"
    "0100000000000000 0000000000000000 0000000000000000"
)
SNAPSHOT_DIGEST = "ca3c2afb60449e8a"


def lived_in() -> Desk:
    """Return a desk with a row of every kind; orders are open, or not answered yet."""
    desk = Desk()
    order = desk.buy(100, 50, taker_fee=2_000)
    desk.sell(40, 50, taker_fee=2_000)
    desk.hold(CommandKind.AMEND, order_id=order, price_ticks=60)
    desk.hold(CommandKind.AMEND, order_id=order, quantity_lots=150)
    desk.hold(user_id=SELLER, side=Side.SELL, quantity_lots=5, price_ticks=70)
    fields = {"user_id": BUYER, "asset": USD, "amount": 7}
    desk.journal(JournalKind.WITHDRAWAL, key=5, **fields)
    desk.journal(JournalKind.TRANSFER_OUT, related_user_id=SELLER, **fields)
    desk.journal(JournalKind.FEE_TIER, user_id=SELLER, fee_tier=3)
    way_in = {"user_id": SELLER, "related_user_id": BUYER, "related_id": 12, "asset": USD}
    desk.journal(JournalKind.TRANSFER_IN, amount=7, **way_in)
    desk.journal(JournalKind.TRANSFER_CLOSED, related_user_id=BUYER, related_id=3)
    return desk


def test_the_state_hash_of_a_ledger_is_pinned() -> None:
    for ledger in lived_in().floor.all_ledgers():
        assert ledger.state_hash() == STATE_HASH


def test_the_bytes_of_a_snapshot_are_pinned() -> None:
    for ledger in lived_in().floor.all_ledgers():
        if isinstance(ledger, CompiledLedger):
            data = ledger.snapshot()
            assert data[: HEADER_DTYPE.itemsize].hex() == HEADER_HEX.replace(" ", "")
            assert hashlib.sha256(data).hexdigest()[:16] == SNAPSHOT_DIGEST


def test_a_restored_ledger_goes_on_as_if_nothing_had_happened() -> None:
    desk, restored = lived_in(), lived_in()
    restored.floor.restart()
    for one in (desk, restored):
        one.floor.flush()
        one.floor.compare()
    assert desk.floor.ledgers[0][0].state_hash() == restored.floor.ledgers[0][0].state_hash()
