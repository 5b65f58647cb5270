"""Market ids of the session's servers: each is given away once, and has its partition then."""

from itertools import islice

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from actors.book.market import Market
from actors.platform.config import Servers
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC
from tests.beds.commands import market
from tests.beds.waiting import until

TOPICS = (COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC)
# A topic grows by many partitions at once, for each growth takes the broker a moment.
_STEP = 16


class MarketLeases:
    """Lease markets that nobody else of the session has; ids above `taken` are free."""

    def __init__(self, servers: Servers, *, taken: int) -> None:
        self._servers = servers
        self._free = iter(range(taken + 1, 10_000))
        self._partitions = taken

    async def ids(self, count: int) -> list[int]:
        """Return market ids, in order, whose partitions nobody has written to."""
        leased = list(islice(self._free, count))
        if leased[-1] > self._partitions:
            self._partitions = leased[-1] + _STEP
            await _widen_topics(self._servers, self._partitions)
        return leased

    async def market(self, *, pair: str | None = None) -> Market:
        """Return a market with wide limits."""
        (market_id,) = await self.ids(1)
        return market(market_id, pair=pair)

    async def markets(self, count: int) -> list[Market]:
        """Return markets with wide limits."""
        return [market(market_id) for market_id in await self.ids(count)]


async def _widen_topics(servers: Servers, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka_bootstrap)
    await admin.start()

    async def narrow() -> list[str]:
        described = await admin.describe_topics(list(TOPICS))
        return [t["topic"] for t in described if len(t["partitions"]) < partitions]

    async def wide() -> bool:
        return not await narrow()

    try:
        wanted = {topic: NewPartitions(total_count=partitions) for topic in await narrow()}
        if wanted:
            await admin.create_partitions(wanted)
        await until(wide, what="wider topics")
    finally:
        await admin.close()
