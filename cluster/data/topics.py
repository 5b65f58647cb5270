"""The topics of a platform, made explicitly: a broker never makes one by accident."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC, Topology
from cluster.embedded.kafka_broker import RECORD_BYTES_MAX
from cluster.errors import ServerUnreachableError

TOPICS = (COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC)
_REPLICAS_WANTED = 3
_BROKERS_S = 30.0
_POLL_S = 0.2
# Kept for ever: the log of commands is the truth, and events are what consumers resume from.
_CONFIG = {"retention.ms": "-1", "max.message.bytes": str(RECORD_BYTES_MAX)}


async def make_topics(bootstrap: str, topology: Topology) -> None:
    """Make what is missing of the topics and of their partitions, one for each market.

    Topics get three replicas where there are three brokers, with two in sync for an
    acknowledgement, else one. Where the bootstrap names several brokers, a new topic waits until
    as many have joined: what it is made with stays. Every broker knows of all of it on return.
    Raises ServerUnreachableError.
    """
    expected = min(_REPLICAS_WANTED, bootstrap.count(",") + 1)
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=20_000)
    try:
        await client.start()
        await _make(client, topology.partitions, expected)
    except KafkaError as error:
        raise ServerUnreachableError(f"Kafka at {bootstrap}: {error}") from error
    except TimeoutError as error:
        raise ServerUnreachableError(
            f"Kafka at {bootstrap}: {expected} brokers did not join and learn of new topics within "
            f"{_BROKERS_S:g} s; with fewer, topics would have too few replicas"
        ) from error
    finally:
        await client.close()


async def _make(client: AIOKafkaAdminClient, partitions: int, expected: int) -> None:
    existing = {
        topic["topic"]: len(topic["partitions"]) for topic in await client.describe_topics()
    }
    if missing := [name for name in TOPICS if name not in existing]:
        brokers = await _joined(client, expected)
        replicas = _REPLICAS_WANTED if brokers >= _REPLICAS_WANTED else 1
        config = {**_CONFIG, "min.insync.replicas": "2" if replicas > 1 else "1"}
        topics = [NewTopic(name, partitions, replicas, topic_configs=config) for name in missing]
        response = await client.create_topics(topics, timeout_ms=15_000)
        _check(response.topic_errors)
    short = {name: partitions for name in TOPICS if existing.get(name, partitions) < partitions}
    if short:
        growth = {name: NewPartitions(count) for name, count in short.items()}
        response = await client.create_partitions(growth, timeout_ms=15_000)
        _check(response.topic_errors)
    if missing or short:
        await _until_known(client, partitions)


async def _joined(client: AIOKafkaAdminClient, expected: int) -> int:
    """Return how many brokers there are, once they are as many as expected."""
    async with asyncio.timeout(_BROKERS_S):
        while True:
            brokers = len((await client.describe_cluster())["brokers"])
            if brokers >= expected:
                return brokers
            await asyncio.sleep(_POLL_S)


async def _until_known(client: AIOKafkaAdminClient, partitions: int) -> None:
    """Wait until every broker knows the topics: each learns of them at a time of its own."""
    await client._client.force_metadata_update()
    async with asyncio.timeout(_BROKERS_S):
        for broker in (await client.describe_cluster())["brokers"]:
            while True:
                if await _knows(client, broker["node_id"], partitions):
                    break
                await asyncio.sleep(_POLL_S)


async def _knows(client: AIOKafkaAdminClient, node_id: int, partitions: int) -> bool:
    answer = await client._send_request_to_node(node_id, MetadataRequest(list(TOPICS)))
    return all(
        topic["error_code"] == 0
        and len(topic["partitions"]) >= partitions
        and all(partition["leader"] >= 0 for partition in topic["partitions"])
        for topic in answer.to_object()["topics"]
    )


def _check(errors: list[tuple[str, int, str | None]]) -> None:
    for topic, code, message, *_ in errors:
        error = for_code(code)
        # Another platform of the same cluster may have been faster.
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{topic}: {message}")
