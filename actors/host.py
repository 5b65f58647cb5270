"""The pairs of one process: a busy one alone, or quiet ones that share what a process costs."""

from collections.abc import Sequence
from typing import Any

import msgspec

from actors.book.market import Market
from actors.config import Platform
from actors.messages import RangeRequest
from actors.pair import PairActor
from actors.saving import SaveBeside
from actors.snapshot_stores import snapshot_store


class PairHost:
    """Hold `PairActor`s with their snapshots where the platform keeps them, and pass calls on.

    Pairs of one host die and come back together, and wait for each other's commands; nothing else
    is common to them.
    """

    def __init__(self, platform: Platform, markets: Sequence[Market]) -> None:
        self.platform = platform
        self._pairs = {
            market.pair: PairActor(
                market, snapshot_store(platform, market), platform.limits, SaveBeside()
            )
            for market in markets
        }

    def ping(self) -> list[str]:
        """Return the pairs, as a sign of life."""
        return list(self._pairs)

    def answer(self, request: bytes) -> bytes:
        """Pass a `RangeRequest`'s MessagePack on; return the `RangeAnswer`'s."""
        asked = msgspec.msgpack.decode(request, type=RangeRequest)
        return self._pairs[asked.pair].answer(asked)

    def call(self, pair: str, method: str, *arguments: Any) -> Any:
        """Call any other method of a pair."""
        return getattr(self._pairs[pair], method)(*arguments)
