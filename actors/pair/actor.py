"""One trading pair as a state machine: ranges of its log in, events and changed levels out.

No Kafka client, no thread, no clock. Start-up and recovery are one path: the newest sound
snapshot is loaded, and `position()` names the offset from which the log must be read.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import numpy as np
import structlog

from actors.book.codec import MalformedRecordError, decode_commands
from actors.book.compiled import CompiledBook
from actors.book.compiled_snapshot import BookImage
from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray, joined
from actors.book.vocabulary import CommandKind, EventKind
from actors.fold.ports import SnapshotStore, StoredSnapshot
from actors.fold.saving import SaveAtOnce, Saver
from actors.pair.messages import (
    Fingerprint,
    Position,
    RangeAnswer,
    RangeApplied,
    RangeRefused,
    RangeRequest,
)
from actors.platform.config import PairLimits
from actors.platform.errors import SnapshotRefusedError
from actors.platform.messages import DepthSnapshot, LevelRow

_log = structlog.get_logger(__name__)
# Less than a router waits for an answer.
_SAVED_S = 5.0
_LEVEL_ROW = ["price_ticks", "quantity_lots", "filled_lots", "order_count"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Taken:
    """The book of one moment, which waits for its events to be in Kafka."""

    next_offset: int
    commands: int
    last_price_ticks: int
    sequence: int
    image: BookImage


class PairActor:
    """Apply one market's commands in log order, each exactly once.

    The book is copied after `limits.snapshot_every_commands` commands, and `saver` saves the copy
    only when `acknowledge` says that its events are in Kafka. Raises SnapshotRefusedError where
    the log begins with a book and no snapshot is sound.
    """

    def __init__(
        self,
        market: Market,
        snapshot_store: SnapshotStore,
        limits: PairLimits,
        saver: Saver | None = None,
    ) -> None:
        self._market = market
        self._store = snapshot_store
        self._limits = limits
        self._saver = saver or SaveAtOnce()
        self._book: CompiledBook
        self._next_offset: int
        self._commands: int
        self._last_price_ticks: int
        self._pending: _Taken | None
        self._restore()

    def ping(self) -> str:
        """Return the pair, as a sign of life."""
        return self._market.pair

    def position(self) -> Position:
        """Return the log offset that is needed next and the last sequence."""
        return Position(self._next_offset, self._book.sequence)

    def rewind(self) -> Position:
        """Fall back to the last snapshot and return the position there.

        A router calls this when events that it never saw are missing in Kafka, after a router
        before it died: the same log, applied again, gives the same events.
        """
        # The newer the snapshot, the less is done again.
        self._saver.wait(_SAVED_S)
        self._restore()
        return self.position()

    def export(self) -> StoredSnapshot:
        """Return the book as it stands, for an actor that is to take its place."""
        return self._stored()

    def adopt(self, snapshot: StoredSnapshot) -> Position:
        """Stand where another actor of this pair stands, unless that is behind; say where.

        Its events need not be in Kafka yet: a router that misses some sends this actor back to
        the last stored snapshot, as it would the other.
        """
        if snapshot.next_offset > self._next_offset:
            self._book = CompiledBook.restore(self._market, snapshot.state)
            self._pending = None
            self._begin(snapshot.next_offset, snapshot.commands, snapshot.last_price_ticks)
        return self.position()

    def apply(
        self, first_offset: int, next_offset: int, values: list[bytes]
    ) -> RangeApplied | RangeRefused:
        """Apply the records of the half-open range [`first_offset`, `next_offset`).

        A range that was applied before is answered with `repeated`; one that does not start at
        the position, with the offset that would. A value that cannot be decoded becomes one
        MALFORMED command in its place. Raises ValueError for more values than offsets.
        """
        if len(values) > next_offset - first_offset:
            raise ValueError(f"{len(values)} values in [{first_offset}, {next_offset})")
        if next_offset <= self._next_offset:
            return self._repeated()
        if first_offset != self._next_offset:
            return RangeRefused(self._next_offset)
        commands = self._decode(values)
        first_sequence = self._book.sequence + 1
        applied = self._book.apply(commands)
        self._next_offset = next_offset
        self._commands += len(commands)
        self._remember_price(applied.events)
        self._take_snapshot_when_due(len(commands))
        return RangeApplied(
            next_offset=next_offset,
            first_sequence=first_sequence,
            last_sequence=self._book.sequence,
            previous_update_id=applied.previous_update_id,
            last_update_id=applied.last_update_id,
            next_expiry_us=self._book.next_expiry_us(),
            commands=len(commands),
            repeated=False,
            events=applied.events.tobytes(),
            levels=applied.levels.tobytes(),
            open_orders=self._book.open_orders,
            last_price_ticks=self._last_price_ticks,
            halted=self._book.halted,
        )

    def answer(self, asked: RangeRequest) -> bytes:
        """Acknowledge, apply and show the depth in one call; return a `RangeAnswer`'s MessagePack.

        Bytes pass through Ray unpickled.
        """
        self.acknowledge(asked.acknowledged)
        outcome = self.apply(asked.first_offset, asked.next_offset, asked.values)
        if isinstance(outcome, RangeRefused):
            return msgspec.msgpack.encode(RangeAnswer(None, outcome, b"", b""))
        depth, top = b"", b""
        if asked.depth_levels:
            depth, top = self.depth_messages(asked.depth_levels, asked.depth_top)
        return msgspec.msgpack.encode(RangeAnswer(outcome, None, depth, top))

    def acknowledge(self, next_offset: int) -> None:
        """Note that the events of all commands before `next_offset` are in Kafka."""
        pending = self._pending
        if pending is None or next_offset < pending.next_offset:
            return
        self._pending = None
        self._saver.start(partial(self._save, pending))

    def depth(self, limit: int) -> DepthSnapshot:
        """Return at most `limit` levels of each side, best first."""
        bids, asks = self._book.depth(limit)
        return self._depth_snapshot(_level_rows(bids), _level_rows(asks))

    def depth_messages(self, limit: int, top: int) -> tuple[bytes, bytes]:
        """Return `depth(limit)` and `depth(top)` as MessagePack, so that none has to pickle it."""
        whole = self.depth(limit)
        short = self._depth_snapshot(whole.bids[:top], whole.asks[:top])
        return msgspec.msgpack.encode(whole), msgspec.msgpack.encode(short)

    def orders(self, limit: int) -> tuple[bytes, bytes]:
        """Return bids' and asks' order images (`EVENT_DTYPE` bytes), in priority."""
        bids, asks = self._book.orders(limit)
        return bids.tobytes(), asks.tobytes()

    def state_hash(self) -> int:
        """Return the 64-bit hash of the book's whole state."""
        return self._book.state_hash()

    def fingerprint(self) -> Fingerprint:
        """Return position, counts and state hash of one moment."""
        book = self._book
        return Fingerprint(
            next_offset=self._next_offset,
            sequence=book.sequence,
            open_orders=book.open_orders,
            state_hash=book.state_hash(),
        )

    def stats(self) -> dict[str, Any]:
        """Return counts for people and routers; `commands` counts since the log's start."""
        return {
            "pair": self._market.pair,
            "next_offset": self._next_offset,
            "sequence": self._book.sequence,
            "update_id": self._book.update_id,
            "last_trade_id": self._book.last_trade_id,
            "time_us": self._book.time_us,
            "open_orders": self._book.open_orders,
            "halted": self._book.halted,
            "commands": self._commands,
            "last_price_ticks": self._last_price_ticks,
            "next_expiry_us": self._book.next_expiry_us(),
            "restored_offset": self._restored_offset,
        }

    def _restore(self) -> None:
        self._pending = None
        self._commands_since_snapshot = 0
        for stored in self._store.load():
            try:
                self._book = CompiledBook.restore(self._market, stored.state)
            except ValueError as error:
                _log.warning(
                    "snapshot_refused",
                    pair=self._market.pair,
                    offset=stored.next_offset,
                    why=str(error),
                )
                continue
            self._begin(stored.next_offset, stored.commands, stored.last_price_ticks)
            return
        if not self._store.begins_empty:
            raise SnapshotRefusedError(
                f"the book with which the log of {self._market.pair} begins is not there"
            )
        self._book = CompiledBook(self._market)
        self._begin(0, 0, 0)

    def _begin(self, next_offset: int, commands: int, last_price_ticks: int) -> None:
        self._next_offset = self._restored_offset = next_offset
        self._commands = commands
        self._last_price_ticks = last_price_ticks
        _log.info(
            "pair_restored",
            pair=self._market.pair,
            sequence=self._book.sequence,
            offset=next_offset,
        )

    def _decode(self, values: list[bytes]) -> RecordArray:
        parts: list[RecordArray] = []
        for value in values:
            try:
                parts.append(decode_commands(self._market.market_id, value))
            except MalformedRecordError as error:
                _log.warning(
                    "poison_record",
                    pair=self._market.pair,
                    sequence=self._book.sequence,
                    offset=self._next_offset + len(parts),
                    why=str(error),
                )
                parts.append(_malformed())
        # A copy even of a single part: the kernel is compiled for arrays that it may write to.
        return joined(parts, COMMAND_DTYPE)

    def _repeated(self) -> RangeApplied:
        return RangeApplied(
            next_offset=self._next_offset,
            first_sequence=self._book.sequence + 1,
            last_sequence=self._book.sequence,
            previous_update_id=self._book.update_id,
            last_update_id=self._book.update_id,
            next_expiry_us=self._book.next_expiry_us(),
            commands=0,
            repeated=True,
            events=b"",
            levels=b"",
        )

    def _remember_price(self, events: RecordArray) -> None:
        trades = np.flatnonzero(events["kind"] == EventKind.TRADE)
        if len(trades):
            self._last_price_ticks = int(events["price_ticks"][trades[-1]])

    def _take_snapshot_when_due(self, commands: int) -> None:
        self._commands_since_snapshot += commands
        if self._commands_since_snapshot < self._limits.snapshot_every_commands:
            return
        if self._pending or self._saver.busy:
            return
        self._commands_since_snapshot = 0
        self._pending = _Taken(
            next_offset=self._next_offset,
            commands=self._commands,
            last_price_ticks=self._last_price_ticks,
            sequence=self._book.sequence,
            image=self._book.capture(),
        )

    def _save(self, taken: _Taken) -> None:
        snapshot = StoredSnapshot(
            next_offset=taken.next_offset,
            commands=taken.commands,
            last_price_ticks=taken.last_price_ticks,
            state=taken.image.sealed(),
        )
        try:
            self._store.save(snapshot)
        except OSError as error:
            _log.error(
                "snapshot_not_saved",
                pair=self._market.pair,
                sequence=taken.sequence,
                offset=taken.next_offset,
                why=str(error),
            )

    def _stored(self) -> StoredSnapshot:
        return StoredSnapshot(
            next_offset=self._next_offset,
            commands=self._commands,
            last_price_ticks=self._last_price_ticks,
            state=self._book.snapshot(),
        )

    def _depth_snapshot(self, bids: list[LevelRow], asks: list[LevelRow]) -> DepthSnapshot:
        return DepthSnapshot(
            market_id=self._market.market_id,
            sequence=self._book.sequence,
            update_id=self._book.update_id,
            time_us=self._book.time_us,
            halted=self._book.halted,
            bids=bids,
            asks=asks,
        )


def _malformed() -> RecordArray:
    command = np.zeros(1, COMMAND_DTYPE)
    command["kind"] = CommandKind.MALFORMED
    return command


def _level_rows(levels: RecordArray) -> list[LevelRow]:
    rows: list[LevelRow] = levels[_LEVEL_ROW].tolist()
    return rows
