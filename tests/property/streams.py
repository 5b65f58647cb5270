"""Seeded streams of commands that visit every kind, every order type and every refusal."""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actors.book.market import Market
from actors.book.records import CLIENT_ORDER_ID_WORDS, COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, Flag, OrderType, TimeInForce

START_US = 1_700_000_000_000_000
INT64 = np.iinfo(np.int64)

KINDS = {
    CommandKind.PLACE: 0.60,
    CommandKind.CANCEL: 0.19,
    CommandKind.AMEND: 0.15,
    CommandKind.CANCEL_ALL: 0.01,
    CommandKind.HALT: 0.002,
    CommandKind.RESUME: 0.02,
    CommandKind.CLOCK: 0.02,
    CommandKind.FENCE: 0.004,
    CommandKind.MALFORMED: 0.004,
    99: 0.004,
}
ORDERS = [
    (OrderType.LIMIT, TimeInForce.GTC, 0.50),
    (OrderType.LIMIT, TimeInForce.GTD, 0.18),
    (OrderType.LIMIT, TimeInForce.IOC, 0.08),
    (OrderType.LIMIT, TimeInForce.FOK, 0.08),
    (OrderType.MARKET, TimeInForce.IOC, 0.11),
    (OrderType.MARKET, TimeInForce.FOK, 0.05),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Arena:
    """A market and the corner of it in which a stream plays."""

    market: Market
    mid_ticks: int
    spread_ticks: int
    lots: int
    users: int = 6
    client_ids: int = 400


def _market(**limits: int) -> Market:
    settings = {
        "market_id": 7,
        "min_notional_units": 300,
        "max_price_ticks": 1_000_000,
        "max_quantity_lots": 10_000,
        "protection_bps": 700,
        "client_id_memory": 60,
    }
    return Market(pair="TEST-USD", tick_size="0.01", lot_size="0.0001", **(settings | limits))


ARENAS = {
    "crowded": Arena(market=_market(), mid_ticks=100, spread_ticks=6, lots=40),
    "scattered": Arena(market=_market(), mid_ticks=5_000, spread_ticks=2_000, lots=60, users=12),
    "at the floor": Arena(
        market=_market(min_notional_units=0, protection_bps=10_000, client_id_memory=1),
        mid_ticks=5,
        spread_ticks=5,
        lots=3,
        users=3,
    ),
    "at the ceiling": Arena(
        market=_market(max_price_ticks=2**44, max_quantity_lots=2**18, min_notional_units=2**40),
        mid_ticks=2**44 - 30,
        spread_ticks=40,
        lots=2**18 - 1,
    ),
}


def stream(arena: Arena, *, seed: int, count: int) -> RecordArray:
    """Return `count` commands (`COMMAND_DTYPE`), the same for the same arguments."""
    name = zlib.crc32(repr(arena).encode())
    random = np.random.default_rng([seed, name])
    commands = np.zeros(count, COMMAND_DTYPE)
    commands["kind"] = random.choice(list(KINDS), count, p=_normal(list(KINDS.values())))
    commands["command_id"] = np.arange(1, count + 1)
    steps = random.choice([0, 1, 3, 40, -30, 900], count, p=[0.5, 0.3, 0.1, 0.06, 0.03, 0.01])
    commands["time_us"] = START_US + np.cumsum(np.maximum(steps, 0)) + np.minimum(steps, 0)
    _draw_ids(random, commands, arena)
    _draw_orders(random, commands, arena)
    _draw_amends(random, commands)
    _draw_budgets(random, commands)
    _draw_stamps(random, commands)
    _spoil(random, commands, arena.market)
    return commands


def _normal(weights: list[float]) -> npt.NDArray[np.float64]:
    total = sum(weights)
    return np.array([weight / total for weight in weights])


def _draw_ids(random: np.random.Generator, commands: RecordArray, arena: Arena) -> None:
    """Number the orders as they come; cancels and amends mean one of the latest few hundred."""
    count = len(commands)
    is_place = commands["kind"] == CommandKind.PLACE
    born = np.cumsum(is_place)
    back = random.geometric(random.choice([0.3, 0.03, 0.003], count)) - 1
    number = np.where(is_place & (random.random(count) > 0.02), born, np.maximum(born - back, 1))
    base, stride = int(random.integers(0, 2**61)), int(random.choice([1, 4096, 7919]))
    commands["order_id"] = 1 + base + stride * number
    owners = random.integers(1, arena.users, count + 1, endpoint=True)
    other = random.integers(-1, arena.users, count, endpoint=True)
    shares = random.random(count)
    user = np.where(shares < 0.9, owners[number], np.where(shares < 0.95, 0, other))
    commands["user_id"] = np.where(is_place & (shares < 0.995), owners[born], user)


def _draw_orders(random: np.random.Generator, commands: RecordArray, arena: Arena) -> None:
    count = len(commands)
    drawn = random.choice(len(ORDERS), count, p=_normal([share for *_, share in ORDERS]))
    order_type = np.array([kind for kind, _, _ in ORDERS])[drawn]
    commands["order_type"] = order_type
    commands["time_in_force"] = np.array([tif for _, tif, _ in ORDERS])[drawn]
    commands["side"] = random.integers(1, 3, count)
    commands["self_trade_prevention"] = random.choice(5, count, p=[0.4, 0.15, 0.15, 0.15, 0.15])
    aside = random.normal(0, arena.spread_ticks / 2, count).astype(np.int64)
    lean = np.where(commands["side"] == 1, -1, 1) * (arena.spread_ticks // 3)
    price = np.maximum(arena.mid_ticks + aside + lean, 1)
    quantity = random.integers(1, arena.lots, count, endpoint=True)
    is_limit = order_type == OrderType.LIMIT
    by_quote = ~is_limit & (commands["time_in_force"] == 2) & (random.random(count) < 0.6)
    commands["price_ticks"] = np.where(is_limit, price, 0)
    commands["quantity_lots"] = np.where(by_quote, 0, quantity)
    quote = np.maximum(price * quantity - random.integers(0, 2 * arena.mid_ticks, count), 1)
    commands["quote_units"] = np.where(by_quote, quote, 0)
    commands["expires_us"] = commands["time_us"] + random.integers(-3, 400, count)
    post_only = is_limit & np.isin(commands["time_in_force"], (1, 4)) & (random.random(count) < 0.2)
    noise = random.choice([0, int(Flag.LAST | Flag.NEW), 0xF8], count, p=[0.9, 0.05, 0.05])
    commands["flags"] = post_only * int(Flag.POST_ONLY) | noise
    has_id = random.random(count) < 0.4
    texts = random.integers(INT64.min, INT64.max, (arena.client_ids, CLIENT_ORDER_ID_WORDS))
    client_ids = texts[random.integers(0, arena.client_ids, count)]
    commands["client_order_id"] = np.where(has_id[:, None], client_ids, 0)
    commands["reserved"] = random.integers(0, 2**16, count)
    commands["key_id"] = random.integers(INT64.min, INT64.max, count)
    commands["spare"] = random.integers(INT64.min, INT64.max, (count, 2))


def _draw_amends(random: np.random.Generator, commands: RecordArray) -> None:
    """Make a third of the amends keep the price, a third the quantity."""
    amend = commands["kind"] == CommandKind.AMEND
    share = random.random(len(commands))
    commands["price_ticks"][amend & (share < 0.33)] = 0
    commands["quantity_lots"][amend & (share > 0.67)] = 0
    every_side = (commands["kind"] == CommandKind.CANCEL_ALL) & (share < 0.5)
    commands["side"][every_side] = 0


def _draw_budgets(random: np.random.Generator, commands: RecordArray) -> None:
    """Give half of the market orders that may have one a budget, from far too little to plenty."""
    by_quote = commands["quote_units"] != 0
    may = (commands["order_type"] == OrderType.MARKET) & (by_quote == (commands["side"] == 2))
    has = may & (random.random(len(commands)) < 0.5)
    # The amounts of the order before have the right size, and nothing to do with this one.
    money, lots = (np.roll(commands[name], 1) for name in ("quote_units", "quantity_lots"))
    usual = np.where(by_quote, np.abs(lots), np.abs(money))
    budget = np.maximum(usual // random.choice([1, 1, 3, 50], len(commands)), 1)
    commands["budget"] = np.where(has, budget, 0)


def _draw_stamps(random: np.random.Generator, commands: RecordArray) -> None:
    """Stamp commands with shards whose generations grow with the fences; some come too late."""
    count = len(commands)
    commands["shard"] = random.choice([0, 1, 2, 65_535], count, p=[0.4, 0.3, 0.29, 0.01])
    late = random.choice([0, 1, 3], count, p=[0.95, 0.04, 0.01])
    newest = 1 + np.cumsum(commands["kind"] == CommandKind.FENCE)
    commands["generation"] = np.maximum(newest - late, 0)
    commands["maker_fee"] = random.choice([-100, 0, 1_000, 100_000], count)
    commands["taker_fee"] = random.choice([100, 1_000, 100_000], count)


def _spoil(random: np.random.Generator, commands: RecordArray, market: Market) -> None:
    """Put values at and beyond the ends of their ranges into a few commands."""
    ends = {
        "price_ticks": [0, -1, 1, market.max_price_ticks, market.max_price_ticks + 1],
        "quantity_lots": [0, -1, market.max_quantity_lots, market.max_quantity_lots + 1],
        "quote_units": [-1, market.max_notional_units, 5, 17],
        "expires_us": [0, -1, START_US],
        "order_id": [0, -1],
        "budget": [-1, 1],
        "trigger_ticks": [1],
        "display_lots": [1],
        "list_id": [1],
    }
    for field, values in ends.items():
        hit = np.flatnonzero(random.random(len(commands)) < 0.002)
        commands[field][hit] = random.choice([*values, INT64.min, INT64.max], len(hit))
    for field in ("side", "order_type", "time_in_force", "self_trade_prevention"):
        hit = np.flatnonzero(random.random(len(commands)) < 0.001)
        commands[field][hit] = random.choice([0, 3, 5, 255], len(hit))
    hit = np.flatnonzero(random.random(len(commands)) < 0.002)
    commands["flags"][hit] |= int(Flag.POST_ONLY)
    for field, values in {
        "maker_fee": [-101, 100_001, -(2**31), 2**31 - 1],
        "taker_fee": [-1, 99, 100_001, -(2**31), 2**31 - 1],
        "trail_bps": [1, 2**32 - 1],
        "trigger": [1, 255],
        "leg": [1, 255],
        "generation": [0, -1, INT64.min],
    }.items():
        hit = np.flatnonzero(random.random(len(commands)) < 0.001)
        commands[field][hit] = random.choice(values, len(hit))
