"""What a market publishes, ready to be appended: one record a command, with the time of day."""

import time
from dataclasses import dataclass

import numpy as np

from actors.book.codec import EVENT_HEADER_DTYPE, encode_events
from actors.book.compiled import CompiledBook
from actors.book.market import Market
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind
from cluster.tools.bench.flow import realistic_flow

_SWING = 0.05
_QUANTITY_LOTS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """One record of `orders.updated`, and of how many messages to each client it is made."""

    template: bytes
    messages: int

    def now(self) -> bytes:
        """Return the record as of now: that is the time its messages tell."""
        value = bytearray(self.template)
        events = np.frombuffer(value, EVENT_DTYPE, offset=EVENT_HEADER_DTYPE.itemsize)
        events["time_us"] = time.time_ns() // 1_000
        return bytes(value)


def market_records(market: Market, *, messages: int, seed: int) -> list[Told]:
    """Return what a real book makes of a realistic flow: `messages` to each client, or just more.

    All markets get the same records, but for their ids.
    """
    book = CompiledBook(market)
    records: list[Told] = []
    left = messages
    # Cancels of what has ended tell nobody anything: some more commands are needed.
    commands = realistic_flow(
        count=2 * messages + 1_000, seed=seed, swing=_SWING, max_quantity_lots=_QUANTITY_LOTS_MAX
    )
    for offset in range(len(commands)):
        events = book.apply(commands[offset : offset + 1]).events
        told = _messages(events)
        if told:
            records.append(Told(_record(market, events, offset), told))
            left -= told
        if left <= 0:
            return records
    raise AssertionError(f"{len(commands)} commands made {messages - left} messages only")


def _messages(events: RecordArray) -> int:
    trades = int(np.count_nonzero(events["kind"] == EventKind.TRADE))
    # A trade is told as such, and as the maker's order.
    return 2 * trades + int(np.count_nonzero(events["kind"] == EventKind.ORDER))


def _record(market: Market, events: RecordArray, offset: int) -> bytes:
    return encode_events(
        market_id=market.market_id,
        first_sequence=int(events["sequence"][0]),
        last_sequence=int(events["sequence"][-1]),
        first_offset=offset,
        next_offset=offset + 1,
        events=events,
    )
