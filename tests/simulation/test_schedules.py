"""Thousands of schedules over the product's own classes, and bugs planted to be found by them."""

import pytest

from actors.fold.ports import StoredSnapshot
from actors.pair.actor import PairActor
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC
from actors.router.pipeline import PairPipeline
from actors.router.publisher import PairPublisher
from actors.router.sending import RecordSender
from actors.router.trades import TradeLog
from actors.writer.intake import Batch
from actors.writer.rows import Rows, rows_of
from tests.simulation.campaign import failure_among, first_failure, world
from tests.simulation.memory import MemoryOrderStore
from tests.simulation.network import SLOW_LATENCY_S
from tests.simulation.schedule import Decision, Fault, draw, shrink
from tests.simulation.world import Parts

SCHEDULES = 10_000
SCHEDULES_UNTIL_FOUND = 600
SHORT = 8


def test_no_schedule_loses_doubles_or_changes_an_event() -> None:
    failure = failure_among(seed=0, schedules=SCHEDULES)
    assert failure is None, str(failure)


def test_a_seed_plays_the_same_operations_each_time() -> None:
    first, second = world(25, draw(25)), world(25, draw(25))
    assert first.play() == second.play()
    for topic in (COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC):
        assert first.log.topic(topic) == second.log.topic(topic)
    assert (first.network.trace, first.network.operations, first.loop.time()) == (
        second.network.trace,
        second.network.operations,
        second.loop.time(),
    )


def test_every_kind_of_fault_is_met_in_few_seeds() -> None:
    met = {decision.fault for seed in range(50) for decision in draw(seed)}
    assert met == set(Fault)


def test_shrinking_keeps_only_what_the_failure_needs() -> None:
    schedule = tuple(Decision(number, Fault.DELAY) for number in range(9))
    needed = {schedule[2], schedule[7]}
    assert shrink(schedule, lambda shorter: needed <= set(shorter)) == (schedule[2], schedule[7])


def test_slow_streams_make_a_platform_late_and_nothing_wrong() -> None:
    prompt, late = world(25, ()), world(25, (Decision(10, Fault.SLOW_STREAMS),))
    assert prompt.play() == late.play() == []
    assert late.loop.time() > prompt.loop.time() + 2 * SLOW_LATENCY_S


class SnapshotsTooEarly(PairActor):
    """Keeps a snapshot before anybody said that its events are in the log."""

    def _take_snapshot_when_due(self, commands: int) -> None:
        super()._take_snapshot_when_due(commands)
        if self._pending is not None:
            self.acknowledge(self._pending.next_offset)


class TakesAnyRange(PairActor):
    """Applies a range that does not continue its position."""

    def apply(self, first_offset, next_offset, values):  # type: ignore[no-untyped-def]
        self._next_offset = max(self._next_offset, first_offset)
        return super().apply(first_offset, next_offset, values)


class TrustsTornSnapshots(PairActor):
    """Begins at a snapshot's offset although its book could not be restored."""

    def _begin(self, next_offset: int, commands: int, last_price_ticks: int) -> None:
        newest: StoredSnapshot | None = next(iter(self._store.load()), None)
        super()._begin(newest.next_offset if newest else next_offset, commands, last_price_ticks)


class AcknowledgesBeforePublishing(PairPipeline):
    """Tells the actor of events that are only about to be published."""

    async def _publish(self, ranges, applied):  # type: ignore[no-untyped-def]
        self._published_offset = applied[-1].next_offset
        await super()._publish(ranges, applied)


class _Careless(RecordSender):
    async def _send_again(self, record: bytes) -> None:
        pass


class SkipsWhatFails(PairPublisher):
    """Goes on behind a record that the log did not take."""

    def __init__(self, *, market, sink, trades):  # type: ignore[no-untyped-def]
        super().__init__(market=market, sink=sink, trades=trades)
        self._sender = _Careless(EVENTS_TOPIC, market=market, sink=sink)


class SkipsTradesThatFail(TradeLog):
    """Goes on behind a record of trades that the log did not take."""

    def __init__(self, *, market, partition, sink, events):  # type: ignore[no-untyped-def]
        super().__init__(market=market, partition=partition, sink=sink, events=events)
        self._sender = _Careless(TRADES_TOPIC, market=market, sink=sink)


class ForgetsTrades(TradeLog):
    """Writes the trades that are offered, and none that another router has left."""

    async def _write_from_log(self) -> None:
        self._reached = self._published


class TrustsTheEvents(TradeLog):
    """Takes trades for written that only the events' own topic is known to hold."""

    def learn(self, *, trades_sequence: int = 0, events_sequence: int = 0) -> None:
        super().learn(trades_sequence=events_sequence, events_sequence=events_sequence)


class NeverRewinds(PairPipeline):
    """Takes events that nobody has published for published."""

    async def _find_missing_events(self, position):  # type: ignore[no-untyped-def]
        self._publisher.assume(position.sequence)
        return position


class LeavesQuietMarketsAlone(PairPipeline):
    """Does not notice that the actor of a market without orders has started again."""

    async def _refresh_depth(self) -> None:
        pass


class RowsWithoutPosition(MemoryOrderStore):
    """Commits the rows, and their position in another transaction."""

    async def write(self, batch: Batch) -> Rows:
        rows = await self._network.carry(
            "commit rows", lambda: self._write_rows(batch), lost=ConnectionError("lost")
        )
        await self._network.carry(
            "commit the position", lambda: self._rows.move(batch), lost=ConnectionError("lost")
        )
        return rows

    def _write_rows(self, batch: Batch) -> Rows:
        rows = rows_of(batch.events)
        self._rows.write(rows)
        return rows


@pytest.mark.parametrize(
    "parts",
    [
        Parts(actor=SnapshotsTooEarly),
        Parts(actor=TakesAnyRange),
        Parts(actor=TrustsTornSnapshots),
        Parts(pipeline=AcknowledgesBeforePublishing),
        Parts(pipeline=NeverRewinds),
        Parts(pipeline=LeavesQuietMarketsAlone),
        Parts(publisher=SkipsWhatFails),
        Parts(trades=SkipsTradesThatFail),
        Parts(trades=ForgetsTrades),
        Parts(trades=TrustsTheEvents),
        Parts(store=RowsWithoutPosition),
    ],
    ids=[
        "the actor keeps snapshots too early",
        "the actor takes any range",
        "the actor trusts torn snapshots",
        "the router acknowledges before it publishes",
        "the router never rewinds",
        "the router leaves quiet markets alone",
        "the router skips what fails",
        "the router skips trades that fail",
        "the router forgets trades",
        "the router trusts the events",
        "the writer commits rows without their position",
    ],
)
def test_a_planted_bug_is_found_and_shrunk_to_a_short_schedule(parts: Parts) -> None:
    failure = first_failure(seed=0, schedules=SCHEDULES_UNTIL_FOUND, parts=parts)
    assert failure is not None
    assert len(failure.schedule) <= SHORT, str(failure)
    assert not world(failure.seed, failure.schedule).play(), "the product itself fails"
    assert f"--seed {failure.seed}" in str(failure)
