"""A pause that aiokafka leaves out between two questions where its partitions are led."""

import asyncio
import math
import time

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata

_PAUSE_S = 0.1


def pace(client: AIOKafkaClient) -> None:
    """Let a client ask ten times a second at most, as Kafka's own clients do.

    aiokafka's sender and fetcher ask again at once while a partition has no leader (for the
    fetcher: aio-libs/aiokafka#1155), as none has after its broker has stopped in good order: every
    client would then take a core for itself just when the broker needs one to start.
    """
    update = client._metadata_update
    asked_s = -math.inf

    async def update_in_time(cluster: ClusterMetadata, topics: set[str]) -> bool:
        nonlocal asked_s
        await asyncio.sleep(asked_s + _PAUSE_S - time.monotonic())
        asked_s = time.monotonic()
        is_told: bool = await update(cluster, topics)
        return is_told

    client._metadata_update = update_in_time
