"""Seam between an actor that follows logs and whoever tells it which."""

from typing import Protocol

from actors.platform.topology import Topology


class FollowerInterface(Protocol):
    """What every actor answers that follows the markets' logs, whatever the servers do."""

    async def follow(self, topology: Topology) -> None:
        """Go on with these markets, after the transaction that is under way."""
        ...

    async def ping(self) -> str:
        """Return the follower's name, as a sign of life."""
        ...
