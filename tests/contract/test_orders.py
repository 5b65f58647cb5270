"""Orders over HTTP: placed, read, amended, cancelled."""

import asyncio

import pytest

from tests.contract.bed import BTC, ETH, Exchange


@pytest.fixture(autouse=True)
async def _empty_books(exchange: Exchange) -> None:
    await asyncio.gather(exchange.clear(BTC), exchange.clear(ETH))


async def test_the_reference_clients_order_is_accepted_and_can_be_read(exchange: Exchange) -> None:
    body = b'{"tradingPair":"BTC-USD","type":"BUY","price":50000.00,"quantity":0.1,"userId":1}'
    answer = await exchange.client.post("/orders", content=body)
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
        "reason": None,
    }
