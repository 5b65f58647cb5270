"""Warm-up of the kernel's cache: `python -m actors.book.warm`, once per installation."""

import numpy as np

from actors.book.compiled import CompiledBook
from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE
from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce

_ORDERS = 64


def warm() -> None:
    """Call every entry of the kernel once, so that a later process finds it compiled."""
    market = Market(
        market_id=1,
        pair="WARM-UP",
        tick_size="1",
        lot_size="1",
        min_notional_units=0,
        max_price_ticks=1_000,
        max_quantity_lots=1_000,
    )
    commands = np.zeros(_ORDERS, COMMAND_DTYPE)
    commands["kind"] = CommandKind.PLACE
    commands["side"] = Side.BUY
    commands["order_type"] = OrderType.LIMIT
    commands["time_in_force"] = TimeInForce.GTC
    commands["order_id"] = commands["user_id"] = np.arange(1, _ORDERS + 1)
    commands["price_ticks"] = commands["quantity_lots"] = 1
    book = CompiledBook(market, initial_orders=2)
    book.apply(commands)
    book.depth(1)
    book.orders(1)
    CompiledBook.restore(market, book.snapshot()).state_hash()


if __name__ == "__main__":
    warm()
