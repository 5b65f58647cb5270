"""The router's side of the events' topics: publishing, and what has been published already."""

from actors.book.codec import MalformedRecordError, decode_events
from actors.book.market import Market
from actors.errors import LogTimeoutError
from actors.kafka.producer import RecordProducer
from actors.kafka.reader import LogReader
from actors.ports import Published
from actors.topology import EVENTS_TOPIC, TRADES_TOPIC, Topology

_TAIL_RECORDS = 16
_TAIL_TIMEOUT_MS = 5_000


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
        """Read the last records of both topics. Raises LogError.

        Several are read, because a router that repeats itself may have written a lower sequence
        after a higher one.
        """
        return Published(
            events_sequence=await self._last_sequence(EVENTS_TOPIC, market),
            trades_sequence=await self._last_sequence(TRADES_TOPIC, market),
        )

    async def _last_sequence(self, topic: str, market: Market) -> int:
        partition = self._topology.partition(market)
        reader = LogReader(
            bootstrap=self._bootstrap, topic=topic, client_id=self._client_id, wait_ms=50
        )
        await reader.start({partition: None})
        try:
            end = reader.positions[partition]
            first = (await reader.first_offsets())[partition]
            reader.seek(partition, max(first, end - _TAIL_RECORDS))
            sequence = 0
            while reader.positions[partition] < end:
                arrived = await reader.read(timeout_ms=_TAIL_TIMEOUT_MS)
                if not arrived:
                    raise LogTimeoutError(f"the end of {topic}[{partition}] could not be read")
                for record in arrived[partition]:
                    sequence = max(sequence, _sequence_of(record.value, market))
            return sequence
        finally:
            await reader.stop()


def _sequence_of(value: bytes, market: Market) -> int:
    try:
        record = decode_events(value)
    except MalformedRecordError:
        return 0
    return record.last_sequence if record.market_id == market.market_id else 0
