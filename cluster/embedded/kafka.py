"""Apache Kafka as one KRaft node: the log of commands and events."""

import asyncio
import base64
import shutil
import uuid
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from cluster.embedded.kafka_artifacts import Progress, class_path, java
from cluster.embedded.process import ServerProcess, free_port
from cluster.errors import ServerStartError

RECORD_BYTES_MAX = 8 * 1024 * 1024

_JVM = ("-Xms96m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)


class EmbeddedKafka:
    """A broker and controller in one process, formatted once; its data in `directory`."""

    def __init__(self, *, directory: Path, logs: Path, progress: Progress) -> None:
        self._directory = directory
        self._logs = logs
        self._progress = progress
        self._port = free_port()
        self._controller_port = free_port()
        self.bootstrap = f"127.0.0.1:{self._port}"
        self._class_path = ""
        self.process: ServerProcess | None = None

    async def start(self) -> None:
        """Fetch the artifacts and format the data folder where needed, then run the broker.

        Raises ServerStartError.
        """
        self._class_path = await asyncio.to_thread(class_path, self._progress)
        if not (self._directory / "meta.properties").exists():
            await self._format()
        properties = self._write_properties(self._directory)
        self.process = self._java("Kafka", "kafka.Kafka", str(properties))
        self.process.start()
        await self.process.wait_ready(self._probe, timeout_s=90)

    async def _format(self) -> None:
        # Formatted beside its place and renamed, so that a half-made folder is never used.
        fresh = self._directory.with_name(f"{self._directory.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        if self._directory.exists() and any(self._directory.iterdir()):
            raise ServerStartError(f"{self._directory} holds files but no Kafka data: move it away")
        fresh.mkdir(parents=True)
        properties = self._write_properties(fresh)
        arguments = ("format", "--cluster-id", _cluster_id(), "--config", str(properties))
        tool = self._java("Kafka's format", "kafka.tools.StorageTool", *arguments)
        if await tool.run(timeout_s=60) != 0:
            raise tool.failure("could not make the data folder")
        fresh.replace(self._directory)

    def _java(self, name: str, main_class: str, *arguments: str) -> ServerProcess:
        return ServerProcess(
            name=name,
            command=[
                java(),
                *(*_JVM, *_LOGGING),
                *("-cp", self._class_path, main_class, *arguments),
            ],
            log_path=self._logs / "kafka.log",
        )

    def _write_properties(self, directory: Path) -> Path:
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://{self.bootstrap},"
            f"CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(directory),
            "auto.create.topics.enable": "false",
            "message.max.bytes": str(RECORD_BYTES_MAX),
            "log.retention.ms": "-1",
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # A broker that was killed may only register again when its last session has ended.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            # The default of 128 MiB would take a third of the heap for topics that hold nothing.
            "log.cleaner.dedupe.buffer.size": str(4 * 1024 * 1024),
            "num.network.threads": "2",
            "num.io.threads": "4",
            "background.threads": "4",
        }
        path = self._logs / "kafka.properties"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    async def _probe(self) -> None:
        # aiokafka logs every refused connection as an error.
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.close()
        client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=4_000)
        try:
            await client.start()
            await client.describe_cluster()
        finally:
            await client.close()


def _cluster_id() -> str:
    # A leading hyphen, which one id in 64 would have, is taken for an option.
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()).startswith("-"):
        continue
    return text.rstrip("=")
