"""How far a pair has been published, judged by the last records of the events' topics."""

from actors.book.codec import EventRecord, MalformedRecordError, decode_events
from actors.book.market import Market
from actors.log.ports import Published

# Several, because a router that repeats itself may have written a lower sequence after a higher.
TAIL_RECORDS = 16


def later(before: EventRecord | None, value: bytes, market: Market) -> EventRecord | None:
    """Return the record in `value` where it is the market's and reaches further than `before`."""
    try:
        record = decode_events(value)
    except MalformedRecordError:
        return before
    if record.market_id != market.market_id:
        return before
    return record if before is None or record.last_sequence > before.last_sequence else before


def published_up_to(*, events: EventRecord | None, trades: EventRecord | None) -> Published:
    """Return what the furthest record of each topic says."""
    return Published(
        events_sequence=events.last_sequence if events else 0,
        trades_sequence=trades.last_sequence if trades else 0,
        last_events=events,
    )
