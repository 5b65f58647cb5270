"""State of the log as Kafka tells it: its identity, and which offsets it holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from actors.log.reader import KafkaLogReader
from actors.platform.errors import LogError
from cluster.data.epochs.topic_ids import read_ids
from cluster.data.patience import patiently
from cluster.data.topics import TOPICS
from cluster.errors import ServerUnreachableError

CLIENT_ID = "forkast-epochs"


@dataclass(frozen=True, slots=True)
class Extent:
    """The offsets that a partition holds: half-open, from `first` to `end`."""

    first: int
    end: int

    def allows(self, position: int) -> bool:
        """Say whether a reader may stand there."""
        return self.first <= position <= self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class LogState:
    """Kafka's cluster id, and of every topic its id and its extents by partition."""

    cluster_id: str
    topic_ids: Mapping[str, str]
    extents: Mapping[str, Mapping[int, Extent]]


async def read_log(bootstrap: str, partitions: Iterable[int]) -> LogState:
    """Ask for the state of the three topics. Raises ServerUnreachableError."""
    wanted = dict.fromkeys(partitions, 0)
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=20_000)
    try:
        await client.start()
        cluster_id, topic_ids = await read_ids(client, TOPICS)
        extents = {topic: await _extents(bootstrap, topic, wanted) for topic in TOPICS}
    except (KafkaError, LogError) as error:
        raise ServerUnreachableError(f"Kafka at {bootstrap}: {error}") from error
    finally:
        await client.close()
    return LogState(cluster_id=cluster_id, topic_ids=topic_ids, extents=extents)


async def _extents(bootstrap: str, topic: str, partitions: Mapping[int, int]) -> dict[int, Extent]:
    # What is asked here waits for a fetch that has found nothing yet, on the same connection.
    reader = KafkaLogReader(bootstrap=bootstrap, topic=topic, client_id=CLIENT_ID, wait_ms=20)
    await patiently(lambda: reader.start(partitions))
    try:
        firsts = await patiently(reader.first_offsets)
        ends = await patiently(reader.end_offsets)
    finally:
        await reader.stop()
    return {number: Extent(firsts[number], ends[number]) for number in partitions}
