"""The exchange's ear: one reader of `orders.updated`, for waiters, halts and what is newest.

It hears at once while somebody waits. Otherwise it takes what has gathered a few times a second:
waking for each event costs many times what the events themselves do.
"""

import asyncio
import time
from collections.abc import Collection

import structlog

from actors.log.fresh import FreshEvents
from actors.log.ports import Log
from actors.platform.errors import LogError, LogGapError, StorageUnavailableError
from actors.platform.topology import EVENTS_TOPIC, Topology
from api.exchange.admission import Admission
from api.exchange.demand import Demand
from api.exchange.recent import RecentEvents
from api.exchange.refusals import not_yet_known
from api.exchange.rounds import Rounds
from api.exchange.storage.positions import PositionsRepository
from api.exchange.waiting import OutcomeWaiters
from api.exchange.watch import MarketWatch

_log = structlog.get_logger(__name__)
_PAUSE_S = 0.5
_ENDS_S = 1.0
_POLL_S = 0.02
_WRITTEN_EVERY_S = 0.5
_READ_TIMEOUT_MS = 1_000
# The broker answers a request so late where nothing happens.
_LOG_WAIT_MS = 1_000
# How old events may be that nobody waits for.
REST_S = 0.2
WAIT_S = 5.0


class OutcomeReader:
    """Read events and hand them on, whatever happens to the broker.

    While there is `demand`, at once; otherwise `REST_S` after each other.
    """

    def __init__(
        self,
        log: Log,
        *,
        topology: Topology,
        demand: Demand,
        waiters: OutcomeWaiters,
        watch: MarketWatch,
        admission: Admission,
        recent: RecentEvents,
        positions: PositionsRepository,
    ) -> None:
        self._reader = log.reader(
            topic=EVENTS_TOPIC, client_id="forkast-exchange-outcomes", wait_ms=_LOG_WAIT_MS
        )
        self._ends = log.ends(
            topic=EVENTS_TOPIC, client_id="forkast-exchange-ends", timeout_s=_ENDS_S
        )
        self._partitions = {market.market_id: topology.partition(market) for market in topology}
        self._market_ids = {partition: key for key, partition in self._partitions.items()}
        self._fresh = {market_id: FreshEvents(market_id) for market_id in self._partitions}
        self._demand = demand
        self._waiters = waiters
        self._watch = watch
        self._admission = admission
        self._recent = recent
        self._positions = positions
        self._known_ends = Rounds(self._end_offsets)
        self._written = Rounds(self._learn_written)
        self._has_read = asyncio.Condition()
        self._heard_s = time.monotonic()

    async def start(self) -> None:
        """Stand at the end of the log. Raises LogUnavailableError while no broker answers."""
        await self._ends.start()
        try:
            await self._reader.start(dict.fromkeys(self._market_ids))
        except BaseException:
            await self._ends.stop()
            raise
        for partition, offset in self._reader.positions.items():
            self._recent.begin(self._market_ids[partition], offset)

    async def stop(self) -> None:
        """Disconnect."""
        await self._reader.stop()
        await self._ends.stop()

    async def run(self) -> None:
        """Read for ever."""
        while True:
            try:
                await self._read()
                await self._demand.await_at_most(REST_S)
            except LogError as error:
                _log.warning("outcomes_unreadable", why=str(error))
                await asyncio.sleep(_PAUSE_S)

    async def run_written(self) -> None:
        """Drop what Postgres holds, for ever."""
        while True:
            await asyncio.sleep(_WRITTEN_EVERY_S)
            try:
                await self._written.result()
            except StorageUnavailableError as error:
                _log.warning("written_unknown", why=str(error))

    async def caught_up(self, market_ids: Collection[int]) -> None:
        """Return when all that anybody was told of these markets is in Postgres or kept here.

        That is: the events that the log held when this was called. Raises Refusal where that
        takes longer than `WAIT_S`, and StorageUnavailableError.
        """
        try:
            async with asyncio.timeout(WAIT_S):
                await self._read_up_to(await self._ends_now(), market_ids)
                while not self._recent.is_complete(market_ids):
                    await self._written.result()
                    if self._recent.is_complete(market_ids):
                        break
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise not_yet_known() from None

    async def _ends_now(self) -> dict[int, int]:
        """Ask where the log ends until a broker says so: without it nobody knows what was told."""
        while True:
            try:
                return await self._known_ends.result()
            except LogError:
                await asyncio.sleep(_POLL_S)

    async def _end_offsets(self) -> dict[int, int]:
        return await self._ends.end_offsets(self._market_ids)

    async def _read_up_to(self, ends: dict[int, int], market_ids: Collection[int]) -> None:
        wanted = {
            partition: ends[partition]
            for partition in map(self._partitions.__getitem__, market_ids)
            if partition in ends
        }

        def has_read() -> bool:
            positions = self._reader.positions
            return all(positions[partition] >= end for partition, end in wanted.items())

        if not has_read():
            with self._demand:
                async with self._has_read:
                    await self._has_read.wait_for(has_read)

    async def _learn_written(self) -> None:
        self._recent.note_written(await self._positions.written())

    async def _read(self) -> None:
        rested_s = time.monotonic() - self._heard_s
        try:
            arrived = await self._reader.read(timeout_ms=_READ_TIMEOUT_MS)
        except LogGapError as error:
            # Nobody waits for what is as old as that.
            await self._to_the_end(error.partition)
            return
        self._heard_s = time.monotonic()
        for partition, records in arrived.items():
            market_id = self._market_ids[partition]
            fresh = self._fresh[market_id].of(records)
            # Before anybody is told of them: who was told reads nothing older.
            self._recent.add(market_id, fresh)
            self._waiters.hand_out(fresh.events)
            self._watch.take(market_id, fresh.events)
            self._admission.take(market_id, fresh.events, rested_s=rested_s)
        async with self._has_read:
            self._has_read.notify_all()

    async def _to_the_end(self, partition: int) -> None:
        ends = await self._reader.end_offsets()
        self._reader.seek(partition, ends[partition])
        self._recent.begin(self._market_ids[partition], ends[partition])
        self._admission.forget(self._market_ids[partition])
