"""Everything that may go wrong between processes, as one tree.

    ForkastError
    ├── LogError                     Kafka, commands and events
    │   ├── QueueFullError           nothing was sent: too much is pending already; try later
    │   ├── LogTimeoutError          the broker did not answer in time: the outcome is unknown
    │   ├── LogUnavailableError      nothing was kept: no broker, no topic, record refused
    │   └── LogGapError              the log no longer holds the offset that a pair needs
    ├── ActorUnavailableError        an actor is dead, restarting or silent
    │   ├── PairUnavailableError     ... one that carries pairs
    │   ├── WriterUnavailableError   ... the Postgres writer
    │   └── CandlesUnavailableError  ... the candle aggregator
    ├── StreamBrokenError            a peer's bytes are not those of a stream of this platform
    ├── StreamFullError              nothing was sent: too many requests wait for an answer
    ├── SnapshotRefusedError         a snapshot is torn, foreign or of another version
    ├── PositionTakenError           another process has moved a consumer's stored position
    └── StorageUnavailableError      Postgres did not answer

`retryable` says whether the same call may succeed later without anybody's help.
"""


class ForkastError(Exception):
    """Base of all errors of this platform."""

    retryable = False


class LogError(ForkastError):
    """Base of what can happen at the log."""


class QueueFullError(LogError):
    """Refuse work because a bounded queue is full; nothing was sent."""

    retryable = True


class LogTimeoutError(LogError):
    """Report that the broker has not confirmed in time; the record may or may not be kept."""

    retryable = True


class LogUnavailableError(LogError):
    """Report that the record was not kept."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class LogGapError(LogError):
    """Report that the log has lost `needed_offset`, to retention or by accident."""

    def __init__(self, *, topic: str, partition: int, needed_offset: int) -> None:
        super().__init__(f"{topic}[{partition}] no longer holds offset {needed_offset}")
        self.topic = topic
        self.partition = partition
        self.needed_offset = needed_offset


class ActorUnavailableError(ForkastError):
    """Report that an actor did not answer; whether it did the work is unknown."""

    retryable = True


class PairUnavailableError(ActorUnavailableError):
    """Report that a pair's actor did not answer; whether it did the work is unknown."""


class WriterUnavailableError(ActorUnavailableError):
    """Report that the Postgres writer did not answer."""


class CandlesUnavailableError(ActorUnavailableError):
    """Report that the candle actor did not answer."""


class StreamBrokenError(ForkastError):
    """Report bytes that no peer of this platform and version would send."""

    retryable = True


class StreamFullError(ForkastError):
    """Refuse a request because too many wait for an answer; nothing was sent."""

    retryable = True


class SnapshotRefusedError(ForkastError):
    """Report a snapshot that must not be used; the sentence says why."""


class PositionTakenError(ForkastError):
    """Report that another process has moved a consumer's position; nothing was written."""

    retryable = True


class StorageUnavailableError(ForkastError):
    """Report that Postgres did not answer, or not in time; what was asked may have been done."""

    retryable = True
