"""Order books from PyPI that can run the bench's flow, each behind the same three commands.

Install them with `uv sync --group peers`; those that are missing are left out. What a peer cannot
do in one call is done with its own next best calls: an IOC order is placed and its rest cancelled,
an amend is a cancel and a new order for what remains (which costs the place in the queue where the
peer has no reduce). Each answers how many lots it traded, where its answers tell.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from actors.book.records import RecordArray
from actors.book.vocabulary import CommandKind, TimeInForce

Row = tuple[int, int, int, int, int, int, int]
FIELDS = (
    "kind",
    "side",
    "time_in_force",
    "order_id",
    "user_id",
    "price_ticks",
    "quantity_lots",
)
OBOOK_CAPACITY = 1_000_000
OBOOK_TRADE = 3


class Peer(Protocol):
    """Another book under the bench's flow."""

    traded_lots: float

    def apply(self, rows: Sequence[Row]) -> None: ...


def rows_of(commands: RecordArray) -> list[Row]:
    """Return commands as tuples of `FIELDS`, made before the clock starts."""
    return list(zip(*(commands[field].tolist() for field in FIELDS), strict=True))


class ObookPeer:
    """`obook`: a compiled engine behind ctypes; its events are drained after every command."""

    def __init__(self) -> None:
        self._book: Any = import_module("obook").Book(OBOOK_CAPACITY)
        self._ids: dict[int, int] = {}
        self._placed: dict[int, tuple[int, int]] = {}
        self.traded_lots = 0.0

    def apply(self, rows: Sequence[Row]) -> None:
        book, ids, placed = self._book, self._ids, self._placed
        for kind, side, time_in_force, order_id, user_id, price, quantity in rows:
            if kind == CommandKind.PLACE:
                answer = book.submit(user_id, side - 1, price, quantity, tif=time_in_force - 1)
                ids[order_id] = answer.order_id
                placed[order_id] = (side, quantity)
            elif kind == CommandKind.CANCEL:
                book.cancel(ids[order_id], user_id)
            elif price:
                side, quantity = placed[order_id]
                answer = book.replace(ids[order_id], user_id, side - 1, price, quantity)
                ids[order_id] = answer.order_id or ids[order_id]
            else:
                book.reduce(ids[order_id], quantity, user_id)
            for event in book.events():
                if event.kind == OBOOK_TRADE:
                    self.traded_lots += event.qty


class OrderlyChaosPeer:
    """`orderly-chaos`: a C++ book behind ctypes; it answers the lots filled, without events."""

    def __init__(self) -> None:
        module: Any = import_module("orderly_chaos")
        self._book = module.LimitOrderBook()
        self._sides = (None, module.Side.BUY, module.Side.SELL)
        self._unknown: type[Exception] = import_module("orderly_chaos.errors").UnknownOrderIdError
        self._total: dict[int, int] = {}
        self.traded_lots = 0.0

    def apply(self, rows: Sequence[Row]) -> None:
        book, sides, total = self._book, self._sides, self._total
        for kind, side, time_in_force, order_id, _, price, quantity in rows:
            if kind == CommandKind.PLACE:
                total[order_id] = quantity
                filled = book.limit(sides[side], order_id, quantity, price)
                self.traded_lots += filled
                if time_in_force == TimeInForce.IOC and filled < quantity:
                    book.cancel(order_id)
                continue
            try:
                if kind == CommandKind.CANCEL:
                    book.cancel(order_id)
                elif price:
                    order = book.get(order_id)
                    book.cancel(order_id)
                    self.traded_lots += book.limit(order.side, order_id, order.quantity, price)
                elif total[order_id] - quantity < book.get(order_id).quantity:
                    book.reduce(order_id, total[order_id] - quantity)
                    total[order_id] = quantity
            except self._unknown:
                continue


class LitebookPeer:
    """`litebook`: a Rust book; prices and quantities are floats, ids are its own strings."""

    def __init__(self) -> None:
        module: Any = import_module("litebook")
        self._book = module.OrderBook(tick_size=1.0)
        self._sides = (None, module.OrderType.Buy, module.OrderType.Sell)
        self._ids: dict[int, str] = {}
        self._total: dict[int, int] = {}
        self.traded_lots = 0.0

    def apply(self, rows: Sequence[Row]) -> None:
        for kind, side, time_in_force, order_id, _, price, quantity in rows:
            if kind == CommandKind.PLACE:
                self._total[order_id] = quantity
                self._add(order_id, self._sides[side], float(price), float(quantity))
                if time_in_force == TimeInForce.IOC:
                    self._book.cancel(self._ids[order_id])
            elif kind == CommandKind.CANCEL:
                self._book.cancel(self._ids[order_id])
            else:
                self._amend(order_id, price, quantity)

    def _amend(self, order_id: int, price: int, quantity: int) -> None:
        order = self._book.get_order(self._ids[order_id])
        if order is None or order.quantity <= 0 or not self._book.cancel(order.id):
            return
        less = self._total[order_id] - quantity if quantity else 0
        if less < order.quantity:
            self._total[order_id] -= less
            price = price or order.price_in_ticks
            self._add(order_id, order.side, float(price), order.quantity - less)

    def _add(self, order_id: int, side: Any, price: float, quantity: float) -> None:
        order = self._book.create_order(side, price=price, quantity=quantity)
        self._ids[order_id] = order.id
        for fill in self._book.add(order):
            self.traded_lots += fill.quantity


class CythonOrderbookPeer:
    """`cython-orderbook`: a Cython book that keeps a log of its trades and answers none."""

    def __init__(self) -> None:
        module: Any = import_module("cython_orderbook")
        self._book = module.OrderBook()
        self._order = module.Order
        self._sides = (None, module.OrderSide.BID, module.OrderSide.ASK)
        self._orders: dict[int, Any] = {}
        self.traded_lots = 0.0

    def apply(self, rows: Sequence[Row]) -> None:
        book, orders = self._book, self._orders
        for kind, side, time_in_force, order_id, _, price, quantity in rows:
            if kind == CommandKind.PLACE:
                order = self._add(order_id, self._sides[side], price, quantity)
                if time_in_force == TimeInForce.IOC and order.remaining_quantity:
                    book.cancel_order(order.order_id)
                continue
            order = orders.pop(order_id, None)
            remaining = order.remaining_quantity if order else 0
            if not remaining:
                continue
            book.cancel_order(order.order_id)
            if kind == CommandKind.CANCEL:
                continue
            rest = remaining if price else quantity - (order.original_quantity - remaining)
            if rest > 0:
                self._add(order_id, order.side, price or order.price, rest)

    def _add(self, order_id: int, side: Any, price: int, quantity: int) -> Any:
        order = self._order(side=side, price=price, original_quantity=quantity)
        self._orders[order_id] = order
        self._book.add_limit_order(order)
        self.traded_lots += quantity - order.remaining_quantity
        return order


PEERS: dict[str, tuple[str, Callable[[], Peer]]] = {
    "cython-orderbook": ("cython_orderbook", CythonOrderbookPeer),
    "litebook": ("litebook", LitebookPeer),
    "obook": ("obook", ObookPeer),
    "orderly-chaos": ("orderly_chaos", OrderlyChaosPeer),
}


def installed_peers() -> dict[str, Callable[[], Peer]]:
    """Return the makers of those peers that can be imported here."""
    return {name: make for name, (module, make) in PEERS.items() if find_spec(module)}
