"""The log of one pair, folded through the naive book: what everything else is held against."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from actors.book.codec import MalformedRecordError, decode_commands
from actors.book.market import Market
from actors.book.naive import NaiveBook
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind
from actors.log.ports import LogRecord
from actors.log.reader import KafkaLogReader
from cluster.data.patience import patiently
from cluster.errors import CannotVerifyError
from cluster.verify.report import Check
from cluster.verify.spool import Spool

_COMMANDS_AT_ONCE = 2_000
_SILENCE_S = 60.0
_READ_TIMEOUT_MS = 500

Progress = Callable[[str, int, int], None]
"""Called with a pair, the records of its log that are folded, and how many there are."""


class Judge(Protocol):
    """Whoever follows the events of a fold and notes what must not be."""

    def follow(self, events: RecordArray) -> None:
        """Check the events that come next."""
        ...


class LogFold:
    """Go forward through a log, and stop at any of its records.

    `check` counts records and notes offsets that are missing between them. `first_orders` are the
    images of the orders that were open at the beginning.
    """

    def __init__(
        self,
        *,
        market: Market,
        partition: int,
        reader: KafkaLogReader,
        book: NaiveBook,
        next_offset: int,
        judges: Sequence[Judge],
        check: Check,
    ) -> None:
        self.market = market
        self.book = book
        self.next_offset = next_offset
        self.commands = 0
        self.spool = Spool(book.sequence)
        self.first_orders: RecordArray = np.concatenate(book.orders(book.open_orders))
        self._partition = partition
        self._reader = reader
        self._judges = judges
        self._check = check
        self._waiting: deque[LogRecord] = deque()

    def close(self) -> None:
        """Remove what is kept on disk."""
        self.spool.close()

    async def to_offset(self, offset: int, progress: Progress | None = None) -> None:
        """Fold every record before this offset, which the log must reach.

        Raises LogError and CannotVerifyError.
        """
        first = self.next_offset
        while self.next_offset < offset:
            batch: list[LogRecord] = []
            commands = 0
            while commands < _COMMANDS_AT_ONCE and await self._next_is_before(offset):
                batch.append(self._waiting.popleft())
                commands += len(batch[-1].value) // COMMAND_DTYPE.itemsize
                if not self._waiting:
                    break
            if not batch:
                self._check.differ(f"{self.market.pair} offset {self.next_offset} is missing")
                self.next_offset = offset
            self._apply(batch)
            if progress is not None:
                progress(self.market.pair, self.next_offset - first, offset - first)
            # A long fold must not keep connections from their heartbeats.
            await asyncio.sleep(0)

    async def end_offset(self) -> int:
        """Return the offset after the last record of the log as it is now. Raises LogError."""
        return (await patiently(self._reader.end_offsets))[self._partition]

    async def to_sequence(self, sequence: int) -> bool:
        """Fold record by record up to this sequence; False where the log does not lead there.

        Raises LogError and CannotVerifyError.
        """
        if self.book.sequence >= sequence:
            return True
        end = await self.end_offset()
        while self.book.sequence < sequence:
            if not await self._next_is_before(end):
                return False
            self._apply([self._waiting.popleft()])
        return True

    async def _next_is_before(self, offset: int) -> bool:
        """Have the next record at hand, and say whether it lies before an offset."""
        silent_until_s = time.monotonic() + _SILENCE_S
        while not self._waiting:
            if self._reader.positions[self._partition] >= offset:
                return False
            arrived = await self._reader.read(timeout_ms=_READ_TIMEOUT_MS)
            self._waiting.extend(arrived.get(self._partition, ()))
            if time.monotonic() > silent_until_s:
                raise CannotVerifyError(
                    f"the log of {self.market.pair} cannot be read at {self.next_offset}"
                )
        return self._waiting[0].offset < offset

    def _apply(self, records: list[LogRecord]) -> None:
        if not records:
            return
        for record in records:
            if record.offset != self.next_offset:
                self._check.differ(
                    f"{self.market.pair} offset {self.next_offset} is missing, the log goes on "
                    f"with {record.offset}"
                )
            self.next_offset = record.offset + 1
        self._check.passed(len(records))
        commands = np.concatenate([_commands(self.market, record.value) for record in records])
        self.commands += len(commands)
        events = self.book.apply(commands).events
        self.spool.append(events)
        for judge in self._judges:
            judge.follow(events)


def _commands(market: Market, value: bytes) -> RecordArray:
    try:
        return decode_commands(market.market_id, value)
    except MalformedRecordError:
        # As the pair does: what cannot be read is refused by the book, never skipped.
        command = np.zeros(1, COMMAND_DTYPE)
        command["kind"] = CommandKind.MALFORMED
        return command
