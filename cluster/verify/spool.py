"""The events that a log leads to, on disk, so that memory does not grow with the log.

Topics and tables hold the same events in their own order and may repeat them; from the spool each
is looked up by its sequence. It takes 200 bytes of disk an event while one market is verified.
"""

import tempfile
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind

_SCAN_EVENTS = 1_000_000


class Spool:
    """Events with the sequences after `base_sequence`, without a gap."""

    def __init__(self, base_sequence: int = 0) -> None:
        self.base_sequence = base_sequence
        self.last_sequence = base_sequence
        self._events = _Column(EVENT_DTYPE)
        self._trades = _Column(EVENT_DTYPE)
        # Whose image an event is, 0 where it is none: small enough to be searched from end to end.
        self._order_ids = _Column(np.dtype("<i8"))

    def close(self) -> None:
        """Remove the files."""
        for column in (self._events, self._trades, self._order_ids):
            column.close()

    def append(self, events: RecordArray) -> None:
        """Add the events that follow."""
        kind = events["kind"]
        trade = kind == EventKind.TRADE
        self._events.append(events)
        self._trades.append(events[trade])
        self._order_ids.append(
            np.where(trade | (kind == EventKind.ORDER), events["order_id"], 0).astype("<i8")
        )
        self.last_sequence += len(events)

    def at(self, sequences: npt.NDArray[np.int64]) -> RecordArray:
        """Return the events with these sequences, each within the spool."""
        return np.asarray(self._events.rows()[sequences - self.base_sequence - 1])

    def kinds(self) -> npt.NDArray[np.uint8]:
        """Return the kind of every event, in order."""
        parts = [part["kind"] for part in self._events.parts(_SCAN_EVENTS)]
        return np.concatenate(parts) if parts else np.empty(0, np.uint8)

    def trades(self, count: int) -> Iterator[RecordArray]:
        """Yield the TRADE events in order, `count` at a time."""
        return self._trades.parts(count)

    def changed(
        self, order_ids: npt.NDArray[np.int64], *, up_to_sequence: int
    ) -> npt.NDArray[np.bool_]:
        """Say of each order whether there is an image of it up to a sequence."""
        found = np.zeros(len(order_ids), np.bool_)
        rows = self._order_ids.rows()[: max(0, up_to_sequence - self.base_sequence)]
        for start in range(0, len(rows), _SCAN_EVENTS):
            found |= np.isin(order_ids, np.asarray(rows[start : start + _SCAN_EVENTS]))
        return found

    def last_images(self, *, after_id: int, up_to_id: int, up_to_sequence: int) -> RecordArray:
        """Return the last image of each order with an id in (`after_id`, `up_to_id`], by id."""
        found: list[npt.NDArray[np.int64]] = []
        rows = self._order_ids.rows()[: max(0, up_to_sequence - self.base_sequence)]
        for start in range(0, len(rows), _SCAN_EVENTS):
            ids = np.asarray(rows[start : start + _SCAN_EVENTS])
            found.append(start + np.flatnonzero((ids > max(after_id, 0)) & (ids <= up_to_id)))
        places = np.concatenate(found) if found else np.empty(0, np.int64)
        _, newest = np.unique(np.asarray(rows[places])[::-1], return_index=True)
        return np.asarray(self._events.rows()[places[::-1][newest]])


class _Column:
    """Rows of one type in a file without a name."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="forkast-verify-")  # noqa: SIM115
        self._count = 0

    def close(self) -> None:
        self._file.close()

    def append(self, rows: npt.NDArray[Any]) -> None:
        self._file.write(rows.tobytes())
        self._count += len(rows)

    def rows(self) -> npt.NDArray[Any]:
        if self._count == 0:
            return np.empty(0, self._dtype)
        self._file.flush()
        return np.memmap(self._file, dtype=self._dtype, mode="r", shape=(self._count,))

    def parts(self, count: int) -> Iterator[npt.NDArray[Any]]:
        rows = self.rows()
        for start in range(0, len(rows), count):
            yield np.asarray(rows[start : start + count])
