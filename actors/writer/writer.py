"""The writer's loop: read what has arrived, write it in one transaction, go on.

It keeps nothing that Postgres does not keep: whatever goes wrong, it closes both connections,
waits a little, and starts again from the stored positions.
"""

import asyncio
import os
import time
from contextlib import suppress

import structlog
from tenacity import AsyncRetrying, RetryCallState

from actors.follow.positions import MarketPosition
from actors.follow.tail import MarketRecord, MarketTail
from actors.platform.config import Platform
from actors.platform.topology import EVENTS_TOPIC
from actors.writer.intake import Intake
from actors.writer.status import WriterStatus
from actors.writer.store import OrderStore

_log = structlog.get_logger(__name__)

CONSUMER = "writer"
EVENTS_PER_TRANSACTION = 40_000
READ_TIMEOUT_MS = 200
PAUSE_MIN_S = 0.1
PAUSE_MAX_S = 5.0


class PostgresWriter:
    """Keep `orders` and `trades` of one platform equal to the events of `topic`.

    A transaction holds what has arrived, and ends with the record that brings it to
    `events_per_transaction` or more.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        consumer: str = CONSUMER,
        topic: str = EVENTS_TOPIC,
        events_per_transaction: int = EVENTS_PER_TRANSACTION,
    ) -> None:
        self.platform = platform
        self._consumer = consumer
        self._topic = topic
        self._events_per_transaction = events_per_transaction
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._error = ""
        self._connected = False
        self._intake = Intake(())
        self._events = self._trades = self._inserted = self._changed = self._transactions = 0
        self._records_behind = 0
        self._commit_time_s = 0.0
        self._commit_duration_ms = 0.0
        self._commands_offsets: dict[int, int] = {}

    def start(self) -> None:
        """Start the loop in the running event loop; nothing happens where it runs already."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name=self._consumer)

    async def stop(self) -> None:
        """End the loop after the transaction that is under way."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def ping(self) -> str:
        """Answer at once, whatever the servers do."""
        return self._consumer

    async def status(self) -> WriterStatus:
        """Return how the writer stands, without waiting for anything."""
        return WriterStatus(
            process_id=os.getpid(),
            healthy=self._connected and not self._error and not self._intake.faults,
            connected=self._connected,
            error=self._error,
            faults=dict(self._intake.faults),
            events=self._events,
            trades=self._trades,
            orders_inserted=self._inserted,
            orders_changed=self._changed,
            transactions=self._transactions,
            records_behind=self._records_behind,
            last_commit_time_s=self._commit_time_s,
            last_commit_duration_ms=self._commit_duration_ms,
            commands_offsets=dict(self._commands_offsets),
        )

    async def open_store(self) -> OrderStore:
        """Connect to the rows. Raises OSError, TimeoutError and asyncpg's errors."""
        url = self.platform.servers.postgres_url
        return await OrderStore.connect(url, consumer=self._consumer)

    async def open_tail(self, positions: tuple[MarketPosition, ...]) -> MarketTail:
        """Connect to the events from these positions on. Raises LogError."""
        return await MarketTail.open(
            self.platform.topology,
            positions,
            bootstrap=self.platform.servers.kafka_bootstrap,
            topic=self._topic,
        )

    async def _run(self) -> None:
        async for attempt in AsyncRetrying(wait=self._pause, before_sleep=self._report):
            with attempt:
                await self._follow()

    async def _follow(self) -> None:
        """Write from the stored positions on, until something fails."""
        store = await self.open_store()
        try:
            positions = await store.positions(self.platform.topology)
            tail = await self.open_tail(positions)
            try:
                self._intake = Intake(positions)
                self._intake.faults.update(tail.lost)
                self._commands_offsets = {at.market_id: at.commands_offset for at in positions}
                self._connected, self._error = True, ""
                while True:
                    await self._store(await tail.read(timeout_ms=READ_TIMEOUT_MS), store)
                    self._records_behind = tail.records_behind()
            finally:
                await tail.close()
        finally:
            self._connected = False
            await store.close()

    async def _store(self, records: list[MarketRecord], store: OrderStore) -> None:
        for record in records:
            self._add(record)
            if self._intake.pending_events >= self._events_per_transaction:
                await self._commit(store)
        await self._commit(store)

    def _add(self, record: MarketRecord) -> None:
        market_id, offset, value = record
        before = self._intake.faults.get(market_id)
        self._intake.add(market_id=market_id, offset=offset, value=value)
        fault = self._intake.faults.get(market_id)
        pair = self.platform.topology.by_id(market_id).pair
        if fault is not None and before is None:
            _log.error("market_halted_in_writer", pair=pair, offset=offset, why=fault)
        elif before is not None and fault is None:
            _log.warning("market_continues_in_writer", pair=pair, offset=offset)

    async def _commit(self, store: OrderStore) -> None:
        batch = self._intake.take()
        if batch is None:
            return
        started = time.perf_counter()
        writing = asyncio.ensure_future(store.write(batch))
        try:
            # A query cancelled half-way can wedge its connection (asyncpg#873); its own time
            # limit ends it.
            rows = await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            raise
        self._failures = 0
        self._events += len(batch.events)
        self._trades += len(rows.trades)
        self._inserted += len(rows.inserts)
        self._changed += len(rows.changes)
        self._transactions += 1
        self._commit_time_s = time.time()
        self._commit_duration_ms = (time.perf_counter() - started) * 1e3
        self._commands_offsets.update({at.market_id: at.commands_offset for at in batch.after})

    def _pause(self, _: RetryCallState) -> float:
        self._failures += 1
        return min(PAUSE_MAX_S, PAUSE_MIN_S * 2.0 ** min(self._failures, 10))

    def _report(self, state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        self._error = f"{type(failure).__name__}: {failure}"
        _log.warning("writer_restarts", why=self._error, pause_s=state.upcoming_sleep)
