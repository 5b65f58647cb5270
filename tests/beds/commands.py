"""Commands as tests write them: one line an order."""

import numpy as np

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce

START_US = 1_700_000_000_000_000


def market(market_id: int = 1, *, pair: str | None = None) -> Market:
    """Return a market with wide limits."""
    return Market(
        market_id=market_id,
        pair=pair or f"T{market_id}-USD",
        tick_size="0.01",
        lot_size="0.0001",
        min_notional_units=1,
        max_price_ticks=10_000_000,
        max_quantity_lots=10_000_000,
        client_id_memory=1_000,
    )


def place(
    order_id: int,
    side: Side,
    *,
    price_ticks: int,
    quantity_lots: int,
    user_id: int = 1,
    time_us: int = START_US,
    expires_us: int = 0,
) -> RecordArray:
    """Return a limit order: GTC, or GTD where it has an expiry."""
    command = np.zeros(1, COMMAND_DTYPE)
    command["kind"] = CommandKind.PLACE
    command["side"] = side
    command["order_type"] = OrderType.LIMIT
    command["time_in_force"] = TimeInForce.GTD if expires_us else TimeInForce.GTC
    command["command_id"] = command["order_id"] = order_id
    command["user_id"] = user_id
    command["price_ticks"] = price_ticks
    command["quantity_lots"] = quantity_lots
    command["time_us"] = time_us
    command["expires_us"] = expires_us
    return command


def flow(count: int, *, first_order_id: int = 1, seed: int = 7) -> RecordArray:
    """Return `count` limit orders around one price, most of which trade."""
    random = np.random.default_rng(seed)
    commands = np.zeros(count, COMMAND_DTYPE)
    commands["kind"] = CommandKind.PLACE
    commands["side"] = random.integers(1, 3, count)
    commands["order_type"] = OrderType.LIMIT
    commands["time_in_force"] = TimeInForce.GTC
    commands["order_id"] = commands["command_id"] = np.arange(count) + first_order_id
    commands["user_id"] = random.integers(1, 5, count)
    commands["price_ticks"] = 10_000 + random.integers(-20, 21, count)
    commands["quantity_lots"] = random.integers(1, 100, count)
    commands["time_us"] = START_US + np.arange(count)
    return commands
