"""A market's book as the rows of Postgres tell it, for a log that is lost.

The open orders, what they have filled and what they are owed are exact. Three things are not in any
row: which of the orders of one price came to rest again by an amend, and so stands further back
than its arrival says; an order's fee rates and the stamp of its account shard, which are 0 then;
and whether the market is halted, and which generations of shards are shut out.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
import numpy as np

from actors.book.compiled_snapshot import FENCE_WORDS, Parts
from actors.book.kernel.layout import FINISHED_WORDS
from actors.book.market import Market
from actors.book.reasons import Reason
from actors.book.records import (
    CLIENT_ORDER_ID_BYTES,
    CLIENT_ORDER_ID_WORDS,
    EVENT_DTYPE,
    RecordArray,
)
from actors.book.vocabulary import EventKind, OrderStatus, Side

OPEN = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)

_SAME = (
    *("order_id", "user_id", "side", "order_type", "time_in_force", "self_trade_prevention"),
    *("flags", "status", "reason", "price_ticks", "quantity_lots", "filled_lots", "notional"),
    *("quote_units", "expires_us", "created_us", "sequence", "related_order_id"),
)
_ORDERS = f"""
SELECT {", ".join(_SAME)}, updated_us AS time_us, client_order_id
FROM orders WHERE market_id = $1 AND status = ANY($2::smallint[])
"""  # noqa: S608
_FINISHED = """
SELECT user_id, order_id, client_order_id FROM orders
WHERE market_id = $1 AND status <> ALL($2::smallint[]) AND reason <> ALL($3::integer[])
  AND client_order_id <> ''
ORDER BY sequence DESC LIMIT $4
"""
_LAST_TIME = "SELECT coalesce(max(updated_us), 0) FROM orders WHERE market_id = $1"
_LAST_TRADE = "SELECT coalesce(max(trade_id), 0) FROM trades WHERE market_id = $1"
_LAST_PRICE = "SELECT price_ticks FROM trades WHERE market_id = $1 ORDER BY trade_id DESC LIMIT 1"
# A refusal for either of these has taken no client order id.
_TOOK_NO_ID = (Reason.MALFORMED, Reason.DUPLICATE_CLIENT_ORDER_ID)


async def open_rows(connection: asyncpg.Connection, market: Market) -> RecordArray:
    """Return the rows of a market's open orders as images. Raises asyncpg's errors."""
    rows = await connection.fetch(_ORDERS, market.market_id, OPEN)
    images = np.zeros(len(rows), EVENT_DTYPE)
    for name in (*_SAME, "time_us"):
        images[name] = [row[name] for row in rows]
    images["kind"] = EventKind.ORDER
    images["market_id"] = market.market_id
    images["client_order_id"] = _words([row["client_order_id"] for row in rows])
    return images


async def last_price_ticks(connection: asyncpg.Connection, market: Market) -> int:
    """Return the price of the last trade that has a row, 0 where there is none."""
    price_ticks: int | None = await connection.fetchval(_LAST_PRICE, market.market_id)
    return price_ticks or 0


async def book_of_rows(
    connection: asyncpg.Connection, market: Market, *, sequence: int, earlier: Parts | None
) -> Parts:
    """Return the book at `sequence`, up to which the rows are written.

    Orders of one price stand in the order of their arrival. `earlier` is a book of the same market
    before, whose halt and fences are believed. The update id is as large as so many events can
    have made it. Raises asyncpg's errors.
    """
    time_us = int(await connection.fetchval(_LAST_TIME, market.market_id))
    last_trade_id = int(await connection.fetchval(_LAST_TRADE, market.market_id))
    orders = _in_priority(await open_rows(connection, market))
    taken = {
        (int(order["user_id"]), order["client_order_id"].tobytes())
        for order in orders
        if order["client_order_id"].any()
    }
    return Parts(
        time_us=max(time_us, earlier.time_us if earlier else 0),
        sequence=sequence,
        last_trade_id=max(last_trade_id, earlier.last_trade_id if earlier else 0),
        update_id=max(2 * sequence, earlier.update_id if earlier else 0),
        halted=earlier.halted if earlier else False,
        orders=orders,
        finished=_finished(
            await connection.fetch(
                _FINISHED, market.market_id, OPEN, _TOOK_NO_ID, market.client_id_memory
            ),
            taken,
        ),
        fences=earlier.fences if earlier else np.empty((0, FENCE_WORDS), np.int64),
    )


def _in_priority(images: RecordArray) -> RecordArray:
    """Return images as `Parts` has them: bids before asks, best first, each user's linked."""
    sells = images["side"] == Side.SELL
    prices = np.where(sells, images["price_ticks"], -images["price_ticks"])
    placed = images[np.lexsort((images["order_id"], images["created_us"], prices, sells))]
    orders = np.zeros(len(placed), EVENT_DTYPE)
    for name in (
        *("side", "order_type", "time_in_force", "self_trade_prevention", "flags", "order_id"),
        *("user_id", "price_ticks", "quantity_lots", "filled_lots", "notional", "expires_us"),
        *("quote_units", "created_us", "client_order_id"),
    ):
        orders[name] = placed[name]
    by_user = np.lexsort((orders["order_id"], orders["created_us"], orders["user_id"]))
    same = np.diff(orders["user_id"][by_user]) == 0
    orders["trade_id"] = orders["trade_lots"] = -1
    orders["trade_id"][by_user[:-1][same]] = by_user[1:][same]
    orders["trade_lots"][by_user[1:][same]] = by_user[:-1][same]
    return orders


def _finished(
    rows: Sequence[Any], taken: set[tuple[int, bytes]]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the remembered ids from the oldest; an id that was used again counts once."""
    kept = []
    packed = _words([row["client_order_id"] for row in rows])
    for row, words in zip(rows, packed, strict=True):
        key = (row["user_id"], words.tobytes())
        if key not in taken:
            taken.add(key)
            kept.append([row["user_id"], row["order_id"], *words.tolist()])
    return np.array(kept[::-1], np.int64).reshape(-1, FINISHED_WORDS)


def _words(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Pack client order ids; a foreign one may fill all bytes, more than a gateway lets through."""
    packed = np.array([text.encode("ascii") for text in texts], f"S{CLIENT_ORDER_ID_BYTES}")
    return packed.view("<i8").reshape(len(texts), CLIENT_ORDER_ID_WORDS)
