"""Reading partitions from given offsets: no group, no commits, the reader knows its place."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, OffsetOutOfRangeError

from actors.log.consumers import close_consumer, new_consumer
from actors.log.ports import LogRecord
from actors.platform.errors import LogGapError, LogTimeoutError, LogUnavailableError

_log = structlog.get_logger(__name__)
# New partitions may take a busy broker a while; no client's request waits for this.
_OFFSETS_TIMEOUT_S = 20.0
# How often the fetcher wakes by itself; whatever it acts on wakes it anyway.
_LOOK_AGAIN_MS = 1_000


class KafkaLogReader:
    """Follow some partitions of one topic.

    A broker that goes away is waited for: `read` then returns nothing until it is back. The
    consumer prefetches, and asks a broker for nothing more while records from it wait to be taken
    (a tenth of a second at most): a partition that is to be left waiting must be paused. What was
    prefetched of it is dropped then, and one that is resumed is read with the next request, after
    `wait_ms` at the latest.

    With `ahead` false it asks for nothing but while it is read, and then for all partitions at
    once: whoever reads seldom costs the broker one request each time.
    """

    def __init__(
        self,
        *,
        bootstrap: str,
        topic: str,
        client_id: str,
        wait_ms: int = 500,
        ahead: bool = True,
        partition_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._client_id = client_id
        self._wait_ms = wait_ms
        self._ahead = ahead
        self._partition_bytes = partition_bytes
        self._consumer: AIOKafkaConsumer | None = None
        self._positions: dict[int, int] = {}
        self._paused: set[int] = set()

    @property
    def positions(self) -> dict[int, int]:
        """Return the offset that will be read next, by partition."""
        return dict(self._positions)

    async def start(self, positions: Mapping[int, int | None]) -> None:
        """Connect and stand at these offsets; None is the end of the partition as it is now.

        Raises LogUnavailableError while no broker answers.
        """
        self._positions = {number: offset or 0 for number, offset in positions.items()}
        await self._connect()
        at_end = [number for number, offset in positions.items() if offset is None]
        if not at_end:
            return
        try:
            ends = await self.end_offsets()
        except BaseException:
            # Whoever starts it again would leave this connection behind.
            await self.stop()
            raise
        for number in at_end:
            self.seek(number, ends[number])

    async def stop(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await close_consumer(consumer)

    def seek(self, partition: int, offset: int) -> None:
        """Read this partition from `offset` on; what was prefetched is dropped."""
        self._positions[partition] = offset
        if self._consumer is not None:
            self._consumer.seek(TopicPartition(self._topic, partition), offset)

    def pause(self, partition: int) -> None:
        """Leave this partition unread until it is resumed; what was prefetched is dropped."""
        self._paused.add(partition)
        if self._consumer is not None:
            self._consumer.pause(TopicPartition(self._topic, partition))

    def resume(self, partition: int) -> None:
        """Read this partition again."""
        self._paused.discard(partition)
        if self._consumer is not None:
            self._consumer.resume(TopicPartition(self._topic, partition))

    async def read(
        self, *, timeout_ms: int, max_records: int | None = None
    ) -> dict[int, list[LogRecord]]:
        """Return what has arrived, by partition; wait up to `timeout_ms` for the first record.

        Raises LogGapError where the log does not hold the next offset, or not in one piece, and
        LogUnavailableError where the connection had to be made anew and no broker answers.
        """
        consumer = self._consumer or await self._connect()
        try:
            batches = await self._fetched(consumer, timeout_ms, max_records)
        except OffsetOutOfRangeError as error:
            partition, offset = next(iter(error.args[0].items()))
            raise LogGapError(
                topic=self._topic, partition=partition.partition, needed_offset=offset
            ) from error
        except KafkaError as error:
            _log.warning("reader_reconnects", topic=self._topic, why=repr(error))
            # What was handed over of other partitions is lost with the error, and read again.
            await self.stop()
            if isinstance(error, CorruptRecordException):
                self._raise_for_corrupt(error)
            return {}
        arrived: dict[int, list[LogRecord]] = {}
        for partition, records in batches.items():
            number = partition.partition
            # A seek while these were handed over has made them stale.
            if records and records[0].offset >= self._positions[number]:
                arrived[number] = [LogRecord(r.offset, r.value or b"") for r in records]
                self._positions[number] = records[-1].offset + 1
        return arrived

    async def _fetched(
        self, consumer: AIOKafkaConsumer, timeout_ms: int, max_records: int | None
    ) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        partitions = [
            TopicPartition(self._topic, number)
            for number in (() if self._ahead else self._positions)
            if number not in self._paused
        ]
        consumer.resume(*partitions)
        try:
            batches: Mapping[TopicPartition, Sequence[ConsumerRecord]] = await consumer.getmany(
                timeout_ms=timeout_ms, max_records=max_records
            )
        finally:
            consumer.pause(*partitions)
        return batches

    async def end_offsets(self) -> dict[int, int]:
        """Return the offset after the last record, by partition.

        Raises LogUnavailableError or LogTimeoutError.
        """
        return await self._offsets("end_offsets")

    async def first_offsets(self) -> dict[int, int]:
        """Return the offset of the oldest record kept, by partition. Raises as `end_offsets`."""
        return await self._offsets("beginning_offsets")

    def records_behind(self) -> dict[int, int]:
        """Return how many records the broker held beyond the position at the last fetch."""
        if self._consumer is None:
            return {}
        ends = {
            number: self._consumer.highwater(TopicPartition(self._topic, number))
            for number in self._positions
        }
        return {
            number: max(0, (end or 0) - self._positions[number]) for number, end in ends.items()
        }

    def _raise_for_corrupt(self, error: CorruptRecordException) -> None:
        """Blame the partition that holds the record: it keeps all others from being read."""
        for number, offset in self._positions.items():
            if str(TopicPartition(self._topic, number)) in str(error):
                raise LogGapError(
                    topic=self._topic, partition=number, needed_offset=offset
                ) from error

    async def _offsets(self, which: str) -> dict[int, int]:
        if self._consumer is None:
            raise LogUnavailableError("the reader is not connected", retryable=True)
        partitions = [TopicPartition(self._topic, number) for number in self._positions]
        try:
            async with asyncio.timeout(_OFFSETS_TIMEOUT_S):
                offsets = await getattr(self._consumer, which)(partitions)
        except TimeoutError as error:
            raise LogTimeoutError("the broker did not name its offsets in time") from error
        except KafkaError as error:
            raise LogUnavailableError(f"no offsets: {error!r}", retryable=True) from error
        return {partition.partition: int(offset) for partition, offset in offsets.items()}

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = new_consumer(
            bootstrap=self._bootstrap,
            client_id=self._client_id,
            isolation_level="read_uncommitted",
            fetch_min_bytes=1,
            fetch_max_wait_ms=self._wait_ms,
            consumer_timeout_ms=_LOOK_AGAIN_MS,
            max_partition_fetch_bytes=self._partition_bytes,
        )
        consumer.assign([TopicPartition(self._topic, number) for number in self._positions])
        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            await close_consumer(consumer)
            raise LogUnavailableError(f"no broker answers: {error}", retryable=True) from error
        except BaseException:
            await close_consumer(consumer)
            raise
        # Before anything is awaited, or the fetcher would miss its positions.
        for number, offset in self._positions.items():
            consumer.seek(TopicPartition(self._topic, number), offset)
        paused = self._paused & self._positions.keys()
        consumer.pause(*(TopicPartition(self._topic, number) for number in paused))
        self._consumer = consumer
        return consumer
