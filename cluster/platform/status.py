"""Status of a running platform: markets from Redis, the first order from Postgres, memory."""

from typing import Any

import asyncpg
import msgspec
from redis.asyncio import Redis

from actors.platform.channels import LAG_KEY
from actors.platform.messages import PairLag
from actors.platform.topology import Topology
from api.exchange.ids import EPOCH_MS
from cluster.data.state import RunState
from cluster.platform import processes

# An id's bits below its milliseconds: ten of the worker's number, twelve of the counter.
_ID_TIME_SHIFT = 22
_FIRST_ORDER = "SELECT min(created_us) FROM (SELECT created_us FROM orders WHERE order_id >= $1 "
_FIRST_ORDER += "ORDER BY order_id LIMIT 10) AS earliest"


async def read_lags(redis: Redis) -> dict[str, PairLag]:
    """Return what the routers measured last, by pair."""
    fields: dict[Any, Any] = await redis.hgetall(LAG_KEY)
    return {
        pair.decode(): msgspec.msgpack.decode(value, type=PairLag) for pair, value in fields.items()
    }


async def market_rows(redis: Redis, topology: Topology) -> list[dict[str, Any]]:
    """Return a row a market: last price as a decimal string, rates, book size and lag."""
    lags = await read_lags(redis)
    rows = []
    for market in topology:
        lag = lags.get(market.pair)
        rows.append(
            {
                "pair": market.pair,
                "last_price": _decimal(lag.last_price_ticks, market.tick_size) if lag else None,
                "orders_per_second": round(lag.commands_per_second, 1) if lag else 0.0,
                "trades_per_second": round(lag.trades_per_second, 1) if lag else 0.0,
                "open_orders": lag.open_orders if lag else 0,
                "commands_behind": lag.commands_behind if lag else 0,
                "available": bool(lag and lag.available),
                "halted": bool(lag and lag.halted),
            }
        )
    return rows


async def first_order_s(state: RunState) -> float | None:
    """Return the seconds from `up` to the first order that it accepted, None before that."""
    first_id = (state.started_us // 1_000 - EPOCH_MS) << _ID_TIME_SHIFT
    connection = await asyncpg.connect(state.postgres_url, timeout=5)
    try:
        created_us = await connection.fetchval(_FIRST_ORDER, first_id)
    finally:
        await connection.close(timeout=5)
    return round((created_us - state.started_us) / 1e6, 2) if created_us else None


def memory(state: RunState) -> dict[str, int]:
    """Return proportional memory in bytes by kind of process, and under "total" their sum."""
    kinds = processes.memory_by_kind(processes.family(state.process_id))
    return {"total": sum(kinds.values()), **kinds}


def _decimal(ticks: int, tick_size: str) -> str | None:
    if ticks == 0:
        return None
    places = len(tick_size.partition(".")[2])
    scaled = int(tick_size.replace(".", "")) * ticks
    digits = str(scaled).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits
