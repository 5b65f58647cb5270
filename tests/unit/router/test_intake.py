"""One reader for all pairs: who is full, has failed or lost its log holds up no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from actors.log.memory import MemoryLog
from actors.platform.topology import COMMANDS_TOPIC
from actors.router.intake import CommandIntake, PairIntake

ONE, TWO = 0, 1
RECORD = bytes(100)


class _Bed:
    """Two pairs' intakes of at most ten records over one log."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        reader = self.log.reader(topic=COMMANDS_TOPIC, client_id="test")
        reader.seek(ONE, 0)
        reader.seek(TWO, 0)
        self.reader = reader
        self.pairs = {
            partition: PairIntake(reader, partition=partition, bytes_max=10 * len(RECORD))
            for partition in (ONE, TWO)
        }
        self._arrived = asyncio.Event()
        for pair in self.pairs.values():
            pair.on_arrival = self._arrived.set

    def append(self, partition: int, count: int = 1) -> None:
        for _ in range(count):
            self.log.append(COMMANDS_TOPIC, partition, RECORD)

    async def arrival(self) -> None:
        """Return when a pair is told that something has arrived."""
        self._arrived.clear()
        async with asyncio.timeout(5):
            await self._arrived.wait()

    async def taken(self, partition: int, count: int) -> list[int]:
        """Return the next offsets as a pipeline takes them, a record at a time."""
        offsets: list[int] = []
        while len(offsets) < count:
            while not self.pairs[partition]:
                await self.arrival()
            offsets += [record.offset for record in self.pairs[partition].take(1)]
        return offsets


@asynccontextmanager
async def _reading() -> AsyncIterator[_Bed]:
    bed = _Bed()
    task = asyncio.create_task(CommandIntake(bed.reader, bed.pairs).run())
    try:
        yield bed
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_pair_that_takes_nothing_is_bounded_and_holds_up_no_other() -> None:
    async with _reading() as bed:
        bed.append(ONE, 3_000)
        bed.pairs[ONE].seek(0)
        bed.pairs[TWO].seek(0)
        for offset in range(50):
            bed.append(TWO)
            assert await bed.taken(TWO, 1) == [offset]
        # One read of the log in memory brings 500 records.
        assert bed.pairs[ONE].waiting_bytes <= (10 + 500) * len(RECORD)
        assert await bed.taken(ONE, 3_000) == list(range(3_000))


async def test_a_pair_that_has_not_said_where_it_stands_is_not_read() -> None:
    async with _reading() as bed:
        bed.append(ONE, 5)
        bed.append(TWO, 5)
        bed.pairs[TWO].seek(2)
        assert await bed.taken(TWO, 3) == [2, 3, 4]
        assert not bed.pairs[ONE]
        assert bed.reader.positions[ONE] == 0


async def test_a_pair_that_starts_again_gets_what_it_asks_for_and_nothing_of_before() -> None:
    async with _reading() as bed:
        bed.append(ONE, 8)
        bed.pairs[ONE].seek(0)
        assert await bed.taken(ONE, 6) == list(range(6))
        bed.pairs[ONE].close()
        assert not bed.pairs[ONE]
        bed.append(ONE, 2)
        bed.pairs[ONE].seek(3)
        assert await bed.taken(ONE, 7) == list(range(3, 10))


async def test_a_gap_in_the_log_concerns_one_pair_alone() -> None:
    async with _reading() as bed:
        bed.pairs[ONE].seek(7)
        bed.pairs[TWO].seek(0)
        await bed.arrival()
        gap = bed.pairs[ONE].gap
        assert gap is not None
        assert (gap.partition, gap.needed_offset) == (ONE, 7)
        assert bed.pairs[TWO].gap is None
        bed.append(TWO, 3)
        assert await bed.taken(TWO, 3) == [0, 1, 2]
        bed.append(ONE, 2)
        bed.pairs[ONE].seek(0)
        assert await bed.taken(ONE, 2) == [0, 1]


async def test_a_range_is_as_many_records_as_fit_or_one_that_does_not() -> None:
    async with _reading() as bed:
        bed.append(ONE, 5)
        bed.pairs[ONE].seek(0)
        await bed.taken(ONE, 1)
        assert [len(bed.pairs[ONE].take(size)) for size in (250, 1)] == [2, 1]
        assert bed.pairs[ONE].waiting_bytes == len(RECORD)
