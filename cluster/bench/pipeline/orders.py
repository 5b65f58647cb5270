"""The orders of the pipeline's load: limit orders about a fixed mid, nothing else.

Side is a fair coin, the price lies evenly within 20 steps of the mid on either side, a step being
the larger of one tick and 1/10,000 of the mid, and the quantity evenly from 1 to 10 units of 0.01.
About half of the orders trade at once, the others rest until one of them comes.
"""

from decimal import Decimal

import msgspec
import numpy as np

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce
from actors.topology import Topology

_STEPS = 20
_MID = Decimal(1_000)
_UNIT = Decimal("0.01")


class OrderSource:
    """Draw orders for one market, as commands or as JSON bodies, from a seed."""

    def __init__(self, market: Market, *, seed: int, user_id: int) -> None:
        self.market = market
        self._random = np.random.default_rng([seed, market.market_id])
        self._user_id = user_id
        self._tick, self._lot = Decimal(market.tick_size), Decimal(market.lot_size)
        self._mid_ticks = int(_MID / self._tick)
        self._step_ticks = max(1, self._mid_ticks // 10_000)
        self._unit_lots = int(_UNIT / self._lot)

    def commands(self, count: int) -> RecordArray:
        """Return `count` PLACE commands without ids and times."""
        commands = np.zeros(count, COMMAND_DTYPE)
        commands["kind"] = CommandKind.PLACE
        commands["order_type"] = OrderType.LIMIT
        commands["time_in_force"] = TimeInForce.GTC
        commands["user_id"] = self._user_id
        sides, prices, lots = self._draw(count)
        commands["side"], commands["price_ticks"], commands["quantity_lots"] = sides, prices, lots
        return commands

    def bodies(self, count: int) -> list[dict[str, str | int]]:
        """Return `count` orders as the REST contract spells them."""
        sides, prices, lots = (column.tolist() for column in self._draw(count))
        return [
            {
                "tradingPair": self.market.pair,
                "type": Side(side).name,
                "price": str(price * self._tick),
                "quantity": str(quantity * self._lot),
                "userId": self._user_id,
            }
            for side, price, quantity in zip(sides, prices, lots, strict=True)
        ]

    def _draw(self, count: int) -> tuple[RecordArray, RecordArray, RecordArray]:
        sides = self._random.integers(Side.BUY, Side.SELL, count, endpoint=True)
        steps = self._random.integers(-_STEPS, _STEPS, count, endpoint=True)
        units = self._random.integers(1, 10, count, endpoint=True)
        return sides, self._mid_ticks + steps * self._step_ticks, units * self._unit_lots


def sources(topology: Topology, *, pairs: int, seed: int, user_id: int = 1) -> list[OrderSource]:
    """Return a source for each of the first `pairs` markets."""
    return [OrderSource(market, seed=seed, user_id=user_id) for market in list(topology)[:pairs]]


def encoded_singles(found: list[OrderSource], count: int) -> list[bytes]:
    """Return about `count` bodies of `POST /orders`, the markets in turn."""
    share = -(-count // len(found))
    columns = [[msgspec.json.encode(body) for body in source.bodies(share)] for source in found]
    return [body for row in zip(*columns, strict=True) for body in row]


def encoded_batches(found: list[OrderSource], *, size: int, count: int) -> list[bytes]:
    """Return `count` bodies of `POST /orders/batch` with `size` orders of all markets each."""
    share = -(-size // len(found))
    batches = []
    for _ in range(count):
        columns = [source.bodies(share) for source in found]
        orders = [body for row in zip(*columns, strict=True) for body in row][:size]
        batches.append(msgspec.json.encode({"orders": orders}))
    return batches
