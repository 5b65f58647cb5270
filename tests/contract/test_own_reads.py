"""Who was told an outcome never reads an older one, single or listed, at either gateway."""

import asyncio
from typing import Any

import pytest

from tests.beds.exchange import BTC, ETH, XRP, Exchange


@pytest.fixture(autouse=True)
async def _empty_books(exchange: Exchange) -> None:
    await asyncio.gather(*(exchange.clear(pair) for pair in (BTC, ETH, XRP)))


async def _read(exchange: Exchange, path: str, **query: Any) -> Any:
    """Return what both gateways answer, which is the same."""
    answers = [await client.get(path, params=query) for client in exchange.clients]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    first, second = (answer.json() for answer in answers)
    assert first == second
    return first


async def _statuses(exchange: Exchange, user_id: int, **query: Any) -> dict[str, str]:
    page = await _read(exchange, "/orders", userId=user_id, **query)
    return {order["id"]: order["status"] for order in page["orders"]}


async def test_after_a_cancel_of_all_no_order_reads_open(exchange: Exchange) -> None:
    for _ in range(5):
        user_id = await exchange.new_user()
        ids = [(await exchange.place(userId=user_id, wait_ms=0))["orderId"] for _ in range(3)]
        cancelled = await exchange.client.delete("/orders", params={"userId": user_id})
        assert (cancelled.status_code, cancelled.json()["cancelled"]) == (200, 3)
        assert await _statuses(exchange, user_id, status="OPEN") == {}
        assert await _statuses(exchange, user_id) == dict.fromkeys(ids[::-1], "CANCELLED")
        for order_id in ids:
            order = await _read(exchange, f"/orders/{order_id}")
            assert (order["status"], order["reason"]) == ("CANCELLED", "CANCELLED_BY_USER")


async def test_after_a_taker_was_told_its_maker_reads_filled(exchange: Exchange) -> None:
    for _ in range(5):
        user_id = await exchange.new_user()
        maker = await exchange.place(userId=user_id, type="SELL", price=100, wait_ms=0)
        taker = await exchange.place(price=100)
        assert taker["order"]["status"] == "FILLED"
        assert (await _read(exchange, f"/orders/{maker['orderId']}"))["status"] == "FILLED"
        assert await _statuses(exchange, user_id) == {maker["orderId"]: "FILLED"}
        assert await _statuses(exchange, user_id, status="OPEN") == {}
        (fill,) = (await _read(exchange, "/fills", userId=user_id))["fills"]
        assert (fill["id"], fill["role"]) == (taker["fills"][0]["id"], "MAKER")
        trades = await _read(exchange, f"/market/{BTC}/trades", limit=1)
        assert trades == taker["fills"]


async def test_pages_hold_each_order_once_while_the_writer_catches_up(exchange: Exchange) -> None:
    user_id = await exchange.new_user()
    ids = [(await exchange.place(userId=user_id, wait_ms=0))["orderId"] for _ in range(6)]
    for order_id in ids[::2]:
        assert (await exchange.client.delete(f"/orders/{order_id}")).status_code == 200
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2, "status": "OPEN"}
    while True:
        page = await _read(exchange, "/orders", userId=user_id, **query)
        seen += [order["id"] for order in page["orders"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    assert seen == ids[1::2][::-1]


async def test_while_the_writer_stands_still_outcomes_are_read_all_the_same(
    exchange: Exchange,
) -> None:
    user_id = await exchange.new_user()
    placed = await exchange.place(userId=user_id)
    await exchange.writer.stop()
    try:
        amended = await exchange.client.patch(
            f"/orders/{placed['orderId']}", json={"quantity": "0.5"}
        )
        assert amended.status_code == 200
        order = await _read(exchange, f"/orders/{placed['orderId']}")
        assert order == amended.json()["order"]
        page = await _read(exchange, "/orders", userId=user_id)
        assert page["orders"] == [order]
    finally:
        exchange.writer.start()


async def test_a_repeat_is_answered_with_the_first_orders_fills(exchange: Exchange) -> None:
    user_id = await exchange.new_user()
    await exchange.place(type="SELL", quantity=1)
    await exchange.place(type="SELL", quantity=1, price="100.5")
    order: dict[str, Any] = {
        "userId": user_id,
        "clientOrderId": "filled-once",
        "price": "100.5",
        "quantity": 2,
    }
    first = await exchange.place(**order)
    assert len(first["fills"]) == 2
    for client in exchange.clients:
        body = {"tradingPair": BTC, "type": "BUY"} | order
        again = (await client.post("/orders", params={"wait": 5_000}, json=body)).json()
        assert (again["orderId"], again["order"]) == (first["orderId"], first["order"])
        assert again["fills"] == first["fills"]


@pytest.mark.parametrize(
    "other", [{"type": "SELL"}, {"price": 99}, {"quantity": 2}, {"orderType": "MARKET"}]
)
@pytest.mark.parametrize("wait_ms", [0, 5_000])
async def test_a_client_order_id_with_another_order_is_refused_and_names_the_first(
    exchange: Exchange, other: dict[str, Any], wait_ms: int
) -> None:
    user_id = await exchange.new_user()
    order: dict[str, Any] = {"userId": user_id, "clientOrderId": "one-order"}
    first = await exchange.place(**order)
    if "orderType" in other:
        other |= {"price": None}
    refused = await exchange.place(**(order | other), expect=409, wait_ms=wait_ms)
    assert refused["code"] == "DUPLICATE_CLIENT_ORDER_ID"
    assert refused["orderId"] == first["orderId"]
    body = {"tradingPair": BTC, "type": "BUY", "price": 100, "quantity": 1} | order | other
    answer = await exchange.client.post("/orders/batch", json=[body])
    (result,) = answer.json()["results"]
    assert (result["statusCode"], result["orderId"]) == (409, first["orderId"])


async def test_a_repeat_of_an_order_that_was_amended_since_is_still_a_repeat(
    exchange: Exchange,
) -> None:
    user_id = await exchange.new_user()
    order: dict[str, Any] = {"userId": user_id, "clientOrderId": "amended-since"}
    first = await exchange.place(**order)
    amended = await exchange.client.patch(f"/orders/{first['orderId']}", json={"price": "99"})
    assert amended.status_code == 200
    again = await exchange.place(**order)
    assert (again["orderId"], again["order"]["price"]) == (first["orderId"], "99")
    refused = await exchange.place(**order, price="99", expect=409)
    assert refused["orderId"] == first["orderId"]
