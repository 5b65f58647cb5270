"""A pause that aiokafka leaves out before it asks again where its partitions are led."""

import asyncio

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata

_PAUSE_S = 0.1


def pace(client: AIOKafkaClient) -> None:
    """Let a client rest after it was told of no leader, or told nothing.

    Its sender and its fetcher ask again at once (for the fetcher: aio-libs/aiokafka#1155), and
    after a broker has stopped in good order none of its partitions has a leader: every client
    would then take a core for itself just when the broker needs one to start.
    """
    update = client._metadata_update

    async def update_and_rest(cluster: ClusterMetadata, topics: set[str]) -> bool:
        is_told: bool = await update(cluster, topics)
        if not is_told or not _is_led(cluster):
            await asyncio.sleep(_PAUSE_S)
        return is_told

    client._metadata_update = update_and_rest


def _is_led(cluster: ClusterMetadata) -> bool:
    return all(
        cluster.available_partitions_for_topic(topic) == cluster.partitions_for_topic(topic)
        for topic in cluster.topics()
    )
