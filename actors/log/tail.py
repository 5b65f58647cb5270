"""Following the events of many pairs, decoded: for waiters, the hub, the writer, the candles."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import structlog

from actors.book.codec import EventRecord, MalformedRecordError, decode_events
from actors.book.records import RecordArray
from actors.log.ports import Log, LogRecord
from actors.platform.topology import EVENTS_TOPIC

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TailedEvents:
    """A decoded record and its offset in the topic that is followed."""

    offset: int
    record: EventRecord


class EventTail:
    """Yield the records of an events' topic, in order per partition.

    Records may repeat after a crash: drop what was seen by sequence, `events_after` does it.
    """

    def __init__(
        self, log: Log, *, client_id: str, topic: str = EVENTS_TOPIC, wait_ms: int = 500
    ) -> None:
        self._reader = log.reader(topic=topic, client_id=client_id, wait_ms=wait_ms)
        self._topic = topic

    @property
    def positions(self) -> dict[int, int]:
        """Return the offset that will be read next, by partition."""
        return self._reader.positions

    async def start(self, positions: Mapping[int, int | None]) -> None:
        """Stand at these offsets by partition; None is the partition's end as it is now.

        Raises LogUnavailableError while no broker answers; call again later.
        """
        await self._reader.start(positions)

    async def stop(self) -> None:
        """Disconnect."""
        await self._reader.stop()

    def seek(self, partition: int, offset: int) -> None:
        """Read this partition from `offset` on."""
        self._reader.seek(partition, offset)

    def pause(self, partition: int) -> None:
        """Leave this partition unread until it is resumed."""
        self._reader.pause(partition)

    def resume(self, partition: int) -> None:
        """Read this partition again."""
        self._reader.resume(partition)

    async def end_offsets(self) -> dict[int, int]:
        """Return the offset after the last record, by partition. Raises LogError."""
        return await self._reader.end_offsets()

    async def first_offsets(self) -> dict[int, int]:
        """Return the offset of the oldest record kept, by partition. Raises LogError."""
        return await self._reader.first_offsets()

    async def read(
        self, *, timeout_ms: int, max_records: int | None = None
    ) -> dict[int, list[TailedEvents]]:
        """Return what has arrived, by partition; wait up to `timeout_ms` for the first record.

        A record that cannot be decoded is logged and passed over. Raises LogGapError and
        LogUnavailableError as `LogReader.read` does.
        """
        arrived = await self._reader.read(timeout_ms=timeout_ms, max_records=max_records)
        return {number: self._decode(number, records) for number, records in arrived.items()}

    def _decode(self, partition: int, records: list[LogRecord]) -> list[TailedEvents]:
        decoded = []
        for record in records:
            try:
                decoded.append(TailedEvents(record.offset, decode_events(record.value)))
            except MalformedRecordError as error:
                _log.error(
                    "event_record_unreadable",
                    topic=self._topic,
                    partition=partition,
                    offset=record.offset,
                    why=str(error),
                )
        return decoded


def events_after(record: EventRecord, sequence: int) -> RecordArray:
    """Return the record's events with a higher sequence: what a consumer has not seen yet."""
    if record.first_sequence > sequence:
        return record.events
    return record.events[int(np.searchsorted(record.events["sequence"], sequence, "right")) :]
