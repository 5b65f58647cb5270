"""Reading a capture's files exactly, and refusing what is none."""

import gzip
from pathlib import Path

import pytest

from actors.book.vocabulary import Side
from cluster.markets import default_topology
from cluster.tools.replay.capture import (
    CaptureError,
    ExchangeTrade,
    OrderEvent,
    read_events,
    read_trades,
)

MARKET = default_topology().market("BTC-USD")
EVENTS = "id,timestamp,exchange_timestamp,price,volume,action,direction\n"
TRADES = "trade_id,timestamp,exchange_timestamp,price,amount,buy_order_id,sell_order_id,side\n"


def test_events_come_in_the_order_of_the_exchanges_clock(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    rows = "7,1,20,78318.5,1e-08,created,ask\n8,2,10,78318.0,1.53453667,created,bid\n"
    path.write_bytes(gzip.compress((EVENTS + rows).encode()))
    assert read_events(path, MARKET) == [
        OrderEvent(8, 10, 7_831_800, 153_453_667, "created", Side.BUY),
        OrderEvent(7, 20, 7_831_850, 1, "created", Side.SELL),
    ]


def test_the_taker_of_a_sale_is_the_seller(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(TRADES + "1,1,1,78319.0,0.1,11,22,sell\n2,1,1,78319.0,0.1,11,22,buy\n")
    assert read_trades(path, MARKET) == [
        ExchangeTrade(11, 22, 7_831_900, 10_000_000),
        ExchangeTrade(22, 11, 7_831_900, 10_000_000),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n",
        EVENTS + "x,1,1,1,1,created,bid\n",
        EVENTS + "1,1,1,0.001,1,created,bid\n",
        EVENTS + "1,1,1,one,1,created,bid\n",
        EVENTS + "1,1,1,1,1,created,sideways\n",
        EVENTS + "1,1,1\n",
        "",
    ],
)
def test_a_file_that_is_no_capture_is_refused_with_its_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(content)
    with pytest.raises(CaptureError, match=r"orders\.csv"):
        read_events(path, MARKET)


def test_a_missing_or_torn_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="nowhere"):
        read_events(tmp_path / "nowhere.csv", MARKET)
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress(EVENTS.encode() * 100)[:-12])
    with pytest.raises(CaptureError, match="torn"):
        read_events(torn, MARKET)
