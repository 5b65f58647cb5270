"""The pairs of one process: a busy one alone, or quiet ones that share what a process costs."""

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from actors.book.market import Market
from actors.fold.saving import SaveBeside
from actors.fold.snapshots_postgres import Patience
from actors.fold.stores import snapshot_store
from actors.pair.actor import PairActor
from actors.pair.messages import RangeRequest
from actors.platform.config import Platform
from actors.platform.errors import SnapshotRefusedError

_log = structlog.get_logger(__name__)


class PairHost:
    """Hold `PairActor`s with their snapshots where the platform keeps them, and pass calls on.

    Pairs of one host die and come back together, and wait for each other's commands; nothing else
    is common to them. One whose book cannot be found refuses calls, and looks again at each.
    """

    def __init__(self, platform: Platform, markets: Sequence[Market]) -> None:
        self.platform = platform
        self._markets = {market.pair: market for market in markets}
        self._patience = Patience()
        self._pairs: dict[str, PairActor] = {}
        for pair in self._markets:
            try:
                self._pair(pair)
            except SnapshotRefusedError as error:
                if len(markets) == 1:
                    raise
                _log.error("pair_not_restored", pair=pair, why=str(error))

    def ping(self) -> list[str]:
        """Return the pairs, as a sign of life."""
        return list(self._markets)

    def answer(self, request: bytes) -> bytes:
        """Pass a `RangeRequest`'s MessagePack on; return the `RangeAnswer`'s."""
        asked = msgspec.msgpack.decode(request, type=RangeRequest)
        return self._pair(asked.pair).answer(asked)

    def call(self, pair: str, method: str, *arguments: Any) -> Any:
        """Call any other method of a pair."""
        return getattr(self._pair(pair), method)(*arguments)

    def _pair(self, name: str) -> PairActor:
        """Return a pair, restored where it is not yet. Raises SnapshotRefusedError."""
        if name not in self._pairs:
            market = self._markets[name]
            store = snapshot_store(self.platform, market, self._patience)
            self._pairs[name] = PairActor(market, store, self.platform.limits, SaveBeside())
        return self._pairs[name]
