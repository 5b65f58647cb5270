"""What a batch may contain: each market's events once, in order, without a gap.

A record that does not continue its market is not written, nor is anything after it: the market
is stalled, its position stays before the gap, and it goes on by itself once the log brings the
missing sequences (another router publishes again what it did not find).
"""

from dataclasses import dataclass

import structlog

from actors.book.codec import EventRecord, MalformedRecordError, decode_events
from actors.book.records import EVENT_DTYPE, RecordArray, joined
from actors.follow.intake import Reached, moved
from actors.follow.positions import MarketPosition

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Events (`EVENT_DTYPE`) of several markets, with the positions that they lead from and to."""

    events: RecordArray
    before: tuple[MarketPosition, ...]
    after: tuple[MarketPosition, ...]


class Intake:
    """Collect records of several markets until somebody takes them as a batch."""

    def __init__(self, positions: tuple[MarketPosition, ...]) -> None:
        self._taken = {position.market_id: position for position in positions}
        self._reached = {position.market_id: Reached(position) for position in positions}
        self._events: list[RecordArray] = []
        self.pending = 0
        self.faults: dict[int, str] = {}

    def add(self, *, market_id: int, offset: int, value: bytes) -> None:
        """Add the record at this offset; events that were added before are dropped.

        A record that is malformed or leaves a gap stalls its market, and is put down in `faults`
        instead, until one follows that continues.
        """
        reached = self._reached[market_id]
        try:
            record = decode_events(value)
            fresh, last_sequence = _fresh_events(record, market_id, reached.last_sequence)
        except MalformedRecordError as error:
            self._stall(market_id, offset, f"record {offset}: {error}")
            return
        if len(fresh) > 0:
            self._continue(market_id, offset)
            self._events.append(fresh)
            self.pending += len(fresh)
        elif market_id in self.faults:
            return
        reached.next_offset = offset + 1
        reached.last_sequence = last_sequence
        if last_sequence >= record.last_sequence:
            reached.commands_offset = max(reached.commands_offset, record.next_offset)

    def _stall(self, market_id: int, offset: int, why: str) -> None:
        if market_id not in self.faults:
            _log.error("market_stalled_in_writer", market_id=market_id, offset=offset, why=why)
        self.faults[market_id] = why

    def _continue(self, market_id: int, offset: int) -> None:
        if self.faults.pop(market_id, None) is not None:
            _log.warning("market_continues_in_writer", market_id=market_id, offset=offset)

    def take(self) -> Batch | None:
        """Return what was added since the last call, None where no position has moved."""
        after = moved(self._taken, self._reached)
        if not after:
            return None
        batch = Batch(
            events=joined(self._events, EVENT_DTYPE),
            before=tuple(self._taken[market_id] for market_id in after),
            after=tuple(after.values()),
        )
        self._taken |= after
        self._events.clear()
        self.pending = 0
        return batch


def _fresh_events(
    record: EventRecord, market_id: int, last_sequence: int
) -> tuple[RecordArray, int]:
    """Return the events after `last_sequence`, and the sequence that they lead to."""
    if record.market_id != market_id:
        raise MalformedRecordError(f"market {record.market_id} in the log of {market_id}")
    events = record.events
    if len(events) == 0:
        if record.last_sequence > last_sequence:
            raise MalformedRecordError(_gap(last_sequence + 1, record.last_sequence + 1))
        return events, last_sequence
    sequences = events["sequence"]
    first, last = int(sequences[0]), int(sequences[-1])
    if not _is_one_market(events, market_id) or not _is_consecutive(sequences, first, last):
        raise MalformedRecordError("its events are not consecutive events of its market")
    if first > last_sequence + 1:
        raise MalformedRecordError(_gap(last_sequence + 1, first))
    return events[max(0, last_sequence + 1 - first) :], max(last, last_sequence)


def _is_one_market(events: RecordArray, market_id: int) -> bool:
    return bool((events["market_id"] == market_id).all())


def _is_consecutive(sequences: RecordArray, first: int, last: int) -> bool:
    is_growing = len(sequences) == 1 or bool((sequences[1:] > sequences[:-1]).all())
    return is_growing and last - first == len(sequences) - 1


def _gap(expected: int, found: int) -> str:
    return f"sequence {expected} is missing, the log goes on with {found}"
