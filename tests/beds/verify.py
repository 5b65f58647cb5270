"""Markets with a history that came the real way: log, router, pair, writer, candles, Redis."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from actors.book.market import Market
from actors.book.records import RecordArray
from actors.log.producer import RecordProducer
from actors.pair.messages import Fingerprint
from actors.platform.config import Servers
from actors.platform.topology import COMMANDS_TOPIC, Topology
from actors.router.router import OrderRouter
from actors.writer.writer import PostgresWriter
from analytics.aggregator import CandleAggregator
from cluster.plan import Platform
from cluster.platform.local_actors import LocalPair, local_pair
from cluster.verify import Report, verify
from tests.beds.routing import (
    command_log,
    make_platform,
    running,
)
from tests.property.streams import ARENAS, stream

COMMANDS = 400
RECORD_COMMANDS = 7
_FIRST_SEED = 11
_PREFIX = "V"


@dataclass
class LocalBooks:
    """The `BookSource` of pairs that live in this process."""

    pairs: dict[str, LocalPair]

    async def fingerprint(self, pair: str) -> Fingerprint:
        return self.pairs[pair].actor.fingerprint()


@dataclass(kw_only=True)
class Bed:
    """A platform of markets whose parts have stopped after all was said; books are still there."""

    platform: Platform
    pairs: dict[str, LocalPair]
    first_report: Report
    unused: list[Market] = field(default_factory=list)

    def own(self) -> Market:
        """Give a test a market that no other spoils."""
        return self.unused.pop()

    async def verify(
        self, market: Market, *, books: LocalBooks | None = None, from_snapshot: bool = False
    ) -> Report:
        """Verify one market, its consumers being as far as they will come."""
        return await verify(
            replace(self.platform, topology=Topology((market,))),
            books=books or LocalBooks(self.pairs),
            from_snapshot=from_snapshot,
            reach_timeout_s=0.3,
        )


@asynccontextmanager
async def running_parts(
    platform: Platform, pairs: dict[str, LocalPair]
) -> AsyncIterator[OrderRouter]:
    """Run router, writer and candle aggregator in this process, as the actors run them."""
    async with AsyncExitStack() as stack:
        writer, candles = (
            PostgresWriter(platform.writer),
            CandleAggregator(platform.candles),
        )
        writer.start()
        stack.push_async_callback(writer.stop)
        candles.start()
        stack.push_async_callback(candles.stop)
        router = OrderRouter(platform.router(), connect=lambda market: pairs[market.pair])
        yield await stack.enter_async_context(running(router))


def commands_of(market: Market) -> RecordArray:
    """Return every kind of command, spoilt and foreign ones included, of a market's own seed."""
    seed = int(market.pair.removeprefix(_PREFIX).removesuffix("-USD"))
    return stream(ARENAS["crowded"], seed=seed, count=COMMANDS)


async def made(servers: Servers, directory: Path, market_ids: Sequence[int]) -> Bed:
    """Send each market's commands through the running parts, and verify while they run."""
    markets = [
        replace(ARENAS["crowded"].market, market_id=market_id, pair=f"{_PREFIX}{seed}-USD")
        for seed, market_id in enumerate(market_ids, start=_FIRST_SEED)
    ]
    platform = make_platform(servers, markets, directory)
    pairs = {market.pair: local_pair(platform, market) for market in markets}
    producer = RecordProducer(bootstrap=servers.kafka_bootstrap, client_id="test-verify")
    await producer.start()
    async with running_parts(platform, pairs), command_log(platform) as log:
        for market in markets:
            commands = commands_of(market)
            await producer.send(
                topic=COMMANDS_TOPIC,
                partition=platform.topology.partition(market),
                key=market.pair.encode(),
                value=b"no record at all",
            )
            await asyncio.gather(
                *(
                    log.append(market, commands[start : start + RECORD_COMMANDS])
                    for start in range(0, COMMANDS, RECORD_COMMANDS)
                )
            )
        await producer.stop()
        report = await verify(platform, books=LocalBooks(pairs), reach_timeout_s=60)
    return Bed(platform=platform, pairs=pairs, first_report=report, unused=list(markets))
