"""What goes wrong, and when: drawn from a seed, and cut down to what a failure needs."""

import random
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

OPERATIONS = 60
FAULTS_MAX = 8


class Fault(Enum):
    """What may befall an operation, or strike right after its effect."""

    DELAY = "delayed"
    FREEZE = "frozen for two seconds"
    SLOW_STREAMS = "the first for five seconds in which streams take long, each way"
    LOSE = "lost before its effect"
    LOSE_ANSWER = "done, its answer lost"
    REPEAT = "done twice"
    CRASH_ACTOR = "done, then the actor crashes"
    CRASH_ROUTER = "done, then the router crashes"
    SECOND_ROUTER = "done, then a second router starts"
    CRASH_WRITER = "done, then the writer crashes"
    CRASH_CANDLES = "done, then the candle aggregator crashes"
    TEAR_SNAPSHOT = "done, then the newest snapshot is torn and the actor crashes"


class Decision(NamedTuple):
    """A fault for the operation with this number, counted from 0."""

    operation: int
    fault: Fault


Schedule = tuple[Decision, ...]


def draw(seed: int) -> Schedule:
    """Return the schedule of a seed: up to `FAULTS_MAX` faults among the first operations."""
    source = random.Random(seed)
    count = source.randint(1, FAULTS_MAX)
    operations = sorted(source.sample(range(OPERATIONS), count))
    faults = list(Fault)
    return tuple(Decision(operation, source.choice(faults)) for operation in operations)


def shrink(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    """Return a part of a failing schedule that fails still, none of whose decisions can go."""
    size = len(schedule)
    while size:
        for start in range(0, len(schedule), size):
            shorter = schedule[:start] + schedule[start + size :]
            if fails(shorter):
                schedule = shorter
                break
        else:
            size //= 2
        size = min(size, len(schedule))
    return schedule
