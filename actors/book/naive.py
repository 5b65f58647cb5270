"""The naive book: docs/matching.md written down once more, slowly, to judge the compiled kernel."""

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from actors.book.contract import Applied
from actors.book.market import Market
from actors.book.naive_orders import NO_CLIENT_ORDER_ID, NaiveOrder, NaiveSide
from actors.book.naive_rules import amend_refusal, cancel_refusal, limit_of, place_refusal
from actors.book.naive_state import EventRow, NaiveState
from actors.book.reasons import Reason
from actors.book.records import EVENT_DTYPE, LEVEL_DTYPE, RecordArray
from actors.book.vocabulary import (
    CommandKind,
    EventKind,
    Flag,
    MarketStatus,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

RESTING = (TimeInForce.GTC, TimeInForce.GTD)
ENDED = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
_BLANK: dict[str, object] = {
    name: NO_CLIENT_ORDER_ID if name == "client_order_id" else 0 for name in EVENT_DTYPE.names or ()
}


class _Command(NamedTuple):
    """One row of `COMMAND_DTYPE` as Python integers."""

    kind: int
    side: int
    order_type: int
    time_in_force: int
    self_trade_prevention: int
    flags: int
    shard: int
    command_id: int
    order_id: int
    user_id: int
    price_ticks: int
    quantity_lots: int
    quote_units: int
    time_us: int
    expires_us: int
    client_order_id: tuple[int, ...]
    budget: int
    trigger_ticks: int
    display_lots: int
    list_id: int
    key_id: int
    generation: int
    maker_fee: int
    taker_fee: int
    trail_bps: int
    trigger: int
    leg: int


class NaiveBook(NaiveState):
    """One market's book in dicts, deques and sorted lists; see `actors.book.contract.Book`."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self._events: list[EventRow] = []
        self._touched: set[tuple[int, int]] = set()
        self._command_id = 0
        self._handlers: dict[int, Callable[[_Command], None]] = {
            CommandKind.PLACE: self._place,
            CommandKind.CANCEL: self._cancel,
            CommandKind.AMEND: self._amend,
            CommandKind.CANCEL_ALL: self._cancel_all,
            CommandKind.HALT: self._set_halted,
            CommandKind.RESUME: self._set_halted,
            CommandKind.CLOCK: lambda command: None,
            CommandKind.FENCE: self._fence,
        }

    def apply(self, commands: RecordArray) -> Applied:
        """Apply commands (`COMMAND_DTYPE`) in order; the outcome owns its arrays."""
        self._events = []
        self._touched = set()
        previous_update_id = self._update_id
        told = commands[list(_Command._fields)]
        client_order_ids = commands["client_order_id"].tolist()
        for row, words in zip(told.tolist(), client_order_ids, strict=True):
            self._step(_Command._make(row)._replace(client_order_id=tuple(words)))
        levels = [self._sides[Side(side)].level(price) for side, price in sorted(self._touched)]
        return Applied(
            events=np.array(self._events, EVENT_DTYPE),
            levels=np.array(levels, LEVEL_DTYPE),
            previous_update_id=previous_update_id,
            last_update_id=self._update_id,
        )

    def _step(self, command: _Command) -> None:
        self._time_us = max(self._time_us, command.time_us)
        self._command_id = 0
        while self._expiries and self._expiries[0][0] <= self._time_us:
            order = self._open[self._expiries[0][1]]
            self._leave(order)
            self._order(order, OrderStatus.EXPIRED, Reason.TIME_EXPIRED)
        self._command_id = command.command_id
        self._handlers.get(command.kind, self._malformed)(command)

    def _place(self, command: _Command) -> None:
        if self._is_fenced(command):
            self._refused(command, Reason.FENCED)
            return
        if command.order_id < 1:
            self._refused(command, Reason.MALFORMED)
            return
        if command.order_id in self._open:
            self._refused(command, Reason.DUPLICATE_ORDER_ID)
            return
        is_gtd = command.time_in_force == TimeInForce.GTD
        order = NaiveOrder(
            side=command.side,
            order_type=command.order_type,
            time_in_force=command.time_in_force,
            self_trade_prevention=command.self_trade_prevention,
            flags=command.flags & Flag.POST_ONLY,
            order_id=command.order_id,
            user_id=command.user_id,
            price_ticks=command.price_ticks,
            quantity_lots=command.quantity_lots,
            quote_units=command.quote_units,
            expires_us=command.expires_us if is_gtd else 0,
            created_us=self._time_us,
            client_order_id=command.client_order_id,
            budget=command.budget,
            trigger_ticks=command.trigger_ticks,
            display_lots=command.display_lots,
            list_id=command.list_id,
            generation=command.generation,
            maker_fee=command.maker_fee,
            taker_fee=command.taker_fee,
            trail_bps=command.trail_bps,
            trigger=command.trigger,
            leg=command.leg,
            shard=command.shard,
        )
        first = self._client_ids.first_order(order)
        reason = place_refusal(
            order,
            market=self._market,
            opposite=self._opposite(order),
            time_us=self._time_us,
            halted=self._halted,
            client_id_taken=first is not None,
        )
        if reason != Reason.MALFORMED and first is None:
            self._client_ids.take(order)
            if reason != Reason.NONE:
                self._client_ids.finish(order)
        if reason == Reason.NONE:
            self._take(order, Flag.LAST | Flag.NEW)
            return
        self._order(
            order,
            OrderStatus.REJECTED,
            reason,
            flags=Flag.LAST | Flag.NEW,
            related_order_id=first if first and reason != Reason.MALFORMED else 0,
        )

    def _take(self, taker: NaiveOrder, flags: Flag) -> None:
        """Let a placed or amended order trade, rest what may rest, and end the command."""
        opposite = self._opposite(taker)
        limit = limit_of(taker, market=self._market, opposite=opposite)
        ended_by_prevention = self._match(taker, opposite, limit)
        status, reason = OrderStatus.CANCELLED, Reason.NONE
        if ended_by_prevention:
            reason = Reason.SELF_TRADE
        elif not taker.by_quote and taker.remaining == 0:
            status = OrderStatus.FILLED
        elif taker.by_quote and self._spent_up(taker, opposite):
            if taker.filled_lots:
                status = OrderStatus.FILLED
            else:
                reason = Reason.UNFILLED_REMAINDER
        elif taker.budget and taker.wants(opposite.best or 1) == 0:
            reason = Reason.BUDGET_SPENT
        elif taker.time_in_force in RESTING:
            self._rest(taker)
            status = taker.open_status
        elif taker.order_type == OrderType.LIMIT:
            reason = Reason.UNFILLED_REMAINDER
        else:
            reason = Reason.NO_LIQUIDITY if opposite.best is None else Reason.PROTECTION_PRICE
        self._order(taker, status, reason, flags=flags)

    def _match(self, taker: NaiveOrder, opposite: NaiveSide, limit_ticks: int) -> bool:
        """Trade while prices meet; answer whether self-trade prevention ended the taker."""
        while (maker := opposite.head()) is not None and opposite.reaches(limit_ticks):
            wanted = taker.wants(maker.price_ticks)
            if wanted == 0:
                return False
            own = maker.user_id == taker.user_id
            if own and taker.self_trade_prevention != SelfTradePrevention.NONE:
                if self._prevent(taker, maker, wanted):
                    return True
            else:
                self._trade(taker, maker, min(wanted, maker.remaining))
        return False

    def _trade(self, taker: NaiveOrder, maker: NaiveOrder, lots: int) -> None:
        self._last_trade_id += 1
        taker.fill(lots=lots, price_ticks=maker.price_ticks)
        maker.fill(lots=lots, price_ticks=maker.price_ticks)
        status = OrderStatus.PARTIALLY_FILLED
        if maker.remaining == 0:
            status = OrderStatus.FILLED
            self._leave(maker)
        else:
            self._touch(maker)
        self._sequence += 1
        self._events.append(
            self._image(
                maker,
                kind=EventKind.TRADE,
                sequence=self._sequence,
                status=status,
                command_id=self._command_id,
                trade_id=self._last_trade_id,
                trade_lots=lots,
                related_order_id=taker.order_id,
                related_user_id=taker.user_id,
                related_fee=taker.taker_fee,
            )
        )
        if status == OrderStatus.FILLED:
            self._client_ids.finish(maker)

    @staticmethod
    def _spent_up(taker: NaiveOrder, opposite: NaiveSide) -> bool:
        """Tell whether a taker by quote wants nothing, at the best price or at any."""
        if opposite.best is None:
            return taker.spent == taker.quote_units
        return taker.wants_without_budget(opposite.best) == 0

    def _prevent(self, taker: NaiveOrder, maker: NaiveOrder, wanted: int) -> bool:
        """Keep a user from trading with themselves; answer whether the taker ends."""
        prevention = taker.self_trade_prevention
        if prevention == SelfTradePrevention.EXPIRE_TAKER:
            return True
        if prevention == SelfTradePrevention.DECREMENT:
            lots = min(wanted, maker.remaining)
            maker.decrement(lots=lots, price_ticks=maker.price_ticks)
            taker.decrement(lots=lots, price_ticks=maker.price_ticks)
            if maker.remaining > 0:
                self._touch(maker)
                self._order(maker, maker.open_status, Reason.SELF_TRADE)
                return True
            ends = lots == wanted
        else:
            ends = prevention == SelfTradePrevention.EXPIRE_BOTH
        self._leave(maker)
        self._order(maker, OrderStatus.CANCELLED, Reason.SELF_TRADE)
        return ends

    def _cancel(self, command: _Command) -> None:
        order = self._open.get(command.order_id)
        reason = cancel_refusal(order, user_id=command.user_id)
        if order is None or reason != Reason.NONE:
            self._refused(command, reason)
            return
        self._leave(order)
        self._order(order, OrderStatus.CANCELLED, Reason.CANCELLED_BY_USER, flags=Flag.LAST)

    def _cancel_all(self, command: _Command) -> None:
        orders = [
            order
            for order in self._of_user.get(command.user_id, {}).values()
            if command.side not in (Side.BUY, Side.SELL) or order.side == command.side
        ]
        for order in orders:
            self._leave(order)
            self._order(order, OrderStatus.CANCELLED, Reason.CANCELLED_BY_USER)
        self._answer(
            EventKind.DONE,
            flags=Flag.LAST,
            user_id=command.user_id,
            quantity_lots=len(orders),
        )

    def _amend(self, command: _Command) -> None:
        order = self._open.get(command.order_id)
        reason = Reason.FENCED if self._is_fenced(command) else Reason.HALTED
        if reason == Reason.HALTED and not self._halted:
            reason = cancel_refusal(order, user_id=command.user_id)
        if order is not None and reason == Reason.NONE:
            reason = amend_refusal(
                order,
                market=self._market,
                opposite=self._opposite(order),
                price_ticks=command.price_ticks,
                quantity_lots=command.quantity_lots,
            )
        if order is None or reason != Reason.NONE:
            self._refused(command, reason)
            return
        price = command.price_ticks or order.price_ticks
        quantity = command.quantity_lots or order.quantity_lots
        if price == order.price_ticks and quantity <= order.quantity_lots:
            order.quantity_lots = quantity
            self._touch(order)
            self._order(order, order.open_status, Reason.NONE, flags=Flag.LAST)
            return
        self._leave(order)
        order.price_ticks = price
        order.quantity_lots = quantity
        self._take(order, Flag.LAST)

    def _set_halted(self, command: _Command) -> None:
        self._halted = command.kind == CommandKind.HALT
        status = MarketStatus.HALTED if self._halted else MarketStatus.TRADING
        self._answer(EventKind.MARKET, flags=Flag.LAST, status=status)

    def _fence(self, command: _Command) -> None:
        if command.generation < 1:
            self._malformed(command)
            return
        newest = max(command.generation, self._fences.get(command.shard, 0))
        self._fences[command.shard] = newest
        self._answer(EventKind.FENCE, flags=Flag.LAST, shard=command.shard, generation=newest)

    def _is_fenced(self, command: _Command) -> bool:
        return command.generation < self._fences.get(command.shard, 0)

    def _malformed(self, command: _Command) -> None:
        self._refused(command, Reason.MALFORMED)

    def _opposite(self, order: NaiveOrder) -> NaiveSide:
        return self._sides[Side.SELL if order.side == Side.BUY else Side.BUY]

    def _rest(self, order: NaiveOrder) -> None:
        self._sides[Side(order.side)].add(order)
        self._open[order.order_id] = order
        self._of_user.setdefault(order.user_id, {})[order.order_id] = order
        if order.expires_us:
            insort(self._expiries, (order.expires_us, order.order_id))
        self._touch(order)

    def _leave(self, order: NaiveOrder) -> None:
        self._sides[Side(order.side)].remove(order)
        del self._open[order.order_id]
        del self._of_user[order.user_id][order.order_id]
        if not self._of_user[order.user_id]:
            del self._of_user[order.user_id]
        if order.expires_us:
            del self._expiries[bisect_left(self._expiries, (order.expires_us, order.order_id))]
        self._touch(order)

    def _touch(self, order: NaiveOrder) -> None:
        self._update_id += 1
        self._touched.add((order.side, order.price_ticks))

    def _order(
        self,
        order: NaiveOrder,
        status: OrderStatus,
        reason: Reason,
        *,
        flags: int = 0,
        related_order_id: int = 0,
    ) -> None:
        self._sequence += 1
        self._events.append(
            self._image(
                order,
                sequence=self._sequence,
                status=status,
                reason=reason,
                flags=flags,
                command_id=self._command_id,
                related_order_id=related_order_id,
            )
        )
        if status in ENDED:
            self._client_ids.finish(order)

    def _refused(self, command: _Command, reason: Reason) -> None:
        self._answer(
            EventKind.REFUSED,
            flags=Flag.LAST,
            reason=reason,
            order_id=command.order_id,
            user_id=command.user_id,
        )

    def _answer(self, kind: EventKind, **fields: int) -> None:
        """Append an event that is no order's image; fields that are not given are 0."""
        self._sequence += 1
        row = {
            **_BLANK,
            **fields,
            "kind": kind,
            "market_id": self._market.market_id,
            "sequence": self._sequence,
            "time_us": self._time_us,
            "command_id": self._command_id,
        }
        self._events.append(tuple(row.values()))
