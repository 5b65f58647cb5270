"""Positions that writer and candles have stored, watched: when was which event stored."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Self

import asyncpg
import numpy as np

from actors.follow.positions import read_positions
from actors.platform.trace import now_us
from actors.writer.writer import CONSUMER as WRITER
from analytics.ports import CONSUMER as CANDLES
from cluster.tools.bench.latency.stages import Moments

CONSUMERS = {"writer": WRITER, "candles": CANDLES}
_POLL_S = 0.025
_Seen = list[tuple[int, int]]


class Positions:
    """Look at the positions every 25 ms, which is how exact the times are."""

    def __init__(self, postgres_url: str) -> None:
        self._postgres_url = postgres_url
        self._seen: dict[tuple[str, int], _Seen] = defaultdict(list)
        self._exit = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        postgres = await asyncpg.connect(self._postgres_url)
        self._exit.push_async_callback(postgres.close)
        looking = asyncio.create_task(self._look(postgres), name="positions")
        self._exit.push_async_callback(_end, looking)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    def reached(self, stage: str, newest: Mapping[int, int]) -> bool:
        """Say whether a follower has stored these sequences, by market id."""
        return all(
            (seen := self._seen.get((stage, market_id))) and seen[-1][1] >= sequence
            for market_id, sequence in newest.items()
        )

    def stored_us(self, stage: str, market_ids: Sequence[int], sequences: Sequence[int]) -> Moments:
        """Return when each event was first seen stored, 0 for one that was not."""
        found = np.zeros(len(sequences), np.int64)
        markets, wanted = np.array(market_ids), np.array(sequences)
        for market_id in set(market_ids):
            seen = np.array(self._seen.get((stage, market_id), []), np.int64).reshape(-1, 2)
            mine = markets == market_id
            at = np.searchsorted(seen[:, 1], wanted[mine])
            found[mine] = np.append(seen[:, 0], 0)[at]
        return found

    async def _look(self, postgres: asyncpg.Connection) -> None:
        while True:
            for stage, consumer in CONSUMERS.items():
                positions = await read_positions(postgres, consumer)
                at_us = now_us()
                for market_id, position in positions.items():
                    seen = self._seen[stage, market_id]
                    if not seen or seen[-1][1] < position.last_sequence:
                        seen.append((at_us, position.last_sequence))
            await asyncio.sleep(_POLL_S)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
