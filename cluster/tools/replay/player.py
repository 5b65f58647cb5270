"""Player of a mapped flow: through the platform's log, in its order, at a chosen speed.

Commands go straight to `orders.new`, as the gateway's do: a capture is one stream of places and
cancels, and only one stream keeps their order.
"""

import asyncio
import time
from collections.abc import Callable

import numpy as np

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind
from actors.log.commands import KafkaCommandLog
from api.exchange.ids import IdGenerator
from cluster.tools.replay.mapping import Flow

_RECORD_COMMANDS = 1_000
_SLICE_MS = 20.0
MAX_SPEED = 0.0


class Script:
    """A flow with ids and user of this platform, ready to be sent once.

    `exchange_id` answers which of the exchange's orders an order of the platform stands for.
    """

    def __init__(self, flow: Flow, ids: IdGenerator, *, user_id: int) -> None:
        self.commands = flow.commands.copy()
        self.time_ms = flow.time_ms
        self.seeds = flow.seeds
        exchange_ids, order_of = np.unique(flow.commands["order_id"], return_inverse=True)
        fresh = np.zeros(len(exchange_ids), np.int64)
        command_ids = np.array([ids.next() for _ in range(len(flow.commands))], np.int64)
        places = flow.commands["kind"] == CommandKind.PLACE
        fresh[order_of[places]] = command_ids[places]
        self.commands["command_id"] = command_ids
        self.commands["order_id"] = fresh[order_of]
        self.commands["user_id"] = user_id
        self._exchange_ids = dict(zip(fresh.tolist(), exchange_ids.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.commands)

    @property
    def last_command_id(self) -> int:
        return int(self.commands["command_id"][-1])

    def exchange_id(self, order_id: int) -> int | None:
        return self._exchange_ids.get(order_id)


class Player:
    """Append a script's commands to the log; one record is on its way at a time.

    Below full speed, what falls into one slice of `slice_ms` goes together.
    """

    def __init__(
        self, log: KafkaCommandLog, market: Market, *, slice_ms: float = _SLICE_MS
    ) -> None:
        self.market = market
        self._log = log
        self._slice_s = slice_ms / 1_000

    async def play(self, script: Script, *, speed: float, progress: Callable[[int], None]) -> None:
        """Send all; `speed` is a factor of the exchange's speed, 0 as fast as it goes.

        The book at the start goes first, at once. Raises LogError.
        """
        await self._send(script.commands[: script.seeds], progress)
        if speed == MAX_SPEED:
            await self._send(script.commands[script.seeds :], progress)
        else:
            await self._send_in_time(script, speed, progress)

    async def clear(self, ids: IdGenerator, *, user_id: int) -> int:
        """Cancel every open order of a user in the market; return the command's id."""
        command = np.zeros(1, COMMAND_DTYPE)
        command["kind"] = CommandKind.CANCEL_ALL
        command["command_id"] = ids.next()
        command["user_id"] = user_id
        await self._append(command)
        return int(command["command_id"][0])

    async def _send_in_time(
        self, script: Script, speed: float, progress: Callable[[int], None]
    ) -> None:
        begin, started_s = script.seeds, time.monotonic()
        if begin == len(script):
            return
        first_ms = int(script.time_ms[begin])
        while begin < len(script):
            reached_ms = first_ms + (time.monotonic() - started_s) * 1000 * speed
            end = int(np.searchsorted(script.time_ms, reached_ms, "right"))
            if end > begin:
                await self._send(script.commands[begin:end], progress)
                begin = end
            else:
                await asyncio.sleep(self._slice_s)

    async def _send(self, commands: RecordArray, progress: Callable[[int], None]) -> None:
        for begin in range(0, len(commands), _RECORD_COMMANDS):
            part = commands[begin : begin + _RECORD_COMMANDS]
            await self._append(part)
            progress(len(part))

    async def _append(self, commands: RecordArray) -> None:
        commands["time_us"] = time.time_ns() // 1_000
        await self._log.append(self.market, commands)
