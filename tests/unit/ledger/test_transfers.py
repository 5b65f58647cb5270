"""Transfers: each counts once, whatever copies come, and nothing is kept of those that are over."""

import numpy as np
import pytest

from actors.book.records import RecordArray
from actors.ledger.transfers import over_before
from actors.ledger.vocabulary import JournalKind, Outcome
from tests.property.ledger_floor import KEY_MEMORY, record
from tests.unit.ledger.desk import BTC, BUYER, FUNDS, SELLER, STRANGER, USD, Desk

AMOUNT = 40


@pytest.fixture
def desk() -> Desk:
    return Desk()


def leave(desk: Desk, to: int = SELLER) -> RecordArray:
    """Let a transfer leave; return its way in."""
    fields = {"asset": USD, "amount": AMOUNT}
    out = desk.journal(JournalKind.TRANSFER_OUT, user_id=BUYER, related_user_id=to, **fields)
    way_in = {"user_id": to, "related_user_id": BUYER, "related_id": desk.floor.offsets[0]}
    return record(JournalKind.TRANSFER_IN, id=int(out["id"]), **fields, **way_in)


def end(desk: Desk, arrival: RecordArray, kind: JournalKind) -> np.void:
    return desk.journal(kind, user_id=BUYER, related_id=int(arrival["id"][0]))


def test_a_transfer_leaves_and_arrives_once(desk: Desk) -> None:
    arrival = leave(desk)
    assert desk.has(BUYER, USD) == (FUNDS - AMOUNT, 0)
    assert desk.floor.write(0, arrival)["outcome"] == Outcome.DONE
    again = desk.floor.write(0, arrival)
    assert (again["outcome"], again["repeated"]) == (Outcome.DONE, 1)
    assert desk.has(SELLER, USD) == (FUNDS + AMOUNT, 0)
    assert end(desk, arrival, JournalKind.TRANSFER_SETTLED)["outcome"] == Outcome.DONE
    refused = end(desk, arrival, JournalKind.TRANSFER_REFUSED)
    assert refused["outcome"] == Outcome.UNKNOWN_TRANSACTION
    assert all(len(one.transactions()) == 0 for one in desk.floor.all_ledgers())
    desk.floor.assert_sums_hold()


def test_more_transfers_than_remembered_keys_arrive_once_each(desk: Desk) -> None:
    arrivals = [leave(desk) for _ in range(20 * KEY_MEMORY)]
    for arrival in arrivals:
        assert desk.floor.write(0, arrival)["outcome"] == Outcome.DONE
    for key in range(KEY_MEMORY):
        desk.journal(JournalKind.FEE_TIER, user_id=SELLER, key=key + 1)
    desk.floor.restart()
    for arrival in arrivals:
        assert desk.floor.read(0, arrival)["repeated"] == 1
    assert desk.has(SELLER, USD) == (FUNDS + AMOUNT * len(arrivals), 0)
    desk.floor.assert_sums_hold()


def test_transfers_that_are_over_leave_nothing_and_never_arrive_again(desk: Desk) -> None:
    first, second, third = (leave(desk) for _ in range(3))
    for arrival in (first, second, third):
        desk.floor.write(0, arrival)
    for arrival in (first, third):
        end(desk, arrival, JournalKind.TRANSFER_SETTLED)
    assert over_before(desk.floor.ledgers[0][0], 0) == int(second["related_id"][0])
    assert desk.floor.close_transfers(0, 0)["outcome"] == Outcome.DONE
    desk.floor.restart()
    answers = [desk.floor.read(0, arrival) for arrival in (first, second, third)]
    assert [int(one["outcome"]) for one in answers] == [
        Outcome.TRANSFER_OVER,
        Outcome.DONE,
        Outcome.DONE,
    ]
    assert [int(one["repeated"]) for one in answers] == [0, 1, 1]
    end(desk, second, JournalKind.TRANSFER_SETTLED)
    desk.floor.close_transfers(0, 0)
    for ledger in desk.floor.all_ledgers():
        assert len(ledger.arrivals()) == 0
    for arrival in (first, second, third):
        assert desk.floor.read(0, arrival)["outcome"] == Outcome.TRANSFER_OVER
    assert desk.has(SELLER, USD) == (FUNDS + 3 * AMOUNT, 0)
    assert desk.floor.write(0, leave(desk))["outcome"] == Outcome.DONE
    desk.floor.compare()
    desk.floor.assert_sums_hold()


def test_what_is_closed_is_never_opened_again(desk: Desk) -> None:
    arrival = leave(desk)
    desk.floor.write(0, arrival)
    end(desk, arrival, JournalKind.TRANSFER_SETTLED)
    desk.floor.close_transfers(0, 0)
    desk.journal(JournalKind.TRANSFER_CLOSED, related_user_id=BUYER, related_id=1)
    assert desk.floor.read(0, arrival)["outcome"] == Outcome.TRANSFER_OVER
    nobody = desk.journal(JournalKind.TRANSFER_CLOSED, related_id=9)
    assert nobody["outcome"] == Outcome.MALFORMED


def test_a_transfer_that_nobody_takes_comes_back_and_stays_refused(desk: Desk) -> None:
    arrival = leave(desk, STRANGER)
    desk.floor.assert_sums_hold()
    assert desk.floor.write(0, arrival)["outcome"] == Outcome.UNKNOWN_ACCOUNT
    end(desk, arrival, JournalKind.TRANSFER_REFUSED)
    assert desk.has(BUYER, USD) == (FUNDS, 0)
    desk.journal(JournalKind.OPEN, user_id=STRANGER)
    for key in range(KEY_MEMORY):
        desk.journal(JournalKind.FEE_TIER, user_id=SELLER, key=key + 1)
    late = desk.floor.write(0, arrival)
    assert (late["outcome"], late["repeated"]) == (Outcome.UNKNOWN_ACCOUNT, 1)
    assert desk.has(STRANGER, USD) == (0, 0)
    desk.floor.assert_sums_hold()


@pytest.mark.parametrize(
    ("field", "value", "outcome"),
    [
        ("amount", 41, Outcome.KEY_REUSED),
        ("asset", BTC, Outcome.KEY_REUSED),
        ("user_id", STRANGER, Outcome.KEY_REUSED),
        ("related_user_id", SELLER, Outcome.MALFORMED),
        ("related_user_id", 0, Outcome.MALFORMED),
        ("related_id", 0, Outcome.MALFORMED),
    ],
)
def test_an_arrival_that_says_something_else_does_nothing(
    desk: Desk, field: str, value: int, outcome: Outcome
) -> None:
    arrival = leave(desk)
    desk.floor.write(0, arrival)
    other = arrival.copy()
    other[field] = value
    assert desk.floor.read(0, other)["outcome"] == outcome
    assert desk.has(SELLER, USD) == (FUNDS + AMOUNT, 0)
    assert desk.floor.read(0, arrival)["repeated"] == 1
