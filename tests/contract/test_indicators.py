"""Indicators over candles, as a chart asks for them."""

from typing import Any

import pytest

from tests.beds.exchange import BTC, Exchange
from tests.beds.waiting import until


async def test_indicators_are_as_long_as_their_times_and_agree_with_the_candles(
    exchange: Exchange,
) -> None:
    await exchange.place(type="SELL", price="104.5")
    await exchange.place(price="104.5")
    query: dict[str, str | int] = {"interval": "1s", "limit": 3}

    async def has_come() -> bool:
        answer = await exchange.client.get(f"/charts/{BTC}/candles", params=query)
        return len(answer.json()) == 3

    await until(has_come, what="there are three seconds of candles")
    newest = (await exchange.client.get(f"/charts/{BTC}/candles", params=query)).json()[-1]["time"]
    query["before"] = newest
    candles = (await exchange.client.get(f"/charts/{BTC}/candles", params=query)).json()
    names = "sma1,ema9,vwap,bollinger2,rsi"
    answer = await exchange.client.get(
        f"/charts/{BTC}/indicators", params={**query, "names": names}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["tradingPair"], found["interval"]) == (BTC, "1s")
    assert found["times"] == [candle["time"] for candle in candles]
    assert found["series"]["sma1"] == [candle["close"] for candle in candles]
    bands = {"bollinger2Lower", "bollinger2Middle", "bollinger2Upper"}
    assert found["series"].keys() == {"sma1", "ema9", "vwap20", "rsi14", *bands}
    assert {len(values) for values in found["series"].values()} == {len(candles)}


async def test_a_candle_has_one_value_whatever_else_is_asked_for(exchange: Exchange) -> None:
    async def seconds() -> int:
        answer = await exchange.client.get(f"/charts/{BTC}/candles", params={"interval": "1s"})
        return len(answer.json())

    for number, price in enumerate(("100", "103.5", "101.5", "104.25", "102")):
        await exchange.place(type="SELL", price=price)
        await exchange.place(price=price)

        async def is_over(number: int = number) -> bool:
            return await seconds() > number + 1

        await until(is_over, what="the second of the trade is over")
    known: dict[tuple[int, str], str | None] = {}
    newest = (await _series(exchange, "sma1", limit=1))["times"][0]
    questions = [
        (names, limit, newest - back)
        for names in ("rsi2", "ema2,rsi2", "bollinger2,rsi2,ema2,vwap2,sma2", "sma2,rsi200,ema200")
        for limit in (1, 2, 3, 100, 5_000)
        for back in (0, 1, 2)
    ]
    for names, limit, before in questions:
        found = await _series(exchange, names, limit=limit, before=before)
        for name, values in found["series"].items():
            for time_s, value in zip(found["times"], values, strict=True):
                assert known.setdefault((time_s, name), value) == value
    assert {value for (_, name), value in known.items() if name == "rsi2"} > {None}


async def _series(exchange: Exchange, names: str, **query: int) -> Any:
    answer = await exchange.client.get(
        f"/charts/{BTC}/indicators", params={"interval": "1s", "names": names, **query}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ("macd", "UNKNOWN_INDICATOR"),
        ("sma0", "UNKNOWN_INDICATOR"),
        ("sma201", "UNKNOWN_INDICATOR"),
        ("", "MALFORMED"),
        (",".join(["sma20"] * 9), "MALFORMED"),
    ],
)
async def test_indicators_that_do_not_exist_are_refused(
    exchange: Exchange, names: str, code: str
) -> None:
    answer = await exchange.client.get(f"/charts/{BTC}/indicators", params={"names": names})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
