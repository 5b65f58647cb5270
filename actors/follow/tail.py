"""The reading side of a follower: every market's records from its stored position on."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from actors.follow.positions import MarketPosition
from actors.log.ports import Log, LogReader
from actors.platform.topology import Topology

# A request asks for all partitions and is answered with the first record: it may wait long.
FETCH_WAIT_MS = 1_000


class MarketRecord(NamedTuple):
    """A record of the followed topic as it lies in its market's partition."""

    market_id: int
    offset: int
    value: bytes


class MarketTail:
    """Read all markets' records; `lost` names those whose log cannot be the one written before."""

    def __init__(self, reader: LogReader, topology: Topology) -> None:
        self._reader = reader
        self._market_ids = {topology.partition(market): market.market_id for market in topology}
        self.lost: dict[int, str] = {}

    @classmethod
    async def open(
        cls,
        topology: Topology,
        positions: Iterable[MarketPosition],
        *,
        log: Log,
        topic: str,
        client_id: str,
    ) -> Self:
        """Connect and stand at the positions. Raises LogError.

        A log that ends before a market's position is another log than the one that the rows came
        from: the market is not read. One that begins after it is read from there; the sequences
        tell whether anything is missing.
        """
        reader = log.reader(topic=topic, client_id=client_id, wait_ms=FETCH_WAIT_MS, ahead=False)
        tail = cls(reader, topology)
        try:
            await reader.start(
                {
                    topology.partition(topology.by_id(position.market_id)): position.next_offset
                    for position in positions
                }
            )
            await tail._check_positions()
        except BaseException:
            await reader.stop()
            raise
        return tail

    async def _check_positions(self) -> None:
        ends = await self._reader.end_offsets()
        firsts = await self._reader.first_offsets()
        for partition, position in self._reader.positions.items():
            if position > ends[partition]:
                self.lost[self._market_ids[partition]] = (
                    f"the log ends at {ends[partition]}, but rows were written up to {position}"
                )
                self._reader.seek(partition, ends[partition])
            elif position < firsts[partition]:
                self._reader.seek(partition, firsts[partition])

    async def read(self, *, timeout_ms: int) -> list[MarketRecord]:
        """Return what has arrived, waiting at most this long for a first record.

        Raises LogError.
        """
        arrived = await self._reader.read(timeout_ms=timeout_ms)
        return [
            MarketRecord(self._market_ids[partition], record.offset, record.value)
            for partition, records in arrived.items()
            if self._market_ids[partition] not in self.lost
            for record in records
        ]

    def records_behind(self) -> int:
        """Return how many records the log held beyond what was read, when last asked."""
        return sum(self._reader.records_behind().values())

    async def close(self) -> None:
        """Disconnect."""
        await self._reader.stop()
