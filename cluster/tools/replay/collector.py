"""The platform's trades of a replay, read from its events until the last command is answered."""

import numpy as np

from actors.book.market import Market
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind, Flag
from actors.log.kafka import KafkaLog
from actors.log.tail import EventTail, events_after
from actors.platform.topology import Topology
from cluster.tools.replay.capture import ExchangeTrade
from cluster.tools.replay.player import Script

_READ_MS = 500


class Collector:
    """Follow one market's events from now on."""

    def __init__(self, *, bootstrap: str, topology: Topology, market: Market) -> None:
        self._tail = EventTail(KafkaLog(bootstrap), client_id="forkast-replay")
        self._partition = topology.partition(market)
        self._sequence = 0

    async def start(self) -> None:
        """Stand at the end of the market's events. Raises LogUnavailableError."""
        await self._tail.start({self._partition: None})

    async def stop(self) -> None:
        """Disconnect."""
        await self._tail.stop()

    async def trades(self, script: Script) -> list[ExchangeTrade]:
        """Return the trades among the script's orders, up to the answer to its last command."""
        found: list[ExchangeTrade] = []
        answered = False
        while not answered:
            events = await self._read()
            answered = _has_answer(events, script.last_command_id)
            for event in events[events["kind"] == EventKind.TRADE]:
                maker = script.exchange_id(int(event["order_id"]))
                taker = script.exchange_id(int(event["related_order_id"]))
                if maker is not None and taker is not None:
                    found.append(
                        ExchangeTrade(
                            maker, taker, int(event["price_ticks"]), int(event["trade_lots"])
                        )
                    )
        return found

    async def answered(self, command_id: int) -> None:
        """Return when a command has been answered."""
        while not _has_answer(await self._read(), command_id):
            pass

    async def _read(self) -> RecordArray:
        arrived = await self._tail.read(timeout_ms=_READ_MS)
        parts = []
        for one in arrived.get(self._partition, []):
            fresh = events_after(one.record, self._sequence)
            if len(fresh):
                self._sequence = int(fresh["sequence"][-1])
                parts.append(fresh)
        return np.concatenate(parts) if parts else np.empty(0, EVENT_DTYPE)


def _has_answer(events: RecordArray, command_id: int) -> bool:
    mine = events["command_id"] == command_id
    return bool(np.any(mine & ((events["flags"] & Flag.LAST) != 0)))
