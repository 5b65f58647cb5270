"""Waiters among all events: the right events to the right one, once, and within the bound."""

import numpy as np
import pytest

from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind, Flag
from api.exchange.demand import Demand
from api.exchange.ids import IdGenerator
from api.exchange.refusals import UnavailableError
from api.exchange.waiting import OutcomeWaiters


def _events(first_sequence: int, *rows: tuple[int, EventKind, int]) -> RecordArray:
    events = np.zeros(len(rows), EVENT_DTYPE)
    events["sequence"] = np.arange(first_sequence, first_sequence + len(rows))
    for index, (command_id, kind, flags) in enumerate(rows):
        events[index]["command_id"] = command_id
        events[index]["kind"] = kind
        events[index]["flags"] = flags
    return events


async def test_an_outcome_is_all_events_of_its_command_up_to_the_last() -> None:
    ids = IdGenerator(3)
    mine, other, foreign = ids.next(), ids.next(), IdGenerator(4).next()
    waiters = OutcomeWaiters(worker=3, bound=10, demand=Demand())
    with waiters.expect(mine) as waiter:
        waiters.hand_out(
            _events(
                1,
                (foreign, EventKind.ORDER, Flag.LAST),
                (mine, EventKind.TRADE, 0),
                (0, EventKind.ORDER, 0),
                (other, EventKind.ORDER, Flag.LAST),
            )
        )
        assert await waiter.outcome(0) is None
        waiters.hand_out(_events(5, (mine, EventKind.TRADE, 0), (mine, EventKind.ORDER, Flag.LAST)))
        outcome = await waiter.outcome(1)
    assert outcome is not None
    assert [int(event["sequence"]) for event in outcome.events] == [2, 5, 6]
    assert len(outcome.trades) == 2
    assert outcome.last["sequence"] == 6
    assert len(waiters) == 0


async def test_one_waiter_too_many_is_turned_away_and_a_place_comes_free_again() -> None:
    ids = IdGenerator(0)
    waiters = OutcomeWaiters(worker=0, bound=1, demand=Demand())
    with waiters.expect(ids.next()), pytest.raises(UnavailableError):
        waiters.expect(ids.next())
    with waiters.expect(ids.next()):
        assert len(waiters) == 1
