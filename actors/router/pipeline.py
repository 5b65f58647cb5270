"""One pair's way from log to actor and back: read, apply, publish, acknowledge.

A single rule keeps events whole: what is published always continues what Kafka holds. Whenever
that is in doubt (a lost answer, a restarted actor, another router) the pipeline stops, asks the
actor where it stands and Kafka what it has, and starts again from there. Start-up is the same path.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import structlog

from actors.book.market import Market
from actors.log.ports import LogRecord
from actors.pair.messages import Position, RangeAnswer, RangeApplied, RangeRequest
from actors.pair.ports import PairClient
from actors.platform.config import RouterLimits
from actors.platform.errors import (
    ForkastError,
    LogGapError,
    PairUnavailableError,
    StreamFullError,
)
from actors.platform.messages import DepthSnapshot
from actors.router.depth import TOP_LEVELS, DepthFeed
from actors.router.intake import PairIntake
from actors.router.publisher import PairPublisher
from actors.router.records import join
from actors.router.state import PairState

_log = structlog.get_logger(__name__)
_BACKOFF_S = (0.05, 1.0)
_GAP_PAUSE_S = 5.0
_OTHER_ROUTER_GRACE_S = 0.5
_OTHER_ROUTER_POLL_S = 0.05
_DEPTH_REFRESH_S = 10.0


class OutOfStepError(ForkastError):
    """The actor's position is not the one that this router counted on."""

    retryable = True


_Outcome = asyncio.Future[RangeAnswer]


class _Range(NamedTuple):
    first_offset: int
    records: int
    outcome: _Outcome
    submitted_s: float


class PairPipeline:
    """Run one pair until cancelled.

    A range goes out when the actor has answered those before it, or when what waits fills one: what
    arrives meanwhile goes with the next. What has come back while a record was on its way to Kafka
    goes out in one record likewise. `on_expiry` is called when an order waits for another expiry.
    """

    def __init__(
        self,
        *,
        market: Market,
        intake: PairIntake,
        pair: PairClient,
        publisher: PairPublisher,
        depth: DepthFeed,
        limits: RouterLimits,
        on_expiry: Callable[[], None] = lambda: None,
    ) -> None:
        self.market = market
        self.pair = pair
        self.state = PairState()
        self._intake = intake
        self._publisher = publisher
        self._depth = depth
        self._limits = limits
        self._on_expiry = on_expiry
        # At most `limits.ranges_in_flight`, each from its submission to its publication.
        self._in_flight: deque[_Range] = deque()
        self._answered = asyncio.Event()
        self._published_offset = 0
        self._depth_stale = asyncio.Event()
        self._depth_asked_s = 0.0
        self._depth_interval_s = limits.depth_interval_ms / 1000
        intake.on_arrival = self._submit_ranges

    @property
    def ranges_in_flight(self) -> int:
        """Return how many ranges the actor has been given and has not answered."""
        return sum(not one.outcome.done() for one in self._in_flight)

    @property
    def idle(self) -> bool:
        """Say whether the pair is well and nothing of it is on its way."""
        return self.state.available and not self._in_flight and not self._intake

    async def run(self) -> None:
        """Recover and flow, for ever; only an error of the program ends it."""
        pause_s = _BACKOFF_S[0]
        lost_s = _now_s()
        while True:
            try:
                await self._recover()
                self.state.recovery_seconds = _now_s() - lost_s
                pause_s = _BACKOFF_S[0]
                await self._flow()
            except LogGapError as error:
                _log.error("log_gap", **self._place(), why=str(error))
                pause_s = _GAP_PAUSE_S
            except ForkastError as error:
                _log.warning("pipeline_restarts", **self._place(), why=str(error))
            self._intake.close()
            if self.state.available:
                lost_s = _now_s()
            self.state.available = False
            self.state.counters.recoveries += 1
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _BACKOFF_S[1])

    async def run_depth(self) -> None:
        """Ask for the depth that no range brought along, and now and then anyway, for ever.

        Ranges bring it once an interval; one that follows within the interval leaves it stale,
        and only when no other comes soon is it worth a call of its own.
        """
        while True:
            try:
                async with asyncio.timeout(_DEPTH_REFRESH_S):
                    await self._depth_stale.wait()
            except TimeoutError:
                self._depth_stale.set()
            await asyncio.sleep(self._depth_interval_s)
            fresh = _now_s() - self._depth_asked_s < self._depth_interval_s
            if fresh or not self._depth_stale.is_set() or not self.state.available:
                continue
            self._depth_stale.clear()
            self._depth_asked_s = _now_s()
            await self._refresh_depth()

    async def _refresh_depth(self) -> None:
        try:
            whole, top = await self.pair.depth_messages(
                limit=self._limits.depth_levels, top=TOP_LEVELS
            )
        except StreamFullError:
            self._depth_stale.set()
            return
        except PairUnavailableError as error:
            # Gone while its market was quiet: no range is on its way to fail by it.
            if self.state.available:
                self._fail(error)
            return
        shown = msgspec.msgpack.decode(top, type=DepthSnapshot)
        if shown.sequence < self.state.sequence:
            # Restarted while its market was quiet: no range is on its way to be refused.
            self._fail(OutOfStepError(f"the pair has gone back to sequence {shown.sequence}"))
            return
        self._depth.snapshot(self.market, whole=whole, top=top)

    async def _recover(self) -> None:
        position = await self.pair.position()
        await self._publisher.learn()
        if position.sequence > self._publisher.sequence:
            position = await self._find_missing_events(position)
        stats = await self.pair.stats()
        self._drop_in_flight()
        self.state.next_offset = position.next_offset
        self.state.sequence = position.sequence
        self.state.next_expiry_us = int(stats["next_expiry_us"])
        self.state.open_orders = int(stats["open_orders"])
        self.state.last_price_ticks = int(stats["last_price_ticks"])
        self.state.halted = bool(stats["halted"])
        self.state.available = True
        self._depth_stale.set()
        self._on_expiry()
        self._intake.seek(position.next_offset)
        _log.info("pair_followed", **self._place())

    async def _find_missing_events(self, position: Position) -> Position:
        """Wait for another router to publish what the actor did; otherwise have it done again.

        The actor's snapshot is never newer than what Kafka acknowledged, so nothing is missing
        before it.
        """
        progress_s = _now_s()
        while _now_s() - progress_s < _OTHER_ROUTER_GRACE_S:
            before = self._publisher.sequence
            await asyncio.sleep(_OTHER_ROUTER_POLL_S)
            await self._publisher.learn(again=True)
            if self._publisher.sequence >= position.sequence:
                return position
            if self._publisher.sequence > before:
                progress_s = _now_s()
        # The newer its snapshot, the less is done again.
        await self.pair.acknowledge(self._published_offset)
        position = await self.pair.rewind()
        _log.info(
            "pair_rewound",
            pair=self.market.pair,
            sequence=position.sequence,
            offset=position.next_offset,
        )
        self._publisher.assume(position.sequence)
        return position

    def _place(self) -> dict[str, str | int]:
        state = self.state
        return {
            "pair": self.market.pair,
            "sequence": state.sequence,
            "offset": state.next_offset,
        }

    def _drop_in_flight(self) -> None:
        for one in self._in_flight:
            one.outcome.cancel()
        self._in_flight.clear()
        self._answered.clear()

    async def _flow(self) -> None:
        """Publish what comes back, in order, until something fails."""
        while True:
            await self._answered.wait()
            self._answered.clear()
            while self._in_flight and self._in_flight[0].outcome.done():
                await self._publish_answered()
                self._submit_ranges()

    def _submit_ranges(self) -> None:
        """Submit what waits; a failure takes its place in line, behind ranges still good."""
        intake, range_bytes = self._intake, self._limits.range_bytes
        while intake and len(self._in_flight) < self._limits.ranges_in_flight:
            if intake.waiting_bytes < range_bytes and self.ranges_in_flight:
                return
            try:
                self._submit(intake.take(range_bytes))
            except Exception as error:
                # Also one of the program: the pair's own loop must end by it, not the caller's.
                self._fail(error)
        if intake.gap is not None and not intake:
            self._fail(intake.gap)

    def _submit(self, records: list[LogRecord]) -> None:
        now_s = _now_s()
        depth_due = now_s - self._depth_asked_s >= self._depth_interval_s
        if depth_due:
            self._depth_asked_s = now_s
        request = RangeRequest(
            pair=self.market.pair,
            first_offset=records[0].offset,
            next_offset=records[-1].offset + 1,
            acknowledged=self._published_offset,
            depth_levels=self._limits.depth_levels if depth_due else 0,
            depth_top=TOP_LEVELS,
            values=[record.value for record in records],
        )
        outcome = asyncio.ensure_future(self.pair.apply(request))
        self._follow(_Range(request.first_offset, len(records), outcome, now_s))

    def _fail(self, error: Exception) -> None:
        """Let the flow end with this error, after the ranges that are on their way."""
        self._intake.close()
        failed: _Outcome = asyncio.get_running_loop().create_future()
        failed.set_exception(error)
        self._follow(_Range(self.state.next_offset, 0, failed, _now_s()))

    def _follow(self, one: _Range) -> None:
        self._in_flight.append(one)
        one.outcome.add_done_callback(self._note_answer)

    def _note_answer(self, outcome: _Outcome) -> None:
        self._answered.set()
        # This also fetches the error of a range that is dropped: it would be reported as lost.
        if _is_good(outcome):
            self._submit_ranges()
        elif self._is_in_flight(outcome):
            self._intake.close()

    def _is_in_flight(self, outcome: _Outcome) -> bool:
        return any(one.outcome is outcome for one in self._in_flight)

    async def _publish_answered(self) -> None:
        """Publish the first range that is in flight, with those after it that are answered too."""
        ranges = [self._in_flight[0]]
        answers = [ranges[0].outcome.result()]
        for one in list(self._in_flight)[1:]:
            if not _is_good(one.outcome):
                break
            ranges.append(one)
            answers.append(one.outcome.result())
        answered_s = _now_s()
        self.state.counters.apply_seconds += sum(answered_s - one.submitted_s for one in ranges)
        await self._publish(ranges, [_in_step(answer) for answer in answers])
        self._show_depth(answers)
        for _ in ranges:
            self._in_flight.popleft()

    async def _publish(self, ranges: list[_Range], applied: list[RangeApplied]) -> None:
        batch = join(self.market.market_id, ranges[0].first_offset, applied)
        published_before = self._publisher.sequence
        if batch.first_sequence > published_before + 1:
            raise OutOfStepError(
                f"events from {batch.first_sequence} on do not continue {published_before}"
            )
        trades = await self._publisher.publish(batch)
        self.state.declined.update(batch.declined())
        self._published_offset = batch.next_offset
        self._count(ranges, applied, events=len(batch.events), trades=trades)
        for one in applied:
            if one.last_sequence > published_before:
                self._depth.change(self.market, one)

    def _show_depth(self, answers: list[RangeAnswer]) -> None:
        newest = next((answer for answer in reversed(answers) if answer.depth), None)
        if newest is not None:
            self._depth.snapshot(self.market, whole=newest.depth, top=newest.depth_top)
        if answers[-1].depth:
            self._depth_stale.clear()
        else:
            self._depth_stale.set()

    def _count(
        self, ranges: list[_Range], applied: list[RangeApplied], *, events: int, trades: int
    ) -> None:
        state, counters, newest = self.state, self.state.counters, applied[-1]
        state.next_offset = newest.next_offset
        state.sequence = newest.last_sequence
        state.open_orders = newest.open_orders
        state.last_price_ticks = newest.last_price_ticks
        state.halted = newest.halted
        if state.next_expiry_us != newest.next_expiry_us:
            state.next_expiry_us = newest.next_expiry_us
            self._on_expiry()
        counters.records += sum(one.records for one in ranges)
        counters.ranges += len(ranges)
        counters.commands += sum(one.commands for one in applied)
        counters.events += events
        counters.trades += trades


def _now_s() -> float:
    """Return the event loop's time, which a simulated loop keeps itself."""
    return asyncio.get_running_loop().time()


def _in_step(answer: RangeAnswer) -> RangeApplied:
    if answer.applied is None:
        needed = answer.refused.needed_offset if answer.refused else None
        raise OutOfStepError(f"the pair needs offset {needed}")
    if answer.applied.repeated:
        raise OutOfStepError(f"the pair was taken to {answer.applied.next_offset} by someone else")
    return answer.applied


def _is_good(outcome: _Outcome) -> bool:
    if not outcome.done() or outcome.cancelled() or outcome.exception() is not None:
        return False
    applied = outcome.result().applied
    return applied is not None and not applied.repeated
