"""One pair's loop: nothing waits where nothing is on its way, and what waits goes together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

from actors.book.codec import decode_events, encode_commands
from actors.book.market import Market
from actors.log.memory import MemoryLog
from actors.pair.actor import PairActor
from actors.pair.messages import Position, RangeAnswer, RangeRequest
from actors.platform.config import Limits
from actors.platform.errors import PairUnavailableError
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC, Topology
from actors.router.depth import DepthFeed
from actors.router.intake import CommandIntake, PairIntake
from actors.router.pipeline import PairPipeline
from actors.router.publisher import PairPublisher
from actors.router.trades import WRITE_EVERY_S, TradeLog
from cluster.platform.local_actors import LocalPair
from tests.beds.commands import flow, market
from tests.simulation.loop import VirtualLoop
from tests.simulation.memory import MemorySnapshots

ONE, TWO = market(1), market(2)
TOPOLOGY = Topology((ONE, TWO))
ORDERS = 40
RECORD_BYTES = len(encode_commands(1, flow(1)))


class _WatchedLog(MemoryLog):
    """A log that remembers when each record was appended, in the loop's seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.times_s: dict[str, list[float]] = {}

    def append(self, topic: str, partition: int, value: bytes) -> int:
        self.times_s.setdefault(topic, []).append(asyncio.get_running_loop().time())
        return super().append(topic, partition, value)


class _Pair(LocalPair):
    """A pair that takes its time, or does not answer; it remembers its ranges."""

    def __init__(self, own: Market, *, takes_s: float = 0.0, dead: bool = False) -> None:
        super().__init__(PairActor(own, MemorySnapshots(), Limits()))
        self._takes_s = takes_s
        self._dead = dead
        self._asked = 0
        self.asked_at_once = 0
        self.ranges: list[tuple[int, int]] = []
        self._own = own
        self._is_cut = False

    def restart(self) -> None:
        """Begin again from the last snapshot; whoever knew it before must find it anew."""
        self.actor = PairActor(self._own, MemorySnapshots(), Limits())
        self._is_cut = True

    async def position(self) -> Position:
        self._is_cut = False
        return await super().position()

    async def depth_messages(self, *, limit: int, top: int) -> tuple[bytes, bytes]:
        if self._is_cut:
            raise PairUnavailableError("it was restarted")
        return await super().depth_messages(limit=limit, top=top)

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        if self._dead:
            raise PairUnavailableError("it does not answer")
        self.ranges.append((request.first_offset, request.next_offset))
        return self._later(self.actor.answer(request))

    async def _later(self, answer: bytes) -> RangeAnswer:
        self._asked += 1
        self.asked_at_once = max(self.asked_at_once, self._asked)
        if self._takes_s:
            await asyncio.sleep(self._takes_s)
        self._asked -= 1
        return await self._decoded(answer)


def _loops(
    log: MemoryLog, pairs: dict[int, _Pair], limits: Limits
) -> Iterator[Coroutine[Any, Any, None]]:
    """Yield the loops of a router of these pairs, by partition."""
    sink = log.sink(topology=TOPOLOGY, client_id="test")
    reader = log.reader(topic=COMMANDS_TOPIC, client_id="test")
    intakes = {}
    for own in TOPOLOGY:
        partition = TOPOLOGY.partition(own)
        reader.seek(partition, 0)
        intake = intakes[partition] = PairIntake(
            reader, partition=partition, bytes_max=2 * limits.range_bytes
        )
        events = partial(log.reader, topic=EVENTS_TOPIC, client_id="test")
        trades = TradeLog(market=own, partition=partition, sink=sink, events=events)
        pipeline = PairPipeline(
            market=own,
            intake=intake,
            pair=pairs[partition],
            publisher=PairPublisher(market=own, sink=sink, trades=trades),
            # Its queue alone is used, which drops what does not fit.
            depth=DepthFeed(redis_url="redis://127.0.0.1:1"),
            limits=limits,
        )
        yield from (trades.run(), pipeline.run(), pipeline.run_depth())
    yield CommandIntake(reader, intakes).run()


def _play(
    one: _Pair,
    *,
    every_s: float,
    market_of_orders: Market = ONE,
    limits: Limits | None = None,
    then: Callable[[], Awaitable[None]] | None = None,
) -> _WatchedLog:
    """Append orders at a steady pace, in seconds that nobody waits for; return the log."""
    loop = VirtualLoop()  # type: ignore[abstract]  # only what asyncio's tasks call
    log: list[_WatchedLog] = []

    async def story() -> None:
        log.append(_WatchedLog())
        pairs = {0: one, 1: _Pair(TWO)}
        running = [loop.create_task(each) for each in _loops(log[0], pairs, limits or Limits())]
        await asyncio.sleep(1.0)
        commands = flow(ORDERS)
        for index in range(ORDERS):
            value = encode_commands(market_of_orders.market_id, commands[index : index + 1])
            log[0].append(COMMANDS_TOPIC, TOPOLOGY.partition(market_of_orders), value)
            await asyncio.sleep(every_s)
        await asyncio.sleep(1.0)
        if then is not None:
            await then()
        assert not any(task.done() for task in running)

    loop.run(story())
    return log[0]


def test_an_order_passes_without_a_timer() -> None:
    log = _play(_Pair(ONE), every_s=0.05)
    assert len(log.times_s[EVENTS_TOPIC]) == ORDERS
    assert log.times_s[EVENTS_TOPIC] == log.times_s[COMMANDS_TOPIC]


def test_what_arrives_while_the_actor_is_busy_is_one_range() -> None:
    pair = _Pair(ONE, takes_s=0.010)
    log = _play(pair, every_s=0.001)
    assert pair.asked_at_once == 1
    assert 4 <= len(pair.ranges) <= 7
    assert all(after[0] == before[1] for before, after in pairwise(pair.ranges))
    assert (pair.ranges[0][0], pair.ranges[-1][1]) == (0, ORDERS)
    assert len(log.values(EVENTS_TOPIC, 0)) == len(pair.ranges)


def test_an_actor_that_is_far_behind_is_given_full_ranges_ahead() -> None:
    pair = _Pair(ONE, takes_s=0.010)
    limits = Limits(range_bytes=2 * RECORD_BYTES, ranges_in_flight=3)
    log = _play(pair, every_s=0.0001, limits=limits)
    assert pair.asked_at_once == 3
    assert max(last - first for first, last in pair.ranges) == 2
    told = [decode_events(value) for value in log.values(EVENTS_TOPIC, 0)]
    assert all(after.first_offset == before.next_offset for before, after in pairwise(told))
    assert told[-1].next_offset == ORDERS


def test_trades_follow_within_a_moment_many_in_a_record() -> None:
    log = _play(_Pair(ONE), every_s=0.010)
    events, trades = log.times_s[EVENTS_TOPIC], log.times_s[TRADES_TOPIC]
    assert 1 <= len(trades) <= ORDERS * 0.010 / WRITE_EVERY_S + 2
    assert trades[-1] - events[-1] <= WRITE_EVERY_S


def test_a_pair_that_does_not_answer_holds_up_no_other() -> None:
    log = _play(_Pair(ONE, dead=True), every_s=0.05, market_of_orders=TWO)
    assert log.times_s[EVENTS_TOPIC] == log.times_s[COMMANDS_TOPIC]


def test_an_actor_that_restarts_while_its_market_is_quiet_is_brought_up_to_date() -> None:
    pair = _Pair(ONE)
    offsets = []

    async def quiet() -> None:
        offsets.append(pair.actor.position().next_offset)
        pair.restart()
        offsets.append(pair.actor.position().next_offset)
        await asyncio.sleep(15)
        offsets.append(pair.actor.position().next_offset)

    _play(pair, every_s=0.01, then=quiet)
    assert offsets == [ORDERS, 0, ORDERS]
