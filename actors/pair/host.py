"""The pairs of one process: a busy one alone, or quiet ones that share what a process costs."""

from typing import Any

import msgspec
import structlog

from actors.fold.ports import StoredSnapshot
from actors.fold.saving import SaveBeside
from actors.fold.snapshots_postgres import Patience
from actors.fold.stores import snapshot_store
from actors.pair.actor import PairActor
from actors.pair.messages import Fingerprint, Position, RangeRequest
from actors.platform.config import PairConfig
from actors.platform.errors import SnapshotRefusedError
from actors.platform.messages import DepthSnapshot

_log = structlog.get_logger(__name__)


class PairHost:
    """Hold the `PairActor`s of some markets, and pass calls on to the one that each is for.

    Pairs of one host die and come back together, and wait for each other's commands; nothing else
    is common to them. One whose book cannot be found refuses calls, and looks again at each.
    """

    def __init__(self, config: PairConfig) -> None:
        self._config = config
        self._markets = {market.pair: market for market in config.markets}
        self._patience = Patience()
        self._pairs: dict[str, PairActor] = {}
        for pair in self._markets:
            try:
                self._pair(pair)
            except SnapshotRefusedError as error:
                if len(self._markets) == 1:
                    raise
                _log.error("pair_not_restored", pair=pair, why=str(error))

    def config(self) -> PairConfig:
        """Return what the host was made for."""
        return self._config

    def ping(self) -> list[str]:
        """Return the pairs, as a sign of life."""
        return list(self._markets)

    def answer(self, request: bytes) -> bytes:
        """Pass a `RangeRequest`'s MessagePack on; return the `RangeAnswer`'s."""
        asked = msgspec.msgpack.decode(request, type=RangeRequest)
        return self._pair(asked.pair).answer(asked)

    def position(self, pair: str) -> Position:
        """See `PairActor.position`."""
        return self._pair(pair).position()

    def rewind(self, pair: str) -> Position:
        """See `PairActor.rewind`."""
        return self._pair(pair).rewind()

    def acknowledge(self, pair: str, next_offset: int) -> None:
        """See `PairActor.acknowledge`."""
        self._pair(pair).acknowledge(next_offset)

    def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """See `PairActor.depth`."""
        return self._pair(pair).depth(limit)

    def depth_messages(self, pair: str, limit: int, top: int) -> tuple[bytes, bytes]:
        """See `PairActor.depth_messages`."""
        return self._pair(pair).depth_messages(limit, top)

    def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """See `PairActor.orders`."""
        return self._pair(pair).orders(limit)

    def fingerprint(self, pair: str) -> Fingerprint:
        """See `PairActor.fingerprint`."""
        return self._pair(pair).fingerprint()

    def stats(self, pair: str) -> dict[str, Any]:
        """See `PairActor.stats`."""
        return self._pair(pair).stats()

    def export(self, pair: str) -> StoredSnapshot:
        """See `PairActor.export`."""
        return self._pair(pair).export()

    def adopt(self, pair: str, snapshot: StoredSnapshot) -> Position:
        """See `PairActor.adopt`."""
        return self._pair(pair).adopt(snapshot)

    def _pair(self, name: str) -> PairActor:
        """Return a pair, restored where it is not yet. Raises SnapshotRefusedError."""
        if name not in self._pairs:
            market, limits = self._markets[name], self._config.limits
            store = snapshot_store(
                self._config.snapshots,
                market,
                kept=limits.snapshots_kept,
                patience=self._patience,
            )
            self._pairs[name] = PairActor(market, store, limits, SaveBeside())
        return self._pairs[name]
