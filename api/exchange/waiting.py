"""Waiting for what the book makes of a command: own commands among all events."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, Flag
from api.exchange.demand import Demand
from api.exchange.ids import COUNTER_BITS, WORKERS
from api.exchange.refusals import UnavailableError


@dataclass(frozen=True, slots=True)
class Outcome:
    """The events of one command, in order; the last one ends it."""

    events: tuple[Any, ...]

    @property
    def last(self) -> Any:
        """Return the event (`EVENT_DTYPE`) that has the flag LAST."""
        return self.events[-1]

    @property
    def trades(self) -> list[Any]:
        """Return the TRADE events."""
        return [event for event in self.events if event["kind"] == EventKind.TRADE]


@dataclass(slots=True)
class Waiter:
    """One command whose outcome somebody waits for; leave it with `with`."""

    waiters: "OutcomeWaiters"
    command_id: int
    _events: list[Any] = field(default_factory=list)
    _done: asyncio.Future[Outcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def __enter__(self) -> "Waiter":
        return self

    def __exit__(self, *_: object) -> None:
        self.waiters.forget(self.command_id)

    async def outcome(self, timeout_s: float) -> Outcome | None:
        """Return the outcome, None where it has not come in time."""
        done, _ = await asyncio.wait({self._done}, timeout=timeout_s)
        return self._done.result() if done else None

    def take(self, event: Any) -> None:
        """Take the command's next event."""
        self._events.append(event)
        if event["flags"] & Flag.LAST and not self._done.done():
            self._done.set_result(Outcome(tuple(self._events)))


class OutcomeWaiters:
    """All commands of this process (its worker number) that somebody waits for: `bound` at most.

    Each is counted in `demand`.
    """

    def __init__(self, *, worker: int, bound: int, demand: Demand) -> None:
        self._worker = worker
        self._bound = bound
        self._demand = demand
        self._waiting: dict[int, Waiter] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def expect(self, command_id: int) -> Waiter:
        """Return a waiter; register before the command is sent. Raises Refusal."""
        if len(self._waiting) >= self._bound:
            raise UnavailableError(
                "TOO_MANY_WAITING", "Too many requests wait for an outcome.", retry_after_s=1
            )
        waiter = self._waiting[command_id] = Waiter(self, command_id)
        self._demand.begin()
        return waiter

    def forget(self, command_id: int) -> None:
        """Drop a waiter."""
        if self._waiting.pop(command_id, None) is not None:
            self._demand.end()

    def hand_out(self, events: RecordArray) -> None:
        """Hand events to those who wait for them.

        The cost per event is numpy's: only events of this process's own commands are looked at
        one by one, and only while somebody waits.
        """
        if not self._waiting or not len(events):
            return
        command_ids = events["command_id"]
        own = np.flatnonzero((command_ids >> COUNTER_BITS) & (WORKERS - 1) == self._worker)
        for index, command_id in zip(own.tolist(), command_ids[own].tolist(), strict=True):
            waiter = self._waiting.get(command_id)
            if waiter is not None:
                # A copy, so that the waiter does not keep the whole record alive.
                waiter.take(events[index].copy())
