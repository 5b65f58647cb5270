"""The naive ledger: docs/accounts.md written down once more, slowly, to judge the compiled one."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from actors.book.records import RecordArray
from actors.book.vocabulary import CommandKind, EventKind, OrderStatus, Side
from actors.ledger.assets import MarketAssets
from actors.ledger.contract import MAX_AMENDS
from actors.ledger.errors import SequenceGapError
from actors.ledger.naive_journal import NaiveJournal
from actors.ledger.naive_orders import NaiveAmend, NaiveOrder, quote_of, share_of, wanted
from actors.ledger.records import RESULT_DTYPE
from actors.ledger.vocabulary import AccountStatus, Outcome

_OPEN = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
_REFUSED_BY = {
    AccountStatus.UNKNOWN: Outcome.UNKNOWN_ACCOUNT,
    AccountStatus.FROZEN: Outcome.FROZEN,
    AccountStatus.CLOSED: Outcome.CLOSED,
}
Row = dict[str, int]


class _Answer(NamedTuple):
    """What became of one command's hold."""

    outcome: Outcome
    asset: int = 0
    needed: int = 0
    available: int = 0


class NaiveLedger(NaiveJournal):
    """One shard's accounts in dicts and Python integers; see `actors.ledger.contract.Ledger`."""

    def hold(self, market_id: int, commands: RecordArray) -> RecordArray:
        """Hold what a market's commands (`COMMAND_DTYPE`) may cost, one after the other."""
        market = self._markets[market_id].assets
        results = np.zeros(len(commands), RESULT_DTYPE)
        for result, command in zip(results, _rows_of(commands), strict=True):
            answer = self._answer(market, command)
            result["outcome"] = answer.outcome
            result["fee_tier"] = self.account(command["user_id"]).fee_tier
            result["id"] = command["order_id"]
            result["asset"] = answer.asset
            result["needed"] = answer.needed
            result["available"] = answer.available
        return results

    def _answer(self, market: MarketAssets, command: Row) -> _Answer:
        if command["kind"] in (CommandKind.PLACE, CommandKind.AMEND):
            if command["generation"] < self.fenced(market.market_id):
                return _Answer(Outcome.FENCED)
            if command["kind"] == CommandKind.PLACE:
                return self._place(market, command)
            return self._amend(market, command)
        if command["user_id"] != 0 and not self._is_known(command["user_id"]):
            return _Answer(Outcome.UNKNOWN_ACCOUNT)
        return _Answer(Outcome.DONE)

    def _is_known(self, user_id: int) -> bool:
        return self._owns(user_id) and self.account(user_id).status != AccountStatus.UNKNOWN

    def _place(self, market: MarketAssets, command: Row) -> _Answer:
        user_id, order_id = command["user_id"], command["order_id"]
        if not self._owns(user_id):
            return _Answer(Outcome.UNKNOWN_ACCOUNT)
        status = self.account(user_id).status
        if status in _REFUSED_BY:
            return _Answer(_REFUSED_BY[status])
        wants = wanted(market, command)
        if wants is None:
            return _Answer(Outcome.MALFORMED)
        if (market.market_id, order_id) in self._orders:
            return _Answer(Outcome.DUPLICATE)
        order = NaiveOrder(
            market,
            order_id,
            user_id,
            *wants,
            command_id=command["command_id"],
            generation=command["generation"],
        )
        needed = order.worst()
        available = self._available(user_id, order.asset)
        if needed > available:
            return _Answer(Outcome.INSUFFICIENT, order.asset, needed, available)
        self._orders[market.market_id, order_id] = order
        self._hold_worst(order)
        return _Answer(Outcome.DONE, order.asset, needed, available)

    def _amend(self, market: MarketAssets, command: Row) -> _Answer:
        order = self._orders.get((market.market_id, command["order_id"]))
        if order is None or order.price_ticks == 0:
            return _Answer(Outcome.UNKNOWN_ORDER)
        if command["user_id"] not in (0, order.user_id):
            return _Answer(Outcome.NOT_OWNER)
        status = self.account(order.user_id).status
        if status in _REFUSED_BY:
            return _Answer(_REFUSED_BY[status])
        price, quantity = command["price_ticks"], command["quantity_lots"]
        if not (
            0 <= price <= market.max_price_ticks
            and 0 <= quantity <= market.max_quantity_lots
            and (price or quantity)
        ):
            return _Answer(Outcome.MALFORMED)
        if order.amend_of(command["command_id"]) is not None:
            return _Answer(Outcome.DUPLICATE)
        if len(order.amends) == MAX_AMENDS:
            return _Answer(Outcome.TOO_MANY_AMENDS)
        order.amends.append(
            NaiveAmend(command["command_id"], price, quantity, command["generation"])
        )
        needed = order.worst() - order.held
        available = self._available(order.user_id, order.asset)
        if needed > available:
            order.amends.pop()
            return _Answer(Outcome.INSUFFICIENT, order.asset, needed, available)
        self._hold_worst(order)
        return _Answer(Outcome.DONE, order.asset, needed, available)

    def release(self, market_id: int, commands: RecordArray) -> None:
        """Give back what these commands hold: they are for certain in no log."""
        for command in _rows_of(commands):
            order = self._orders.get((market_id, command["order_id"]))
            if order is None:
                continue
            amend = order.amend_of(command["command_id"])
            if not order.answered and order.command_id == command["command_id"]:
                self._forget(order)
            elif amend is not None:
                order.amends.remove(amend)
                self._hold_worst(order)

    def settle(self, market_id: int, events: RecordArray) -> None:
        """Settle a market's events (`EVENT_DTYPE`), of consecutive sequences."""
        market = self._markets[market_id]
        rows = [row for row in _rows_of(events) if row["sequence"] > market.sequence]
        for sequence, row in enumerate(rows, start=market.sequence + 1):
            if row["sequence"] != sequence:
                raise SequenceGapError(
                    f"market {market_id}: event {row['sequence']} came, {sequence} is next"
                )
        for row in rows:
            self._event(market.assets, row)
            market.sequence = row["sequence"]

    def _event(self, market: MarketAssets, event: Row) -> None:
        if event["kind"] == EventKind.TRADE:
            self._trade(market, event)
        elif event["kind"] == EventKind.ORDER and self._owns(event["user_id"]):
            self._account(event["user_id"]).sequence += 1
            self._image(market, event)
        elif event["kind"] == EventKind.REFUSED:
            if self._owns(event["user_id"]):
                self._account(event["user_id"]).sequence += 1
            self._refused(market.market_id, event["order_id"], event["command_id"])
        elif event["kind"] == EventKind.FENCE and event["shard"] == self._shard:
            self._fence(market.market_id, event["generation"])

    def _trade(self, market: MarketAssets, event: Row) -> None:
        notional = event["price_ticks"] * event["trade_lots"]
        base = (market.base, event["trade_lots"] * market.lot_units)
        quote = (market.quote, quote_of(market, notional))
        maker_buys = event["side"] == Side.BUY
        (taker_asset, to_taker), (maker_asset, to_maker) = (
            (quote, base) if maker_buys else (base, quote)
        )
        taker_fee = share_of(to_taker, max(event["related_fee"], 0))
        maker_fee = share_of(to_maker, max(event["maker_fee"], 0))
        rebate = min(share_of(to_taker, max(-event["maker_fee"], 0)), taker_fee)
        taker, maker = event["related_user_id"], event["user_id"]
        if self._owns(taker):
            self._account(taker).sequence += 1
            self._move(taker, maker_asset, available=-to_maker)
            self._move(taker, taker_asset, available=to_taker - taker_fee)
            self._total(taker_asset).fees += taker_fee - rebate
            self._fill_taker(market, event, notional)
        if self._owns(maker):
            self._account(maker).sequence += 1
            self._move(maker, taker_asset, available=-to_taker + rebate)
            self._move(maker, maker_asset, available=to_maker - maker_fee)
            self._total(maker_asset).fees += maker_fee
            self._image(market, event)

    def _fill_taker(self, market: MarketAssets, event: Row, notional: int) -> None:
        order = self._orders.get((market.market_id, event["related_order_id"]))
        if order is None:
            return
        amend = order.answer(event["command_id"])
        if amend is not None:
            order.price_ticks = amend.price_ticks or order.price_ticks
            order.total = amend.quantity_lots or order.total
        order.done += notional if order.by_notional else event["trade_lots"]
        self._hold_worst(order)

    def _image(self, market: MarketAssets, event: Row) -> None:
        """Hold what an order's image says that it may still cost, nothing where it has ended."""
        key = (market.market_id, event["order_id"])
        order = self._orders.get(key)
        if event["status"] not in _OPEN:
            if order is not None:
                self._forget(order)
            return
        if order is None:
            order = NaiveOrder(
                market, event["order_id"], event["user_id"], event["side"], False, 0, 0
            )
            self._orders[key] = order
        order.answer(event["command_id"])
        order.price_ticks = event["price_ticks"]
        order.total, order.done = event["quantity_lots"], event["filled_lots"]
        order.command_id, order.generation, order.answered = 0, 0, True
        self._hold_worst(order)

    def _refused(self, market_id: int, order_id: int, command_id: int) -> None:
        order = self._orders.get((market_id, order_id))
        if order is None:
            return
        if not order.answered and order.command_id == command_id:
            self._forget(order)
        elif order.answer(command_id) is not None:
            self._hold_worst(order)

    def _fence(self, market_id: int, generation: int) -> None:
        """Give back what older generations asked for: the market refuses it from now on."""
        market = self._markets[market_id]
        market.fenced = max(market.fenced, generation)
        for order in [one for key, one in self._orders.items() if key[0] == market_id]:
            if not order.answered and order.generation < generation:
                self._forget(order)
                continue
            order.amends = [one for one in order.amends if one.generation >= generation]
            self._hold_worst(order)

    def _hold_worst(self, order: NaiveOrder) -> None:
        worst = order.worst()
        change = worst - order.held
        self._move(order.user_id, order.asset, available=-change, held=change)
        order.held = worst

    def _forget(self, order: NaiveOrder) -> None:
        self._move(order.user_id, order.asset, available=order.held, held=-order.held)
        del self._orders[order.market.market_id, order.order_id]


def _rows_of(records: RecordArray) -> Iterator[Row]:
    """Yield commands or events as dicts of integers; no texts."""
    names = [name for name in records.dtype.names or () if name != "client_order_id"]
    columns = [records[name].tolist() for name in names]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))
