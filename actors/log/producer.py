"""A producer that never writes twice and never loses what it confirmed."""

import asyncio
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from actors.log.pacing import pace
from actors.platform.errors import LogError, LogTimeoutError, LogUnavailableError

_log = structlog.get_logger(__name__)
_HOPELESS = (MessageSizeTooLargeError, TopicAuthorizationFailedError)
_NOT_KEPT = (
    KafkaConnectionError,
    KafkaTimeoutError,
    NotEnoughReplicasError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    UnknownTopicOrPartitionError,
)
_STOP_S = 5.0
RECORD_BYTES_MAX = 1_000_000


class RecordProducer:
    """Send records with `acks=all` and idempotence, one broker request at a time.

    While one request is on its way, everything else gathers in the next: batching costs an idle
    client no delay. aiokafka repeats a batch until the broker answers, so a lost connection
    neither loses nor doubles a record; `linger_ms` gathers more at the price of that delay.
    """

    def __init__(self, *, bootstrap: str, client_id: str, linger_ms: int = 0) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._linger_ms = linger_ms
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def start(self) -> None:
        """Connect. Raises LogUnavailableError while no broker answers."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            compression_type=None,
            max_batch_size=1024 * 1024,
            max_request_size=1024 * 1024,
            linger_ms=self._linger_ms,
            request_timeout_ms=10_000,
            retry_backoff_ms=50,
            metadata_max_age_ms=60_000,
        )
        pace(producer.client)
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            await producer.stop()
            raise LogUnavailableError(f"no broker answers: {error}", retryable=True) from error
        self._producer = producer

    async def stop(self) -> None:
        """Send what is pending and disconnect."""
        self._stopped = True
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)
        await asyncio.gather(*self._closing)

    async def send(self, *, topic: str, partition: int, key: bytes, value: bytes) -> int:
        """Return the record's offset once all in-sync replicas have it.

        -1 stands for a repeat that the broker confirmed without naming the offset.
        Raises LogUnavailableError (not kept) or LogTimeoutError (outcome unknown).
        """
        producer = await self._connected()
        try:
            known = await _has_partition(producer, topic, partition)
        except KafkaError as error:
            raise self._failed(producer, error) from error
        if not known:
            raise LogUnavailableError(f"{topic} has no partition {partition}", retryable=False)
        return await (await self._take(producer, topic, partition, key, value))

    async def begin(
        self, *, topic: str, partition: int, key: bytes, value: bytes
    ) -> asyncio.Future[int] | None:
        """Take a record into the next request; return the future of its offset, as `send` has it.

        None where there is no connection or no such partition is known yet: `send` waits for both.
        The record goes its way, whatever becomes of the future.
        """
        producer = self._producer
        if producer is None:
            return None
        if partition not in (producer.client.cluster.partitions_for_topic(topic) or ()):
            return None
        return await self._take(producer, topic, partition, key, value)

    async def _take(
        self, producer: AIOKafkaProducer, topic: str, partition: int, key: bytes, value: bytes
    ) -> asyncio.Future[int]:
        try:
            sent = await producer.send(topic, value=value, key=key, partition=partition)
        except KafkaError as error:
            raise self._failed(producer, error) from error
        confirmed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        sent.add_done_callback(partial(self._confirm, producer, confirmed))
        return confirmed

    def _confirm(
        self,
        producer: AIOKafkaProducer,
        confirmed: asyncio.Future[int],
        sent: asyncio.Future[Any],
    ) -> None:
        if sent.cancelled():
            confirmed.cancel()
            return
        error = sent.exception()
        if error is None:
            if not confirmed.done():
                confirmed.set_result(int(sent.result().offset))
            return
        told = self._failed(producer, error) if isinstance(error, KafkaError) else error
        if not confirmed.done():
            confirmed.set_exception(told)

    def _failed(self, producer: AIOKafkaProducer, error: KafkaError) -> LogError:
        """Return what an error of Kafka's means for the record; replace what it has broken."""
        if isinstance(error, _HOPELESS):
            return LogUnavailableError(str(error), retryable=False)
        self._replace(producer, error)
        if isinstance(error, _NOT_KEPT):
            return LogUnavailableError(str(error), retryable=True)
        return LogTimeoutError(f"the broker did not confirm: {error}")

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None and not self._stopped:
            async with self._connecting:
                if self._producer is None:
                    await self.start()
        if self._producer is None:
            raise LogUnavailableError("the producer is stopped", retryable=False)
        return self._producer

    def _replace(self, failed: AIOKafkaProducer, error: KafkaError) -> None:
        """Start over under a new producer id: after a fatal error the old one stays broken."""
        if error.retriable or self._producer is not failed:
            return
        _log.warning("producer_replaced", client_id=self._client_id, why=repr(error))
        self._producer = None
        closing = asyncio.create_task(_close(failed))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


async def _has_partition(producer: AIOKafkaProducer, topic: str, partition: int) -> bool:
    if partition in await producer.partitions_for(topic):
        return True
    # A topic that has grown since is known only after a refresh.
    await producer.client.force_metadata_update()
    return partition in await producer.partitions_for(topic)


async def _close(producer: AIOKafkaProducer) -> None:
    """Flush and disconnect; give up on a broker that does not take what is pending."""
    try:
        await asyncio.wait_for(producer.stop(), timeout=_STOP_S)
    except TimeoutError:
        _log.warning("producer_not_flushed", seconds=_STOP_S)
    except (KafkaError, OSError) as error:
        _log.warning("producer_not_closed_well", why=repr(error))
