"""Admission by delay: over a market that gets through so many orders a second, and no more."""

from collections import deque

import numpy as np
import pytest

from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import Flag
from actors.platform.topology import Topology
from api.exchange.admission import Admission
from api.exchange.demand import Demand
from api.exchange.ids import IdGenerator
from api.exchange.refusals import UnavailableError
from tests.beds.commands import market

ONE, TWO = market(1), market(2)
WORKER = 7
TARGET_S = 0.2
STEP_S = 0.005


class Hall:
    """A gateway's admission before a queue that serves `per_second` orders of market 1.

    Events are heard `rest_s` after each other while there is no demand for them.
    """

    def __init__(self, per_second: float, *, rest_s: float = 0.0) -> None:
        self.now_s = 1_000.0
        self.per_second = per_second
        self.took_s: list[float] = []
        self.refused = 0
        self._rest_s = rest_s
        self._heard_s = self.now_s
        self._unheard: list[int] = []
        self._demand = Demand()
        self.admission = Admission(
            worker=WORKER,
            topology=Topology((ONE, TWO)),
            target_s=TARGET_S,
            demand=self._demand,
            clock_s=lambda: self.now_s,
        )
        self._ids = IdGenerator(WORKER)
        self._queue: deque[tuple[int, float]] = deque()
        self._credit = 0.0

    def order(self) -> bool:
        """Send an order of market 1 where it is taken; say whether it was."""
        try:
            self.admission.check(ONE)
        except UnavailableError:
            self.refused += 1
            return False
        order_id = self._ids.next()
        self.admission.sent(ONE, [order_id])
        self._queue.append((order_id, self.now_s))
        return True

    def run(self, *, offered_per_second: float, seconds: float) -> None:
        """Offer orders at a rate for so long, and let the market get through what it can."""
        due = 0.0
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            due += offered_per_second * STEP_S
            while due >= 1:
                due -= 1
                self.order()
            self._serve()

    def _serve(self) -> None:
        self._credit = min(self._credit + self.per_second * STEP_S, len(self._queue))
        served = [self._queue.popleft() for _ in range(int(self._credit))]
        self._credit -= len(served)
        self.took_s += [self.now_s - sent_s for _, sent_s in served]
        self._unheard += [order_id for order_id, _ in served]
        rested_s = self.now_s - STEP_S - self._heard_s
        if self._demand.is_there or rested_s >= self._rest_s:
            self.admission.take(ONE.market_id, events(self._unheard), rested_s=rested_s)
            self._heard_s = self.now_s
            self._unheard.clear()


def events(order_ids: list[int]) -> RecordArray:
    """Return the events that end these commands."""
    found = np.zeros(len(order_ids), EVENT_DTYPE)
    found["command_id"] = found["order_id"] = order_ids
    found["flags"] = Flag.LAST | Flag.NEW
    return found


@pytest.mark.parametrize("per_second", [100.0, 800.0, 3_000.0])
@pytest.mark.parametrize("factor", [2.0, 10.0])
def test_whatever_is_offered_accepted_orders_wait_about_the_target_and_none_is_wasted(
    per_second: float, factor: float
) -> None:
    hall = Hall(per_second)
    hall.run(offered_per_second=per_second / 2, seconds=2)
    hall.run(offered_per_second=factor * per_second, seconds=5)
    hall.took_s.clear()
    hall.run(offered_per_second=factor * per_second, seconds=10)
    assert np.percentile(hall.took_s, 99) <= 0.5
    assert len(hall.took_s) >= 0.9 * 10 * per_second


@pytest.mark.parametrize("rest_s", [0.0, 0.2])
@pytest.mark.parametrize("offered_per_second", [10.0, 100.0, 900.0])
def test_a_load_that_the_market_gets_through_is_never_refused(
    rest_s: float, offered_per_second: float
) -> None:
    hall = Hall(1_000.0, rest_s=rest_s)
    hall.run(offered_per_second=offered_per_second, seconds=20)
    assert hall.refused == 0


def test_a_reader_that_rests_is_not_taken_for_a_slow_market() -> None:
    hall = Hall(1_000.0, rest_s=0.3)
    for _ in range(5):
        assert all(hall.order() for _ in range(100))
        hall.run(offered_per_second=0.0, seconds=1)
    assert all(hall.order() for _ in range(500))


def test_a_slow_order_that_is_alone_tells_nothing_of_how_many_there_may_be() -> None:
    hall = Hall(2.0)
    hall.run(offered_per_second=1.0, seconds=10)
    assert all(hall.order() for _ in range(500))


def test_after_an_overload_everything_is_taken_again_at_once() -> None:
    hall = Hall(800.0)
    hall.run(offered_per_second=8_000.0, seconds=10)
    hall.run(offered_per_second=0.0, seconds=1)
    assert hall.refused
    hall.refused = 0
    hall.took_s.clear()
    hall.run(offered_per_second=400.0, seconds=10)
    assert hall.refused == 0
    assert max(hall.took_s) < 0.05


def test_a_faster_market_is_found_out() -> None:
    hall = Hall(100.0)
    hall.run(offered_per_second=5_000.0, seconds=10)
    hall.per_second = 2_000.0
    hall.run(offered_per_second=5_000.0, seconds=10)
    hall.took_s.clear()
    hall.run(offered_per_second=5_000.0, seconds=5)
    assert len(hall.took_s) >= 0.9 * 5 * 2_000


def test_a_market_that_is_silent_takes_orders_and_the_others_do_not_notice() -> None:
    hall = Hall(800.0)
    hall.run(offered_per_second=2_000.0, seconds=5)
    hall.per_second = 0.0
    hall.run(offered_per_second=2_000.0, seconds=5)
    assert hall.order()
    hall.admission.check(TWO)


def test_what_is_kept_of_a_silent_market_is_bounded() -> None:
    hall = Hall(0.0)
    hall.run(offered_per_second=20_000.0, seconds=3)
    assert hall.admission.on_their_way <= 20_000


def test_orders_that_the_log_has_not_are_taken_back() -> None:
    hall = Hall(0.0)
    ids = IdGenerator(WORKER)
    sent = [ids.next() for _ in range(5_000)]
    hall.admission.sent(ONE, sent)
    with pytest.raises(UnavailableError) as refused:
        hall.admission.check(ONE)
    assert refused.value.retry_after_s == 1
    hall.admission.not_sent(ONE, sent)
    hall.admission.check(ONE)
    assert hall.admission.on_their_way == 0


def test_orders_that_never_reached_the_log_do_not_fill_a_window() -> None:
    hall = Hall(0.0)
    ids = IdGenerator(WORKER)
    hall.admission.sent(ONE, [ids.next() for _ in range(5_000)])
    hall.now_s += 10
    hall.per_second = 1_000.0
    hall.run(offered_per_second=10.0, seconds=10)
    assert hall.refused == 0
    assert hall.admission.on_their_way == 0


def test_a_market_that_nobody_knows_takes_two_whole_batches() -> None:
    hall = Hall(0.0)
    assert all(hall.order() for _ in range(2_000))


def test_only_own_orders_tell_how_long_they_took() -> None:
    hall = Hall(0.0)
    own, other = IdGenerator(WORKER).next(), IdGenerator(WORKER + 1).next()
    hall.admission.sent(ONE, [own])
    hall.admission.take(ONE.market_id, events([other]))
    assert hall.admission.on_their_way == 1
    hall.admission.take(ONE.market_id, events([own]))
    assert hall.admission.on_their_way == 0


async def test_events_are_heard_at_once_while_many_orders_are_on_their_way() -> None:
    demand = Demand()
    admission = Admission(
        worker=WORKER, topology=Topology((ONE, TWO)), target_s=TARGET_S, demand=demand
    )
    ids = IdGenerator(WORKER)
    sent = [ids.next() for _ in range(300)]
    admission.sent(ONE, sent)
    assert demand.is_there
    admission.take(ONE.market_id, events(sent))
    assert not demand.is_there
