"""A log whose readers stamp what they read, where somebody measures."""

from actors.log.kafka import KafkaLog
from actors.log.ports import LogRecord
from actors.log.reader import KafkaLogReader
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC
from actors.platform.trace import Step, Trace, now_us

_TOPICS = {Step.ROUTED: COMMANDS_TOPIC, Step.TOLD: EVENTS_TOPIC}


def log_of(bootstrap: str, *, trace: Trace | None, step: Step) -> KafkaLog:
    """Return Kafka's log, one that stamps where there is a trace."""
    return KafkaLog(bootstrap) if trace is None else TracedLog(bootstrap, trace=trace, step=step)


class TracedLog(KafkaLog):
    """Make readers that stamp."""

    def __init__(self, bootstrap: str, *, trace: Trace, step: Step) -> None:
        super().__init__(bootstrap)
        self._trace = trace
        self._step = step

    def reader(
        self, *, topic: str, client_id: str, wait_ms: int = 500, ahead: bool = True
    ) -> KafkaLogReader:
        """Return a reader of a topic, as `KafkaLog` does; one of the step's topic stamps."""
        if topic != _TOPICS[self._step]:
            return super().reader(topic=topic, client_id=client_id, wait_ms=wait_ms, ahead=ahead)
        return TracedReader(
            bootstrap=self.bootstrap,
            topic=topic,
            client_id=client_id,
            wait_ms=wait_ms,
            ahead=ahead,
            trace=self._trace,
            step=self._step,
        )


class TracedReader(KafkaLogReader):
    """Stamp records when more are asked for: then what was read has been dealt with."""

    def __init__(
        self,
        *,
        bootstrap: str,
        topic: str,
        client_id: str,
        wait_ms: int,
        ahead: bool,
        trace: Trace,
        step: Step,
    ) -> None:
        super().__init__(
            bootstrap=bootstrap, topic=topic, client_id=client_id, wait_ms=wait_ms, ahead=ahead
        )
        self._trace = trace
        self._step = step
        self._read: dict[int, list[LogRecord]] = {}
        self._read_us = 0

    async def read(
        self, *, timeout_ms: int, max_records: int | None = None
    ) -> dict[int, list[LogRecord]]:
        """Return what has arrived, as `KafkaLogReader` does."""
        for partition, records in self._read.items():
            self._trace.stamp(
                self._step,
                partition,
                first_offset=records[0].offset,
                next_offset=records[-1].offset + 1,
                began_us=self._read_us,
            )
        self._read = {}
        arrived = await super().read(timeout_ms=timeout_ms, max_records=max_records)
        self._read_us = now_us()
        self._read = {partition: records for partition, records in arrived.items() if records}
        return arrived
