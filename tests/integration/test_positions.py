"""The guard of the stored positions, as writer and candles meet it on a real Postgres."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from actors.book.records import EVENT_DTYPE
from actors.follow.positions import MarketPosition, place_position, read_positions
from actors.platform.config import Servers
from actors.platform.errors import PositionTakenError
from actors.writer.intake import Batch
from actors.writer.store import OrderStore
from analytics.store import CandleStore
from tests.beds.writer import Bed

STORED = MarketPosition(market_id=1, next_offset=7, last_sequence=30, commands_offset=4)
AFTER = MarketPosition(market_id=1, next_offset=9, last_sequence=40, commands_offset=6)


@pytest.fixture
async def bed(servers: Servers) -> AsyncIterator[Bed]:
    async with Bed.made(servers) as made:
        for consumer in ("writer", "candles"):
            await place_position(made.connection, consumer, STORED)
        yield made


async def move(bed: Bed, consumer: str, before: MarketPosition) -> MarketPosition:
    """Let a consumer write nothing but its position; return what is stored then."""
    url = bed.servers.postgres_url
    if consumer == "writer":
        rows = await OrderStore.connect(url, consumer=consumer)
        try:
            no_events = np.empty(0, EVENT_DTYPE)
            await rows.write(Batch(events=no_events, before=(before,), after=(AFTER,)))
        finally:
            await rows.close()
    else:
        candles = await CandleStore.connect(url, consumer=consumer)
        try:
            await candles.write({}, before=(before,), after=(AFTER,))
        finally:
            await candles.close()
    return (await read_positions(bed.connection, consumer))[1]


@pytest.mark.parametrize("consumer", ["writer", "candles"])
@pytest.mark.parametrize(
    ("next_offset", "last_sequence"),
    [(7, 29), (6, 30)],
    ids=["the offset agrees, the sequence does not", "the sequence agrees, the offset does not"],
)
async def test_a_position_moves_only_from_where_offset_and_sequence_agree(
    bed: Bed, consumer: str, next_offset: int, last_sequence: int
) -> None:
    elsewhere = MarketPosition(market_id=1, next_offset=next_offset, last_sequence=last_sequence)
    with pytest.raises(PositionTakenError):
        await move(bed, consumer, elsewhere)
    assert (await read_positions(bed.connection, consumer))[1] == STORED
    assert await move(bed, consumer, STORED) == AFTER
