"""The processes of a running platform, found by what they are."""

from collections.abc import Sequence

import psutil
from aiokafka.admin import AIOKafkaAdminClient

from actors.platform.topology import COMMANDS_TOPIC
from cluster.tools.chaos.bed import BrokenPlatform
from cluster.tools.chaos.plan import STREAMS, Fault, Target

_TITLES = {
    Target.PAIR: "ray::PairActor",
    **dict.fromkeys(STREAMS, "ray::PairActor"),
    Target.ROUTER: "ServeReplica:router",
    Target.GATEWAY: "ServeReplica:gateway",
    Target.HUB: "ServeReplica:hub",
    Target.WRITER: "WriterActor",
    Target.CANDLES: "ray::CandlesWorker",
    Target.CONTROLLER: "ServeController",
    Target.POSTGRES: "postgres -D",
    Target.VALKEY: "valkey-server",
    Target.KAFKA: "kafka.Kafka",
}


async def victim(platform: BrokenPlatform, fault: Fault) -> psutil.Process | None:
    """Return the process that a fault hits, None where there is none of its kind now."""
    if fault.target is Target.LEADER:
        return await _leader(platform, fault)
    found = _of_kind(platform, fault.target)
    return found[int(fault.pick * len(found))] if found else None


def _of_kind(platform: BrokenPlatform, target: Target) -> list[psutil.Process]:
    found = []
    for process in platform.processes():
        try:
            if target is Target.PROXY:
                matches = "haproxy" in process.name()
            else:
                matches = _TITLES[target] in " ".join(process.cmdline())
        except psutil.Error:
            continue
        if matches:
            found.append(process)
    return sorted(found, key=lambda process: process.pid)


async def _leader(platform: BrokenPlatform, fault: Fault) -> psutil.Process | None:
    """Return the broker that leads a partition of the commands."""
    client = AIOKafkaAdminClient(
        bootstrap_servers=platform.running.servers.kafka_bootstrap, request_timeout_ms=5_000
    )
    await client.start()
    try:
        cluster = await client.describe_cluster()
        (topic,) = await client.describe_topics([COMMANDS_TOPIC])
    finally:
        await client.close()
    partitions = sorted(topic["partitions"], key=lambda partition: int(partition["partition"]))
    leader = partitions[int(fault.pick * len(partitions))]["leader"]
    ports = {broker["node_id"]: broker["port"] for broker in cluster["brokers"]}
    brokers = _of_kind(platform, Target.KAFKA)
    return next((one for one in brokers if ports.get(leader) in _listening(one)), None)


def _listening(process: psutil.Process) -> Sequence[int]:
    return [
        connection.laddr.port
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
