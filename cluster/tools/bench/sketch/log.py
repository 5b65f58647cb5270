"""Kafka clients of the sketch, with the options that the platform has."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from actors.log.consumers import new_consumer


async def new_producer(bootstrap: str) -> AIOKafkaProducer:
    """Return a producer that is connected."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=1024 * 1024,
    )
    await producer.start()
    return producer


async def followed(
    bootstrap: str, topic: str, partitions: int, *, fetch_min_bytes: int, fetch_max_wait_ms: int
) -> AIOKafkaConsumer:
    """Return a consumer that stands at the end of all partitions of a topic."""
    consumer = new_consumer(
        bootstrap=bootstrap,
        client_id="forkast-sketch",
        fetch_min_bytes=fetch_min_bytes,
        fetch_max_wait_ms=fetch_max_wait_ms,
    )
    places = [TopicPartition(topic, number) for number in range(partitions)]
    consumer.assign(places)
    await consumer.start()
    await consumer.seek_to_end(*places)
    return consumer
