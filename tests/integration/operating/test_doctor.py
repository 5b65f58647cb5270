"""`forkast doctor` on servers and platforms that are well, and on planted faults."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from actors.platform.config import Servers
from actors.platform.topology import TRADES_TOPIC
from cluster.data.topics import TOPICS
from cluster.doctor import servers as servers_doctor
from cluster.doctor.findings import Finding
from cluster.doctor.servers import check_kafka, check_postgres, check_redis
from cluster.embedded.process import free_port
from cluster.markets import default_topology
from cluster.tools.platforms import RunningPlatform, forkast
from tests.beds.databases import own_database

# Not for ever, and yet nothing is thrown away while the tests run.
_TEN_YEARS_MS = 315_360_000_000


@pytest.fixture
async def empty_database(servers: Servers) -> AsyncIterator[str]:
    """A database that no migration has seen."""
    async with own_database(servers.postgres_url) as url:
        yield url


def test_a_platform_that_is_well_has_nothing_wrong(running_platform: RunningPlatform) -> None:
    told = forkast("doctor", "--json", "--data", running_platform.data)
    assert told.returncode == 0, told.stdout
    findings = json.loads(told.stdout)
    assert {finding["area"] for finding in findings} >= {"machine", "Postgres", "Redis", "Kafka"}
    assert {"schema", "clock", "ready", *TOPICS} <= {finding["check"] for finding in findings}


def test_servers_that_are_away_are_named_with_what_to_do(tmp_path: Path) -> None:
    away = f"127.0.0.1:{free_port()}"
    told = forkast(
        "doctor",
        "--data",
        tmp_path / "data",
        environment={
            "FORKAST_POSTGRES_URL": f"postgresql://forkast@{away}/forkast",
            "FORKAST_REDIS_URL": f"redis://{away}/0",
            "FORKAST_KAFKA_BOOTSTRAP": away,
            "COLUMNS": "200",
        },
        timeout_s=120,
    )
    assert told.returncode == 1, told.stderr
    for variable in ("FORKAST_POSTGRES_URL", "FORKAST_REDIS_URL", "FORKAST_KAFKA_BOOTSTRAP"):
        assert f"correct {variable}" in told.stdout


async def test_a_schema_that_is_behind_is_named(empty_database: str) -> None:
    found = _found(await check_postgres(empty_database), "schema")
    assert found["state"] == "wrong"
    assert "0001_initial.sql" in found["told"]
    assert "forkast migrate" in found["remedy"]


async def test_a_missing_topic_and_short_topics_are_named(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = f"missing-{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(servers_doctor, "TOPICS", (*TOPICS, missing))
    findings = await check_kafka(servers.kafka_bootstrap, default_topology())
    assert _found(findings, missing)["told"] == "the topic is missing"
    assert _found(findings, TOPICS[0])["state"] == "ok"


async def test_a_log_that_forgets_is_named(servers: Servers) -> None:
    await _set_retention(servers, _TEN_YEARS_MS)
    try:
        findings = await check_kafka(servers.kafka_bootstrap, default_topology())
    finally:
        await _set_retention(servers, -1)
    found = _found(findings, TRADES_TOPIC)
    assert found["state"] == "wrong"
    assert "thrown away" in found["told"]


async def test_a_redis_that_answers_is_well(servers: Servers) -> None:
    assert [finding.state for finding in await check_redis(servers.redis_url)] == ["ok"]


async def _set_retention(servers: Servers, retention_ms: int) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=servers.kafka_bootstrap)
    await client.start()
    settings = {"retention.ms": str(retention_ms), "max.message.bytes": str(8 * 1024 * 1024)}
    resource = ConfigResource(ConfigResourceType.TOPIC, TRADES_TOPIC, configs=settings)
    await client.alter_configs([resource])
    await client.close()


def _found(findings: list[Finding], check: str) -> dict[str, Any]:
    (found,) = [finding for finding in findings if finding.check == check]
    return {name: getattr(found, name) for name in ("state", "told", "remedy")}
