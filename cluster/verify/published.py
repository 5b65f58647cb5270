"""An events' topic against the fold: each event there, equal wherever it is repeated."""

import asyncio
import time

import numpy as np

from actors.book.codec import EventRecord, MalformedRecordError, decode_events
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind
from actors.kafka.reader import LogReader
from cluster.errors import CannotVerifyError
from cluster.patience import patiently
from cluster.verify.fold import LogFold
from cluster.verify.report import Check

_READ_TIMEOUT_MS = 500
_POLL_S = 0.1
_SILENCE_S = 30.0


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
        self, reader: LogReader, partition: int, *, reach: int, until_s: float | None
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
                for record in arrived.get(partition, ()):
                    heard_s = time.monotonic()
                    self.add(record.offset, record.value)
                if time.monotonic() - heard_s > _SILENCE_S:
                    raise CannotVerifyError(f"the events of {self._pair} cannot be read")
            if until_s is None or not self.missing(reach) or time.monotonic() > until_s:
                break
            await asyncio.sleep(_POLL_S)
            end = (await patiently(reader.end_offsets))[partition]
            heard_s = time.monotonic()
        self.settle(reach if until_s is not None else min(reach, self.last_sequence))

    def add(self, offset: int, value: bytes) -> None:
        """Compare the record at this offset of the topic."""
        where = f"{self._pair} offset {offset} of {self._check.name}"
        try:
            record = decode_events(value)
        except MalformedRecordError as error:
            self._check.differ(f"{where}: {error}")
            return
        if record.market_id != self._market_id:
            self._check.differ(f"{where}: it belongs to market {record.market_id}")
            return
        self.last_sequence = max(self.last_sequence, record.last_sequence)
        self._compare(record, where)

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

    def _compare(self, record: EventRecord, where: str) -> None:
        sequences = record.events["sequence"]
        outside = (sequences < record.first_sequence) | (sequences > record.last_sequence)
        if outside.any():
            self._check.differ(
                f"{where}: sequence {sequences[np.argmax(outside)]} in a record of "
                f"{record.first_sequence} to {record.last_sequence}",
                int(outside.sum()),
            )
        base, last = self._spool.base_sequence, self._spool.last_sequence
        # What the log held when the fold ended: what came later is left out.
        known = record.events[(sequences > base) & (sequences <= last) & ~outside]
        places = known["sequence"] - base - 1
        inside = places < len(self._seen)
        known, places = known[inside], places[inside]
        expected = self._spool.at(known["sequence"])
        wrong = (_bytes(expected) != _bytes(known)).any(axis=1) | ~self._wanted[places]
        self._seen[places] = True
        self._check.passed(len(known))
        if wrong.any():
            first = int(np.argmax(wrong))
            self._check.differ(
                f"{where}: sequence {known['sequence'][first]}: "
                + _difference(expected[first], known[first]),
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
