"""An events' topic against the fold: each event there, equal wherever it is repeated."""

import asyncio
import time
from collections.abc import Iterable

import numpy as np

from actors.book.codec import EventRecord, MalformedRecordError, decode_events
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind
from actors.log.ports import LogRecord
from actors.log.reader import KafkaLogReader
from cluster.data.patience import patiently
from cluster.errors import CannotVerifyError
from cluster.verify.fold import LogFold
from cluster.verify.report import Check

_READ_TIMEOUT_MS = 500
_POLL_S = 0.1
_SILENCE_S = 60.0


class Published:
    """What one topic holds of one market's events; `only` is the kind that belongs there."""

    def __init__(self, check: Check, fold: LogFold, *, only: EventKind | None = None) -> None:
        self._check = check
        self._pair = fold.market.pair
        self._market_id = fold.market.market_id
        self._spool = fold.spool
        kinds = fold.spool.kinds()
        self._wanted = np.ones(len(kinds), np.bool_) if only is None else kinds == only
        self._seen = np.zeros(len(kinds), np.bool_)
        self.last_sequence = fold.spool.base_sequence

    async def read(
        self, reader: KafkaLogReader, partition: int, *, reach: int, until_s: float | None
    ) -> None:
        """Compare all records, and wait for events up to sequence `reach` until `until_s`.

        Without `until_s` (of the monotonic clock) nobody is running: the topic may end early.
        Raises LogError and CannotVerifyError.
        """
        end = (await patiently(reader.end_offsets))[partition]
        heard_s = time.monotonic()
        while True:
            while reader.positions[partition] < end:
                arrived = await reader.read(timeout_ms=_READ_TIMEOUT_MS)
                if partition in arrived:
                    heard_s = time.monotonic()
                    self.add(arrived[partition])
                if time.monotonic() - heard_s > _SILENCE_S:
                    raise CannotVerifyError(f"the events of {self._pair} cannot be read")
            if until_s is None or not self.missing(reach) or time.monotonic() > until_s:
                break
            await asyncio.sleep(_POLL_S)
            end = (await patiently(reader.end_offsets))[partition]
            heard_s = time.monotonic()
        self.settle(reach if until_s is not None else min(reach, self.last_sequence))

    def add(self, records: Iterable[LogRecord]) -> None:
        """Compare records of the topic, all in one go: a comparison costs little, a start much."""
        read = [(record.offset, self._decoded(record)) for record in records]
        mine = [(offset, events) for offset, events in read if events is not None]
        if not mine:
            return
        self.last_sequence = max(self.last_sequence, *(one.last_sequence for _, one in mine))
        self._compare([events for _, events in mine], [offset for offset, _ in mine])

    def _decoded(self, record: LogRecord) -> EventRecord | None:
        where = self._where(record.offset)
        try:
            decoded = decode_events(record.value)
        except MalformedRecordError as error:
            self._check.differ(f"{where}: {error}")
            return None
        if decoded.market_id != self._market_id:
            self._check.differ(f"{where}: it belongs to market {decoded.market_id}")
            return None
        return decoded

    def _where(self, offset: int) -> str:
        return f"{self._pair} offset {offset} of {self._check.name}"

    def missing(self, up_to: int) -> int:
        """Return how many events up to a sequence have not been seen."""
        count = max(0, up_to - self._spool.base_sequence)
        return int((self._wanted[:count] & ~self._seen[:count]).sum())

    def settle(self, up_to: int) -> None:
        """Count the events up to a sequence that never came."""
        missing = self.missing(up_to)
        if missing:
            first = int(np.argmax(self._wanted & ~self._seen)) + self._spool.base_sequence + 1
            self._check.differ(
                f"{self._pair} sequence {first} is missing in {self._check.name}", missing
            )

    def _compare(self, records: list[EventRecord], offsets: list[int]) -> None:
        events = np.concatenate([record.events for record in records])
        of_record = np.repeat(np.arange(len(records)), [len(record.events) for record in records])
        sequences = events["sequence"]
        first, last = (
            np.array([getattr(record, name) for record in records])[of_record]
            for name in ("first_sequence", "last_sequence")
        )
        outside = (sequences < first) | (sequences > last)
        if outside.any():
            at = int(np.argmax(outside))
            self._check.differ(
                f"{self._where(offsets[of_record[at]])}: sequence {sequences[at]} in a record of "
                f"{first[at]} to {last[at]}",
                int(outside.sum()),
            )
        # What the log held when the fold ended: what came later is left out.
        base = self._spool.base_sequence
        is_known = (sequences > base) & (sequences <= base + len(self._seen)) & ~outside
        known, of_record = events[is_known], of_record[is_known]
        places = known["sequence"] - base - 1
        expected = self._spool.at(known["sequence"])
        wrong = (_bytes(expected) != _bytes(known)).any(axis=1) | ~self._wanted[places]
        self._seen[places] = True
        self._check.passed(len(known))
        if wrong.any():
            at = int(np.argmax(wrong))
            self._check.differ(
                f"{self._where(offsets[of_record[at]])}: sequence {known['sequence'][at]}: "
                + _difference(expected[at], known[at]),
                int(wrong.sum()),
            )


def _bytes(events: RecordArray) -> RecordArray:
    whole = np.ascontiguousarray(events)
    return whole.view(np.uint8).reshape(len(whole), EVENT_DTYPE.itemsize)


def _difference(expected: np.void, found: np.void) -> str:
    named = [
        f"{name} {found[name]}, by the log {expected[name]}"
        for name in EVENT_DTYPE.names or ()
        if expected[name].tobytes() != found[name].tobytes()
    ]
    return "; ".join(named) or f"an event of kind {found['kind']} does not belong here"
