"""The gateway's side of `orders.new`: a bounded number of commands on their way to the log."""

import asyncio
from typing import TypedDict

from actors.book.codec import encode_commands
from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.log.ports import Producer
from actors.log.producer import RECORD_BYTES_MAX, RecordProducer
from actors.platform.errors import LogTimeoutError, QueueFullError
from actors.platform.topology import COMMANDS_TOPIC, Topology

COMMANDS_PER_RECORD_MAX = RECORD_BYTES_MAX // COMMAND_DTYPE.itemsize - 1


class _Record(TypedDict):
    topic: str
    partition: int
    key: bytes
    value: bytes


class BoundedCommandLog:
    """Append commands, one record per call, keyed by pair, through one producer.

    At most `pending_commands` wait for the log's word; an append waits for it at most
    `timeout_s`. An append that is cancelled or late, once its record is taken, goes on by itself:
    its outcome is unknown, not undone.
    """

    def __init__(
        self,
        producer: Producer,
        *,
        topology: Topology,
        pending_commands: int,
        timeout_s: float = 5.0,
    ) -> None:
        self._producer = producer
        self._topology = topology
        self._bound = pending_commands
        self._timeout_s = timeout_s
        self._pending = 0
        self._sends: set[asyncio.Future[int]] = set()

    @property
    def pending_commands(self) -> int:
        """Return how many commands wait for the log's word."""
        return self._pending

    async def start(self) -> None:
        """Connect. Raises LogUnavailableError while no broker answers."""
        await self._producer.start()

    async def stop(self) -> None:
        """Give what is pending a last chance and disconnect."""
        if self._sends:
            await asyncio.wait(self._sends, timeout=self._timeout_s)
        await self._producer.stop()
        for send in self._sends:
            send.cancel()
        await asyncio.gather(*self._sends, return_exceptions=True)

    async def append(self, market: Market, commands: RecordArray) -> int:
        """Return the offset of the record with these commands (`COMMAND_DTYPE`).

        -1 stands for a repeat that the broker confirmed without naming the offset. Raises
        QueueFullError (nothing sent), LogUnavailableError (not kept), LogTimeoutError (outcome
        unknown) and ValueError for more than `COMMANDS_PER_RECORD_MAX` commands.
        """
        count = len(commands)
        if not 1 <= count <= COMMANDS_PER_RECORD_MAX:
            raise ValueError(f"{count} commands in one record, 1 to {COMMANDS_PER_RECORD_MAX} fit")
        if self._pending + count > self._bound:
            raise QueueFullError(f"{self._pending} commands wait for the log already")
        try:
            # Not `wait_for`: before Python 3.12 it swallows a cancel that comes with the answer.
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(await self._begin(market, commands))
        except TimeoutError as error:
            raise LogTimeoutError(
                f"the log did not confirm within {self._timeout_s:g} s"
            ) from error

    async def _begin(self, market: Market, commands: RecordArray) -> asyncio.Future[int]:
        count = len(commands)
        record = _Record(
            topic=COMMANDS_TOPIC,
            partition=self._topology.partition(market),
            key=market.pair.encode(),
            value=encode_commands(market.market_id, commands),
        )
        self._pending += count
        try:
            send = await self._producer.begin(**record)
        except BaseException:
            self._pending -= count
            raise
        if send is None:
            send = asyncio.create_task(self._producer.send(**record))
        self._sends.add(send)
        send.add_done_callback(lambda done: self._settle(done, count))
        return send

    def _settle(self, send: asyncio.Future[int], count: int) -> None:
        self._pending -= count
        self._sends.discard(send)
        # Nobody may be waiting any more: an error that was not fetched would be reported as lost.
        if not send.cancelled():
            send.exception()


class KafkaCommandLog(BoundedCommandLog):
    """The commands' log in Kafka."""

    def __init__(
        self,
        *,
        bootstrap: str,
        topology: Topology,
        pending_commands: int,
        client_id: str = "forkast-gateway",
        timeout_s: float = 5.0,
    ) -> None:
        super().__init__(
            RecordProducer(bootstrap=bootstrap, client_id=client_id),
            topology=topology,
            pending_commands=pending_commands,
            timeout_s=timeout_s,
        )
