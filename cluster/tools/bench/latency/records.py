"""Times that ride in the log's records, read back after a load: who wrote what when.

A command carries the gateway's stamp, each record Kafka's `CreateTime`: the moment at which the
producer took it, in whole milliseconds and rounded down, so half of one is added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from actors.book.codec import decode_commands, decode_events
from actors.book.market import Market
from actors.book.vocabulary import CommandKind, EventKind, Flag
from actors.log.consumers import close_consumer, new_consumer
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, Topology

_HALF_MS_US = 500
_READ_MS = 1_000
Ends = Mapping[TopicPartition, int]


@dataclass(slots=True)
class OrderTimes:
    """What the log knows of one order; times in microseconds, 0 where it knows nothing.

    `sequence` is that of the order's first event, `trade_sequence` of the last trade that it made
    as it arrived, 0 where it made none; `offset` is where its command lies in `orders.new`,
    `event_offset` where its first event lies in `orders.updated`.
    """

    market_id: int
    partition: int
    offset: int
    stamped_us: int
    logged_us: int
    published_us: int = 0
    event_offset: int = 0
    sequence: int = 0
    trade_sequence: int = 0


class Records:
    """Read what was written to `orders.new` and `orders.updated` of some markets since a moment."""

    def __init__(self, bootstrap: str, topology: Topology, markets: Sequence[Market]) -> None:
        self._bootstrap = bootstrap
        self._market_of = {topology.partition(market): market for market in markets}
        self._partitions = [
            TopicPartition(topic, number)
            for topic in (COMMANDS_TOPIC, EVENTS_TOPIC)
            for number in self._market_of
        ]

    async def ends(self) -> Ends:
        """Return where the partitions end now."""
        consumer = new_consumer(bootstrap=self._bootstrap, client_id="forkast-bench")
        try:
            await consumer.start()
            found: Ends = await consumer.end_offsets(self._partitions)
            return found
        finally:
            await close_consumer(consumer)

    async def since(self, starts: Ends) -> dict[int, OrderTimes]:
        """Return the times of all orders written since `starts`, by order id."""
        consumer = new_consumer(
            bootstrap=self._bootstrap,
            client_id="forkast-bench",
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        try:
            await consumer.start()
            ends = await consumer.end_offsets(self._partitions)
            found = await _read(consumer, starts, ends)
        finally:
            await close_consumer(consumer)
        orders: dict[int, OrderTimes] = {}
        for topic, note in ((COMMANDS_TOPIC, note_command), (EVENTS_TOPIC, note_event)):
            for record in found:
                if record.topic == topic:
                    note(orders, self._market_of[record.partition], record)
        return orders


async def _read(consumer: AIOKafkaConsumer, starts: Ends, ends: Ends) -> list[ConsumerRecord]:
    unread = {place for place, end in ends.items() if starts[place] < end}
    found: list[ConsumerRecord] = []
    if unread:
        consumer.assign(sorted(unread))
        for place in unread:
            consumer.seek(place, starts[place])
    while unread:
        for place, records in (await consumer.getmany(timeout_ms=_READ_MS)).items():
            found.extend(records)
            if records and records[-1].offset + 1 >= ends[place]:
                unread.discard(place)
    return found


def note_command(orders: dict[int, OrderTimes], market: Market, record: ConsumerRecord) -> None:
    """Take in the orders that a record of `orders.new` places."""
    commands = decode_commands(market.market_id, record.value or b"")
    for command in commands[commands["kind"] == CommandKind.PLACE]:
        orders[int(command["order_id"])] = OrderTimes(
            market_id=market.market_id,
            partition=record.partition,
            offset=record.offset,
            stamped_us=int(command["time_us"]),
            logged_us=_created_us(record),
        )


def note_event(orders: dict[int, OrderTimes], _: Market, record: ConsumerRecord) -> None:
    """Take in what a record of `orders.updated` says of orders that have a command."""
    events = decode_events(record.value or b"").events
    fresh = events[(events["kind"] == EventKind.ORDER) & ((events["flags"] & Flag.NEW) != 0)]
    for event in fresh:
        order = orders.get(int(event["order_id"]))
        if order is not None and not order.published_us:
            order.published_us = _created_us(record)
            order.event_offset = record.offset
            order.sequence = int(event["sequence"])
    trades = events[events["kind"] == EventKind.TRADE]
    for taker, sequence in zip(
        trades["related_order_id"].tolist(), trades["sequence"].tolist(), strict=True
    ):
        if (order := orders.get(taker)) is not None:
            order.trade_sequence = max(order.trade_sequence, sequence)


def _created_us(record: ConsumerRecord) -> int:
    return int(record.timestamp) * 1_000 + _HALF_MS_US
