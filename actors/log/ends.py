"""Asking where the partitions of a topic end, without reading them."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from actors.log.consumers import close_consumer, new_consumer
from actors.platform.errors import LogTimeoutError, LogUnavailableError


class KafkaLogEnds:
    """A connection that only names end offsets: one request for all partitions."""

    def __init__(
        self, *, bootstrap: str, topic: str, client_id: str, timeout_s: float = 5.0
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._client_id = client_id
        self._timeout_s = timeout_s
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Connect. Raises LogUnavailableError while no broker answers."""
        consumer = new_consumer(bootstrap=self._bootstrap, client_id=self._client_id)
        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            await close_consumer(consumer)
            raise LogUnavailableError(f"no broker answers: {error}", retryable=True) from error
        self._consumer = consumer

    async def stop(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await close_consumer(consumer)

    async def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the offset after the last record, by partition.

        Raises LogUnavailableError or LogTimeoutError.
        """
        if self._consumer is None:
            raise LogUnavailableError("the connection is not started", retryable=True)
        wanted = [TopicPartition(self._topic, partition) for partition in partitions]
        try:
            async with asyncio.timeout(self._timeout_s):
                offsets = await self._consumer.end_offsets(wanted)
        except TimeoutError as error:
            raise LogTimeoutError("the broker did not name its offsets in time") from error
        except KafkaError as error:
            raise LogUnavailableError(f"no offsets: {error!r}", retryable=True) from error
        return {partition.partition: int(offset) for partition, offset in offsets.items()}
