"""Order flow that looks like a market's: seeded, the same array for the same arguments.

One order in time after another is drawn; what later happens to it (an amend, a cancel) is drawn
with it and sorted into the stream by its own time.

- The mid walks: normal steps, one an order, scaled so that highest less lowest is `swing` times
  the first mid. `swing` 0 keeps it fixed.
- Buy or sell is a fair coin, users are drawn evenly from 1 to `users`.
- A resting order (LIMIT, GTC) stands `1 + unit x (u ** (-1 / exponent) - 1)` ticks from the mid on
  its own side, u even on the part of (0, 1] that keeps it within a fifth of the mid: a power law
  (Lomax) whose exponent of 0.6 is that of Bouchaud, Mezard and Potters, "Statistical properties
  of stock order books", 2002; the unit is in 1/10,000 of the mid of the time.
- `ioc` of the orders are LIMIT, IOC and reach as far beyond the mid, to the other side.
- Quantities are log-normal about `median_lots`, with sigma 1.
- Of the orders that are not IOC, `amended` are amended once and `cancelled` are cancelled, each
  after an exponential life of `life_commands` on average, whether they were filled by then or not
  (then it is refused, as it would be in life). Every second amend takes half of the quantity off
  and keeps the order's place, the others move the price to a new distance from the mid of the
  time.

With the default mix and half a million commands about 11,000 orders are open at the end where the
mid is fixed, and about 1,300 where it swings by 60 %.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce

Integers = npt.NDArray[np.int64]
FARTHEST = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Mix:
    """Shares and shapes of a flow; the module's docstring says what each does.

    `ioc` is a share of all orders, `amended` and `cancelled` are shares of the others.
    """

    ioc: float = 0.15
    amended: float = 0.20
    cancelled: float = 0.95
    life_commands: float = 8_000.0
    distance_exponent: float = 0.6
    distance_unit_bps: float = 10.0
    median_lots: float = 1_000.0

    @property
    def commands_per_order(self) -> float:
        return 1.0 + (1.0 - self.ioc) * (self.amended + self.cancelled)


DEFAULT_MIX = Mix()


def realistic_flow(
    *,
    count: int,
    seed: int,
    mid_ticks: int = 5_000_000,
    swing: float = 0.0,
    users: int = 1_000,
    max_quantity_lots: int = 1_000_000,
    first_order_id: int = 1,
    first_command_id: int = 1,
    start_us: int = 1_700_000_000_000_000,
    interval_us: int = 10,
    mix: Mix = DEFAULT_MIX,
) -> RecordArray:
    """Return `count` commands (`COMMAND_DTYPE`), `interval_us` microseconds apart.

    Order ids run from `first_order_id` without a gap in order of arrival, command ids from
    `first_command_id`. `swing` is a fraction of `mid_ticks` below 1.
    """
    random = np.random.default_rng(seed)
    orders = int((count + 2.0 * mix.life_commands) / mix.commands_per_order) + 64
    mids = _walk(random, orders, mid_ticks, swing)
    born = np.arange(orders) * mix.commands_per_order
    is_ioc = random.random(orders) < mix.ioc
    places = _places(random, mids, is_ioc, users, max_quantity_lots, mix)
    places["order_id"] = first_order_id + np.arange(orders)

    amended = np.flatnonzero(~is_ioc & (random.random(orders) < mix.amended))
    amended_at = born[amended] + random.exponential(mix.life_commands, len(amended))
    moment = np.minimum((amended_at / mix.commands_per_order).astype(np.int64), orders - 1)
    amends = _amends(random, places[amended], mids[moment], mix)

    cancelled = np.flatnonzero(~is_ioc & (random.random(orders) < mix.cancelled))
    cancelled_at = born[cancelled] + random.exponential(mix.life_commands, len(cancelled))
    cancels = _of_orders(CommandKind.CANCEL, places[cancelled])

    times = np.concatenate([born, amended_at, cancelled_at])
    stream = np.argsort(times, kind="stable")[:count]
    commands = np.concatenate([places, amends, cancels])[stream]
    commands["command_id"] = first_command_id + np.arange(count)
    commands["time_us"] = start_us + interval_us * np.arange(count)
    return commands


def _walk(random: np.random.Generator, steps: int, mid_ticks: int, swing: float) -> Integers:
    path = np.cumsum(random.standard_normal(steps))
    path -= path[0]
    scale = swing * mid_ticks / max(float(np.ptp(path)), 1e-9)
    mids: Integers = (mid_ticks + path * scale).astype(np.int64)
    return mids


def _distances(random: np.random.Generator, mids: Integers, mix: Mix) -> Integers:
    unit = mix.distance_unit_bps / 10_000
    rarest = (1.0 + FARTHEST / unit) ** -mix.distance_exponent
    evenly = random.uniform(rarest, 1.0, len(mids))
    fractions: npt.NDArray[np.float64] = unit * (evenly ** (-1.0 / mix.distance_exponent) - 1.0)
    return 1 + (fractions * mids).astype(np.int64)


def _places(
    random: np.random.Generator,
    mids: Integers,
    is_ioc: npt.NDArray[np.bool_],
    users: int,
    max_quantity_lots: int,
    mix: Mix,
) -> RecordArray:
    places = np.zeros(len(mids), COMMAND_DTYPE)
    is_buy = random.random(len(mids)) < 0.5
    below_mid = is_buy != is_ioc
    lots = mix.median_lots * np.exp(random.standard_normal(len(mids)))
    places["kind"] = CommandKind.PLACE
    places["side"] = np.where(is_buy, Side.BUY, Side.SELL)
    places["order_type"] = OrderType.LIMIT
    places["time_in_force"] = np.where(is_ioc, TimeInForce.IOC, TimeInForce.GTC)
    places["user_id"] = random.integers(1, users, len(mids), endpoint=True)
    places["price_ticks"] = _beside(mids, _distances(random, mids, mix), below_mid)
    places["quantity_lots"] = np.clip(lots, 1, max_quantity_lots)
    return places


def _amends(
    random: np.random.Generator, places: RecordArray, mids: Integers, mix: Mix
) -> RecordArray:
    amends = _of_orders(CommandKind.AMEND, places)
    moves = np.arange(len(amends)) % 2 == 1
    prices = _beside(mids, _distances(random, mids, mix), places["side"] == Side.BUY)
    amends["price_ticks"] = np.where(moves, prices, 0)
    amends["quantity_lots"] = np.where(moves, 0, np.maximum(places["quantity_lots"] // 2, 1))
    return amends


def _of_orders(kind: CommandKind, places: RecordArray) -> RecordArray:
    commands = np.zeros(len(places), COMMAND_DTYPE)
    commands["kind"] = kind
    for field in ("order_id", "user_id"):
        commands[field] = places[field]
    return commands


def _beside(mids: Integers, distances: Integers, below: npt.NDArray[np.bool_]) -> Integers:
    return np.where(below, mids - distances, mids + distances)
