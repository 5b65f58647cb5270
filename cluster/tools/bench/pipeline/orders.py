"""The orders of the pipeline's load: makers and takers about a fixed mid, a market in balance.

A fair coin says maker or taker, another buy or sell. A maker is a limit order, GTC, evenly 1 to 20
steps from the mid on its own side, a step being the larger of one tick and 1/10,000 of the mid, of
1 to 10 units of 0.01, evenly. A taker is a limit order, IOC, that reaches 20 steps beyond the mid,
of 1 to 12 units: takers want a little more than makers bring, so that the book stays small however
long the load lasts.
"""

from decimal import Decimal

import msgspec
import numpy as np

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce
from actors.platform.topology import Topology

_STEPS = 20
_MAKER_UNITS = 10
_TAKER_UNITS = 12
_MID = Decimal(1_000)
_UNIT = Decimal("0.01")
_COLUMNS = ("side", "time_in_force", "price_ticks", "quantity_lots")


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
        commands["user_id"] = self._user_id
        columns = self._draw(count)
        for name, column in zip(_COLUMNS, columns, strict=True):
            commands[name] = column
        return commands

    def bodies(self, count: int) -> list[dict[str, str | int]]:
        """Return `count` orders as the REST contract spells them."""
        columns = (column.tolist() for column in self._draw(count))
        return [
            {
                "tradingPair": self.market.pair,
                "type": Side(side).name,
                "price": str(price * self._tick),
                "quantity": str(quantity * self._lot),
                "timeInForce": TimeInForce(force).name,
                "userId": self._user_id,
            }
            for side, force, price, quantity in zip(*columns, strict=True)
        ]

    def _draw(self, count: int) -> tuple[RecordArray, ...]:
        """Return sides, times in force, prices and quantities."""
        buys = self._random.random(count) < 0.5
        takers = self._random.random(count) < 0.5
        steps = np.where(takers, _STEPS, self._random.integers(1, _STEPS, count, endpoint=True))
        units = self._random.integers(1, np.where(takers, _TAKER_UNITS, _MAKER_UNITS) + 1)
        below = buys != takers
        return (
            np.where(buys, Side.BUY, Side.SELL),
            np.where(takers, TimeInForce.IOC, TimeInForce.GTC),
            self._mid_ticks + np.where(below, -steps, steps) * self._step_ticks,
            units * self._unit_lots,
        )


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
