"""Indicators over candles, as a chart asks for them."""

import pytest

from tests.beds.exchange import BTC, Exchange, until


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
