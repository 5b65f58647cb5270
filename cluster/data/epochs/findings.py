"""Findings about the log: it is another one, or no longer holds what somebody had read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from actors.book.market import Market
from actors.follow.positions import MarketPosition
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC
from actors.writer.writer import CONSUMER as WRITER
from analytics.ports import CONSUMER as CANDLES
from cluster.data.epochs.log import Extent, LogState
from cluster.data.epochs.record import Epoch


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What is kept of a market's place in the log.

    `positions` are by consumer; `snapshots` the offsets of its snapshots, newest first.
    """

    market: Market
    partition: int
    positions: Mapping[str, MarketPosition]
    snapshots: tuple[int, ...]


def replaced(epoch: Epoch, log: LogState) -> Iterator[str]:
    """Yield a sentence for the cluster and for each topic that is not the epoch's."""
    whose = f"what Postgres and the snapshots hold (epoch {epoch.name!r})"
    if epoch.cluster_id != log.cluster_id:
        yield (
            f"Kafka's cluster is {log.cluster_id}, but {whose} comes from cluster "
            f"{epoch.cluster_id}"
        )
        return
    for topic, topic_id in log.topic_ids.items():
        if epoch.topic_ids.get(topic) != topic_id:
            yield (
                f"the topic {topic} was deleted and made again: its id is {topic_id}, but {whose} "
                f"comes from {epoch.topic_ids.get(topic)}"
            )


def lost_commands(stored: Stored, log: LogState) -> Iterator[str]:
    """Yield a sentence for each place in `orders.new` that is not there."""
    extent = log.extents[COMMANDS_TOPIC][stored.partition]
    reached = max((at.commands_offset for at in stored.positions.values()), default=0)
    if reached > extent.end:
        yield _sentence(stored, COMMANDS_TOPIC, extent, "rows are written", reached)
    if stored.snapshots and stored.snapshots[0] > extent.end:
        yield _sentence(stored, COMMANDS_TOPIC, extent, "a snapshot was taken", stored.snapshots[0])
    newest = stored.snapshots[0] if stored.snapshots else 0
    if newest < extent.first:
        yield _sentence(stored, COMMANDS_TOPIC, extent, "the book is known", newest)


def lost_events(stored: Stored, log: LogState) -> Iterator[str]:
    """Yield a sentence for each consumer's place in the topics of events that is not there."""
    for consumer, topic in ((WRITER, EVENTS_TOPIC), (CANDLES, TRADES_TOPIC)):
        position = stored.positions.get(consumer)
        extent = log.extents[topic][stored.partition]
        if position is not None and not extent.allows(position.next_offset):
            yield _sentence(
                stored, topic, extent, f"consumer {consumer} has read", position.next_offset
            )


def _sentence(stored: Stored, topic: str, extent: Extent, what: str, position: int) -> str:
    return (
        f"{topic} holds the offsets {extent.first} to {extent.end} of {stored.market.pair}, "
        f"but {what} up to {position}: it was cut"
    )
