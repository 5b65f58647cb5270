"""`orders` in Postgres: of every order of the log its last image, once, and no other.

So the open orders of the table are those of the book, with what remains of each.
"""

import asyncpg
import numpy as np
import polars as pl

from actors.book.records import RecordArray, decode_client_order_ids
from actors.book.vocabulary import EventKind, Flag
from actors.writer.rows import printable
from cluster.verify.fold import LogFold
from cluster.verify.report import Check
from cluster.verify.tables import ROWS_AT_ONCE, Columns, compare_rows, fetch

_SAME = (
    *("order_id", "user_id", "side", "order_type", "time_in_force", "self_trade_prevention"),
    *("status", "reason", "price_ticks", "quantity_lots", "filled_lots", "notional"),
    *("quote_units", "expires_us", "created_us", "sequence"),
)
_NUMBERS = (*_SAME, "flags", "updated_us", "related_order_id")
_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(_NUMBERS, pl.Int64),
    "client_order_id": pl.String,
}
_AFTER = f"""
SELECT {", ".join(_SCHEMA)} FROM orders
WHERE market_id = $1 AND order_id > $2 AND sequence > $3 ORDER BY order_id LIMIT $4
"""  # noqa: S608
_OPEN_BEFORE = f"""
SELECT {", ".join(_SCHEMA)} FROM orders
WHERE market_id = $1 AND sequence <= $2 AND status IN (1, 2) ORDER BY order_id
"""  # noqa: S608
# Of an order that rests, the book does not keep what its last event said.
_NOT_KEPT = ("sequence", "reason", "updated_us", "related_order_id")
_END = 2**63 - 1


async def check_orders(
    check: Check, connection: asyncpg.Connection, fold: LogFold, *, written: int
) -> None:
    """Compare the rows with the last images up to sequence `written`. Raises asyncpg's errors."""
    market, spool = fold.market, fold.spool
    after = -_END
    while after < _END:
        found = await fetch(
            connection,
            _AFTER,
            market.market_id,
            after,
            spool.base_sequence,
            ROWS_AT_ONCE,
            schema=_SCHEMA,
        )
        ids = found["order_id"]
        up_to = int(ids[-1]) if len(ids) == ROWS_AT_ONCE else _END
        images = spool.last_images(after_id=after, up_to_id=up_to, up_to_sequence=written)
        compare_rows(
            check, f"{market.pair} order", key="order_id", expected=_columns(images), found=found
        )
        after = up_to
    if written >= spool.base_sequence > 0:
        await _check_untouched(check, connection, fold, written=written)


async def _check_untouched(
    check: Check, connection: asyncpg.Connection, fold: LogFold, *, written: int
) -> None:
    """Compare the orders that were open at the fold's beginning and that nothing has changed."""
    market, first = fold.market, fold.first_orders
    changed = fold.spool.changed(first["order_id"], up_to_sequence=written)
    expected = _columns(first[~changed])
    found = await fetch(
        connection, _OPEN_BEFORE, market.market_id, fold.spool.base_sequence, schema=_SCHEMA
    )
    compare_rows(
        check,
        f"{market.pair} order",
        key="order_id",
        expected={name: expected[name] for name in expected if name not in _NOT_KEPT},
        found=found,
    )


def _columns(images: RecordArray) -> Columns:
    is_order = images["kind"] == EventKind.ORDER
    texts = printable(decode_client_order_ids(images))
    return {
        **{name: images[name] for name in _SAME},
        "flags": images["flags"] & Flag.POST_ONLY,
        "updated_us": images["time_us"],
        # The related order of a trade is its taker, which is not the maker's to keep.
        "related_order_id": np.where(is_order, images["related_order_id"], 0),
        "client_order_id": np.array([text.decode("ascii") for text in texts.tolist()], np.object_),
    }
