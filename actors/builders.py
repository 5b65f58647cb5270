"""Where Ray comes in: plain classes become detached, named actors.

A restart runs nothing but the constructor, so an actor starts its own work there.
"""

from pathlib import Path
from typing import Any

import ray

from actors.book.market import Market
from actors.config import Platform
from actors.pair import PairActor
from actors.remote import pair_actor_name
from actors.snapshots import FileSnapshotStore
from actors.writer.writer import PostgresWriter

WRITER_NAME = "writer"

# An actor waits most of the time: Ray must not run out of its two CPUs with ten of them.
_PAIR_CPUS = 0.01


def pair_actor(platform: Platform, market: Market) -> Any:
    """Return the handle of this market's actor, making the actor where there is none.

    One supervisor alone may call this: two creators would race for the name. The actor outlives
    its creator, is restarted for ever, and never runs a call twice; its state comes back from
    snapshot and log.
    """
    name = pair_actor_name(market.pair)
    try:
        return ray.get_actor(name, namespace=platform.namespace)
    except ValueError:
        pass
    store = FileSnapshotStore(
        Path(platform.data_directory) / "snapshots",
        pair=market.pair,
        kept=platform.limits.snapshots_kept,
    )
    return (
        ray.remote(PairActor)
        .options(
            name=name,
            namespace=platform.namespace,
            lifetime="detached",
            num_cpus=_PAIR_CPUS,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=1,
        )
        .remote(market, store, platform.limits)
    )


class _WriterActor(PostgresWriter):
    """The writer at work from its construction on."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.start()


def writer_actor(platform: Platform) -> Any:
    """Return the handle of the platform's Postgres writer, making it where there is none.

    One supervisor alone may call this, as for `pair_actor`.
    """
    try:
        return ray.get_actor(WRITER_NAME, namespace=platform.namespace)
    except ValueError:
        pass
    return (
        ray.remote(_WriterActor)
        .options(
            name=WRITER_NAME,
            namespace=platform.namespace,
            lifetime="detached",
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=16,
        )
        .remote(platform)
    )
