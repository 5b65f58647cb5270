"""What the candle actor answers besides candles; units as in `actors.platform.messages`."""

import msgspec

from actors.follow.status import FollowerStatus
from actors.platform.messages import Candle


class Ticker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One market's last 24 hours.

    `open_ticks` is the price that held when they began: the last close before them, or the first
    trade's price where there was none. Without a trade in them, high, low and open are the last
    price and the sums are 0.
    """

    market_id: int
    last_ticks: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    volume_lots: int
    notional: int
    trade_count: int
    last_sequence: int

    @property
    def change_ticks(self) -> int:
        return self.last_ticks - self.open_ticks


class LiveCandle(msgspec.Struct, frozen=True, gc=False):
    """The newest second with a trade and the window that holds it, both of one moment.

    Who follows the seconds from here on can keep this window and all later ones without asking
    again: book time never goes back, so no older window changes.
    """

    window: Candle
    second: Candle


class IndicatorSeries(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Indicators at candles, oldest first; all lists are as long as `times_s` (open times).

    `prices` are in ticks and not whole, `numbers` have no unit; None where a window is not full.
    """

    times_s: list[int]
    prices: dict[str, list[float | None]]
    numbers: dict[str, list[float | None]]


class CandlesStatus(FollowerStatus, frozen=True, kw_only=True):
    """How the candle actor stands.

    `missing_trades` counts the trade ids that the log skipped, `seconds_held` the candles in
    memory by market.
    """

    trades: int
    missing_trades: int
    candles_written: int
    seconds_held: dict[int, int]
