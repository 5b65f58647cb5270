"""Start of a fold: the log's first record, or a snapshot where older ones are gone."""

from dataclasses import fields
from typing import Any

from actors.book import compiled_snapshot
from actors.book.errors import UnreadableSnapshotError
from actors.book.market import Market
from actors.book.naive import NaiveBook
from actors.book.naive_orders import NaiveOrder
from actors.book.naive_state import seal
from actors.book.records import EVENT_DTYPE
from actors.book.vocabulary import Side
from cluster.errors import CannotVerifyError
from cluster.plan import Platform

# What a market order has spent is in no image: such an order never rests.
_ORDER_FIELDS = [one.name for one in fields(NaiveOrder) if one.name in set(EVENT_DTYPE.names or ())]


def beginning(
    platform: Platform, market: Market, first_offset: int, *, from_snapshot: bool = False
) -> tuple[NaiveBook, int]:
    """Return the book to begin with and the offset that it needs next.

    Where a log begins with a book, as those of later epochs do, or later than at 0, or where it is
    asked for, the oldest snapshot that it continues is taken: what came before is not judged.
    Raises CannotVerifyError.
    """
    store = platform.snapshots_of(market)
    is_whole = store.begins_empty and first_offset == 0
    if is_whole and not from_snapshot:
        return NaiveBook(market), 0
    for stored in reversed(list(store.load())):
        if stored.next_offset < first_offset:
            continue
        try:
            return naive_book(market, stored.state), stored.next_offset
        except UnreadableSnapshotError:
            continue
    if is_whole:
        return NaiveBook(market), 0
    raise CannotVerifyError(
        f"the log of {market.pair} begins at offset {first_offset}, and no snapshot of it "
        f"is as new as that"
    )


def naive_book(market: Market, snapshot: bytes | memoryview) -> NaiveBook:
    """Return the naive book in the state of a compiled one. Raises UnreadableSnapshotError."""
    parts = compiled_snapshot.parts(market, snapshot)
    orders = [[*row] for row in parts.orders[_ORDER_FIELDS].tolist()]
    words = parts.orders["client_order_id"].tolist()
    for order, client_order_id in zip(orders, words, strict=True):
        order[_ORDER_FIELDS.index("client_order_id")] = client_order_id
    state: dict[str, Any] = {
        "market_id": market.market_id,
        "sequence": parts.sequence,
        "update_id": parts.update_id,
        "last_trade_id": parts.last_trade_id,
        "time_us": parts.time_us,
        "halted": parts.halted,
        "bids": [order for order in orders if order[0] == Side.BUY],
        "asks": [order for order in orders if order[0] == Side.SELL],
        "of_user": _orders_of_users(parts),
        "fences": parts.fences.tolist(),
        "finished": [((row[0], row[2:]), row[1]) for row in parts.finished.tolist()],
    }
    return NaiveBook.restore(market, seal(state))


def _orders_of_users(parts: compiled_snapshot.Parts) -> list[list[int]]:
    """Return every user's open orders in the order in which they came to rest."""
    order_ids, following = parts.orders["order_id"].tolist(), parts.orders["trade_id"].tolist()
    lists = []
    for first, previous in enumerate(parts.orders["trade_lots"].tolist()):
        if previous < 0:
            at, of_user = first, []
            while at >= 0:
                of_user.append(order_ids[at])
                at = following[at]
            lists.append(of_user)
    return lists
