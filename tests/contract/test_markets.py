"""Markets over HTTP, in every documented spelling."""

import asyncio
import time
from typing import Any

import pytest

from tests.beds.exchange import BTC, ETH, XRP, Exchange
from tests.beds.waiting import until

_BOOK_PATHS = ("/market/orderbook/{pair}", "/market/{pair}/orderbook")
_TRADE_PATHS = ("/market/trades/{pair}", "/market/{pair}/trades")
_CANDLE_PATHS = ("/charts/candlesticks/{pair}", "/charts/{pair}/candles")


@pytest.fixture(autouse=True)
async def _empty_books(exchange: Exchange) -> None:
    await asyncio.gather(*(exchange.clear(pair) for pair in (BTC, ETH, XRP)))


async def _get(exchange: Exchange, path: str, **query: Any) -> Any:
    answer = await exchange.client.get(path.format(pair=BTC), params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _book_at(exchange: Exchange, path: str, sequence: int, **query: Any) -> Any:
    book: Any = {}

    async def has_come() -> bool:
        nonlocal book
        book = await _get(exchange, path, **query)
        return bool(book["sequence"] >= sequence)

    await until(has_come, what=f"a book of sequence {sequence}")
    return book


@pytest.mark.parametrize("path", _BOOK_PATHS)
async def test_a_book_has_one_row_a_price_level_best_first(exchange: Exchange, path: str) -> None:
    for price, quantity in ((99, 1), (100, 2), (100, "0.5"), (98, 1)):
        await exchange.place(price=price, quantity=quantity)
    await exchange.place(type="SELL", price=102)
    await exchange.place(type="SELL", price=101, quantity=3)
    last = await exchange.place(type="SELL", price=100, quantity="0.25", timeInForce="IOC")
    book = await _book_at(exchange, path, last["order"]["sequence"])
    assert book["bids"] == [
        {
            "price": "100",
            "quantity": "2.25",
            "filledQuantity": "0.25",
            "status": "PARTIALLY_FILLED",
            "orders": 2,
        },
        {"price": "99", "quantity": "1", "filledQuantity": "0", "status": "OPEN", "orders": 1},
        {"price": "98", "quantity": "1", "filledQuantity": "0", "status": "OPEN", "orders": 1},
    ]
    assert [row["price"] for row in book["asks"]] == ["101", "102"]
    short = await _get(exchange, path, depth=1)
    assert (len(short["bids"]), len(short["asks"])) == (1, 1)


@pytest.mark.parametrize("path", _BOOK_PATHS)
async def test_a_book_of_orders_has_one_row_an_order_in_queue_order(
    exchange: Exchange, path: str
) -> None:
    placed = [await exchange.place(price=price) for price in (100, 99, 100)]
    book = await _get(exchange, path, view="orders")
    assert [row["id"] for row in book["bids"]] == [placed[index]["orderId"] for index in (0, 2, 1)]
    assert {row["orders"] for row in book["bids"]} == {1}
    assert {"price", "quantity", "filledQuantity", "status"} <= book["bids"][0].keys()


@pytest.mark.parametrize("path", _TRADE_PATHS)
async def test_trades_come_newest_first_as_a_bare_array_and_are_paged(
    exchange: Exchange, path: str
) -> None:
    for price in (100, 101, 102):
        await exchange.place(type="SELL", price=price)
    taker = await exchange.place(price=102, quantity=3)
    fills = taker["fills"][::-1]

    async def written() -> bool:
        return bool((await _get(exchange, path, limit=3)) == fills)

    await until(written, what="trades are listed as they were shown")
    page = await _get(exchange, path, limit=2)
    rest = await _get(exchange, path, limit=1, before=page[-1]["id"])
    assert page + rest == fills
    assert page[0].keys() == {
        "id",
        "tradingPair",
        "price",
        "quantity",
        "buyOrderId",
        "sellOrderId",
        "aggressorType",
        "createdAt",
        "sequence",
    }


@pytest.mark.parametrize("path", _CANDLE_PATHS)
@pytest.mark.parametrize("interval", ["1s", "10s", "10 second", "1 minute", "5m", "1h", "1 week"])
async def test_candles_come_oldest_first_as_a_bare_array(
    exchange: Exchange, path: str, interval: str
) -> None:
    await exchange.place(type="SELL", price="104.5")
    traded_s = int(time.time())
    await exchange.place(price="104.5")
    candles: list[dict[str, Any]] = []

    async def has_come() -> bool:
        nonlocal candles
        candles = await _get(exchange, path, interval=interval, limit=5_000)
        return bool(candles) and candles[-1]["close"] == "104.5"

    await until(has_come, what="the trade is in the candles")
    times = [candle["time"] for candle in candles]
    assert times == sorted(set(times))
    assert times[-1] >= traded_s - 604_800
    assert candles[-1].keys() == {"time", "open", "high", "low", "close", "volume"}
    assert len(await _get(exchange, path, interval=interval, limit=1)) == 1
    before = await _get(exchange, path, interval=interval, before=times[-1])
    assert all(candle["time"] < times[-1] for candle in before)


async def test_a_ticker_has_the_last_price_the_day_and_the_touch(exchange: Exchange) -> None:
    await exchange.place(type="SELL", price=103)
    await exchange.place(price=103)
    await exchange.place(price=95)
    await exchange.place(type="SELL", price=110)

    async def has_come() -> bool:
        ticker = await _get(exchange, "/market/{pair}/ticker")
        touch = (ticker["bestBid"], ticker["bestAsk"], ticker["lastPrice"])
        return touch == ("95", "110", "103")

    await until(has_come, what="the ticker shows the trade and both orders")
    ticker = await _get(exchange, "/market/{pair}/ticker")
    assert ticker["tradingPair"] == BTC
    assert float(ticker["lowPrice"]) <= 103 <= float(ticker["highPrice"])
    assert float(ticker["volume"]) >= 1
    assert {"priceChange", "priceChangePercent", "quoteVolume"} <= ticker.keys()


async def test_a_market_without_trades_has_an_empty_ticker_and_no_candles(
    exchange: Exchange,
) -> None:
    ticker = (await exchange.client.get(f"/market/{XRP}/ticker")).json()
    assert (ticker["lastPrice"], ticker["volume"]) == (None, "0")
    assert (await exchange.client.get(f"/charts/{XRP}/candles")).json() == []
    assert (await exchange.client.get(f"/market/{XRP}/trades")).json() == []


async def test_markets_are_listed_with_their_rules(exchange: Exchange) -> None:
    markets = (await exchange.client.get("/markets")).json()
    assert [market["tradingPair"] for market in markets] == [BTC, ETH, XRP]
    assert markets[0] == {
        "tradingPair": "BTC-USD",
        "baseCurrency": "BTC",
        "quoteCurrency": "USD",
        "status": "TRADING",
        "tickSize": "0.01",
        "lotSize": "0.0001",
        "minNotional": "0.01",
        "maxPrice": "1000000",
        "maxQuantity": "1000",
        "protectionPercent": "10",
    }


async def test_users_are_made_with_a_name_or_without_and_can_be_read(exchange: Exchange) -> None:
    for body in ({"name": "Grace Hopper"}, {}, None, {"name": None}):
        made = await exchange.client.post("/users", json=body)
        if body is None:
            made = await exchange.client.post("/users")
        assert made.status_code == 201, made.text
        user = made.json()
        assert user["name"] == (body or {}).get("name")
        assert user["createdAt"].endswith("Z")
        assert (await exchange.clients[1].get(f"/users/{user['id']}")).json() == user
    assert (await exchange.client.get("/users/1")).json()["id"] == 1


async def test_a_page_of_trades_does_not_begin_at_another_markets_trade(exchange: Exchange) -> None:
    await exchange.place(tradingPair=ETH, type="SELL")
    taken = await exchange.place(tradingPair=ETH)
    path = _TRADE_PATHS[0].format(pair=BTC)
    answer = await exchange.client.get(path, params={"before": taken["fills"][0]["id"]})
    assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED")
