"""Mapping of what an exchange said about its orders to the commands that led to it.

The rules are general ones: none names an order, and none looks at the exchange's trades, which
are only for comparing afterwards. docs/replay.md gives each rule with its evidence.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, Flag, OrderType, Side, TimeInForce
from cluster.tools.replay.capture import OrderEvent


@dataclass(frozen=True, slots=True)
class Flow:
    """Commands in log order, with the exchange's ids and clock.

    `commands` (`COMMAND_DTYPE`) carry the exchange's order ids and no command id, user or time;
    `time_ms` is the exchange's clock for each. The first `seeds` of them are the book at the
    start. `stale` and `outside` count orders left out: snapshot rows that the later flow
    contradicts, and orders beyond the market's limits.
    """

    commands: RecordArray
    time_ms: np.ndarray[tuple[int], np.dtype[np.int64]]
    seeds: int
    stale: int
    outside: int


def map_events(events: list[OrderEvent], market: Market) -> Flow:
    """Return the commands of a capture whose first instant is a snapshot of the book."""
    return _FlowMapper(events, market).flow()


class _FlowMapper:
    def __init__(self, events: list[OrderEvent], market: Market) -> None:
        self._events = events
        self._market = market
        self._lives: dict[int, list[OrderEvent]] = defaultdict(list)
        for event in events:
            self._lives[event.order_id].append(event)
        self._start_ms = events[0].time_ms if events else 0
        self._end_ms = events[-1].time_ms if events else 0
        self._remaining: dict[int, int] = {}
        self._placed: set[int] = set()
        self._rows: list[tuple[int, ...]] = []
        self._times: list[int] = []
        self._outside = 0

    def flow(self) -> Flow:
        stale = self._stale_seeds()
        seeds = 0
        for number, event in enumerate(self._events):
            if event.action == "created":
                if event.order_id not in stale:
                    self._create(number, event)
            elif event.action == "deleted" and event.quantity_lots > 0:
                self._cancel(event)
            self._remaining[event.order_id] = event.quantity_lots
            if event.time_ms == self._start_ms:
                seeds = len(self._rows)
        return Flow(
            commands=self._commands(),
            time_ms=np.array(self._times, np.int64),
            seeds=seeds,
            stale=len(stale),
            outside=self._outside,
        )

    def _is_seed(self, event: OrderEvent) -> bool:
        return event.time_ms == self._start_ms

    def _stale_seeds(self) -> set[int]:
        """Find snapshot rows that were gone already: never heard of again, and contradicted.

        A later order rested, unfilled, at or beyond their price on the other side.
        """
        highest_bid, lowest_ask = 0, self._market.max_price_ticks + 1
        for life in self._lives.values():
            if not self._is_seed(life[0]) and _rested(life):
                if life[0].side == Side.BUY:
                    highest_bid = max(highest_bid, life[0].price_ticks)
                else:
                    lowest_ask = min(lowest_ask, life[0].price_ticks)
        return {
            order_id
            for order_id, life in self._lives.items()
            if self._is_seed(life[0])
            and all(event.time_ms == self._end_ms for event in life[1:])
            and (
                life[0].price_ticks <= highest_bid
                if life[0].side == Side.SELL
                else life[0].price_ticks >= lowest_ask
            )
        }

    def _create(self, number: int, event: OrderEvent) -> None:
        seed = self._is_seed(event)
        if not seed and self._is_market(event):
            self._market_order(number, event)
        elif self._within_limits(event):
            vanished = not seed and _vanished(self._lives[event.order_id])
            self._place(event, post_only=vanished)
        else:
            self._outside += 1

    def _is_market(self, event: OrderEvent) -> bool:
        if event.side == Side.SELL:
            return event.price_ticks == 0
        return event.price_ticks > self._market.max_price_ticks

    def _market_order(self, number: int, event: OrderEvent) -> None:
        if event.quantity_lots > 0:
            self._place(event, market=True)
            return
        quote_units = self._lost_to(number, event)
        if quote_units > 0:
            self._place(event, market=True, quote_units=quote_units)
        else:
            self._outside += 1

    def _lost_to(self, number: int, taker: OrderEvent) -> int:
        """Sum what the other side's orders lost in the taker's millisecond: its quote amount."""
        lost = 0
        for event in self._events[number + 1 :]:
            if event.time_ms != taker.time_ms or (
                event.order_id == taker.order_id and event.action == "deleted"
            ):
                break
            if event.side != taker.side and event.action != "created":
                before = self._remaining.get(event.order_id, event.quantity_lots)
                lost += (before - event.quantity_lots) * event.price_ticks
        return lost

    def _within_limits(self, event: OrderEvent) -> bool:
        market = self._market
        return (
            1 <= event.price_ticks <= market.max_price_ticks
            and 1 <= event.quantity_lots <= market.max_quantity_lots
            and event.price_ticks * event.quantity_lots >= market.min_notional_units
        )

    def _place(
        self,
        event: OrderEvent,
        *,
        post_only: bool = False,
        market: bool = False,
        quote_units: int = 0,
    ) -> None:
        self._placed.add(event.order_id)
        self._times.append(event.time_ms)
        self._rows.append(
            (
                CommandKind.PLACE,
                event.side,
                OrderType.MARKET if market else OrderType.LIMIT,
                TimeInForce.IOC if market else TimeInForce.GTC,
                Flag.POST_ONLY if post_only else 0,
                event.order_id,
                0 if market else event.price_ticks,
                0 if quote_units else event.quantity_lots,
                quote_units,
            )
        )

    def _cancel(self, event: OrderEvent) -> None:
        if event.order_id in self._placed:
            self._times.append(event.time_ms)
            self._rows.append((CommandKind.CANCEL, 0, 0, 0, 0, event.order_id, 0, 0, 0))

    def _commands(self) -> RecordArray:
        commands = np.zeros(len(self._rows), COMMAND_DTYPE)
        if self._rows:
            columns = np.array(self._rows, np.int64).T
            for name, column in zip(_COLUMNS, columns, strict=True):
                commands[name] = column
        return commands


_COLUMNS = (
    "kind",
    "side",
    "order_type",
    "time_in_force",
    "flags",
    "order_id",
    "price_ticks",
    "quantity_lots",
    "quote_units",
)


def _vanished(life: list[OrderEvent]) -> bool:
    """Say whether an order was refused as it came: post-only, and it would have crossed."""
    return (
        len(life) == 2
        and life[1].action == "deleted"
        and life[1].time_ms == life[0].time_ms
        and life[1].quantity_lots == life[0].quantity_lots
    )


def _rested(life: list[OrderEvent]) -> bool:
    """Say whether an order stood in the book, untouched, beyond the millisecond of its coming."""
    return (
        len(life) > 1
        and life[0].action == "created"
        and life[1].time_ms > life[0].time_ms
        and life[1].quantity_lots == life[0].quantity_lots
    )
