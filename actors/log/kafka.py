"""Kafka as the platform's log."""

from actors.log.commands import KafkaCommandLog
from actors.log.ends import KafkaLogEnds
from actors.log.events import KafkaEventSink
from actors.log.reader import KafkaLogReader
from actors.platform.topology import Topology


class KafkaLog:
    """Make connections to the brokers at `bootstrap`, `host:port[,host:port]`."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def commands(
        self, *, topology: Topology, pending_commands: int, client_id: str
    ) -> KafkaCommandLog:
        """Return a writer of commands, of which `pending_commands` may be on their way at once."""
        return KafkaCommandLog(
            bootstrap=self.bootstrap,
            topology=topology,
            pending_commands=pending_commands,
            client_id=client_id,
        )

    def sink(self, *, topology: Topology, client_id: str) -> KafkaEventSink:
        """Return a writer of events."""
        return KafkaEventSink(bootstrap=self.bootstrap, topology=topology, client_id=client_id)

    def ends(self, *, topic: str, client_id: str, timeout_s: float = 5.0) -> KafkaLogEnds:
        """Return what names the ends of a topic, each time within `timeout_s`."""
        return KafkaLogEnds(
            bootstrap=self.bootstrap, topic=topic, client_id=client_id, timeout_s=timeout_s
        )

    def reader(
        self, *, topic: str, client_id: str, wait_ms: int = 500, ahead: bool = True
    ) -> KafkaLogReader:
        """Return a reader of a topic; the broker answers it after `wait_ms`, also with nothing.

        With `ahead` records are fetched before they are asked for.
        """
        return KafkaLogReader(
            bootstrap=self.bootstrap,
            topic=topic,
            client_id=client_id,
            wait_ms=wait_ms,
            ahead=ahead,
        )
