"""Probe of when the platform serves again: an order a pair, followed the whole way out."""

import asyncio
import itertools
import time
from typing import Any

import asyncpg
import httpx

from cluster.tools.chaos.clients import SocketClient

_POLL_S = 0.02
_EFFECTS_S = 1.0
_ANSWER_S = 3.0


class Probe:
    """Orders that cannot trade, placed until one of each pair has come out everywhere.

    Everywhere is: its outcome by the gateway, its row in Postgres, its event by Socket.IO; and
    the pair's candles are served. `last` tells for each pair what was missing most recently.
    """

    def __init__(self, *, url: str, postgres_url: str, socket: SocketClient) -> None:
        self._url = url
        self._postgres_url = postgres_url
        self._socket = socket
        self._numbers = itertools.count()
        self.last: dict[str, str] = {}

    async def recovered_s(self, pair: str, *, within_s: float) -> float | None:
        """Return the monotonic time at which a pair was served whole, None where it was not."""
        deadline_s = time.monotonic() + within_s
        async with httpx.AsyncClient(
            base_url=self._url, timeout=_ANSWER_S, trust_env=False
        ) as http:
            while time.monotonic() < deadline_s:
                if await self._served(http, pair):
                    return time.monotonic()
                await asyncio.sleep(_POLL_S)
        return None

    async def _served(self, http: httpx.AsyncClient, pair: str) -> bool:
        try:
            placed = await http.post("/orders?wait=1000", json=self._order(pair))
            self.last[pair] = f"an order was answered {placed.status_code} {placed.text[:200]}"
            answer = placed.json()
            if placed.status_code != httpx.codes.CREATED or "order" not in answer:
                return False
            candles = await http.get(f"/charts/{pair}/candles")
            self.last[pair] = f"candles were answered {candles.status_code} {candles.text[:200]}"
            if candles.status_code != httpx.codes.OK:
                return False
            missing = await self._missing_effects(answer["orderId"])
            self.last[pair] = (
                f"order {answer['orderId']} has no {' and no '.join(missing)}"
                f"{'' if self._socket.connected else '; Socket.IO is not connected'}"
            )
            return not missing
        except (httpx.HTTPError, ValueError, OSError, asyncpg.PostgresError, TimeoutError) as error:
            self.last[pair] = repr(error)
            return False

    async def _missing_effects(self, order_id: str) -> list[str]:
        """Wait for an order's row and event; whoever was away has missed the event."""
        until_s = time.monotonic() + _EFFECTS_S
        connection = await asyncpg.connect(self._postgres_url, timeout=_ANSWER_S)
        try:
            query = "SELECT 1 FROM orders WHERE order_id = $1"
            while time.monotonic() < until_s:
                row = await connection.fetchval(query, int(order_id), timeout=_ANSWER_S)
                seen = {"row": row is not None, "event": order_id in self._socket.heard}
                if all(seen.values()):
                    break
                await asyncio.sleep(_POLL_S)
        finally:
            connection.terminate()
        return [name for name, there in seen.items() if not there]

    def _order(self, pair: str) -> dict[str, Any]:
        return {
            "tradingPair": pair,
            "type": "BUY",
            "price": "1",
            "quantity": "1",
            "timeInForce": "IOC",
            "userId": self._socket.user_id,
            "clientOrderId": f"probe-{next(self._numbers)}",
        }
