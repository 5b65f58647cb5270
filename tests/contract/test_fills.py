"""Fills over HTTP: both sides of each trade, by user."""

import asyncio
from typing import Any

import pytest

from tests.beds.exchange import BTC, ETH, XRP, Exchange
from tests.beds.waiting import until


@pytest.fixture(autouse=True)
async def _empty_books(exchange: Exchange) -> None:
    await asyncio.gather(*(exchange.clear(pair) for pair in (BTC, ETH, XRP)))


async def _listed(exchange: Exchange, **query: Any) -> Any:
    answer = await exchange.client.get("/fills", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _fills(exchange: Exchange, count: int, **query: Any) -> list[dict[str, Any]]:
    """Return a user's fills as soon as `count` have been written."""
    fills: list[dict[str, Any]] = []

    async def have_come() -> bool:
        fills[:] = (await _listed(exchange, **query))["fills"]
        return len(fills) >= count

    await until(have_come, what=f"{count} fills are listed")
    return fills


async def test_a_trade_is_a_fill_of_both_its_users(exchange: Exchange) -> None:
    maker, taker = await exchange.new_user(), await exchange.new_user()
    resting = await exchange.place(userId=maker, type="SELL", price="100.5", quantity=2)
    taking = await exchange.place(userId=taker, price=101, quantity="0.5")
    (trade,) = taking["fills"]
    (made,) = await _fills(exchange, 1, userId=maker)
    (took,) = await _fills(exchange, 1, userId=taker)
    assert made == {
        "id": trade["id"],
        "orderId": resting["orderId"],
        "tradingPair": BTC,
        "type": "SELL",
        "role": "MAKER",
        "price": "100.5",
        "quantity": "0.5",
        "createdAt": trade["createdAt"],
        "sequence": trade["sequence"],
    }
    other = {"orderId": taking["orderId"], "type": "BUY", "role": "TAKER"}
    assert took == made | other


async def test_fills_are_paged_newest_first_over_all_pairs_or_of_one(exchange: Exchange) -> None:
    user_id = await exchange.new_user()
    for pair in (BTC, ETH, BTC, ETH, BTC):
        await exchange.place(tradingPair=pair, type="SELL")
        await exchange.place(tradingPair=pair, userId=user_id)
    all_fills = await _fills(exchange, 5, userId=user_id)
    assert [fill["tradingPair"] for fill in all_fills] == [BTC, ETH, BTC, ETH, BTC]
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await _listed(exchange, userId=user_id, limit=2, **cursor)
        seen += page["fills"]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert seen == all_fills
    of_one = await _listed(exchange, userId=user_id, tradingPair=ETH)
    assert of_one["fills"] == [all_fills[1], all_fills[3]]


async def test_who_trades_with_himself_has_both_sides(exchange: Exchange) -> None:
    user_id = await exchange.new_user()
    sold = await exchange.place(userId=user_id, type="SELL")
    bought = await exchange.place(userId=user_id)
    took, made = await _fills(exchange, 2, userId=user_id)
    assert took["id"] == made["id"]
    assert (took["orderId"], took["type"], took["role"]) == (bought["orderId"], "BUY", "TAKER")
    assert (made["orderId"], made["type"], made["role"]) == (sold["orderId"], "SELL", "MAKER")
    first = await _listed(exchange, userId=user_id, limit=1)
    rest = await _listed(exchange, userId=user_id, limit=1, cursor=first["nextCursor"])
    assert first["fills"] + rest["fills"] == [took, made]
