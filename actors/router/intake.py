"""Commands of all pairs of a router, read by one consumer and kept for each pair apart.

A pair that does not take what is there, or cannot, is paused at the reader: it holds up no other.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

import structlog

from actors.log.ports import LogReader, LogRecord
from actors.platform.errors import LogError, LogGapError

_log = structlog.get_logger(__name__)
_READ_TIMEOUT_MS = 1_000
_BACKOFF_S = (0.05, 1.0)


class PairIntake:
    """One pair's records that wait for its pipeline; closed until the pipeline seeks.

    What waits may exceed `bytes_max` by one read; the partition is paused then until half of it is
    left. `on_arrival` is called when records, or a gap in the log, have arrived.
    """

    def __init__(self, reader: LogReader, *, partition: int, bytes_max: int) -> None:
        self._reader = reader
        self._partition = partition
        self._bytes_max = bytes_max
        self._records: deque[LogRecord] = deque()
        self._open = False
        self.is_paused = True
        self.waiting_bytes = 0
        self.gap: LogGapError | None = None
        self.on_arrival: Callable[[], None] = _nobody
        self._pause()

    def __bool__(self) -> bool:
        """Say whether records wait."""
        return bool(self._records)

    def seek(self, offset: int) -> None:
        """Begin again at `offset`; what waited is dropped."""
        self.close()
        self._open = True
        self._reader.seek(self._partition, offset)
        self._resume()

    def close(self) -> None:
        """Take nothing more; what waited is dropped."""
        self._open = False
        self._records.clear()
        self.waiting_bytes = 0
        self.gap = None
        self._pause()

    def put(self, records: list[LogRecord]) -> None:
        """Keep what has been read for the pipeline."""
        if not self._open:
            return
        self._records.extend(records)
        self.waiting_bytes += sum(len(record.value) for record in records)
        if self.waiting_bytes > self._bytes_max:
            self._pause()
        self.on_arrival()

    def fail(self, gap: LogGapError) -> None:
        """Note that the log does not hold the next offset."""
        self._pause()
        if self._open:
            self.gap = gap
            self.on_arrival()

    def take(self, size_bytes: int) -> list[LogRecord]:
        """Return what waits, up to `size_bytes`, or one record that is larger."""
        waiting, taken = self._records, [self._records.popleft()]
        used_bytes = len(taken[0].value)
        while waiting and used_bytes + len(waiting[0].value) <= size_bytes:
            taken.append(waiting.popleft())
            used_bytes += len(taken[-1].value)
        self.waiting_bytes -= used_bytes
        if (
            self.is_paused
            and self._open
            and not self.gap
            and self.waiting_bytes <= self._bytes_max // 2
        ):
            self._resume()
        return taken

    def _pause(self) -> None:
        self.is_paused = True
        self._reader.pause(self._partition)

    def _resume(self) -> None:
        self.is_paused = False
        self._reader.resume(self._partition)


class CommandIntake:
    """Hand what one reader brings to the pairs' intakes, by partition."""

    def __init__(self, reader: LogReader, pairs: Mapping[int, PairIntake]) -> None:
        self._reader = reader
        self._pairs = pairs

    async def run(self) -> None:
        """Read for ever; a log that is away is waited for, a gap concerns its own pair alone."""
        pause_s = _BACKOFF_S[0]
        while True:
            try:
                arrived = await self._reader.read(timeout_ms=_READ_TIMEOUT_MS)
            except LogGapError as gap:
                self._pairs[gap.partition].fail(gap)
            except LogError as error:
                _log.warning("commands_not_read", why=str(error))
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _BACKOFF_S[1])
            else:
                pause_s = _BACKOFF_S[0]
                for partition, records in arrived.items():
                    self._pairs[partition].put(records)


def _nobody() -> None:
    """Tell nobody."""
