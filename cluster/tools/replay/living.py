"""A small market of its own making, for pairs of which no capture exists: seeded, as a `Flow`.

The flow is that of the book's bench, thinned to a few commands a second: a mid that wanders, orders
that gather about it, a share of takers. It begins with a book that stands beside the mid and trades
nothing.
"""

from decimal import Decimal

import numpy as np

from actors.book.market import Market
from actors.book.records import RecordArray
from actors.book.vocabulary import CommandKind, Side, TimeInForce
from cluster.tools.bench.flow import Mix, realistic_flow
from cluster.tools.replay.mapping import Flow

COMMANDS_PER_SECOND = 8
_MINUTES = 20
_SEED_COMMANDS = 2_000
_SWING = 0.02
_NOTIONAL = Decimal(500)
_LIFE_COMMANDS = 600.0
_DISTANCE_BPS = 4.0


def living_flow(market: Market, *, mid_ticks: int, seed: int) -> Flow:
    """Return about 20 minutes of a market, 8 commands a second on average, from a mid price.

    Orders are worth about 500 of the quote currency each.
    """
    price = mid_ticks * Decimal(market.tick_size)
    commands = realistic_flow(
        count=_SEED_COMMANDS + _MINUTES * 60 * COMMANDS_PER_SECOND,
        seed=seed,
        mid_ticks=mid_ticks,
        swing=_SWING,
        users=1,
        max_quantity_lots=market.max_quantity_lots,
        mix=Mix(
            life_commands=_LIFE_COMMANDS,
            distance_unit_bps=_DISTANCE_BPS,
            median_lots=max(1.0, float(_NOTIONAL / price / Decimal(market.lot_size))),
        ),
    )
    seeds = _standing(commands[:_SEED_COMMANDS], mid_ticks)
    rest = commands[_SEED_COMMANDS:]
    placed = rest["kind"] == CommandKind.PLACE
    known = np.concatenate([seeds["order_id"], rest["order_id"][placed]])
    rest = rest[np.isin(rest["order_id"], known)]
    waits_ms = np.random.default_rng(seed).exponential(1_000 / COMMANDS_PER_SECOND, len(rest))
    times_ms = np.concatenate([np.zeros(len(seeds)), np.cumsum(waits_ms)]).astype(np.int64)
    return Flow(
        commands=np.concatenate([seeds, rest]),
        time_ms=times_ms,
        seeds=len(seeds),
        stale=0,
        outside=0,
    )


def _standing(commands: RecordArray, mid_ticks: int) -> RecordArray:
    """Return the orders that would stand after the commands, each on its own side of the mid."""
    kinds, prices = commands["kind"], commands["price_ticks"]
    gone = commands["order_id"][kinds == CommandKind.CANCEL]
    beside = np.where(commands["side"] == Side.BUY, prices < mid_ticks, prices > mid_ticks)
    standing: RecordArray = commands[
        (kinds == CommandKind.PLACE)
        & (commands["time_in_force"] == TimeInForce.GTC)
        & ~np.isin(commands["order_id"], gone)
        & beside
    ]
    return standing
