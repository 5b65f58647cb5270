"""The topics of a platform, made explicitly: a broker never makes one by accident."""

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from actors.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC, Topology
from cluster.embedded.kafka import RECORD_BYTES_MAX
from cluster.errors import ServerUnreachableError

TOPICS = (COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC)
_REPLICAS_WANTED = 3
# Kept for ever: the log of commands is the truth, and events are what consumers resume from.
_CONFIG = {"retention.ms": "-1", "max.message.bytes": str(RECORD_BYTES_MAX)}


async def make_topics(bootstrap: str, topology: Topology) -> None:
    """Make what is missing of the topics and of their partitions, one for each market.

    Topics get three replicas where there are three brokers, with two in sync for an
    acknowledgement, else one. Raises ServerUnreachableError.
    """
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=20_000)
    try:
        await client.start()
        await _make(client, topology.partitions)
    except KafkaError as error:
        raise ServerUnreachableError(f"Kafka at {bootstrap}: {error}") from error
    finally:
        await client.close()


async def _make(client: AIOKafkaAdminClient, partitions: int) -> None:
    existing = {
        topic["topic"]: len(topic["partitions"]) for topic in await client.describe_topics()
    }
    brokers = len((await client.describe_cluster())["brokers"])
    replicas = _REPLICAS_WANTED if brokers >= _REPLICAS_WANTED else 1
    config = {**_CONFIG, "min.insync.replicas": "2" if replicas > 1 else "1"}
    missing = [
        NewTopic(name, partitions, replicas, topic_configs=config)
        for name in TOPICS
        if name not in existing
    ]
    if missing:
        response = await client.create_topics(missing, timeout_ms=15_000)
        _check(response.topic_errors)
    short = {name: partitions for name in TOPICS if existing.get(name, partitions) < partitions}
    if short:
        growth = {name: NewPartitions(count) for name, count in short.items()}
        response = await client.create_partitions(growth, timeout_ms=15_000)
        _check(response.topic_errors)


def _check(errors: list[tuple[str, int, str | None]]) -> None:
    for topic, code, message, *_ in errors:
        error = for_code(code)
        # Another platform of the same cluster may have been faster.
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{topic}: {message}")
