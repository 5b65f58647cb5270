"""One market's recent one-second candles in memory: a bounded frame that grows at its end.

What comes in stands beside the frame until somebody asks for it: a frame costs as much to grow by
one candle as by many.
"""

import polars as pl

from actors.book.records import RecordArray
from actors.platform.messages import Candle
from analytics.frames import empty_candles, to_candles, to_frame
from analytics.seconds import fold_seconds, joined

_CHUNKS_MAX = 64
_BESIDE_MAX = 64


class RecentSeconds:
    """The newest seconds with trades of one market: after a trim at most a tenth above `bound`.

    `complete` says that no older candle exists anywhere.
    """

    def __init__(
        self, *, market_id: int, bound: int, candles: pl.DataFrame, complete: bool
    ) -> None:
        self._market_id = market_id
        self._bound = bound
        self._frame = candles if len(candles) else empty_candles()
        # Newer than the frame. A tuple: copies of a series share it.
        self._beside: tuple[Candle, ...] = ()
        self.complete = complete

    def __len__(self) -> int:
        return len(self._frame) + len(self._beside)

    @property
    def candles(self) -> pl.DataFrame:
        """Return the frame (`CANDLE_SCHEMA`), oldest first."""
        if self._beside:
            self._frame = pl.concat([self._frame, to_frame(self._beside)], rechunk=False)
            self._beside = ()
            if self._frame.n_chunks() > _CHUNKS_MAX:
                self._frame = self._frame.rechunk()
        return self._frame

    @property
    def first_s(self) -> int | None:
        """Return the open time of the oldest second held."""
        return self.candles.item(0, "open_time_s") if len(self) else None

    @property
    def last(self) -> Candle | None:
        """Return the newest candle."""
        if self._beside:
            return self._beside[-1]
        tail = to_candles(self._market_id, self._frame.tail(1))
        return tail[0] if tail else None

    def before(self, time_s: int) -> Candle | None:
        """Return the newest candle that opened before this time."""
        ahead = self.candles.slice(0, self._count_before(time_s)).tail(1)
        found = to_candles(self._market_id, ahead)
        return found[0] if found else None

    def since(self, time_s: int, until_s: int | None = None) -> pl.DataFrame:
        """Return the candles that opened at this time or later, and before `until_s`."""
        start = self._count_before(time_s)
        end = len(self) if until_s is None else self._count_before(until_s)
        return self.candles.slice(start, max(0, end - start))

    def add(self, trades: RecordArray) -> list[Candle]:
        """Fold further TRADE events in, one or more; return the seconds that changed, whole.

        Book time never goes back: of what is held, at most the newest second changes.
        """
        changed = fold_seconds(self._market_id, trades)
        last = self.last
        if last is not None and last.open_time_s == changed[0].open_time_s:
            changed[0] = joined(last, changed[0])
            if self._beside:
                self._beside = self._beside[:-1]
            else:
                self._frame = self._frame.head(-1)
        self._beside = (*self._beside, *changed)
        return changed

    def trim(self) -> None:
        """Drop what is too old to be held; it has to be stored by then."""
        # A tenth at a time: moving the start with every second would copy for nothing, and
        # would give each answer another seam between memory and storage.
        if len(self) > self._bound + self._bound // 10:
            self._frame = self.candles.tail(self._bound).rechunk()
            self.complete = False
        elif len(self._beside) > _BESIDE_MAX:
            self._frame = self.candles

    def _count_before(self, time_s: int) -> int:
        return int(self.candles["open_time_s"].search_sorted(time_s, side="left"))
