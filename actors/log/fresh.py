"""The events of many records in one array, each event once: cheap where little is asked of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import structlog

from actors.book.codec import MalformedRecordError, decode_events, packed_events
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.log.ports import LogRecord
from actors.log.tail import events_after

_log = structlog.get_logger(__name__)

_ITEM_BYTES = EVENT_DTYPE.itemsize


@dataclass(frozen=True, slots=True)
class JoinedEvents:
    """New events (`EVENT_DTYPE`) in order, and of which records they are: (offset, events)."""

    events: RecordArray
    records: list[tuple[int, int]]


class FreshEvents:
    """Pick the events of one market that were not seen before out of its records.

    Records of the newest version are joined byte by byte and decoded together; the others, and
    those that repeat something, one by one. A record that cannot be decoded, or that is another
    market's, is logged and passed over.
    """

    def __init__(self, market_id: int) -> None:
        self._market_id = market_id
        self._sequence = 0

    def of(self, arrived: Iterable[LogRecord]) -> JoinedEvents:
        """Return what is new in these records, which must come in the order of the log."""
        parts: list[bytes] = []
        records: list[tuple[int, int]] = []
        for record in arrived:
            try:
                fresh = self._fresh(record.value)
            except MalformedRecordError as error:
                _log.error(
                    "event_record_unreadable",
                    market_id=self._market_id,
                    offset=record.offset,
                    why=str(error),
                )
                continue
            if fresh:
                parts.append(fresh)
                records.append((record.offset, len(fresh) // _ITEM_BYTES))
        return JoinedEvents(np.frombuffer(b"".join(parts), EVENT_DTYPE), records)

    def _fresh(self, value: bytes) -> bytes:
        packed = packed_events(value)
        if packed is not None:
            market_id, first, last, items = packed
            if market_id == self._market_id and first > self._sequence:
                self._sequence = last
                return items
        decoded = decode_events(value)
        if decoded.market_id != self._market_id:
            raise MalformedRecordError(f"record of market {decoded.market_id}")
        fresh = events_after(decoded, self._sequence)
        self._sequence = max(self._sequence, decoded.last_sequence)
        return fresh.tobytes()
