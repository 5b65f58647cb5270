"""Records of `trades.executed` become each market's new trades, each once, in order."""

from dataclasses import dataclass

import structlog

from actors.book.codec import EventRecord, MalformedRecordError, decode_events
from actors.book.records import EVENT_DTYPE, RecordArray, joined
from actors.book.vocabulary import EventKind
from actors.follow.intake import Reached, moved
from actors.follow.positions import MarketPosition
from actors.log.tail import events_after

_log = structlog.get_logger(__name__)
_TRADE = int(EventKind.TRADE)


@dataclass(frozen=True, kw_only=True, slots=True)
class TradeBatch:
    """New TRADE events by market, with the positions that they lead from and to."""

    trades: dict[int, RecordArray]
    before: tuple[MarketPosition, ...]
    after: tuple[MarketPosition, ...]


class TradeIntake:
    """Collect new trades by market until they are taken, together with the positions they lead to.

    What was seen is dropped by sequence. A record that cannot be read is put down in `faults` and
    passed over; ids that are missing between two trades are counted, for the log alone decides
    what was traded.
    """

    def __init__(self, positions: tuple[MarketPosition, ...]) -> None:
        self._taken = {position.market_id: position for position in positions}
        self._reached = {position.market_id: Reached(position) for position in positions}
        self._trades: dict[int, list[RecordArray]] = {}
        self._trade_id: dict[int, int] = {}
        self.pending = 0
        self.missing_trades = 0
        self.faults: dict[int, str] = {}

    def add(self, *, market_id: int, offset: int, value: bytes) -> None:
        """Add the record at this offset of a market's partition."""
        reached = self._reached[market_id]
        try:
            record = decode_events(value)
            trades = _trades_after(record, market_id, reached.last_sequence)
        except MalformedRecordError as error:
            self.faults[market_id] = f"record {offset}: {error}"
            _log.error("trades_unreadable", market_id=market_id, offset=offset, why=str(error))
        else:
            # The batch that this record belongs to may go on in the next one.
            reached.commands_offset = max(reached.commands_offset, record.first_offset)
            if len(trades):
                reached.last_sequence = int(trades["sequence"][-1])
                self._count_missing(market_id, trades)
                self._trades.setdefault(market_id, []).append(trades)
                self.pending += len(trades)
        reached.next_offset = offset + 1

    def _count_missing(self, market_id: int, trades: RecordArray) -> None:
        expected = self._trade_id.get(market_id, int(trades["trade_id"][0]) - 1) + 1
        missing = int(trades["trade_id"][-1]) - expected + 1 - len(trades)
        self._trade_id[market_id] = int(trades["trade_id"][-1])
        if missing > 0:
            self.missing_trades += missing
            _log.error("trades_missing", market_id=market_id, after=expected - 1, count=missing)

    def take(self) -> TradeBatch | None:
        """Return what was added since the last call, None where no position has moved."""
        after = moved(self._taken, self._reached)
        if not after:
            return None
        batch = TradeBatch(
            trades={key: joined(parts, EVENT_DTYPE) for key, parts in self._trades.items()},
            before=tuple(self._taken[key] for key in after),
            after=tuple(after.values()),
        )
        self._taken |= after
        self._trades.clear()
        self.pending = 0
        return batch


def _trades_after(record: EventRecord, market_id: int, sequence: int) -> RecordArray:
    if record.market_id != market_id:
        raise MalformedRecordError(f"market {record.market_id} in the log of {market_id}")
    events = events_after(record, sequence)
    is_trade = (events["kind"] == _TRADE) & (events["trade_lots"] > 0)
    return events if is_trade.all() else events[is_trade]
