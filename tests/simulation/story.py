"""Short logs of commands, and what the naive book makes of each: computed once, used often."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from actors.book.codec import encode_commands
from actors.book.naive import NaiveBook
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, EventKind
from actors.writer.rows import rows_of
from tests.property.streams import ARENAS, stream
from tests.simulation.memory import MemoryRows

MARKET = ARENAS["crowded"].market
STORIES = 48
RECORDS = 9
_POISON_EVERY = 5


@dataclass(frozen=True, slots=True)
class Story:
    """A log's records, and by record the sequence that its last event has."""

    values: tuple[bytes, ...]
    sequences: tuple[int, ...]
    events: RecordArray
    state_hash: int
    rows: MemoryRows

    @property
    def trades(self) -> RecordArray:
        """Return the TRADE events."""
        trades: RecordArray = self.events[self.events["kind"] == EventKind.TRADE]
        return trades


@cache
def story(number: int) -> Story:
    """Return one of `STORIES` logs; every fifth holds a record that cannot be decoded."""
    sizes = np.random.default_rng(number).integers(1, 5, RECORDS)
    commands = stream(ARENAS["crowded"], seed=1_000 + number, count=int(sizes.sum()))
    commands["kind"][commands["kind"] == CommandKind.HALT] = CommandKind.CLOCK
    book = NaiveBook(MARKET)
    values, sequences, events = [], [], []
    parts = np.split(commands, np.cumsum(sizes)[:-1])
    for index, part in enumerate(parts):
        value = encode_commands(MARKET.market_id, part)
        if number % _POISON_EVERY == 0 and index == RECORDS // 2:
            part, value = _malformed(part), b"poison"
        events.append(book.apply(part).events)
        values.append(value)
        sequences.append(book.sequence)
    told: RecordArray = np.concatenate([np.empty(0, EVENT_DTYPE), *events])
    return Story(tuple(values), tuple(sequences), told, book.state_hash(), _rows(told))


def _malformed(commands: RecordArray) -> RecordArray:
    one = np.zeros_like(commands[:1])
    one["kind"] = CommandKind.MALFORMED
    return one


def _rows(events: RecordArray) -> MemoryRows:
    """Write one event at a time, so that nothing depends on how a batch is cut."""
    rows = MemoryRows()
    for index in range(len(events)):
        rows.write(rows_of(events[index : index + 1]))
    return rows
