"""The loop of every consumer of the log: read what has arrived, store it, rest a little, go on.

It keeps nothing that Postgres does not keep: whatever goes wrong, it closes both connections,
waits a little, and starts again from the stored positions.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState

from actors.follow.ports import BatchT, Consumer, Intake, Store, StoreT
from actors.follow.status import FollowerStatus
from actors.follow.tail import MarketTail
from actors.platform.topology import Topology

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)

READ_TIMEOUT_MS = 1_000
PAUSE_MIN_S = 0.1
PAUSE_MAX_S = 5.0


class Follower(Generic[StoreT, BatchT]):
    """Keep what a consumer stores equal to the log of a topology's markets.

    A transaction holds what one read finds, and ends early with the record that brings what is
    pending to `pending_max` or more. From one read to the next pass `rest_s` seconds, or the log
    is ahead: what comes after silence is stored at once, what follows it together.
    """

    def __init__(
        self,
        consumer: Consumer[StoreT, BatchT],
        *,
        name: str,
        topology: Topology,
        pending_max: int,
        rest_s: float = 0.0,
    ) -> None:
        self._consumer = consumer
        self._name = name
        self._topology = topology
        self._pending_max = pending_max
        self._rest_s = rest_s
        self._task: asyncio.Task[None] | None = None
        self._intake: Intake[BatchT] | None = None
        self._failures = 0
        self._error = ""
        self._connected = False
        self._transactions = self._records_behind = 0
        self._commit_time_s = self._commit_duration_ms = 0.0

    def start(self) -> None:
        """Start the loop in the running event loop; nothing happens where it runs already."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End the loop after what is under way with the store: a transaction, or a restore."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def follow(self, topology: Topology) -> None:
        """Go on with these markets, from their stored positions.

        This returns at once. What has arrived is stored first, about a read and a transaction
        later; the consumer's `restore` is then told the new topology.
        """
        if topology != self._topology:
            self._topology = topology

    @property
    def error(self) -> str:
        """What ended the connections, as long as they are not back."""
        return self._error

    def status(self) -> FollowerStatus:
        """Return how the follower stands."""
        faults = dict(self._intake.faults) if self._intake is not None else {}
        return FollowerStatus(
            process_id=os.getpid(),
            healthy=self._connected and not self._error and not faults,
            connected=self._connected,
            error=self._error,
            faults=faults,
            transactions=self._transactions,
            records_behind=self._records_behind,
            last_commit_time_s=self._commit_time_s,
            last_commit_duration_ms=self._commit_duration_ms,
        )

    async def _run(self) -> None:
        while True:
            async for attempt in AsyncRetrying(wait=self._pause, before_sleep=self._report):
                with attempt:
                    await self._follow(self._topology)

    async def _follow(self, topology: Topology) -> None:
        """Store from the stored positions on, until something fails or the markets change."""
        store = await _whole(self._consumer.open_store(), undo=_close)
        try:
            positions = await _whole(self._consumer.restore(store, topology))
            tail = await self._consumer.open_tail(topology, positions)
            try:
                intake = self._intake = self._consumer.intake(positions)
                intake.faults.update(tail.lost)
                self._connected, self._error = True, ""
                while topology is self._topology:
                    await self._step(tail, intake, store)
            finally:
                await tail.close()
        finally:
            self._connected = False
            await store.close()

    async def _step(self, tail: MarketTail, intake: Intake[BatchT], store: StoreT) -> None:
        now_s = asyncio.get_running_loop().time
        records = await tail.read(timeout_ms=READ_TIMEOUT_MS)
        rested_s = now_s() + self._rest_s
        for market_id, offset, value in records:
            intake.add(market_id=market_id, offset=offset, value=value)
            if intake.pending >= self._pending_max:
                await self._commit(intake, store)
        await self._commit(intake, store)
        self._records_behind = tail.records_behind()
        if records and not self._records_behind and (left_s := rested_s - now_s()) > 0:
            await asyncio.sleep(left_s)

    async def _commit(self, intake: Intake[BatchT], store: StoreT) -> None:
        batch = intake.take()
        if batch is None:
            return
        started = time.perf_counter()
        await _whole(self._consumer.write(store, batch))
        self._failures = 0
        self._transactions += 1
        self._commit_time_s = time.time()
        self._commit_duration_ms = (time.perf_counter() - started) * 1e3

    def _pause(self, _: RetryCallState) -> float:
        self._failures += 1
        return min(PAUSE_MAX_S, PAUSE_MIN_S * 2.0 ** min(self._failures, 10))

    def _report(self, state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        self._error = f"{type(failure).__name__}: {failure}"
        _log.warning(
            "follower_restarts",
            consumer=self._name,
            why=self._error,
            pause_s=state.upcoming_sleep,
        )


async def _whole(
    step: Coroutine[Any, Any, _T], *, undo: Callable[[_T], Awaitable[None]] | None = None
) -> _T:
    """Wait for a step with the store to its end, also where this is cancelled meanwhile.

    A query cancelled half-way can wedge its connection (asyncpg#873) and swallow the cancel; its
    own time limit ends it. `undo` takes back what a cancelled caller does not get.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None and undo is not None:
            await undo(task.result())
        raise


async def _close(store: Store) -> None:
    await store.close()
