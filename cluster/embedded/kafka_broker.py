"""One process of Apache Kafka: a broker and a controller of the quorum in one (KRaft)."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from cluster.embedded.kafka_artifacts import java
from cluster.embedded.process import ServerProcess, free_port

RECORD_BYTES_MAX = 8 * 1024 * 1024

# The first compiler alone: the second works for minutes at what a broker of one machine gains
# little by, beside the exchange that it serves. The heap shrinks again after a burst.
_JVM = (
    *("-Xms32m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"),
    *("-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=48m"),
    *("-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=30"),
)
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)
_READY_S = 90.0
_SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(RECORD_BYTES_MAX),
    "replica.fetch.max.bytes": str(RECORD_BYTES_MAX),
    "log.retention.ms": "-1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    # How soon a dead broker's partitions get another leader, and how long a broker that comes back
    # waits for the end of its last session; the default is nine seconds.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # The default of 128 MiB would take a third of the heap for topics that hold nothing.
    "log.cleaner.dedupe.buffer.size": str(4 * 1024 * 1024),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "4",
}


class KafkaBroker:
    """A node of a set with its data in `directory`; its ports stay the same as it is restarted.

    The only one of its set writes to `kafka.log`, the others to `kafka-NODE.log`.
    """

    def __init__(self, *, node: int, directory: Path, logs: Path, alone: bool, host: str) -> None:
        self.node = node
        self.directory = directory
        self._logs = logs
        self._name = "kafka" if alone else f"kafka-{node}"
        self._title = "Kafka" if alone else f"Kafka {node}"
        self._host = host
        self._port = free_port(host)
        self._controller_port = free_port(host)
        self._class_path = ""
        self.address = f"{host}:{self._port}"
        self.voter = f"{node}@{host}:{self._controller_port}"
        self.process: ServerProcess | None = None

    def prepare(self, nodes: Sequence["KafkaBroker"], class_path: str) -> None:
        """Learn of all nodes of the set and of the programs."""
        self._class_path = class_path
        properties = self._write_properties(self._name, self.directory, nodes)
        self.process = self._java(self._title, "kafka.Kafka", str(properties))

    async def format(
        self, directory: Path, nodes: Sequence["KafkaBroker"], *, cluster_id: str
    ) -> None:
        """Make the data folder of this node, which is not there. Raises ServerStartError."""
        _make_folder(directory)
        properties = self._write_properties(f"{self._name}.format", directory, nodes)
        arguments = ("format", "--cluster-id", cluster_id, "--config", str(properties))
        tool = self._java("Kafka's format", "kafka.tools.StorageTool", *arguments)
        code = await tool.run(timeout_s=120)
        properties.unlink()
        if code != 0:
            raise tool.failure("could not make the data folder")

    async def start(self) -> None:
        """Start the process again, beside others that serve. Raises ServerStartError."""
        self.launch()
        await self.wait_ready()

    def launch(self) -> None:
        """Start the process; `wait_ready` says when it serves, which takes most of a set."""
        if self.process is None:
            raise RuntimeError("prepare the broker before its start")
        self.process.start()

    async def wait_ready(self) -> None:
        """Return when the broker is one of those that the cluster counts on.

        Raises ServerStartError.
        """
        if self.process is None:
            raise RuntimeError("launch the broker before waiting for it")
        await self.process.wait_ready(self._probe, timeout_s=_READY_S)

    def _java(self, name: str, main_class: str, *arguments: str) -> ServerProcess:
        return ServerProcess(
            name=name,
            command=[
                java(),
                *(*_JVM, *_LOGGING),
                *("-cp", self._class_path, main_class, *arguments),
            ],
            log_path=self._logs / f"{self._name}.log",
        )

    def _write_properties(self, name: str, directory: Path, nodes: Sequence["KafkaBroker"]) -> Path:
        settings = {
            **_SETTINGS,
            **_replication(len(nodes)),
            "node.id": str(self.node),
            "controller.quorum.voters": ",".join(node.voter for node in nodes),
            "listeners": f"PLAINTEXT://{self.address},"
            f"CONTROLLER://{self._host}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "log.dirs": str(directory),
        }
        path = self._logs / f"{name}.properties"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    async def _probe(self) -> None:
        # aiokafka logs every refused connection as an error.
        _, writer = await asyncio.open_connection(self._host, self._port)
        writer.close()
        client = AIOKafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=4_000)
        try:
            await client.start()
            brokers = (await client.describe_cluster())["brokers"]
        finally:
            await client.close()
        if self.node not in [broker["node_id"] for broker in brokers]:
            raise LookupError(f"node {self.node} is not in the cluster yet")


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True)


def _replication(nodes: int) -> dict[str, str]:
    """Return how often everything is kept, and how many must have it for an acknowledgement."""
    in_sync = nodes // 2 + 1
    settings = {
        "default.replication.factor": str(nodes),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(nodes),
        "transaction.state.log.replication.factor": str(nodes),
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.replication.factor": str(nodes),
        "share.coordinator.state.topic.min.isr": str(in_sync),
    }
    if nodes == 1:
        return settings
    # All are stopped at once: none could wait for the quorum to take its partitions over.
    return {**settings, "controlled.shutdown.enable": "false"}
