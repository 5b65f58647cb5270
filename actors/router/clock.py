"""Book time: it passes where orders wait for their expiry and no command comes."""

import asyncio
import time
from collections.abc import Iterable

import numpy as np
import structlog

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE
from actors.book.vocabulary import CommandKind
from actors.log.ports import CommandLog
from actors.platform.errors import LogError
from actors.router.pipeline import PairPipeline

_log = structlog.get_logger(__name__)
_AGAIN_S = 0.05
_REPEAT_S = 1.0


class Clock:
    """Append a clock command to the log of each pair whose next expiry has come."""

    def __init__(self, commands: CommandLog) -> None:
        self._commands = commands
        self._moved = asyncio.Event()
        self._sent_s: dict[str, float] = {}

    def note_expiry(self) -> None:
        """Look again: a pair has another next expiry than before."""
        self._moved.set()

    async def run(self, pipelines: Iterable[PairPipeline]) -> None:
        """Sleep from expiry to expiry, for ever; nothing wakes where none is waited for."""
        pairs = list(pipelines)
        while True:
            self._moved.clear()
            expiries = [p.state.next_expiry_us for p in pairs if p.state.next_expiry_us > 0]
            wait_s = (min(expiries) - _now_us()) / 1e6 if expiries else None
            try:
                # One that is due may be busy, or was told the time a moment ago.
                async with asyncio.timeout(wait_s if wait_s is None else max(wait_s, _AGAIN_S)):
                    await self._moved.wait()
            except TimeoutError:
                await self._tell(pairs)

    async def _tell(self, pairs: list[PairPipeline]) -> None:
        now_us = _now_us()
        for pipeline in pairs:
            if 0 < pipeline.state.next_expiry_us <= now_us and pipeline.idle:
                await self._append(pipeline.market, now_us)

    async def _append(self, market: Market, now_us: int) -> None:
        now_s = time.monotonic()
        if now_s - self._sent_s.get(market.pair, -_REPEAT_S) < _REPEAT_S:
            return
        self._sent_s[market.pair] = now_s
        command = np.zeros(1, COMMAND_DTYPE)
        command["kind"] = CommandKind.CLOCK
        command["time_us"] = now_us
        try:
            await self._commands.append(market, command)
        except LogError as error:
            _log.warning("clock_not_written", pair=market.pair, why=str(error))


def _now_us() -> int:
    return time.time_ns() // 1000
