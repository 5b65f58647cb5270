"""Finding a market's events again in their topic: what a writer of a copy of it has missed."""

from collections.abc import AsyncGenerator

import structlog

from actors.book.codec import EventRecord, MalformedRecordError, decode_events
from actors.book.market import Market
from actors.log.ports import LogReader
from actors.log.published import TAIL_RECORDS

_log = structlog.get_logger(__name__)
_READ_TIMEOUT_MS = 1_000
_FURTHER = 8


async def records_after(
    reader: LogReader, *, partition: int, market: Market, sequence: int
) -> AsyncGenerator[EventRecord, None]:
    """Yield the records that hold what follows `sequence`, each continuing what came before.

    They reach to the end that the topic has when `reader`, which is not started yet, is asked for
    it; the caller stops the reader. The search goes from that end backwards, further each time, for
    most often little is missing. Where the topic has lost what follows `sequence`, it goes on with
    the first record that is there. Raises LogError.
    """
    await reader.start({partition: None})
    end = reader.positions[partition]
    first = (await reader.first_offsets())[partition]
    reached, back = sequence, TAIL_RECORDS
    while True:
        start = max(first, end - back)
        reader.seek(partition, start)
        is_whole = True
        while is_whole and reader.positions[partition] < end:
            arrived = await reader.read(timeout_ms=_READ_TIMEOUT_MS)
            for log_record in arrived.get(partition, ()):
                record = _decoded(log_record.value, market)
                if record is None or record.last_sequence <= reached:
                    continue
                if record.first_sequence > reached + 1:
                    if start > first:
                        is_whole = False
                        break
                    _log.warning(
                        "events_not_in_log",
                        pair=market.pair,
                        sequence=reached,
                        offset=log_record.offset,
                    )
                yield record
                reached = record.last_sequence
        if is_whole:
            return
        back *= _FURTHER


def _decoded(value: bytes, market: Market) -> EventRecord | None:
    try:
        record = decode_events(value)
    except MalformedRecordError:
        return None
    return record if record.market_id == market.market_id else None
