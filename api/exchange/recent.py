"""Events that this process has read and Postgres may not hold yet.

What is read from Postgres and what stands here, together, is never older than an event that this
process has read: the newer image of an order wins.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind

_Mask = Callable[[RecordArray], Any]

# A writer that is further behind is waited for instead. 192 bytes an event.
EVENTS_MAX = 200_000


@dataclass(slots=True)
class _Kept:
    """One market's newest events, by the offsets of their records in `orders.updated`.

    All records from `first_offset` on are kept; those before `written_offset` are in Postgres.
    """

    first_offset: int = 0
    written_offset: int = 0
    records: deque[tuple[int, RecordArray]] = field(default_factory=deque)


class RecentEvents:
    """The newest events of each market: at most `events_max` of all together."""

    def __init__(self, market_ids: Iterable[int], *, events_max: int = EVENTS_MAX) -> None:
        self._markets = {market_id: _Kept() for market_id in market_ids}
        self._bound = events_max
        self._count = 0

    def begin(self, market_id: int, offset: int) -> None:
        """Forget a market's events: its records are read from this offset on."""
        kept = self._markets[market_id]
        self._count -= sum(len(events) for _, events in kept.records)
        kept.records.clear()
        kept.first_offset = offset

    def add(self, market_id: int, offset: int, events: RecordArray) -> None:
        """Keep the new events of the record at this offset, at the price of the oldest."""
        if len(events) == 0:
            return
        self._markets[market_id].records.append((offset, events))
        self._count += len(events)
        while self._count > self._bound:
            self._drop_first(max(self._markets.values(), key=_size))

    def note_written(self, next_offsets: Mapping[int, int]) -> None:
        """Drop what is in Postgres: by market id, all records before an offset."""
        for market_id, next_offset in next_offsets.items():
            kept = self._markets.get(market_id)
            if kept is None:
                continue
            kept.written_offset = max(kept.written_offset, next_offset)
            while kept.records and kept.records[0][0] < kept.written_offset:
                self._drop_first(kept)

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
        parts = [
            events[wanted(events)]
            for market_id in market_ids
            for _, events in self._markets[market_id].records
        ]
        return np.concatenate(parts) if parts else np.empty(0, EVENT_DTYPE)

    def _drop_first(self, kept: _Kept) -> None:
        offset, events = kept.records.popleft()
        kept.first_offset = max(kept.first_offset, offset + 1)
        self._count -= len(events)


def _size(kept: _Kept) -> int:
    return len(kept.records)
