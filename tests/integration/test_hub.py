"""The realtime hub over real servers: both transports, every feed, slow readers, other origins."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from actors.book.vocabulary import Side
from actors.platform.channels import depth_key
from actors.platform.config import Servers
from actors.platform.messages import DepthSnapshot, LevelRow
from tests.beds.commands import flow, place
from tests.beds.leases import MarketLeases
from tests.beds.live import Heard, Live, LiveMarket, hearing, live_platform
from tests.beds.polling import polling, request
from tests.beds.waiting import until

# The Python client does not read the answers to its polling requests; browsers do.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed (connection|response):ResourceWarning")

TRANSPORTS = [["polling"], ["polling", "websocket"], ["websocket"]]
PAGE = "http://shop.example:8080"


@pytest.fixture(scope="module")
async def live(
    servers: Servers, leases: MarketLeases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    async with live_platform(
        servers, leases, folder, allowed_origins=(PAGE,), hub_client_messages=64
    ) as running:
        yield running


@pytest.fixture
def own(live: Live) -> LiveMarket:
    """Give a test a market that no other has used."""
    return live.unused.pop()


def two_orders_that_trade(first_order_id: int = 1) -> list[Any]:
    now_us = time.time_ns() // 1_000
    sell = place(
        first_order_id,
        Side.SELL,
        price_ticks=5_000,
        quantity_lots=30_000,
        user_id=7,
        time_us=now_us,
    )
    buy = place(
        first_order_id + 1,
        Side.BUY,
        price_ticks=5_000,
        quantity_lots=10_000,
        user_id=8,
        time_us=now_us,
    )
    return [sell, buy]


@pytest.mark.parametrize("transports", TRANSPORTS, ids="-then-".join)
async def test_a_client_hears_trades_orders_book_and_candle_of_its_room(
    live: Live, own: LiveMarket, transports: list[str]
) -> None:
    pair = own.room
    async with hearing(live, *transports) as heard:
        answer = await heard.ask("subscribe", {"room": pair})
        assert answer == {"room": pair, "feed": "book", "interval": "1m"}
        for order in two_orders_that_trade():
            await own.send(order)
        await heard.until(lambda: _candles_with_trades(heard), "a candle")
        await heard.until(lambda: _book_is(heard, "2"), "the book after the trade")
    (trade,) = heard.of("new_trade")
    assert trade["tradingPair"] == pair
    assert (trade["price"], trade["quantity"]) == ("50", "1")
    assert (trade["buyOrderId"], trade["sellOrderId"]) == ("2", "1")
    assert (trade["aggressorType"], trade["sequence"]) == ("BUY", 2)
    orders = [(one["id"], one["status"], one["sequence"]) for one in heard.of("order_update")]
    assert orders == [("1", "OPEN", 1), ("1", "PARTIALLY_FILLED", 2), ("2", "FILLED", 3)]
    book = heard.of("orderbook_update")[-1]
    assert book["tradingPair"] == pair
    assert (book["bids"], book["sequence"]) == ([], 3)
    assert book["asks"] == [
        {
            "price": "50",
            "quantity": "2",
            "filledQuantity": "1",
            "status": "PARTIALLY_FILLED",
            "orders": 1,
        }
    ]
    candle = _candles_with_trades(heard)[-1]
    assert candle["interval"] == "1m"
    assert candle["time"] % 60 == 0
    assert (candle["open"], candle["close"], candle["volume"]) == ("50", "50", "1")
    assert candle["sequence"] == 2


def _candles_with_trades(heard: Heard) -> list[Any]:
    return [candle for candle in heard.of("candle_update") if candle["volume"] != "0"]


def _book_is(heard: Heard, quantity: str) -> bool:
    books = heard.of("orderbook_update")
    return bool(books) and [row["quantity"] for row in books[-1]["asks"]] == [quantity]


async def test_two_clients_hear_the_same_and_one_that_left_hears_no_more(
    live: Live, own: LiveMarket
) -> None:
    pair = own.room
    async with hearing(live, "polling") as first, hearing(live, "websocket") as second:
        for client in (first, second):
            await client.ask("subscribe", {"room": pair})
        for order in two_orders_that_trade():
            await own.send(order)
        await first.until(lambda: len(first.of("order_update")) == 3, "all orders")
        await second.until(lambda: len(second.of("order_update")) == 3, "all orders")
        assert first.of("order_update") == second.of("order_update")
        assert first.of("new_trade") == second.of("new_trade")
        assert await first.ask("unsubscribe", {"room": pair}) == {"room": pair}
        for order in two_orders_that_trade(3):
            await own.send(order)
        await second.until(lambda: len(second.of("order_update")) == 6, "all orders")
        # A later answer shows that nothing was still on its way.
        await first.ask("unsubscribe", {"room": pair})
        assert len(first.of("order_update")) == 3


async def test_who_comes_later_is_told_the_book_and_the_candle_as_they_are(
    live: Live, own: LiveMarket
) -> None:
    pair = own.room
    for order in two_orders_that_trade():
        await own.send(order)

    async def known() -> bool:
        value = await live.redis.get(depth_key(pair))
        cached = isinstance(value, bytes) and msgspec.msgpack.decode(value, type=DepthSnapshot)
        ticker = await live.candles.ticker(pair=pair, now_s=int(time.time()))
        return bool(cached and cached.sequence == 3 and ticker)

    await until(known, what="book and candle of the trade")
    async with hearing(live, "websocket") as heard:
        await heard.ask("subscribe", {"room": pair, "interval": "1 hour"})
        await heard.until(lambda: _candles_with_trades(heard), "the candle")
        await heard.until(lambda: _book_is(heard, "2"), "the book")
        assert heard.of("new_trade") == []
        assert heard.of("candle_update")[-1]["interval"] == "1h"


async def test_the_depth_feed_joined_to_a_snapshot_is_the_book(live: Live, own: LiveMarket) -> None:
    async with hearing(live, "websocket") as heard:
        await heard.ask("subscribe", {"room": own.room, "feed": "depth"})
        await own.send(flow(400, seed=1))
        await heard.until(lambda: heard.of("orderbook_update"), "a first change")
        snapshot = own.pair.actor.depth(10_000)
        for number in range(10):
            await own.send(flow(200, first_order_id=1_000 + 200 * number, seed=number))
        await heard.until(
            lambda: (
                heard.of("orderbook_update")[-1]["lastUpdateId"]
                == own.pair.actor.depth(1).update_id
                > snapshot.update_id
            ),
            "the last change",
        )
    expected = own.pair.actor.depth(10_000)
    sides = {
        side: {_decimal(row[0], "0.01"): _decimal(row[1], "0.0001") for row in rows}
        for side, rows in (("bids", snapshot.bids), ("asks", snapshot.asks))
    }
    joined = snapshot.update_id
    for update in heard.of("orderbook_update"):
        if update["lastUpdateId"] <= joined:
            continue
        assert update["firstUpdateId"] <= joined + 1
        joined = update["lastUpdateId"]
        for side, levels in sides.items():
            for row in update[side]:
                levels[Decimal(row["price"])] = Decimal(row["quantity"])
    assert joined == expected.update_id
    for side, rows in (("bids", expected.bids), ("asks", expected.asks)):
        left = {price: quantity for price, quantity in sides[side].items() if quantity}
        assert left == _levels(rows)


def _levels(rows: list[LevelRow]) -> dict[Decimal, Decimal]:
    return {_decimal(row[0], "0.01"): _decimal(row[1], "0.0001") for row in rows}


def _decimal(number: int, unit: str) -> Decimal:
    return number * Decimal(unit)


async def test_the_book_comes_at_most_ten_times_a_second(live: Live, own: LiveMarket) -> None:
    loop = asyncio.get_running_loop()
    async with hearing(live, "websocket") as heard:
        await heard.ask("subscribe", {"room": own.room})
        start_s = loop.time()
        for number in range(60):
            await own.send(flow(5, first_order_id=1 + 5 * number, seed=number))
            await asyncio.sleep(0.02)
        sequence = own.pair.actor.position().sequence
        await heard.until(
            lambda: (
                heard.of("orderbook_update")
                and heard.of("orderbook_update")[-1]["sequence"] >= sequence
            ),
            "the last book",
        )
        updates = heard.of("orderbook_update")
        assert len(updates) <= 2 + 10 * (loop.time() - start_s)
        ids = [update["updateId"] for update in updates]
        assert ids == sorted(set(ids))


async def test_a_slow_reader_is_cut_and_the_others_go_on(live: Live, own: LiveMarket) -> None:
    pair = own.room
    slow = await _deaf_client(live, pair)
    async with hearing(live, "websocket") as heard:
        await heard.ask("subscribe", {"room": pair})
        sent = 0
        cut_before = live.hub.cut_clients
        while live.hub.cut_clients == cut_before:
            assert sent < 60_000, "nobody was cut"
            await own.send(flow(50, first_order_id=1 + sent, seed=sent))
            sent += 50
            await heard.until(
                lambda: any(
                    one["id"] == str(sent)  # noqa: B023
                    for one in heard.of("order_update")[-200:]
                ),
                "the fast client's own events",
            )
        assert live.hub.cut_clients == cut_before + 1
        assert live.hub.clients == 1
        await own.send(flow(1, first_order_id=10**9))
        await heard.until(
            lambda: heard.of("order_update")[-1]["id"] == str(10**9), "events after the cut"
        )
    await slow.close()


async def _deaf_client(live: Live, pair: str) -> Any:
    """Subscribe over a raw WebSocket with small buffers, and read nothing from then on."""
    raw = socket.create_connection(("127.0.0.1", live.port))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    websocket = await connect(
        live.websocket_url,
        sock=raw,
        max_queue=1,
        ping_interval=None,
        close_timeout=0.1,
    )
    await websocket.recv()
    await websocket.send("40")
    await websocket.recv()
    await websocket.send("421" + json.dumps(["subscribe", {"room": pair}]))
    while not str(await websocket.recv()).startswith("431"):
        pass
    return websocket


async def test_a_request_that_does_not_fit_is_refused_with_a_sentence(
    live: Live, own: LiveMarket
) -> None:
    room = own.room
    async with hearing(live, "websocket") as heard:
        for data, status, code in (
            ({"room": "NO-PAIR"}, 404, "UNKNOWN_MARKET"),
            ({"room": room, "interval": "2m"}, 400, "UNKNOWN_INTERVAL"),
            ({"room": room, "feed": "all"}, 400, "MALFORMED"),
            ({"room": 7}, 400, "MALFORMED"),
            ({}, 400, "MALFORMED"),
            (None, 400, "MALFORMED"),
            ("BTC", 400, "MALFORMED"),
            ({"room": room, "depth": 5}, 400, "MALFORMED"),
        ):
            answer = await heard.ask("subscribe", data)
            assert set(answer) == {"statusCode", "error", "code", "message"}
            assert (answer["statusCode"], answer["code"]) == (status, code)
        # Without an ack, the refusal comes as an event.
        before = len(heard.of("error"))
        await heard.client.emit("subscribe", {"room": "NO-PAIR"})
        await heard.until(lambda: len(heard.of("error")) > before, "the error event")
        assert heard.of("error")[-1]["code"] == "UNKNOWN_MARKET"


@pytest.mark.parametrize(
    "message",
    ["42[", '42["subscribe"]', "42[{}]", '42[["x"]]', "4x", "42[NaN]", "9", "45-[", "47{"],
)
async def test_nonsense_breaks_nothing(live: Live, message: str) -> None:
    async with connect(live.websocket_url) as websocket:
        await websocket.recv()
        await websocket.send("40")
        await websocket.recv()
        await websocket.send(message)
    async with hearing(live, "websocket") as heard:
        assert await heard.ask("unsubscribe", {"room": "BTC-USD"}) == {"room": "BTC-USD"}


async def test_orders_are_placed_and_cancelled_over_the_socket(live: Live, own: LiveMarket) -> None:
    pair = own.room
    async with hearing(live, "polling", "websocket") as heard:
        await heard.ask("subscribe", {"room": pair})
        order = {"tradingPair": pair, "type": "BUY", "price": 50.25, "quantity": "0.1", "userId": 1}
        placed = await heard.ask("place_order", order)
        assert set(placed) == {"message", "orderId"}
        await heard.until(lambda: heard.of("order_update"), "the order")
        (update,) = heard.of("order_update")
        assert (update["id"], update["price"], update["status"]) == (
            placed["orderId"],
            "50.25",
            "OPEN",
        )
        for change, code in (
            ({"price": 50.255}, "OFF_TICK"),
            ({"price": 1e308}, "ABOVE_MAXIMUM"),
            ({"quantity": 0}, "NOT_POSITIVE"),
            ({"userId": 999_999_999}, "UNKNOWN_USER"),
            ({"price": None}, "MALFORMED"),
        ):
            answer = await heard.ask("place_order", order | change)
            assert answer["code"] == code
        stranger = {"orderId": placed["orderId"], "userId": 2}
        assert (await heard.ask("cancel_order", stranger))["code"] == "NOT_OWNER"
        cancelled = await heard.ask("cancel_order", {"orderId": placed["orderId"], "userId": 1})
        assert cancelled["order"]["status"] == "CANCELLED"
        assert (await heard.ask("cancel_order", {"orderId": "x"}))["code"] == "MALFORMED"


async def test_every_order_of_a_long_payload_is_in_the_market(live: Live, own: LiveMarket) -> None:
    order = {"tradingPair": own.room, "type": "BUY", "price": 50, "quantity": "0.1", "userId": 1}
    async with hearing(live, "websocket") as heard, polling(live.url) as session:
        await heard.ask("subscribe", {"room": own.room})
        posted = await session.post(*[request("place_order", order)] * 40)
        assert (posted.status_code, posted.text) == (200, "OK")
        await heard.until(lambda: len(heard.of("order_update")) == 40, "forty orders")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (PAGE, True),
        ("http://localhost:5173", True),
        ("https://127.0.0.1:8443", True),
        ("http://[::1]:3000", True),
        ("http://evil.example", False),
        ("http://localhost.evil.example", False),
        ("null", False),
    ],
)
async def test_pages_of_allowed_origins_may_connect(live: Live, origin: str, allowed: bool) -> None:
    query = {"EIO": "4", "transport": "polling"}
    async with httpx.AsyncClient(base_url=live.url) as client:
        answer = await client.get("/socket.io/", params=query, headers={"Origin": origin})
    assert answer.status_code == (200 if allowed else 400)
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    try:
        async with connect(live.websocket_url, origin=Origin(origin)) as websocket:
            assert str(await websocket.recv()).startswith("0{")
            assert allowed
    except InvalidStatus:
        assert not allowed


async def test_the_own_origin_may_connect_whatever_its_name(live: Live) -> None:
    headers = {"Origin": "http://exchange.example", "Host": "exchange.example"}
    async with httpx.AsyncClient(base_url=live.url) as client:
        answer = await client.get(
            "/socket.io/", params={"EIO": "4", "transport": "polling"}, headers=headers
        )
    assert answer.status_code == 200
