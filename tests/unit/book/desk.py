"""A desk that sends single commands to a book and reads its answers, for tests of the rules."""

from typing import Any

import numpy as np

from actors.book.contract import Book
from actors.book.market import Market
from actors.book.reasons import Reason
from actors.book.records import COMMAND_DTYPE, encode_client_order_id
from actors.book.vocabulary import (
    CommandKind,
    EventKind,
    Flag,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)

Fields = dict[str, Any]


def market(**changes: int) -> Market:
    """Return a market without a minimum, with room for prices to 10,000 and 1,000 lots."""
    limits = {
        "min_notional_units": 0,
        "max_price_ticks": 10_000,
        "max_quantity_lots": 1_000,
        "protection_bps": 1_000,
        "client_id_memory": 2,
    }
    settings = limits | changes
    return Market(market_id=3, pair="A-USD", tick_size="0.01", lot_size="0.1", **settings)


class Desk:
    """Sends commands one at a time; ids count up, user 1 speaks unless told otherwise."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.events: list[Fields] = []
        self._commands = 0

    def send(self, kind: int, **fields: Any) -> list[Fields]:
        """Apply one command and return its events as dicts of the fields that are not 0."""
        self._commands += 1
        row = np.zeros(1, COMMAND_DTYPE)
        row["kind"] = kind
        row["command_id"] = self._commands
        row["user_id"] = 1
        for name, value in fields.items():
            row[name] = encode_client_order_id(value) if name == "client_order_id" else value
        rows = self.book.apply(row).events
        names = rows.dtype.names or ()
        self.events = [
            {name: value for name, value in zip(names, event, strict=True) if np.any(value)}
            for event in rows.tolist()
        ]
        return self.events

    def limit(self, order_id: int, side: Side, quantity: int, price: int, **more: Any) -> Fields:
        """Place a GTC limit order and return the last event."""
        fields = {"order_type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC} | more
        return self.send(
            CommandKind.PLACE,
            order_id=order_id,
            side=side,
            quantity_lots=quantity,
            price_ticks=price,
            **fields,
        )[-1]

    def buy(self, order_id: int, quantity: int, price: int, **more: Any) -> Fields:
        return self.limit(order_id, Side.BUY, quantity, price, **more)

    def sell(self, order_id: int, quantity: int, price: int, **more: Any) -> Fields:
        return self.limit(order_id, Side.SELL, quantity, price, **more)

    def at_market(self, order_id: int, side: Side, **more: Any) -> Fields:
        """Place an IOC market order and return the last event."""
        fields = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC} | more
        return self.send(CommandKind.PLACE, order_id=order_id, side=side, **fields)[-1]

    def cancel(self, order_id: int, **more: Any) -> Fields:
        return self.send(CommandKind.CANCEL, order_id=order_id, **more)[-1]

    def amend(self, order_id: int, **more: Any) -> Fields:
        return self.send(CommandKind.AMEND, order_id=order_id, **more)[-1]

    @property
    def trades(self) -> list[tuple[int, int, int]]:
        """The last command's trades as (maker's order id, lots, price)."""
        return [
            (event["order_id"], event["trade_lots"], event["price_ticks"])
            for event in self.events
            if event["kind"] == EventKind.TRADE
        ]

    def queue(self, side: Side) -> list[tuple[int, int, int]]:
        """Return one side's orders in priority as (order id, remaining, price)."""
        images = self.book.orders(1_000)[0 if side == Side.BUY else 1]
        return [
            (order_id, quantity - filled, price)
            for order_id, quantity, filled, price in images[
                ["order_id", "quantity_lots", "filled_lots", "price_ticks"]
            ].tolist()
        ]


def outcome(event: Fields) -> tuple[OrderStatus, Reason]:
    """Return an order image's status and reason."""
    return OrderStatus(event["status"]), Reason(event.get("reason", 0))


def refusal(event: Fields) -> Reason:
    """Return why a command was refused."""
    assert event["kind"] == EventKind.REFUSED
    assert event["flags"] == Flag.LAST
    return Reason(event["reason"])
