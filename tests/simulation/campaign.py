"""Many schedules in a row; the first that fails comes back shrunk, with the way to repeat it."""

import contextlib
import logging
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import structlog

from tests.simulation.schedule import Schedule, draw, shrink
from tests.simulation.story import STORIES, story
from tests.simulation.world import Parts, World

CANDLES_EVERY = 25


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed whose schedule breaks a promise, and the least that does."""

    seed: int
    schedule: Schedule
    trace: tuple[str, ...]
    violations: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed} fails:", *(f"  {one}" for one in self.violations)]
        lines += ["the least that makes it fail:", *(f"  {one}" for one in self.trace)]
        return "\n".join([*lines, f"repeat: python -m tests.simulation --seed {self.seed}"])


def world(seed: int, schedule: Schedule, parts: Parts | None = None) -> World:
    """Return the world of a seed under this schedule."""
    candles = seed % CANDLES_EVERY == 0
    return World(story(seed % STORIES), schedule, parts=parts, candles=candles)


def first_failure(*, seed: int, schedules: int, parts: Parts | None = None) -> Failure | None:
    """Play the schedules of `seed` and the seeds after it; return the first failure, shrunk."""
    with _quiet():
        for number in range(seed, seed + schedules):
            schedule = draw(number)
            if world(number, schedule, parts).play():
                return _shrunk(number, schedule, parts)
    return None


def failure_among(*, seed: int, schedules: int) -> Failure | None:
    """Return the first failure as `first_failure` does, a share of the seeds on every core."""
    bounds = np.linspace(seed, seed + schedules, (os.cpu_count() or 1) + 1).astype(int).tolist()
    shares = [(first, end - first) for first, end in pairwise(bounds) if end > first]
    # A fork would copy the threads of polars, which then wait for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(shares), mp_context=context) as pool:
        failures = list(pool.map(_first_failure_of, shares))
    return next(filter(None, failures), None)


def _first_failure_of(share: tuple[int, int]) -> Failure | None:
    seed, schedules = share
    return first_failure(seed=seed, schedules=schedules)


def _shrunk(seed: int, schedule: Schedule, parts: Parts | None) -> Failure:
    least = shrink(schedule, lambda shorter: bool(world(seed, shorter, parts).play()))
    played = world(seed, least, parts)
    violations = played.play()
    return Failure(seed, least, tuple(played.network.trace), tuple(violations))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the product from telling of every fault that is played."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
