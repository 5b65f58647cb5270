"""One market's recent one-second candles in memory: a bounded frame that grows at its end."""

import polars as pl

from actors.book.records import RecordArray
from actors.platform.messages import Candle
from analytics.frames import empty_candles, fold_candles, fold_trades, to_candles
from analytics.intervals import Interval

_CHUNKS_MAX = 64


class RecentSeconds:
    """The newest seconds with trades of one market: after a trim at most a tenth above `bound`.

    `complete` says that no older candle exists anywhere.
    """

    def __init__(
        self, *, market_id: int, bound: int, candles: pl.DataFrame, complete: bool
    ) -> None:
        self._market_id = market_id
        self._bound = bound
        self._candles = candles if len(candles) else empty_candles()
        self.complete = complete

    def __len__(self) -> int:
        return len(self._candles)

    @property
    def candles(self) -> pl.DataFrame:
        """Return the frame (`CANDLE_SCHEMA`), oldest first."""
        return self._candles

    @property
    def first_s(self) -> int | None:
        """Return the open time of the oldest second held."""
        return self._candles.item(0, "open_time_s") if len(self._candles) else None

    @property
    def last(self) -> Candle | None:
        """Return the newest candle."""
        tail = to_candles(self._market_id, self._candles.tail(1))
        return tail[0] if tail else None

    def before(self, time_s: int) -> Candle | None:
        """Return the newest candle that opened before this time."""
        ahead = self._candles.slice(0, self._count_before(time_s)).tail(1)
        found = to_candles(self._market_id, ahead)
        return found[0] if found else None

    def since(self, time_s: int, until_s: int | None = None) -> pl.DataFrame:
        """Return the candles that opened at this time or later, and before `until_s`."""
        start = self._count_before(time_s)
        end = len(self._candles) if until_s is None else self._count_before(until_s)
        return self._candles.slice(start, max(0, end - start))

    def add(self, trades: RecordArray) -> pl.DataFrame:
        """Fold further TRADE events in and return the seconds that changed, whole."""
        fresh = fold_trades(trades)
        first_s = fresh.item(0, "open_time_s")
        kept = self._count_before(first_s)
        touched = self._candles.slice(kept)
        changed = fold_candles(pl.concat([touched, fresh]), Interval.S1) if len(touched) else fresh
        self._candles = pl.concat([self._candles.slice(0, kept), changed], rechunk=False)
        return changed

    def trim(self) -> None:
        """Drop what is too old to be held; it has to be stored by then."""
        # A tenth at a time: moving the start with every second would copy for nothing, and
        # would give each answer another seam between memory and storage.
        if len(self._candles) > self._bound + self._bound // 10:
            self._candles = self._candles.tail(self._bound).rechunk()
            self.complete = False
        elif self._candles.n_chunks() > _CHUNKS_MAX:
            self._candles = self._candles.rechunk()

    def _count_before(self, time_s: int) -> int:
        return int(self._candles["open_time_s"].search_sorted(time_s, side="left"))
