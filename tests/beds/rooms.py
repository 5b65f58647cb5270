"""Followers of a market's events, and records of one event each that are told apart by number."""

import asyncio
from collections.abc import Sequence

from actors.book.records import RecordArray
from tests.beds.trades import trade_events, trade_record

WAIT_S = 30.0


def numbered(partition: int, number: int) -> bytes:
    """Return the record of one event with this number, of the market of a partition."""
    market_id = partition + 1
    events = trade_events([(1, 1, 1)], market_id=market_id, first_trade_id=number)
    return trade_record(events, market_id=market_id)


class RoomFollower:
    """Whoever follows a partition, and the numbers that it has been told."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.takes_more = True
        self._came = asyncio.Event()

    def deliver(self, records: Sequence[RecordArray]) -> bool:
        """Note events; say whether more are wanted."""
        for events in records:
            self.told += events["trade_id"].tolist()
        self._came.set()
        return self.takes_more

    async def until(self, number: int) -> None:
        """Return when this was told."""
        async with asyncio.timeout(WAIT_S):
            while number not in self.told:
                self._came.clear()
                await self._came.wait()
