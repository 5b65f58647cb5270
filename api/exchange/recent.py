"""Events that this process has read and Postgres may not hold yet.

What is read from Postgres and what stands here, together, is never older than an event that this
process has read: the newer image of an order wins.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from actors.book.records import EVENT_DTYPE, RecordArray, joined
from actors.book.vocabulary import EventKind
from actors.follow.positions import MarketPosition
from actors.log.fresh import JoinedEvents

_Mask = Callable[[RecordArray], Any]

# A writer that is further behind is waited for instead. 256 bytes an event.
EVENTS_MAX = 200_000


class _Kept:
    """One market's newest events in one array, by the offsets of their records.

    All records from `first_offset` on are kept; those before `written_offset`, and all events up to
    `written_sequence`, are in Postgres.
    """

    def __init__(self) -> None:
        self.first_offset = 0
        self.written_offset = 0
        self.written_sequence = 0
        self._records: deque[tuple[int, int]] = deque()
        self._events: RecordArray = np.empty(0, EVENT_DTYPE)
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def events(self) -> RecordArray:
        """Return the events in order of sequence, as a view."""
        return self._events[self._start : self._end]

    @property
    def oldest_offset(self) -> int:
        """Return the offset of the oldest record that is kept."""
        return self._records[0][0]

    def begin(self, offset: int) -> None:
        self._records.clear()
        self._start = self._end = 0
        self.first_offset = offset

    def append(self, records: Iterable[tuple[int, int]], events: RecordArray) -> None:
        if self._end + len(events) > len(self._events):
            grown = np.empty(2 * (len(self) + len(events)), EVENT_DTYPE)
            grown[: len(self)] = self.events
            self._start, self._end, self._events = 0, len(self), grown
        self._events[self._end : self._end + len(events)] = events
        self._end += len(events)
        self._records.extend(records)

    def drop_oldest(self) -> None:
        offset, count = self._records.popleft()
        self._start += count
        self.first_offset = max(self.first_offset, offset + 1)


class RecentEvents:
    """The newest events of each market: at most `events_max` of all together."""

    def __init__(self, market_ids: Iterable[int], *, events_max: int = EVENTS_MAX) -> None:
        self._markets = {market_id: _Kept() for market_id in market_ids}
        self._bound = events_max

    def begin(self, market_id: int, offset: int) -> None:
        """Forget a market's events: its records are read from this offset on."""
        self._markets[market_id].begin(offset)

    def add(self, market_id: int, joined: JoinedEvents) -> None:
        """Keep new events of a market, at the price of the oldest.

        What a router repeats, and Postgres holds, is passed over.
        """
        kept, events = self._markets[market_id], joined.events
        written = int(np.searchsorted(events["sequence"], kept.written_sequence, "right"))
        if written == len(events):
            return
        kept.append(_without(written, joined.records), events[written:])
        while sum(map(len, self._markets.values())) > self._bound:
            max(self._markets.values(), key=len).drop_oldest()

    def note_written(self, positions: Iterable[MarketPosition]) -> None:
        """Drop what is in Postgres, as its positions say now.

        They may have gone back: Postgres may forget the last moment of its life in a crash.
        """
        for position in positions:
            kept = self._markets.get(position.market_id)
            if kept is None:
                continue
            kept.written_offset = position.next_offset
            kept.written_sequence = position.last_sequence
            while len(kept) and kept.oldest_offset < kept.written_offset:
                kept.drop_oldest()

    def is_complete(self, market_ids: Iterable[int]) -> bool:
        """Say whether each event of these markets is kept here or known to be in Postgres."""
        return all(
            kept.written_offset >= kept.first_offset
            for kept in map(self._markets.__getitem__, market_ids)
        )

    def images(self, market_ids: Iterable[int], *, user_id: int | None = None) -> RecordArray:
        """Return the newest image (`EVENT_DTYPE`) of each order, of one user or of all."""
        images = self._select(
            market_ids,
            lambda events: (
                ((events["kind"] == EventKind.TRADE) | (events["kind"] == EventKind.ORDER))
                & (True if user_id is None else events["user_id"] == user_id)
            ),
        )
        if len(images) == 0:
            return images
        order = np.lexsort((images["sequence"], images["market_id"], images["order_id"]))
        ids, markets = images["order_id"][order], images["market_id"][order]
        is_last = np.append((np.diff(ids) != 0) | (np.diff(markets) != 0), True)
        newest: RecordArray = images[order[is_last]]
        return newest

    def image(self, order_id: int) -> RecordArray:
        """Return the newest image of an order as an array of one, or of none."""
        found = self._select(
            self._markets,
            lambda events: (
                (events["order_id"] == order_id)
                & ((events["kind"] == EventKind.TRADE) | (events["kind"] == EventKind.ORDER))
            ),
        )
        return found[-1:]

    def trades(self, market_ids: Iterable[int], *, user_id: int | None = None) -> RecordArray:
        """Return TRADE events, of one user on either side or of all."""
        return self._select(
            market_ids,
            lambda events: (
                (events["kind"] == EventKind.TRADE)
                & (
                    True
                    if user_id is None
                    else (events["user_id"] == user_id) | (events["related_user_id"] == user_id)
                )
            ),
        )

    def _select(self, market_ids: Iterable[int], wanted: _Mask) -> RecordArray:
        kept = (self._markets[market_id].events for market_id in market_ids)
        parts = (events[wanted(events)] for events in kept if len(events))
        return joined(parts, EVENT_DTYPE)


def _without(count: int, records: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield records without the oldest `count` of their events."""
    for offset, events in records:
        if events > count:
            yield offset, events - count
        count = max(0, count - events)
