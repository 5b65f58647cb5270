"""Orders over HTTP: placed, read, listed, amended, cancelled."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.beds.exchange import BTC, ETH, XRP, Exchange
from tests.beds.waiting import until

ORDER_FIELDS = {
    "id",
    "clientOrderId",
    "userId",
    "tradingPair",
    "type",
    "orderType",
    "timeInForce",
    "status",
    "price",
    "quantity",
    "filledQuantity",
    "averagePrice",
    "expiresAt",
    "postOnly",
    "selfTradePrevention",
    "quoteQuantity",
    "createdAt",
    "updatedAt",
    "sequence",
    "reason",
}


async def _written(exchange: Exchange, query: str, *arguments: object) -> list[asyncpg.Record]:
    """Return the rows of a query as soon as the writer has written any."""
    rows: list[asyncpg.Record] = []
    connection = await asyncpg.connect(exchange.platform.servers.postgres_url)

    async def any_has_come() -> bool:
        rows.extend(await connection.fetch(query, *arguments))
        return bool(rows)

    try:
        await until(any_has_come, what="rows are written")
    finally:
        await connection.close()
    return rows


@pytest.fixture(autouse=True)
async def _empty_books(exchange: Exchange) -> None:
    await asyncio.gather(*(exchange.clear(pair) for pair in (BTC, ETH, XRP)))


async def _resting_orders(exchange: Exchange) -> Any:
    """Return the book as it is; the cached levels may be a tenth of a second older."""
    return (await exchange.client.get(f"/market/{BTC}/orderbook", params={"view": "orders"})).json()


async def test_the_reference_clients_order_is_accepted_and_can_be_read(exchange: Exchange) -> None:
    body = b'{"tradingPair":"BTC-USD","type":"BUY","price":50000.00,"quantity":0.1,"userId":1}'
    json_type = {"content-type": "application/json"}
    answer = await exchange.client.post("/orders", content=body, headers=json_type)
    assert answer.status_code == 201
    placed = answer.json()
    assert placed.keys() == {"message", "orderId"}
    assert placed["message"]
    order = (await exchange.client.get(f"/orders/{placed['orderId']}")).json()
    assert order.pop("createdAt") == order.pop("updatedAt")
    assert order.pop("sequence") > 0
    assert order == {
        "id": placed["orderId"],
        "clientOrderId": None,
        "userId": 1,
        "tradingPair": "BTC-USD",
        "type": "BUY",
        "orderType": "LIMIT",
        "timeInForce": "GTC",
        "status": "OPEN",
        "price": "50000",
        "quantity": "0.1",
        "filledQuantity": "0",
        "averagePrice": None,
        "expiresAt": None,
        "postOnly": False,
        "selfTradePrevention": "NONE",
        "quoteQuantity": None,
        "reason": None,
    }


async def test_numbers_may_come_as_text_and_keep_their_decimals(exchange: Exchange) -> None:
    placed = await exchange.place(price="99.99", quantity="0.0123", userId="1")
    assert placed["order"]["price"] == "99.99"
    assert placed["order"]["quantity"] == "0.0123"


async def test_waiting_brings_the_final_state_and_the_fills(exchange: Exchange) -> None:
    makers = [await exchange.place(type="SELL", price=price) for price in (100, "100.01")]
    taken = await exchange.place(price="100.01", quantity="1.5", timeInForce="IOC")
    assert taken["order"].keys() == ORDER_FIELDS
    assert taken["order"]["status"] == "FILLED"
    assert taken["order"]["averagePrice"] == "100.00333333"
    fills = taken["fills"]
    assert [(fill["price"], fill["quantity"]) for fill in fills] == [
        ("100", "1"),
        ("100.01", "0.5"),
    ]
    assert [fill["sellOrderId"] for fill in fills] == [maker["orderId"] for maker in makers]
    assert {fill["buyOrderId"] for fill in fills} == {taken["orderId"]}
    assert {fill["aggressorType"] for fill in fills} == {"BUY"}


@pytest.mark.parametrize(
    ("order", "status", "reason"),
    [
        ({"timeInForce": "IOC", "price": 90}, "CANCELLED", "UNFILLED_REMAINDER"),
        ({"timeInForce": "FOK", "quantity": 2}, "REJECTED", "NOT_ENOUGH_TO_FILL"),
        ({"postOnly": True}, "REJECTED", "WOULD_CROSS"),
        ({"postOnly": True, "price": 90}, "OPEN", None),
        ({"selfTradePrevention": "EXPIRE_TAKER"}, "CANCELLED", "SELF_TRADE"),
        ({"selfTradePrevention": "NONE"}, "FILLED", None),
        ({"orderType": "MARKET", "price": None}, "FILLED", None),
        ({"orderType": "MARKET", "price": None, "quantity": 2}, "CANCELLED", "NO_LIQUIDITY"),
        (
            {"orderType": "MARKET", "price": None, "quantity": None, "quoteQuantity": "50.005"},
            "FILLED",
            None,
        ),
        ({"type": "SELL", "orderType": "MARKET", "price": None}, "CANCELLED", "NO_LIQUIDITY"),
    ],
)
async def test_each_kind_of_order_ends_as_the_rules_say(
    exchange: Exchange, order: dict[str, Any], status: str, reason: str | None
) -> None:
    await exchange.place(type="SELL")
    placed = (await exchange.place(**order))["order"]
    assert (placed["status"], placed["reason"]) == (status, reason)
    if order.get("orderType") == "MARKET":
        assert placed["price"] is None
    assert (await exchange.client.get(f"/orders/{placed['id']}")).json() == placed


async def test_an_order_expires_when_its_time_has_come(exchange: Exchange) -> None:
    at = datetime.now(UTC) + timedelta(milliseconds=700)
    placed = await exchange.place(expiresAt=at.isoformat())
    assert placed["order"]["timeInForce"] == "GTD"

    deadline_s = time.monotonic() + 15
    order: dict[str, Any] = placed["order"]
    while order["status"] == "OPEN" and time.monotonic() < deadline_s:
        order = (await exchange.client.get(f"/orders/{order['id']}")).json()
    assert (order["status"], order["reason"]) == ("EXPIRED", "TIME_EXPIRED")


async def test_an_expiry_may_be_given_in_milliseconds(exchange: Exchange) -> None:
    at_ms = int(time.time() * 1_000) + 60_000
    placed = await exchange.place(timeInForce="GTD", expiresAt=at_ms)
    assert placed["order"]["status"] == "OPEN"


async def test_a_client_order_id_is_answered_with_the_first_order_and_never_trades_twice(
    exchange: Exchange,
) -> None:
    user_id = await exchange.new_user()
    await exchange.place(type="SELL", quantity=5)
    order: dict[str, Any] = {"userId": user_id, "clientOrderId": "the-same-again"}
    first = await exchange.place(**order, wait_ms=0)
    again = await exchange.place(**order, wait_ms=0)
    assert again["orderId"] == first["orderId"]
    shown = await exchange.place(**order)
    assert shown["order"]["id"] == first["orderId"]
    assert shown["order"]["status"] == "FILLED"
    book = await _resting_orders(exchange)
    assert [row["quantity"] for row in book["asks"]] == ["4"]


async def test_the_same_client_order_id_sent_at_once_through_two_gateways_is_one_order(
    exchange: Exchange,
) -> None:
    user_id = await exchange.new_user()
    body = {"tradingPair": BTC, "type": "BUY", "price": 100, "quantity": 1, "userId": user_id}
    answers = await asyncio.gather(
        *(
            exchange.clients[index % 2].post("/orders", json=body | {"clientOrderId": "race"})
            for index in range(8)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["orderId"] for answer in answers}) == 1
    book = await _resting_orders(exchange)
    assert [row["quantity"] for row in book["bids"]] == ["1"]


async def test_an_order_that_only_repeated_a_client_order_id_reads_as_the_first(
    exchange: Exchange,
) -> None:
    user_id = await exchange.new_user()
    order: dict[str, Any] = {"userId": user_id, "clientOrderId": "twice"}
    first = await exchange.place(**order)
    await exchange.place(**order, wait_ms=0)
    (repeat,) = await _written(
        exchange,
        "SELECT order_id FROM orders WHERE user_id = $1 AND related_order_id <> 0",
        user_id,
    )
    read = (await exchange.client.get(f"/orders/{repeat['order_id']}")).json()
    assert read["id"] == first["orderId"]
    page = (await exchange.client.get("/orders", params={"userId": user_id})).json()["orders"]
    assert [found["id"] for found in page] == [first["orderId"]]


async def test_an_accepted_order_is_never_unknown_on_either_gateway(exchange: Exchange) -> None:
    async def place_and_read(index: int) -> int:
        placed = await exchange.place(price=90, wait_ms=0)
        answer = await exchange.clients[index % 2].get(f"/orders/{placed['orderId']}")
        return answer.status_code

    assert set(await asyncio.gather(*(place_and_read(index) for index in range(40)))) == {200}


async def test_a_read_is_never_older_than_an_answer_before_it(exchange: Exchange) -> None:
    placed = await exchange.place(quantity=3)
    for quantity in ("2.5", "2", "1.5"):
        amended = await exchange.client.patch(
            f"/orders/{placed['orderId']}", json={"quantity": quantity}
        )
        assert amended.status_code == 200
        read = (await exchange.client.get(f"/orders/{placed['orderId']}")).json()
        assert read == amended.json()["order"]


async def test_cancels_are_answered_with_the_cancelled_order(exchange: Exchange) -> None:
    placed = await exchange.place()
    answer = await exchange.client.delete(f"/orders/{placed['orderId']}")
    assert answer.status_code == 200
    order = answer.json()["order"]
    assert (order["status"], order["reason"]) == ("CANCELLED", "CANCELLED_BY_USER")


async def test_the_other_gateway_cancels_and_amends_an_order_at_once(exchange: Exchange) -> None:
    other = exchange.clients[1]
    placed = await exchange.place(wait_ms=0)
    amended = await other.patch(f"/orders/{placed['orderId']}", json={"price": "99"})
    assert (amended.status_code, amended.json()["order"]["price"]) == (200, "99")
    assert (await other.delete(f"/orders/{placed['orderId']}")).status_code == 200


async def test_an_amend_that_crosses_trades_at_the_makers_price(exchange: Exchange) -> None:
    await exchange.place(type="SELL", price=105)
    placed = await exchange.place(price=100)
    answer = await exchange.client.patch(f"/orders/{placed['orderId']}", json={"price": 110})
    assert answer.status_code == 200
    assert answer.json()["order"]["status"] == "FILLED"
    assert [fill["price"] for fill in answer.json()["fills"]] == ["105"]


@pytest.mark.parametrize("change", ["delete", "patch"])
async def test_only_the_owner_changes_an_order_where_a_user_is_named(
    exchange: Exchange, change: str
) -> None:
    stranger = await exchange.new_user()
    placed = await exchange.place()
    path = f"/orders/{placed['orderId']}"
    body = {"quantity": "0.5"} if change == "patch" else {}
    for refused in (
        await exchange.client.request(change, path, params={"userId": stranger}, json=body),
        await exchange.client.request(change, path, json=body | {"userId": stranger}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "NOT_OWNER")
    accepted = await exchange.client.request(change, path, params={"userId": 1}, json=body)
    assert accepted.status_code == 200


@pytest.mark.parametrize("change", ["delete", "patch"])
async def test_a_finished_order_cannot_be_changed(exchange: Exchange, change: str) -> None:
    placed = await exchange.place()
    path = f"/orders/{placed['orderId']}"
    await exchange.client.delete(path)
    body = {"quantity": "0.5"} if change == "patch" else {}
    for client in exchange.clients:
        answer = await client.request(change, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "UNKNOWN_ORDER")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "MALFORMED"),
        ({"price": None, "quantity": None}, 400, "MALFORMED"),
        ({"price": "100.001"}, 400, "OFF_TICK"),
        ({"quantity": "0.00001"}, 400, "OFF_LOT"),
        ({"quantity": "0.5"}, 400, "QUANTITY_BELOW_FILLED"),
        ({"price": "0.01", "quantity": "0.6"}, 400, "BELOW_MINIMUM_NOTIONAL"),
        ({"quantity": True}, 400, "MALFORMED"),
        ([], 400, "MALFORMED"),
    ],
)
async def test_an_amend_that_no_rule_allows_is_refused_with_its_reason(
    exchange: Exchange, body: Any, status: int, code: str
) -> None:
    placed = await exchange.place()
    await exchange.place(type="SELL", quantity="0.5")
    answer = await exchange.client.patch(f"/orders/{placed['orderId']}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_all_orders_of_a_user_are_cancelled_in_one_market_or_in_all(
    exchange: Exchange,
) -> None:
    user_id = await exchange.new_user()
    for pair in (BTC, BTC, ETH):
        await exchange.place(tradingPair=pair, userId=user_id)
    kept = await exchange.place()
    one = await exchange.client.delete("/orders", params={"userId": user_id, "tradingPair": BTC})
    assert (one.status_code, one.json()["cancelled"]) == (200, 2)
    rest = await exchange.client.delete("/orders", params={"userId": user_id})
    assert rest.json()["markets"] == {BTC: 0, ETH: 1, XRP: 0}
    order = (await exchange.client.get(f"/orders/{kept['orderId']}")).json()
    assert order["status"] == "OPEN"


async def test_lists_are_paged_newest_first_and_filtered(exchange: Exchange) -> None:
    user_id = await exchange.new_user()
    ids = [
        (await exchange.place(userId=user_id, tradingPair=pair))["orderId"]
        for pair in (BTC, ETH, BTC, ETH, BTC)
    ]
    await exchange.client.delete(f"/orders/{ids[0]}")
    # What is read by its id has been written, and so has all before it.
    await exchange.clients[1].get(f"/orders/{ids[-1]}")

    async def listed(**query: Any) -> Any:
        answer = await exchange.client.get("/orders", params={"userId": user_id} | query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    deadline_s = time.monotonic() + 10
    while (await listed(status="CANCELLED"))["orders"] == [] and time.monotonic() < deadline_s:
        pass
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await listed(limit=2, **cursor)
        seen += [order["id"] for order in page["orders"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert seen == ids[::-1]
    by_pair = await listed(tradingPair=ETH)
    assert [order["id"] for order in by_pair["orders"]] == [ids[3], ids[1]]
    by_status = await listed(status="CANCELLED,FILLED")
    assert [order["id"] for order in by_status["orders"]] == [ids[0]]
    assert len((await listed(status=["OPEN", "CANCELLED"]))["orders"]) == 5


async def test_a_batch_is_answered_order_by_order(exchange: Exchange) -> None:
    good = {"tradingPair": BTC, "type": "BUY", "price": 100, "quantity": 1, "userId": 1}
    orders: list[Any] = [
        good,
        good | {"tradingPair": ETH},
        good | {"price": "100.001"},
        good | {"tradingPair": "NO-SUCH"},
        good | {"quantity": "much"},
        good | {"userId": 10**15},
        "no order at all",
        good | {"clientOrderId": "of-a-batch"},
        good | {"clientOrderId": "of-a-batch"},
    ]
    user_id = await exchange.new_user()
    orders[7]["userId"] = orders[8]["userId"] = user_id
    for body in ({"orders": orders}, orders):
        answer = await exchange.client.post("/orders/batch", json=body)
        assert answer.status_code == 200
        results = answer.json()["results"]
        statuses = [result["statusCode"] for result in results]
        assert statuses == [201, 201, 400, 404, 400, 404, 400, 201, 201]
        assert results[7]["orderId"] == results[8]["orderId"]
        assert [results[index]["code"] for index in (2, 3, 4, 5, 6)] == [
            "OFF_TICK",
            "UNKNOWN_MARKET",
            "MALFORMED",
            "UNKNOWN_USER",
            "MALFORMED",
        ]
        read = await exchange.clients[1].get(f"/orders/{results[1]['orderId']}")
        assert read.json()["tradingPair"] == ETH


async def test_a_long_answer_to_a_batch_is_compressed_with_and_without_an_origin(
    exchange: Exchange,
) -> None:
    for origin in ({}, {"Origin": "http://localhost:5173"}):
        for encoding, packed in (("gzip", "gzip"), ("identity", None)):
            for count, shown in ((50, packed), (1, None)):
                answer = await exchange.client.post(
                    "/orders/batch",
                    json=[{"no": "order"}] * count,
                    headers=origin | {"Accept-Encoding": encoding},
                )
                assert len(answer.json()["results"]) == count
                assert answer.headers.get("content-encoding") == shown


async def test_a_batch_of_a_thousand_is_taken_and_one_more_is_not(exchange: Exchange) -> None:
    order = {"tradingPair": BTC, "type": "BUY", "price": 1, "quantity": 1, "userId": 1}
    answer = await exchange.client.post("/orders/batch", json=[order] * 1_000)
    ids = [int(result["orderId"]) for result in answer.json()["results"]]
    assert len(set(ids)) == 1_000
    assert ids == sorted(ids)
    for orders in ([order] * 1_001, []):
        refused = await exchange.client.post("/orders/batch", json=orders)
        assert (refused.status_code, refused.json()["code"]) == (400, "BATCH_SIZE")


async def test_ids_of_two_gateways_never_meet(exchange: Exchange) -> None:
    order = {"tradingPair": BTC, "type": "BUY", "price": 1, "quantity": 1, "userId": 1}
    answers = await asyncio.gather(
        *(client.post("/orders/batch", json=[order] * 200) for client in exchange.clients)
    )
    ids = [result["orderId"] for answer in answers for result in answer.json()["results"]]
    assert len(set(ids)) == 400


async def test_an_order_shows_what_was_asked_for(exchange: Exchange) -> None:
    at_ms = int(time.time() * 1_000) + 60_000
    placed = await exchange.place(
        expiresAt=at_ms, postOnly=True, selfTradePrevention="EXPIRE_MAKER", price=90
    )
    order = placed["order"]
    moment = datetime.fromtimestamp(at_ms / 1_000, UTC)
    assert datetime.fromisoformat(order["expiresAt"]) == moment
    assert (order["postOnly"], order["selfTradePrevention"]) == (True, "EXPIRE_MAKER")
    await exchange.place(type="SELL", price=100)
    by_quote = await exchange.place(
        orderType="MARKET", price=None, quantity=None, quoteQuantity="50"
    )
    assert by_quote["order"]["quoteQuantity"] == "50"
    for shown in (order, by_quote["order"]):
        assert (await exchange.client.get(f"/orders/{shown['id']}")).json() == shown


async def test_an_owner_who_is_named_twice_must_agree(exchange: Exchange) -> None:
    stranger = await exchange.new_user()
    placed = await exchange.place()
    path = f"/orders/{placed['orderId']}"
    for method, body in (("PATCH", {"quantity": "0.5"}), ("DELETE", {})):
        sent = body | {"userId": stranger}
        refused = await exchange.client.request(method, path, params={"userId": 1}, json=sent)
        assert (refused.status_code, refused.json()["code"]) == (400, "MALFORMED")
    agreed = await exchange.client.request(
        "DELETE", path, params={"userId": 1}, json={"userId": "1"}
    )
    assert agreed.status_code == 200
