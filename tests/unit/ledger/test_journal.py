"""What the journal's records do, and what they are refused for."""

import tracemalloc

import numpy as np
import pytest

from actors.book.records import EVENT_DTYPE
from actors.book.vocabulary import EventKind
from actors.ledger.compiled import CompiledLedger
from actors.ledger.errors import SequenceGapError, UnreadableLedgerError
from actors.ledger.naive import NaiveLedger
from actors.ledger.vocabulary import AccountStatus, JournalKind, Outcome
from tests.property.ledger_floor import KEY_MEMORY, record
from tests.unit.ledger.desk import BTC, BUYER, FUNDS, PAIR, SELLER, STRANGER, USD, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_withdrawal_is_held_until_it_is_confirmed(desk: Desk) -> None:
    asked = desk.journal(JournalKind.WITHDRAWAL, user_id=BUYER, asset=USD, amount=300)
    assert desk.has(BUYER, USD) == (FUNDS - 300, 300)
    fields = {"user_id": BUYER, "related_id": int(asked["id"])}
    assert desk.journal(JournalKind.WITHDRAWAL_CONFIRMED, **fields)["outcome"] == Outcome.DONE
    assert desk.has(BUYER, USD) == (FUNDS - 300, 0)
    again = desk.journal(JournalKind.WITHDRAWAL_CONFIRMED, **fields)
    assert again["outcome"] == Outcome.UNKNOWN_TRANSACTION
    desk.floor.assert_sums_hold()


def test_a_withdrawal_that_is_refused_is_available_again(desk: Desk) -> None:
    asked = desk.journal(JournalKind.WITHDRAWAL, user_id=BUYER, asset=USD, amount=300)
    desk.journal(JournalKind.WITHDRAWAL_REFUSED, user_id=BUYER, related_id=int(asked["id"]))
    assert desk.has(BUYER, USD) == (FUNDS, 0)


@pytest.mark.parametrize("amount", [FUNDS + 1, 2**63 - 1])
def test_nobody_withdraws_what_they_do_not_have(desk: Desk, amount: int) -> None:
    asked = desk.journal(JournalKind.WITHDRAWAL, user_id=BUYER, asset=USD, amount=amount)
    assert asked["outcome"] == Outcome.INSUFFICIENT
    assert (asked["needed"], asked["available"]) == (amount, FUNDS)


def test_what_is_admitted_and_not_written_is_held_until_it_is_retracted(desk: Desk) -> None:
    row = record(JournalKind.WITHDRAWAL, id=900, user_id=BUYER, asset=USD, amount=FUNDS)
    assert desk.floor.admit(0, row)["outcome"] == Outcome.DONE
    assert desk.floor.admit(0, row)["outcome"] == Outcome.DUPLICATE
    assert desk.has(BUYER, USD) == (0, FUNDS)
    desk.floor.retract(0, row)
    assert desk.has(BUYER, USD) == (FUNDS, 0)


def test_a_fence_ends_what_is_admitted_and_takes_no_older_record(desk: Desk) -> None:
    row = record(JournalKind.WITHDRAWAL, id=900, user_id=BUYER, asset=USD, amount=FUNDS)
    desk.floor.admit(0, row)
    desk.floor.fence(0)
    assert desk.has(BUYER, USD) == (FUNDS, 0)
    assert desk.floor.read(0, row)["outcome"] == Outcome.FENCED
    assert desk.has(BUYER, USD) == (FUNDS, 0)


def test_a_key_answers_the_first_outcome_until_it_is_forgotten(desk: Desk) -> None:
    fields = {"user_id": BUYER, "asset": USD, "amount": 5, "key": 77}
    first = desk.journal(JournalKind.DEPOSIT, **fields)
    again = desk.journal(JournalKind.DEPOSIT, **fields)
    assert (again["id"], again["repeated"]) == (first["id"], 1)
    assert desk.has(BUYER, USD) == (FUNDS + 5, 0)
    other = desk.journal(JournalKind.DEPOSIT, **(fields | {"user_id": SELLER}))
    assert other["repeated"] == 0
    for key in range(KEY_MEMORY):
        desk.journal(JournalKind.DEPOSIT, **(fields | {"key": 100 + key}))
    assert desk.journal(JournalKind.DEPOSIT, **fields)["repeated"] == 0


def test_a_key_is_of_one_kind_so_no_user_swallows_an_operators_record(desk: Desk) -> None:
    fields = {"user_id": BUYER, "key": 77}
    desk.journal(JournalKind.WITHDRAWAL, asset=USD, amount=1, **fields)
    for kind in (JournalKind.FREEZE, JournalKind.UNFREEZE):
        done = desk.journal(kind, **fields)
        assert (done["outcome"], done["repeated"]) == (Outcome.DONE, 0)
    assert desk.floor.ledgers[0][0].account(BUYER).status == AccountStatus.ACTIVE
    deposit = desk.journal(JournalKind.DEPOSIT, asset=USD, amount=500, **fields)
    assert (deposit["outcome"], deposit["repeated"]) == (Outcome.DONE, 0)
    assert desk.has(BUYER, USD) == (FUNDS + 499, 1)


@pytest.mark.parametrize(
    "changed",
    [{"amount": 6}, {"asset": BTC}, {"related_user_id": STRANGER + 1}, {"related_id": 3}],
    ids=["amount", "asset", "receiver", "related"],
)
def test_a_key_that_is_used_for_something_else_does_nothing(
    desk: Desk, changed: dict[str, int]
) -> None:
    fields = {"user_id": BUYER, "related_user_id": SELLER, "asset": USD, "amount": 5, "key": 77}
    desk.journal(JournalKind.TRANSFER_OUT, **fields)
    other = record(JournalKind.TRANSFER_OUT, id=900, **(fields | changed))
    before = [ledger.balances().tolist() for ledger in desk.floor.all_ledgers()]
    for answer in (desk.floor.admit(0, other), desk.floor.read(0, other)):
        assert (answer["outcome"], answer["repeated"]) == (Outcome.KEY_REUSED, 0)
    assert [ledger.balances().tolist() for ledger in desk.floor.all_ledgers()] == before
    assert desk.journal(JournalKind.TRANSFER_OUT, **fields)["repeated"] == 1


def test_a_record_without_an_id_is_malformed_and_leaves_its_key_free(desk: Desk) -> None:
    fields = {"user_id": BUYER, "asset": USD, "amount": 5, "key": 77}
    assert desk.floor.read(0, record(JournalKind.DEPOSIT, id=0, **fields))["outcome"] == (
        Outcome.MALFORMED
    )
    done = desk.journal(JournalKind.DEPOSIT, **fields)
    assert (done["outcome"], done["repeated"]) == (Outcome.DONE, 0)
    desk.floor.compare()


def test_an_offset_has_its_effect_once(desk: Desk) -> None:
    row = record(JournalKind.DEPOSIT, id=800, user_id=BUYER, asset=USD, amount=5)
    for ledger in desk.floor.ledgers[0]:
        results = [int(ledger.journal(90, row)["outcome"][0]) for _ in range(2)]
        assert results == [Outcome.DONE, Outcome.PASSED_OVER]
        assert ledger.journal_position == 91
    assert desk.has(BUYER, USD) == (FUNDS + 5, 0)


def test_deposits_end_where_sums_would_leave_64_bits(desk: Desk) -> None:
    most = 2**63 - 1 - 2 * FUNDS
    fields = {"user_id": BUYER, "asset": USD}
    above = desk.journal(JournalKind.DEPOSIT, amount=most + 1, **fields)
    assert above["outcome"] == Outcome.ABOVE_LIMIT
    assert desk.journal(JournalKind.DEPOSIT, amount=most, **fields)["outcome"] == Outcome.DONE
    assert desk.journal(JournalKind.DEPOSIT, amount=1, **fields)["outcome"] == Outcome.ABOVE_LIMIT
    assert desk.has(BUYER, USD) == (FUNDS + most, 0)


def test_an_account_closes_when_nothing_is_left_of_it(desk: Desk) -> None:
    close = {"user_id": BUYER}
    assert desk.journal(JournalKind.CLOSE, **close)["outcome"] == Outcome.NOT_EMPTY
    for asset in (BTC, USD):
        desk.journal(JournalKind.ADJUSTMENT, user_id=BUYER, asset=asset, amount=-FUNDS)
    assert desk.journal(JournalKind.CLOSE, **close)["outcome"] == Outcome.DONE
    deposit = desk.journal(JournalKind.DEPOSIT, user_id=BUYER, asset=USD, amount=5)
    assert deposit["outcome"] == Outcome.CLOSED
    assert desk.hold(side=1, quantity_lots=1, price_ticks=99)["outcome"] == Outcome.CLOSED


def test_an_account_tells_status_tier_and_how_many_facts_there_were(desk: Desk) -> None:
    desk.journal(JournalKind.FEE_TIER, user_id=BUYER, fee_tier=4)
    desk.journal(JournalKind.FREEZE, user_id=BUYER)
    for ledger in desk.floor.ledgers[0]:
        assert ledger.account(BUYER) == (AccountStatus.FROZEN, 4, 5)
        assert ledger.account(STRANGER) == ledger.account(-1) == (AccountStatus.UNKNOWN, 0, 0)


@pytest.mark.parametrize("ledger_type", [NaiveLedger, CompiledLedger])
def test_a_gap_settles_nothing_and_repeats_are_passed_over(
    desk: Desk, ledger_type: type[NaiveLedger | CompiledLedger]
) -> None:
    ledger = ledger_type(desk.floor.assets.values())
    events = np.zeros(3, EVENT_DTYPE)
    events["kind"], events["sequence"] = EventKind.MARKET, (1, 2, 4)
    with pytest.raises(SequenceGapError, match=r"^market 1: event 4 came, 3 is next$"):
        ledger.settle(PAIR, events)
    assert ledger.position(PAIR) == 0
    ledger.settle(PAIR, events[:2])
    events["sequence"] = (1, 2, 3)
    ledger.settle(PAIR, events)
    assert ledger.position(PAIR) == 3


def test_a_snapshot_that_is_torn_or_anothers_is_refused_in_one_line(desk: Desk) -> None:
    desk.buy(10, 50)
    (ledger,) = (one for one in desk.floor.all_ledgers() if isinstance(one, CompiledLedger))
    data, markets = ledger.snapshot(), list(desk.floor.assets.values())
    assert CompiledLedger.restore(markets, data).snapshot() == data
    cases = {
        "shorter than its header": data[:40],
        "the magic of a ledger": b"?" + data[1:],
        "version 300, this build reads 1": data[:4] + (300).to_bytes(4, "little") + data[8:],
        "checksum does not match": data[:-1] + b"?",
    }
    for sentence, changed in cases.items():
        with pytest.raises(UnreadableLedgerError, match=sentence):
            CompiledLedger.restore(markets, changed)
    with pytest.raises(UnreadableLedgerError, match="shard 0 of 1, not 1 of 2"):
        CompiledLedger.restore(markets, data, shard=1, shards=2)
    with pytest.raises(UnreadableLedgerError, match="market 1, which there is no more"):
        CompiledLedger.restore([], data)


def test_what_is_refused_or_only_asked_for_leaves_no_rows_behind(desk: Desk) -> None:
    row = record(JournalKind.WITHDRAWAL, id=900, user_id=BUYER, amount=5)
    deposit = record(JournalKind.DEPOSIT, id=901, user_id=BUYER, amount=2**63 - 1)
    before = [ledger.snapshot() for ledger in desk.floor.all_ledgers()]
    tracemalloc.start()
    desk.floor.restart()
    began = tracemalloc.get_traced_memory()[0]
    for asset in range(1, 1_500):
        row["asset"] = deposit["asset"] = asset
        assert desk.floor.admit(0, row)["outcome"] == Outcome.INSUFFICIENT
        assert desk.floor.admit(0, deposit)["outcome"] == Outcome.DONE
    grown = tracemalloc.get_traced_memory()[0] - began
    tracemalloc.stop()
    assert [ledger.snapshot() for ledger in desk.floor.all_ledgers()] == before
    assert grown < 50_000


def test_transit_is_told_modulo_two_to_the_64(desk: Desk) -> None:
    for user_id in (BUYER, SELLER):
        row = record(JournalKind.TRANSFER_OUT, id=900 + user_id, user_id=user_id, asset=USD)
        row["related_user_id"], row["amount"] = STRANGER, 2**63 - 1
        assert desk.floor.read(0, row)["outcome"] == Outcome.DONE
    desk.floor.compare()
    for ledger in desk.floor.all_ledgers():
        assert [int(one["transit"]) for one in ledger.totals() if one["asset"] == USD] == [-2]
