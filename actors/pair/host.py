"""The pairs of one process: a busy one alone, or quiet ones that share what a process costs."""

from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from actors.fold.ports import StoredSnapshot
from actors.fold.saving import SaveBeside
from actors.fold.snapshots_postgres import Patience
from actors.fold.stores import snapshot_store
from actors.pair.messages import (
    AcknowledgeRequest,
    DepthRequest,
    Fingerprint,
    PairRequest,
    Position,
    PositionRequest,
    RangeRequest,
    RewindRequest,
    StatsRequest,
)
from actors.platform.config import PairConfig
from actors.platform.errors import SnapshotRefusedError
from actors.platform.messages import DepthSnapshot

if TYPE_CHECKING:
    from actors.pair.actor import PairActor

_log = structlog.get_logger(__name__)
_REQUESTS: msgspec.msgpack.Decoder[PairRequest] = msgspec.msgpack.Decoder(PairRequest)


class PairHost:
    """Hold the `PairActor`s of some markets, and pass calls on to the one that each is for.

    Pairs of one host die and come back together, and wait for each other's commands; nothing else
    is common to them. One whose book cannot be found refuses calls, and looks again at each. Calls
    may come from several threads; one at a time is carried out.
    """

    def __init__(self, config: PairConfig) -> None:
        self._config = config
        self._markets = {market.pair: market for market in config.markets}
        self._patience = Patience()
        self._one_at_a_time = Lock()
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
        """Return the pairs, as a sign of life: none comes where one of them is stuck."""
        with self._one_at_a_time:
            return list(self._markets)

    def serve(self, request: bytes) -> bytes:
        """Take a `PairRequest`'s MessagePack; return that of its answer."""
        asked = _REQUESTS.decode(request)
        with self._one_at_a_time:
            pair = self._pair(asked.pair)
            if isinstance(asked, RangeRequest):
                return pair.answer(asked)
            return msgspec.msgpack.encode(_answer(pair, asked))

    def position(self, pair: str) -> Position:
        """See `PairActor.position`."""
        with self._one_at_a_time:
            return self._pair(pair).position()

    def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """See `PairActor.depth`."""
        with self._one_at_a_time:
            return self._pair(pair).depth(limit)

    def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """See `PairActor.orders`."""
        with self._one_at_a_time:
            return self._pair(pair).orders(limit)

    def fingerprint(self, pair: str) -> Fingerprint:
        """See `PairActor.fingerprint`."""
        with self._one_at_a_time:
            return self._pair(pair).fingerprint()

    def stats(self, pair: str) -> dict[str, Any]:
        """See `PairActor.stats`."""
        with self._one_at_a_time:
            return self._pair(pair).stats()

    def export(self, pair: str) -> StoredSnapshot:
        """See `PairActor.export`."""
        with self._one_at_a_time:
            return self._pair(pair).export()

    def adopt(self, pair: str, snapshot: StoredSnapshot) -> Position:
        """See `PairActor.adopt`."""
        with self._one_at_a_time:
            return self._pair(pair).adopt(snapshot)

    def _pair(self, name: str) -> "PairActor":
        """Return a pair, restored where it is not yet. Raises SnapshotRefusedError."""
        if name not in self._pairs:
            # Imported here, in the actor's process: whoever only calls an actor has its class too,
            # and would load the kernel with it.
            from actors.pair.actor import PairActor

            market, limits = self._markets[name], self._config.limits
            store = snapshot_store(
                self._config.snapshots,
                market,
                kept=limits.snapshots_kept,
                patience=self._patience,
            )
            self._pairs[name] = PairActor(market, store, limits, SaveBeside())
        return self._pairs[name]


def _answer(
    pair: "PairActor",
    asked: PositionRequest | RewindRequest | AcknowledgeRequest | DepthRequest | StatsRequest,
) -> Position | tuple[bytes, bytes] | dict[str, Any] | None:
    match asked:
        case PositionRequest():
            return pair.position()
        case RewindRequest():
            return pair.rewind()
        case AcknowledgeRequest():
            pair.acknowledge(asked.next_offset)
            return None
        case DepthRequest():
            return pair.depth_messages(asked.limit, asked.top)
        case StatsRequest():
            return pair.stats()
