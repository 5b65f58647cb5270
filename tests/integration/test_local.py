"""A whole exchange in one loop, and the examples of it that the docs show."""

import ast
import re
from pathlib import Path
from types import FunctionType
from typing import Any

import psutil
import pytest

from actors.platform.config import Limits
from cluster.platform.local import LocalExchange, local_exchange
from tests.beds.waiting import until

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_ORDER = {"tradingPair": "ETH-USD", "price": "100", "quantity": "1", "userId": 1}


async def _run(page: str) -> dict[str, Any]:
    """Run a page's one example as a notebook would; return what it leaves behind."""
    (example,) = _EXAMPLE.findall((_DOCS / page).read_text())
    code = compile(example, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}
    await FunctionType(code, names)()
    return names


async def test_the_example_for_notebooks_trades() -> None:
    left = await _run("running.md")
    assert left["bought"].json()["order"]["status"] == "FILLED"
    (trade,) = left["trades"].json()
    assert (trade["price"], trade["quantity"]) == ("100", "1")


async def test_the_example_with_values_places_an_order() -> None:
    left = await _run("testing.md")
    assert left["found"] == left["placed"].order


async def test_two_gateways_tell_the_same_and_nothing_is_left_running() -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(InterruptedError):
        await _trade_and_break_off()
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


async def _trade_and_break_off() -> None:
    async with local_exchange(gateways=2, limits=Limits(batch_orders=2)) as running:
        await _trade_and_look(running)
        raise InterruptedError


async def _trade_and_look(running: LocalExchange) -> None:
    first, second = (gateway.client for gateway in running.gateways)
    assert running.client is first
    for side in ("SELL", "BUY"):
        placed = await first.post("/orders?wait=5000", json=_ORDER | {"type": side})
        assert placed.status_code == 201, placed.text
        read = await second.get(f"/orders/{placed.json()['orderId']}")
        assert read.json() == placed.json()["order"]

    async def has_candle() -> bool:
        answer = await second.get("/charts/ETH-USD/candles", params={"interval": "1m"})
        return any(candle["volume"] == "1" for candle in answer.json())

    async def is_ready() -> bool:
        return (await first.get("/ready")).status_code == 200

    await until(has_candle, what="the trade's candle")
    await until(is_ready, what="the router has reported")
    too_many = await first.post("/orders/batch", json=[_ORDER | {"type": "BUY"}] * 3)
    assert (too_many.status_code, too_many.json()["code"]) == (400, "BATCH_SIZE")
