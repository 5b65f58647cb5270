"""Where Ray comes in: plain classes become detached, named actors.

A restart runs nothing but the constructor, so an actor starts its own work there.
"""

from typing import Any

import ray

from actors.config import Platform
from actors.writer.writer import PostgresWriter

WRITER_NAME = "writer"


class _WriterActor(PostgresWriter):
    """The writer at work from its construction on."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.start()


def writer_actor(platform: Platform) -> Any:
    """Create the Postgres writer of a platform and return its handle.

    Raises ValueError where an actor of this name lives already.
    """
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
