"""Examination of a machine and of the platform that runs in a data folder, if one does."""

import asyncio
from pathlib import Path

from actors.platform.config import Servers
from cluster.data.state import RunState
from cluster.doctor.environment import check_clock, check_machine
from cluster.doctor.findings import Finding
from cluster.doctor.platform import check_nodes, check_platform
from cluster.doctor.servers import check_kafka, check_postgres, check_redis, check_servers
from cluster.markets import topology_of
from cluster.platform.environment import prepare
from cluster.settings import Settings


def examine(
    data: Path, state: RunState | None, settings: Settings, *, markets_file: str
) -> list[Finding]:
    """Look at the machine, then at the running platform or at the servers that settings name.

    `state` is None where no platform runs in the folder `data`.
    """
    findings = check_machine(
        data,
        port=settings.port,
        running=state is not None,
        own_kafka=not settings.kafka_bootstrap,
    )
    return findings + (
        _of_running(state) if state else asyncio.run(_of_given(settings, markets_file))
    )


def _of_running(state: RunState) -> list[Finding]:
    topology = topology_of(state.markets_file)
    servers = Servers(
        kafka_bootstrap=state.kafka_bootstrap,
        postgres_url=state.postgres_url,
        redis_url=state.redis_url,
    )
    findings = asyncio.run(check_servers(servers, topology))
    platform = check_platform(state)
    findings += platform
    if all(finding.check != "answers" for finding in platform):
        findings.append(check_clock(state.url))
    if state.ray_address:
        prepare(own_ray=False)
        findings += check_nodes(state, topology)
    return findings


async def _of_given(settings: Settings, markets: str) -> list[Finding]:
    """Look at the servers that URLs name; the others are only there while a platform runs."""
    checks = []
    if settings.postgres_url:
        checks.append(check_postgres(settings.postgres_url))
    if settings.redis_url:
        checks.append(check_redis(settings.redis_url))
    if settings.kafka_bootstrap:
        checks.append(check_kafka(settings.kafka_bootstrap, topology_of(markets)))
    return [finding for findings in await asyncio.gather(*checks) for finding in findings]
