"""What a batch may contain: each market's events once, in order, without a gap.

A record that does not continue its market is not written, nor is anything after it: the market
is stalled, its position stays before the gap, and it goes on by itself once the log brings the
missing sequences (another router publishes again what it did not find).
"""

from dataclasses import dataclass, replace

import numpy as np
import structlog

from actors.book.codec import EventRecord, MalformedRecordError, decode_events
from actors.book.records import EVENT_DTYPE, RecordArray
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
        self._reached = dict(self._taken)
        self._events: list[RecordArray] = []
        self.pending = 0
        self.faults: dict[int, str] = {}

    def add(self, *, market_id: int, offset: int, value: bytes) -> None:
        """Add the record at this offset; events that were added before are dropped.

        A record that is malformed or leaves a gap stalls its market, and is put down in `faults`
        instead, until one follows that continues.
        """
        try:
            record = decode_events(value)
            fresh = _fresh_events(record, market_id, self._reached[market_id].last_sequence)
        except MalformedRecordError as error:
            self._stall(market_id, offset, f"record {offset}: {error}")
            return
        if len(fresh) > 0:
            self._continue(market_id, offset)
            self._events.append(fresh)
            self.pending += len(fresh)
        elif market_id in self.faults:
            return
        self._advance(record, fresh, offset)

    def _stall(self, market_id: int, offset: int, why: str) -> None:
        if market_id not in self.faults:
            _log.error("market_stalled_in_writer", market_id=market_id, offset=offset, why=why)
        self.faults[market_id] = why

    def _continue(self, market_id: int, offset: int) -> None:
        if self.faults.pop(market_id, None) is not None:
            _log.warning("market_continues_in_writer", market_id=market_id, offset=offset)

    def _advance(self, record: EventRecord, fresh: RecordArray, offset: int) -> None:
        reached = self._reached[record.market_id]
        last_sequence = int(fresh["sequence"][-1]) if len(fresh) else reached.last_sequence
        complete = last_sequence >= record.last_sequence
        self._reached[record.market_id] = replace(
            reached,
            next_offset=offset + 1,
            last_sequence=last_sequence,
            commands_offset=max(reached.commands_offset, record.next_offset * complete),
        )

    def take(self) -> Batch | None:
        """Return what was added since the last call, None where no position has moved."""
        moved = [
            market_id
            for market_id, reached in self._reached.items()
            if reached != self._taken[market_id]
        ]
        if not moved:
            return None
        batch = Batch(
            events=np.concatenate(self._events) if self._events else np.empty(0, EVENT_DTYPE),
            before=tuple(self._taken[market_id] for market_id in moved),
            after=tuple(self._reached[market_id] for market_id in moved),
        )
        self._taken = dict(self._reached)
        self._events.clear()
        self.pending = 0
        return batch


def _fresh_events(record: EventRecord, market_id: int, last_sequence: int) -> RecordArray:
    if record.market_id != market_id:
        raise MalformedRecordError(f"market {record.market_id} in the log of {market_id}")
    events = record.events
    if len(events) == 0:
        if record.last_sequence > last_sequence:
            raise MalformedRecordError(_gap(last_sequence + 1, record.last_sequence + 1))
        return events
    sequences = events["sequence"]
    if (np.diff(sequences) != 1).any() or (events["market_id"] != market_id).any():
        raise MalformedRecordError("its events are not consecutive events of its market")
    if sequences[0] > last_sequence + 1:
        raise MalformedRecordError(_gap(last_sequence + 1, int(sequences[0])))
    return events[max(0, last_sequence + 1 - int(sequences[0])) :]


def _gap(expected: int, found: int) -> str:
    return f"sequence {expected} is missing, the log goes on with {found}"
