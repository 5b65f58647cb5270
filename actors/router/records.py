"""What is written to the events' topics: whole batches where they fit, parts where they do not.

A record stays below `message.max.bytes` of a broker left at its defaults. A batch that does not
fit is split at event boundaries: each part's sequences run on from the part before, and only the
last part names the batch's `next_offset`; the others repeat `first_offset`, for no command's
effects are complete before the last.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from msgspec.structs import replace

from actors.book.codec import EVENT_HEADER_DTYPE, EventRecord, encode_events
from actors.book.records import EVENT_DTYPE, RecordArray, joined
from actors.book.vocabulary import EventKind, OrderStatus
from actors.pair.messages import RangeApplied

# A member of an enumeration is looked up anew at each use, which costs as much as a comparison.
_TRADE, _ORDER, _REFUSED = int(EventKind.TRADE), int(EventKind.ORDER), int(EventKind.REFUSED)
_REJECTED = int(OrderStatus.REJECTED)
RECORD_BYTES = 900_000
EVENTS_PER_RECORD = (RECORD_BYTES - EVENT_HEADER_DTYPE.itemsize) // EVENT_DTYPE.itemsize


class EventBatch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The events of neighbouring ranges: sequences inclusive, offsets half-open."""

    market_id: int
    first_sequence: int
    last_sequence: int
    first_offset: int
    next_offset: int
    events: RecordArray

    def after(self, sequence: int) -> "EventBatch":
        """Return what of the batch comes after `sequence`."""
        if sequence < self.first_sequence:
            return self
        kept = int(np.searchsorted(self.events["sequence"], sequence, "right"))
        return replace(self, first_sequence=sequence + 1, events=self.events[kept:])

    def trades(self) -> "EventBatch":
        """Return the batch with its TRADE events alone; it still covers the same sequences."""
        return replace(self, events=self.events[self.events["kind"] == _TRADE])

    def declined(self) -> list[int]:
        """Return the reason of each command that the book rejected or refused."""
        reasons = self.events["reason"]
        if not reasons.any():
            return []
        kinds = self.events["kind"]
        rejected = (kinds == _ORDER) & (self.events["status"] == _REJECTED)
        declined: list[int] = reasons[rejected | (kinds == _REFUSED)].tolist()
        return declined

    def encode(self) -> Iterator[bytes]:
        """Yield the batch's records; none where it has no events."""
        first_sequence = self.first_sequence
        for start in range(0, len(self.events), EVENTS_PER_RECORD):
            part = self.events[start : start + EVENTS_PER_RECORD]
            last = start + EVENTS_PER_RECORD >= len(self.events)
            last_sequence = self.last_sequence if last else int(part["sequence"][-1])
            yield encode_events(
                market_id=self.market_id,
                first_sequence=first_sequence,
                last_sequence=last_sequence,
                first_offset=self.first_offset,
                next_offset=self.next_offset if last else self.first_offset,
                events=part,
            )
            first_sequence = last_sequence + 1

    def encode_quiet(self) -> bytes:
        """Return a record without events: none of the batch's sequences belongs to the topic."""
        return encode_events(
            market_id=self.market_id,
            first_sequence=self.first_sequence,
            last_sequence=self.last_sequence,
            first_offset=self.first_offset,
            next_offset=self.next_offset,
            events=self.events[:0],
        )

    def encode_position(self) -> bytes:
        """Return a record without events: all commands before `next_offset` are accounted for."""
        return encode_events(
            market_id=self.market_id,
            first_sequence=self.last_sequence + 1,
            last_sequence=self.last_sequence,
            first_offset=self.first_offset,
            next_offset=self.next_offset,
            events=self.events[:0],
        )


def chain(batches: Sequence[EventBatch]) -> EventBatch:
    """Return batches of one market that follow each other as one."""
    first, last = batches[0], batches[-1]
    if first is last:
        return first
    return EventBatch(
        market_id=first.market_id,
        first_sequence=first.first_sequence,
        last_sequence=last.last_sequence,
        first_offset=first.first_offset,
        next_offset=last.next_offset,
        events=joined((batch.events for batch in batches), EVENT_DTYPE),
    )


def join(market_id: int, first_offset: int, applied: Sequence[RangeApplied]) -> EventBatch:
    """Return neighbouring ranges, in order, as one batch; `first_offset` is the first range's."""
    return EventBatch(
        market_id=market_id,
        first_sequence=applied[0].first_sequence,
        last_sequence=applied[-1].last_sequence,
        first_offset=first_offset,
        next_offset=applied[-1].next_offset,
        events=np.frombuffer(b"".join(one.events for one in applied), EVENT_DTYPE),
    )


def of_record(record: EventRecord) -> EventBatch:
    """Return a published record of events as the batch that it was made from."""
    return EventBatch(
        market_id=record.market_id,
        first_sequence=record.first_sequence,
        last_sequence=record.last_sequence,
        first_offset=record.first_offset,
        next_offset=record.next_offset,
        events=record.events,
    )
