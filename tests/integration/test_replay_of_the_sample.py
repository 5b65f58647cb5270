"""The real half hour through the compiled book: every trade of the exchange, and no other."""

import numpy as np

from actors.book.compiled import CompiledBook
from actors.book.vocabulary import EventKind
from cluster.markets import default_topology
from cluster.tools.replay.capture import ExchangeTrade, read_events, read_trades
from cluster.tools.replay.comparison import compare
from cluster.tools.replay.mapping import map_events
from cluster.tools.replay.sample import sample


def test_the_book_makes_all_284_trades_of_the_exchange_in_their_order() -> None:
    market = default_topology().market("BTC-USD")
    files = sample()
    flow = map_events(read_events(files.orders, market), market)
    commands = flow.commands
    commands["user_id"] = 1
    commands["command_id"] = np.arange(1, len(commands) + 1)
    commands["time_us"] = flow.time_ms * 1_000
    events = CompiledBook(market).apply(commands).events
    trades = [
        ExchangeTrade(
            int(event["order_id"]),
            int(event["related_order_id"]),
            int(event["price_ticks"]),
            int(event["trade_lots"]),
        )
        for event in events[events["kind"] == EventKind.TRADE]
    ]
    comparison = compare(read_trades(files.trades, market), trades)
    assert comparison.exchange_trades == 284
    assert comparison.differences == []
    assert comparison.in_order
