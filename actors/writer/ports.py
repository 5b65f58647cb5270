"""Seam between the writer's actor and whoever calls it from another process."""

from typing import Protocol

from actors.follow.interface import FollowerInterface
from actors.platform.config import WriterConfig
from actors.writer.status import WriterStatus


class WriterInterface(FollowerInterface, Protocol):
    """What the writer's actor answers, whatever the servers do."""

    async def config(self) -> WriterConfig:
        """Return what the writer works with now."""
        ...

    async def status(self) -> WriterStatus:
        """Return how the writer stands."""
        ...
