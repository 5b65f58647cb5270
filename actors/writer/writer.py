"""The Postgres writer: a follower of the events, and what it says of itself."""

from dataclasses import replace

import msgspec

from actors.follow.follower import Follower
from actors.follow.positions import MarketPosition
from actors.follow.tail import MarketTail
from actors.log.kafka import KafkaLog
from actors.log.ports import Log
from actors.platform.config import WriterConfig
from actors.platform.topology import EVENTS_TOPIC, Topology
from actors.writer.intake import Batch, Intake
from actors.writer.status import WriterStatus
from actors.writer.store import OrderStore

CONSUMER = "writer"
CLIENT_ID = "forkast-writer"
EVENTS_PER_TRANSACTION = 40_000
# Nobody waits for a row: a transaction of what a tenth of a second brings costs little more than
# one of a single order.
REST_S = 0.15


class PostgresWriter:
    """Keep `orders` and `trades` of one platform equal to the events of `topic`.

    A transaction holds what has arrived, and ends with the record that brings it to
    `events_per_transaction` or more. `log` is the config's Kafka unless it is given.
    """

    def __init__(
        self,
        config: WriterConfig,
        *,
        log: Log | None = None,
        consumer: str = CONSUMER,
        topic: str = EVENTS_TOPIC,
        events_per_transaction: int = EVENTS_PER_TRANSACTION,
        rest_s: float = REST_S,
    ) -> None:
        self._config = config
        self._log = log or KafkaLog(config.kafka_bootstrap)
        self._consumer = consumer
        self._topic = topic
        self._follower = Follower(
            self,
            name=consumer,
            topology=config.topology,
            pending_max=events_per_transaction,
            rest_s=rest_s,
        )
        self._events = self._trades = self._inserted = self._changed = 0
        self._commands_offsets: dict[int, int] = {}

    def start(self) -> None:
        """Start the loop in the running event loop; nothing happens where it runs already."""
        self._follower.start()

    async def stop(self) -> None:
        """End the loop after the transaction that is under way."""
        await self._follower.stop()

    async def config(self) -> WriterConfig:
        """Return what the writer works with now."""
        return self._config

    async def follow(self, topology: Topology) -> None:
        """Go on with these markets, after the transaction that is under way."""
        self._config = replace(self._config, topology=topology)
        self._follower.follow(topology)

    async def ping(self) -> str:
        """Answer at once, whatever the servers do."""
        return self._consumer

    async def status(self) -> WriterStatus:
        """Return how the writer stands, without waiting for anything."""
        return WriterStatus(
            **msgspec.structs.asdict(self._follower.status()),
            events=self._events,
            trades=self._trades,
            orders_inserted=self._inserted,
            orders_changed=self._changed,
            commands_offsets=dict(self._commands_offsets),
        )

    async def open_store(self) -> OrderStore:
        """Connect to the rows. Raises OSError, TimeoutError and asyncpg's errors."""
        url = self._config.postgres_url
        return await OrderStore.connect(url, consumer=self._consumer)

    async def restore(self, store: OrderStore, topology: Topology) -> tuple[MarketPosition, ...]:
        """Return the position up to which each market is written."""
        return await store.positions(topology)

    async def open_tail(
        self, topology: Topology, positions: tuple[MarketPosition, ...]
    ) -> MarketTail:
        """Connect to the events from these positions on. Raises LogError."""
        return await MarketTail.open(
            topology,
            positions,
            log=self._log,
            topic=self._topic,
            client_id=CLIENT_ID,
        )

    def intake(self, positions: tuple[MarketPosition, ...]) -> Intake:
        """Return an empty intake that goes on from these positions."""
        self._commands_offsets = {at.market_id: at.commands_offset for at in positions}
        return Intake(positions)

    async def write(self, store: OrderStore, batch: Batch) -> None:
        """Write a batch's rows and positions, and count them. Raises as `OrderStore.write`."""
        rows = await store.write(batch)
        self._events += len(batch.events)
        self._trades += len(rows.trades)
        self._inserted += len(rows.inserts)
        self._changed += len(rows.changes)
        self._commands_offsets.update({at.market_id: at.commands_offset for at in batch.after})
