"""Fills and trades read: nothing is missing that anybody was told of."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np

from actors.book.market import Market
from actors.book.records import RecordArray
from actors.platform.topology import Topology
from api.exchange.outcomes import OutcomeReader
from api.exchange.recent import RecentEvents
from api.exchange.storage.fills import FillPosition, FillsRepository
from api.exchange.storage.trades import TradesRepository
from api.exchange.values import Fill, Trade, trade_of_event


@dataclass(frozen=True, kw_only=True, slots=True)
class TradeHistory:
    """List trades of a market and fills of a user. Everything may raise Refusal, ForkastError."""

    topology: Topology
    trades_stored: TradesRepository
    fills_stored: FillsRepository
    recent: RecentEvents
    outcomes: OutcomeReader

    async def trades(
        self, market: Market, *, limit: int, before_trade_id: int | None
    ) -> list[Trade]:
        """Return trades by descending `trade_id`, all below `before_trade_id` if it is given."""
        market_ids = [market.market_id]
        await self.outcomes.caught_up(market_ids)
        recent = self.recent.trades(market_ids)
        if before_trade_id is not None:
            recent = recent[recent["trade_id"] < before_trade_id]
        found = {
            trade.trade_id: trade
            for trade in await self.trades_stored.page(
                market_id=market.market_id, limit=limit, before_trade_id=before_trade_id
            )
        }
        for event in recent[-limit:]:
            trade = trade_of_event(event)
            found[trade.trade_id] = trade
        return [found[trade_id] for trade_id in sorted(found, reverse=True)[:limit]]

    async def fills(
        self, *, user_id: int, market: Market | None, limit: int, after: FillPosition | None
    ) -> list[Fill]:
        """Return at most `limit` fills of a user, newest first: those that follow `after`."""
        market_ids = (
            [one.market_id for one in self.topology] if market is None else [market.market_id]
        )
        await self.outcomes.caught_up(market_ids)
        recent = _newest(self.recent.trades(market_ids, user_id=user_id), after, limit)
        found = {
            FillPosition.of(fill).key: fill
            for fill in await self.fills_stored.page(
                user_id=user_id, market_ids=market_ids, limit=limit, after=after
            )
        }
        for fill in _sides((trade_of_event(event) for event in recent), user_id):
            position = FillPosition.of(fill)
            if after is None or position.key < after.key:
                found[position.key] = fill
        return [found[key] for key in sorted(found, reverse=True)[:limit]]


def _newest(trades: RecordArray, after: FillPosition | None, limit: int) -> RecordArray:
    """Return the newest trades in which `limit` fills that follow a position must be."""
    keys = ("time_us", "market_id", "trade_id")
    if after is not None:
        time_us, market_id, trade_id = (trades[key] for key in keys)
        trades = trades[
            (time_us < after.time_us)
            | (time_us == after.time_us)
            & (
                (market_id < after.market_id)
                | (market_id == after.market_id) & (trade_id <= after.trade_id)
            )
        ]
    # One more, for the trade of the position itself may have no other side.
    return trades[np.lexsort([trades[key] for key in reversed(keys)])[-limit - 1 :]]


def _sides(trades: Iterable[Trade], user_id: int) -> Iterable[Fill]:
    """Yield the sides of trades that are a user's."""
    for trade in trades:
        fields = msgspec.structs.asdict(trade)
        if trade.taker_user_id == user_id:
            yield Fill(**fields, is_maker=False)
        if trade.maker_user_id == user_id:
            yield Fill(**fields, is_maker=True)
