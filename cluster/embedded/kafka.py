"""Apache Kafka as one KRaft node or as three that replicate: the log of commands and events."""

import asyncio
import base64
import shutil
import uuid
from pathlib import Path

from cluster.embedded.kafka_artifacts import Progress, class_path
from cluster.embedded.kafka_broker import KafkaBroker
from cluster.embedded.process import ServerProcess
from cluster.errors import ServerStartError

BROKER_COUNTS = (1, 3)


class EmbeddedKafka:
    """A set of brokers, formatted once; its data in `directory`, or in a folder a node below it.

    With 0 for `brokers` there are as many as the folder was made with, and one in a new folder.
    Of three, each record is on two before it is acknowledged, and one may be away.
    """

    def __init__(
        self,
        *,
        directory: Path,
        logs: Path,
        progress: Progress,
        host: str = "127.0.0.1",
        brokers: int = 0,
    ) -> None:
        if brokers not in (0, *BROKER_COUNTS):
            raise ValueError(f"{brokers} brokers: there may be 1 or 3")
        self._directory = directory
        self._logs = logs
        self._progress = progress
        self._host = host
        self._wanted = brokers
        self.brokers: tuple[KafkaBroker, ...] = ()

    @property
    def bootstrap(self) -> str:
        """Return the addresses of all brokers, by comma; empty before the start."""
        return ",".join(broker.address for broker in self.brokers)

    async def start(self) -> None:
        """Fetch the artifacts and format the data folder where needed, then run the brokers.

        Raises ServerStartError.
        """
        found = _made_with(self._directory)
        if found and self._wanted not in (0, found):
            raise ServerStartError(
                f"{self._directory} was made with {_counted(found)}, not {self._wanted}: leave "
                "--brokers and FORKAST_KAFKA_BROKERS out, or give another folder with --data"
            )
        programs = await asyncio.to_thread(class_path, self._progress)
        self.brokers = self._make(found or self._wanted or 1)
        for broker in self.brokers:
            broker.prepare(self.brokers, programs)
        if not found:
            await self._format()
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            await broker.wait_ready()

    def processes(self) -> list[ServerProcess]:
        """Return the processes that were started."""
        found = [broker.process for broker in self.brokers]
        return [process for process in found if process is not None and process.pid]

    def _make(self, count: int) -> tuple[KafkaBroker, ...]:
        return tuple(
            KafkaBroker(
                node=node,
                directory=self._directory / str(node) if count > 1 else self._directory,
                logs=self._logs,
                alone=count == 1,
                host=self._host,
            )
            for node in range(1, count + 1)
        )

    async def _format(self) -> None:
        # Formatted beside its place and renamed, so that a half-made folder is never used.
        fresh = self._directory.with_name(f"{self._directory.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        if self._directory.exists() and any(self._directory.iterdir()):
            raise ServerStartError(f"{self._directory} holds files but no Kafka data: move it away")
        cluster_id = _cluster_id()
        async with asyncio.TaskGroup() as group:
            for broker in self.brokers:
                place = fresh / broker.directory.relative_to(self._directory)
                group.create_task(broker.format(place, self.brokers, cluster_id=cluster_id))
        fresh.replace(self._directory)


def _made_with(directory: Path) -> int:
    """Return the number of brokers that a data folder was made with, 0 for a new one."""
    if (directory / "meta.properties").exists():
        return 1
    return len(list(directory.glob("*/meta.properties")))


def _counted(brokers: int) -> str:
    return f"{brokers} broker{'s' * (brokers != 1)}"


def _cluster_id() -> str:
    # A leading hyphen, which one id in 64 would have, is taken for an option.
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()).startswith("-"):
        continue
    return text.rstrip("=")
