"""What must hold at the end of every schedule, and at every snapshot."""

from collections.abc import Iterable

import numpy as np

from actors.book.codec import decode_events
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.fold.ports import StoredSnapshot
from actors.log.tail import events_after
from actors.pair.actor import PairActor
from actors.platform.topology import EVENTS_TOPIC, TRADES_TOPIC
from analytics.frames import to_frame
from analytics.seconds import fold_seconds
from tests.simulation.candles import MemoryCandles
from tests.simulation.memory import MemoryRows, SimulatedLog
from tests.simulation.story import Story


class Judge:
    """Hold a run against the naive book's story and collect what differs, in plain words."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.violations: list[str] = []

    def snapshot(self, snapshot: StoredSnapshot, published: Iterable[bytes]) -> None:
        """Check that a snapshot is not newer than the events in the log."""
        needed = self._story.sequences[snapshot.next_offset - 1] if snapshot.next_offset else 0
        records = [decode_events(value) for value in published]
        held = max((record.last_sequence for record in records), default=0)
        self._expect(
            held >= needed,
            f"a snapshot at sequence {needed} is newer than the events in the log, up to {held}",
        )

    def finish(
        self,
        *,
        settled: bool,
        actor: PairActor,
        log: SimulatedLog,
        rows: MemoryRows,
        candles: MemoryCandles | None,
    ) -> None:
        """Check everything that a run has left behind."""
        story = self._story
        self._expect(settled, "not everything has arrived everywhere in the time allowed")
        if settled:
            same = actor.state_hash() == story.state_hash
            self._expect(same, "the actor's book is not the naive book")
        events = self._published(log.topic(EVENTS_TOPIC), "orders.updated", whole=True)
        self._compare(events, story.events, "orders.updated")
        trades = self._published(log.topic(TRADES_TOPIC), "trades.executed", whole=False)
        self._compare(trades, story.trades, "trades.executed")
        self._expect(rows.trades == story.rows.trades, "the rows of trades differ")
        self._expect(rows.orders == story.rows.orders, "the rows of orders differ")
        self._expect(not rows.rewritten_trades, f"trades written twice: {rows.rewritten_trades}")
        if candles is not None:
            seconds = fold_seconds(1, story.trades) if len(story.trades) else []
            wanted = to_frame(seconds)
            self._expect(candles.frame.equals(wanted), "the candles differ from the trades'")

    def _published(self, values: Iterable[bytes], topic: str, *, whole: bool) -> RecordArray:
        """Return a topic's events as a consumer that drops what it has seen takes them."""
        taken, last = [np.empty(0, EVENT_DTYPE)], 0
        for value in values:
            record = decode_events(value)
            if whole and record.first_sequence > last + 1:
                self._expect(False, f"{topic} has a gap after sequence {last}")
            fresh = events_after(record, last)
            self._expect_as_told(record.events, topic)
            if len(fresh):
                taken.append(fresh)
                last = int(fresh["sequence"][-1])
        joined: RecordArray = np.concatenate(taken)
        return joined

    def _expect_as_told(self, events: RecordArray, topic: str) -> None:
        told = self._story.events
        known = events["sequence"] <= len(told)
        same = known.all() and told[events["sequence"] - 1].tobytes() == events.tobytes()
        self._expect(bool(same), f"{topic} tells events that the naive book does not")

    def _compare(self, found: RecordArray, wanted: RecordArray, topic: str) -> None:
        self._expect(
            found.tobytes() == wanted.tobytes(),
            f"{topic} holds {len(found)} events, the naive book tells {len(wanted)}, or others",
        )

    def _expect(self, holds: bool, sentence: str) -> None:
        if not holds:
            self.violations.append(sentence)
