"""Messages that processes hand each other through Redis, and the rows that they share.

Prices are ticks and quantities lots; the edge turns them into decimals. Level rows are
`(price_ticks, quantity_lots, filled_lots, order_count)`.
"""

import msgspec

LevelRow = tuple[int, int, int, int]


class DepthSnapshot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The top of a book, best first on both sides, as it stood at `sequence` and `update_id`."""

    market_id: int
    sequence: int
    update_id: int
    time_us: int
    halted: bool
    bids: list[LevelRow]
    asks: list[LevelRow]


class DepthChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Levels that changed between two update ids; quantity 0 means that the level is gone.

    It covers the ids after `previous_update_id` up to `last_update_id`.
    """

    market_id: int
    sequence: int
    previous_update_id: int
    last_update_id: int
    bids: list[LevelRow]
    asks: list[LevelRow]


class Candle(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One window of one market; `volume_lots` is 0 where the last close was carried."""

    market_id: int
    open_time_s: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    notional: int
    trade_count: int
    last_sequence: int


class PairLag(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One pair as its router saw it within the last second: the values of the hash `LAG_KEY`.

    `records_behind` is how many records of `orders.new` the pair has not applied yet and
    `commands_behind` the estimate of the commands in them, by the mean size of recent records.
    Rates are per second over the last interval; `total_commands` counts since the router started.
    `available` is false while the pair's actor does not answer. `apply_seconds` is the mean time of
    the last interval's ranges, from call to answer; `recovery_seconds` how long the last recovery
    took; `declined` counts commands rejected or refused, by reason, since the router started.
    """

    market_id: int
    updated_us: int
    available: bool
    next_offset: int
    end_offset: int
    records_behind: int
    commands_behind: int
    commands_per_second: float
    trades_per_second: float
    total_commands: int
    total_trades: int
    sequence: int
    open_orders: int
    last_price_ticks: int
    halted: bool
    apply_seconds: float = 0.0
    ranges_in_flight: int = 0
    recoveries: int = 0
    recovery_seconds: float = 0.0
    declined: dict[int, int] = {}


class HubMetrics(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The hub within the last second: the value of `HUB_KEY`."""

    clients: int
    cut_clients: int
