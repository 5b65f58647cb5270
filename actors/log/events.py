"""The router's side of the events' topics: publishing, and what has been published already."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from actors.book.codec import EventRecord
from actors.book.market import Market
from actors.log.consumers import close_consumer, new_consumer
from actors.log.ports import Published
from actors.log.producer import RecordProducer
from actors.log.published import TAIL_RECORDS, later, published_up_to
from actors.platform.errors import LogTimeoutError, LogUnavailableError
from actors.platform.topology import EVENTS_TOPIC, TRADES_TOPIC, Topology

_TAIL_TIMEOUT_S = 10.0


class KafkaEventSink:
    """Publish event records with `acks=all` and find the last sequence of a pair."""

    def __init__(self, *, bootstrap: str, topology: Topology, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._topology = topology
        self._client_id = client_id
        self._producer = RecordProducer(bootstrap=bootstrap, client_id=client_id)

    async def start(self) -> None:
        """Connect. Raises LogUnavailableError while no broker answers."""
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is pending and disconnect."""
        await self._producer.stop()

    async def publish(self, topic: str, market: Market, record: bytes) -> None:
        """Return when every in-sync replica has the record. Raises LogError."""
        await self._producer.send(
            topic=topic,
            partition=self._topology.partition(market),
            key=market.pair.encode(),
            value=record,
        )

    async def published(self, market: Market) -> Published:
        """Read the last `TAIL_RECORDS` of both topics. Raises LogError."""
        number = self._topology.partition(market)
        events, trades = (TopicPartition(topic, number) for topic in (EVENTS_TOPIC, TRADES_TOPIC))
        consumer = new_consumer(
            bootstrap=self._bootstrap,
            client_id=self._client_id,
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        try:
            async with asyncio.timeout(_TAIL_TIMEOUT_S):
                await consumer.start()
                last = await _last_records(consumer, [events, trades], market)
        except TimeoutError as error:
            raise LogTimeoutError(f"the ends of {market.pair} could not be read") from error
        except (KafkaError, OSError) as error:
            raise LogUnavailableError(f"no ends: {error}", retryable=True) from error
        finally:
            await close_consumer(consumer)
        return published_up_to(events=last[events], trades=last[trades])


async def _last_records(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], market: Market
) -> dict[TopicPartition, EventRecord | None]:
    ends = await consumer.end_offsets(partitions)
    firsts = await consumer.beginning_offsets(partitions)
    last: dict[TopicPartition, EventRecord | None] = dict.fromkeys(partitions)
    unread = {tp for tp in partitions if firsts[tp] < ends[tp]}
    if not unread:
        return last
    consumer.assign(sorted(unread))
    for tp in unread:
        consumer.seek(tp, max(firsts[tp], ends[tp] - TAIL_RECORDS))
    while unread:
        for tp, records in (await consumer.getmany(timeout_ms=1_000)).items():
            for record in records:
                last[tp] = later(last[tp], record.value or b"", market)
            if records and records[-1].offset + 1 >= ends[tp]:
                unread.discard(tp)
    return last
