"""Market of the bench's own making: what the hub would send of a busy one, step by step."""

import random
from bisect import insort
from datetime import UTC, datetime
from typing import Any

PAIR = "BTC-USD"
INTERVAL_S = 60
_LEVELS = 1_000
_MID_CENTS = 5_000_000
_STEP_CENTS = 50
_TRADES_KEPT = 1_000
_CANDLES = 500


class BusyMarket:
    """A book of 1,000 levels a side, its trades and its open candle; seeded."""

    def __init__(self, *, seed: int, now_s: float) -> None:
        self._random = random.Random(seed)
        self._lots = {
            side: {
                _MID_CENTS + sign * (level + 1) * _STEP_CENTS: self._draw_lots()
                for level in range(_LEVELS)
            }
            for side, sign in (("bids", -1), ("asks", 1))
        }
        self._prices = {side: sorted(lots) for side, lots in self._lots.items()}
        self._next_trade_id = 1
        self._next_order_id = 1
        self.update_id = 1
        self.sequence = 1
        self.trades: list[dict[str, Any]] = []
        self.candles = self._history(int(now_s))

    def book(self, depth: int) -> dict[str, Any]:
        """Return the answer of `/market/{pair}/orderbook`."""
        return {
            "tradingPair": PAIR,
            "sequence": self.sequence,
            "updateId": self.update_id,
            "updatedAt": _moment(datetime.now(UTC).timestamp()),
            "bids": [self._row("bids", price) for price in self._prices["bids"][: -depth - 1 : -1]],
            "asks": [self._row("asks", price) for price in self._prices["asks"][:depth]],
        }

    def rest(self) -> list[tuple[str, dict[str, Any]]]:
        """Let one order come or go; return the events: the order, and the level that changed."""
        side = self._random.choice(("bids", "asks"))
        prices = self._prices[side]
        away = min(int(self._random.paretovariate(1.0)) - 1, _LEVELS - 1)
        price = prices[-1 - away] if side == "bids" else prices[away]
        self._lots[side][price] = lots = self._draw_lots()
        order = self._order("BUY" if side == "bids" else "SELL", price, lots, "OPEN")
        return [("order_update", order), ("orderbook_update", self._changed({side: [price]}))]

    def trade(self, now_s: float) -> list[tuple[str, dict[str, Any]]]:
        """Let an order take half of the best level or all of it; return the events of it.

        A level that is gone is replaced behind the others, and one opens where the taker came from.
        """
        taker = self._random.choice(("BUY", "SELL"))
        side, other = ("asks", "bids") if taker == "BUY" else ("bids", "asks")
        price = self._prices[side][0 if side == "asks" else -1]
        there = self._lots[side][price]
        taken = there if self._random.random() < 0.5 else max(there // 2, 1)
        changed: dict[str, list[int]] = {side: [price]}
        self._lots[side][price] = there - taken
        if taken == there:
            changed = self._shift(side, other, price)
        trade = self._trade(taker, price, taken, now_s)
        self._take_candle(price, taken, now_s)
        maker = self._order("SELL" if taker == "BUY" else "BUY", price, taken, "FILLED")
        return [
            ("new_trade", trade),
            ("order_update", maker),
            ("order_update", self._order(taker, price, taken, "FILLED")),
            ("orderbook_update", self._changed(changed)),
        ]

    def candle(self) -> tuple[str, dict[str, Any]]:
        """Return the event of the open candle."""
        more = {"tradingPair": PAIR, "interval": "1m", "sequence": self.sequence}
        return ("candle_update", self.candles[-1] | more)

    def _shift(self, side: str, other: str, price: int) -> dict[str, list[int]]:
        far, near = (-1, 0) if side == "asks" else (0, -1)
        sign = 1 if side == "asks" else -1
        self._remove(side, price)
        behind = self._prices[side][far] + sign * _STEP_CENTS
        self._add(side, behind)
        opened = self._prices[side][near] - sign * _STEP_CENTS
        self._add(other, opened)
        dropped = self._prices[other][0 if other == "bids" else -1]
        self._remove(other, dropped)
        return {side: [price, behind], other: [opened, dropped]}

    def _add(self, side: str, price: int) -> None:
        self._lots[side][price] = self._draw_lots()
        insort(self._prices[side], price)

    def _remove(self, side: str, price: int) -> None:
        del self._lots[side][price]
        self._prices[side].remove(price)

    def _changed(self, prices: dict[str, list[int]]) -> dict[str, Any]:
        self.update_id += 1
        self.sequence += 1
        return {
            "tradingPair": PAIR,
            "sequence": self.sequence,
            "firstUpdateId": self.update_id,
            "lastUpdateId": self.update_id,
            "bids": [self._level("bids", price) for price in prices.get("bids", ())],
            "asks": [self._level("asks", price) for price in prices.get("asks", ())],
        }

    def _level(self, side: str, price: int) -> dict[str, Any]:
        lots = self._lots[side].get(price, 0)
        return {
            "price": _money(price),
            "quantity": _amount(lots),
            "filledQuantity": "0",
            "orders": 1 if lots else 0,
        }

    def _row(self, side: str, price: int) -> dict[str, Any]:
        return self._level(side, price) | {"status": "OPEN"}

    def _order(self, side: str, price: int, lots: int, status: str) -> dict[str, Any]:
        self.sequence += 1
        order_id = self._next_order_id
        self._next_order_id += 1
        now = _moment(datetime.now(UTC).timestamp())
        filled = status == "FILLED"
        return {
            "id": str(order_id),
            "clientOrderId": None,
            "userId": 1_000_000,
            "tradingPair": PAIR,
            "type": side,
            "orderType": "LIMIT",
            "timeInForce": "GTC",
            "postOnly": False,
            "selfTradePrevention": "NONE",
            "status": status,
            "price": _money(price),
            "quantity": _amount(lots),
            "quoteQuantity": None,
            "filledQuantity": _amount(lots if filled else 0),
            "averagePrice": _money(price) if filled else None,
            "expiresAt": None,
            "createdAt": now,
            "updatedAt": now,
            "sequence": self.sequence,
            "reason": None,
        }

    def _trade(self, taker: str, price: int, lots: int, now_s: float) -> dict[str, Any]:
        self.sequence += 1
        trade = {
            "id": str(self._next_trade_id),
            "tradingPair": PAIR,
            "price": _money(price),
            "quantity": _amount(lots),
            "buyOrderId": str(self._next_order_id),
            "sellOrderId": str(self._next_order_id + 1),
            "aggressorType": taker,
            "createdAt": _moment(now_s),
            "sequence": self.sequence,
        }
        self._next_trade_id += 1
        self.trades.insert(0, trade)
        del self.trades[_TRADES_KEPT:]
        return trade

    def _take_candle(self, price: int, lots: int, now_s: float) -> None:
        opened_s = int(now_s) // INTERVAL_S * INTERVAL_S
        open_now = self.candles[-1]
        text = _money(price)
        if open_now["time"] < opened_s:
            del self.candles[0]
            self.candles.append(_candle(opened_s, text, text, text, text, _amount(lots)))
            return
        open_now["close"] = text
        open_now["high"] = max(open_now["high"], text, key=float)
        open_now["low"] = min(open_now["low"], text, key=float)
        open_now["volume"] = f"{float(open_now['volume']) + lots / 1_000:.3f}"

    def _history(self, now_s: int) -> list[dict[str, Any]]:
        price, candles = _MID_CENTS, []
        newest = now_s // INTERVAL_S * INTERVAL_S
        for back in range(_CANDLES):
            moved = self._random.randint(-1_500, 1_500)
            edge = self._random.randint(0, 800)
            low, high = sorted((price, price + moved))
            first, highest, lowest, last = map(
                _money, (price + moved, high + edge, low - edge, price)
            )
            amount = _amount(self._draw_lots() * 20)
            opened_s = newest - back * INTERVAL_S
            candles.append(_candle(opened_s, first, highest, lowest, last, amount))
            price += moved
        return candles[::-1]

    def _draw_lots(self) -> int:
        return 1 + int(self._random.lognormvariate(6.0, 1.0))


def _candle(
    opened_s: int, open_: str, high: str, low: str, close: str, volume: str
) -> dict[str, Any]:
    return {
        "time": opened_s, "open": open_, "high": high, "low": low, "close": close, "volume": volume,
    }  # fmt: skip


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _amount(lots: int) -> str:
    return f"{lots / 1_000:.3f}"


def _moment(now_s: float) -> str:
    return (
        datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
