"""The servers: Postgres and its schema, Redis, Kafka and its topics."""

import asyncio
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.platform.channels import LAG_KEY
from actors.platform.config import Servers
from actors.platform.topology import Topology
from cluster.data.migrate import pending
from cluster.data.topics import TOPICS
from cluster.doctor.findings import Finding, ok, warning, wrong

_ANSWER_S = 10.0
_POSTGRES_MIN = 15
_FOR_EVER = "-1"


async def check_servers(servers: Servers, topology: Topology) -> list[Finding]:
    """Ask all servers at once; one that is away is one finding."""
    found = await asyncio.gather(
        check_postgres(servers.postgres_url),
        check_redis(servers.redis_url),
        check_kafka(servers.kafka_bootstrap, topology),
    )
    return [finding for findings in found for finding in findings]


async def check_postgres(url: str) -> list[Finding]:
    """Look at version, schema and connections."""
    area = "Postgres"
    try:
        connection = await asyncpg.connect(url, timeout=_ANSWER_S, command_timeout=_ANSWER_S)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        remedy = "start it, or correct FORKAST_POSTGRES_URL"
        return [wrong(area, "answers", f"{type(error).__name__}: {error}", remedy)]
    try:
        version = connection.get_server_version()
        missing = await pending(connection)
        used = await connection.fetchval("SELECT count(*) FROM pg_stat_activity")
        most = int(await connection.fetchval("SHOW max_connections"))
    finally:
        await connection.close(timeout=_ANSWER_S)
    told = f"version {version.major}.{version.minor}"
    return [
        ok(area, "version", told)
        if version.major >= _POSTGRES_MIN
        else wrong(area, "version", told, f"use {_POSTGRES_MIN} or newer"),
        wrong(area, "schema", f"behind by {', '.join(missing)}", "run `forkast migrate`")
        if missing
        else ok(area, "schema", "up to date"),
        warning(
            area, "connections", f"{used} of {most} in use", "raise max_connections, or pool them"
        )
        if used > 0.8 * most
        else ok(area, "connections", f"{used} of {most} in use"),
    ]


async def check_redis(url: str) -> list[Finding]:
    """Look at whether it answers and how full it is."""
    area = "Redis"
    try:
        async with Redis.from_url(
            url, socket_timeout=_ANSWER_S, socket_connect_timeout=_ANSWER_S
        ) as redis:
            told: dict[str, Any] = await redis.info()
            await redis.exists(LAG_KEY)
    except (RedisError, OSError) as error:
        remedy = "start it, or correct FORKAST_REDIS_URL; trading goes on without it"
        return [wrong(area, "answers", f"{type(error).__name__}: {error}", remedy)]
    used, most = int(told["used_memory"]), int(told.get("maxmemory", 0))
    findings = [ok(area, "answers", f"version {told.get('valkey_version', told['redis_version'])}")]
    if most and used > 0.9 * most:
        findings.append(
            warning(area, "memory", f"{used:,} of {most:,} bytes", "give it more: raise maxmemory")
        )
    return findings


async def check_kafka(bootstrap: str, topology: Topology) -> list[Finding]:
    """Look at the brokers, and at each topic's partitions, replicas and settings."""
    area = "Kafka"
    client = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, request_timeout_ms=int(_ANSWER_S * 1_000)
    )
    try:
        async with asyncio.timeout(3 * _ANSWER_S):
            await client.start()
            brokers = len((await client.describe_cluster())["brokers"])
            described = {topic["topic"]: topic for topic in await client.describe_topics()}
            settings = {name: await _settings(client, name) for name in TOPICS if name in described}
    except (KafkaError, OSError, TimeoutError) as error:
        remedy = "start it, or correct FORKAST_KAFKA_BOOTSTRAP; no order is accepted without it"
        return [wrong(area, "answers", f"{type(error).__name__}: {error}", remedy)]
    finally:
        await client.close()
    findings = [ok(area, "answers", f"{brokers} broker{'s' * (brokers != 1)}")]
    for name in TOPICS:
        if name not in described:
            findings.append(wrong(area, name, "the topic is missing", "run `forkast migrate`"))
        else:
            partitions = described[name]["partitions"]
            findings += _topic(name, partitions, settings[name], topology, brokers)
    return findings


def _topic(
    name: str,
    partitions: list[dict[str, Any]],
    settings: dict[str, str],
    topology: Topology,
    brokers: int,
) -> list[Finding]:
    area = "Kafka"
    replicas = min(len(partition["replicas"]) for partition in partitions)
    in_sync = int(settings["min.insync.replicas"])
    found = []
    if len(partitions) < topology.partitions:
        told = f"{len(partitions)} partitions for {topology.partitions} markets"
        found.append(wrong(area, name, told, "run `forkast migrate`"))
    if settings["retention.ms"] != _FOR_EVER or settings["retention.bytes"] != _FOR_EVER:
        told = "old records are thrown away, and a book cannot be rebuilt without them"
        found.append(wrong(area, name, told, "set retention.ms and retention.bytes to -1"))
    if settings["cleanup.policy"] != "delete":
        told = f"cleanup.policy is {settings['cleanup.policy']}, which drops orders of a market"
        found.append(wrong(area, name, told, "set cleanup.policy to delete"))
    if lagging := [p["partition"] for p in partitions if len(p["isr"]) < in_sync]:
        told = f"partitions {lagging} have fewer than {in_sync} replicas in sync: they take nothing"
        found.append(wrong(area, name, told, "bring the missing brokers back"))
    if brokers >= 3 and (replicas < 3 or in_sync < 2):
        told = f"{replicas} replicas with {in_sync} in sync on {brokers} brokers"
        remedy = "reassign it to three replicas and set min.insync.replicas to 2"
        found.append(warning(area, name, told, remedy))
    told = f"{len(partitions)} partitions, {replicas} replicas, {in_sync} in sync, kept for ever"
    return found or [ok(area, name, told)]


async def _settings(client: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic)]
    responses = await client.describe_configs(wanted)
    entries = responses[0].resources[0][4]
    return {entry[0]: entry[1] for entry in entries}
