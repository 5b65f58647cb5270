"""Every operation between processes passes here, is numbered, and meets what is scheduled."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tests.simulation.schedule import Fault, Schedule

_T = TypeVar("_T")
LATENCY_S = 0.001
DELAYS_S = {Fault.DELAY: 0.03, Fault.FREEZE: 2.0}
# While streams are slow, what passes over them takes so long in each direction.
SLOW_LATENCY_S = 0.7
SLOW_S = 5.0


class Network:
    """Carry operations out after a latency, whether or not the caller still lives.

    Operations of one `channel`, a stream, take effect in the order in which they were asked for,
    and are answered in it. `strike` is told each fault that hits a process instead of the
    operation. `trace` names what was hit.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, schedule: Schedule, strike: Callable[[Fault], None]
    ) -> None:
        self._loop = loop
        self._faults = dict(schedule)
        self._strike = strike
        self._lands_s: dict[str, float] = {}
        self._answers_s: dict[str, float] = {}
        self._slow_until_s = 0.0
        self.operations = 0
        self.trace: list[str] = []

    def carry(
        self, name: str, effect: Callable[[], _T], *, lost: Exception, channel: str = ""
    ) -> "asyncio.Future[_T]":
        """Return the future outcome of `effect`, or `lost` where it or its answer is lost."""
        fault = self._faults.get(self.operations)
        if fault is not None:
            self.trace.append(f"operation {self.operations}, {name}: {fault.value}")
        self.operations += 1
        if fault is Fault.SLOW_STREAMS:
            self._slow_until_s = self._loop.time() + SLOW_S
        outcome: asyncio.Future[_T] = self._loop.create_future()
        lands_s = self._arrives_s(self._lands_s, channel, DELAYS_S.get(fault, 0.0) if fault else 0)
        self._loop.call_at(lands_s, self._land, effect, fault, lost, outcome, channel)
        return outcome

    def _arrives_s(self, earlier_s: dict[str, float], channel: str, late_s: float = 0.0) -> float:
        """Return when what is sent now arrives: over a channel, never before what was sent."""
        now_s = self._loop.time()
        slow = bool(channel) and now_s < self._slow_until_s
        arrives_s = now_s + (SLOW_LATENCY_S if slow else LATENCY_S) + late_s
        if channel:
            arrives_s = earlier_s[channel] = max(arrives_s, earlier_s.get(channel, 0.0))
        return arrives_s

    def _land(
        self,
        effect: Callable[[], _T],
        fault: Fault | None,
        lost: Exception,
        outcome: "asyncio.Future[_T]",
        channel: str,
    ) -> None:
        failure: Exception | None = None
        try:
            if fault is Fault.LOSE:
                raise lost
            result = effect()
            if fault is Fault.REPEAT:
                effect()
            if fault is Fault.LOSE_ANSWER:
                raise lost
        except Exception as error:
            failure = error
        if fault is not None:
            self._strike(fault)
        answers_s = self._arrives_s(self._answers_s, channel)
        if failure is not None:
            self._loop.call_at(answers_s, _fail, outcome, failure)
        else:
            self._loop.call_at(answers_s, _answer, outcome, result)


def _fail(outcome: "asyncio.Future[_T]", failure: Exception) -> None:
    if not outcome.done():
        outcome.set_exception(failure)


def _answer(outcome: "asyncio.Future[_T]", result: _T) -> None:
    if not outcome.done():
        outcome.set_result(result)
