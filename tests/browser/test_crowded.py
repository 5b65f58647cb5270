"""The page of a trader with more open orders than fit on a chart or into one reading."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from cluster.tools.platforms import RunningPlatform
from tests.beds.waiting import until
from tests.browser.screen import DESKTOP, Screen, opened

_PAIR = "SOL-USD"
# One more than the page reads at once.
_FAR, _NEAR = 994, 7
_DRAWN = 5


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def screen(browser: Browser, running_platform: RunningPlatform) -> AsyncIterator[Screen]:
    """A page on a market that has traded from 50 to 52, most of whose bids lie far below."""
    async with httpx.AsyncClient(base_url=running_platform.url, timeout=30) as http:
        user_id, maker_id, taker_id = [
            (await http.post("/users", json={})).json()["id"] for _ in range(3)
        ]

        def order(owner: int, side: str, price: str) -> dict[str, Any]:
            market = {"tradingPair": _PAIR, "type": side, "userId": owner}
            return market | {"price": price, "quantity": "1.234567"}

        traded = [
            order(owner, side, price)
            for price in ("50", "52")
            for owner, side in ((maker_id, "BUY"), (taker_id, "SELL"))
        ]
        far = [order(user_id, "BUY", f"{1 + step / 100:.2f}") for step in range(_FAR)]
        near = [order(user_id, "SELL", f"{52.05 + step / 20:.2f}") for step in range(_NEAR)]
        for batch in (traded, far, near):
            answer = await http.post("/orders/batch", json={"orders": batch})
            assert answer.is_success, answer.text
        last = answer.json()["results"][-1]["orderId"]

        async def is_listed() -> bool:
            listed = await http.get("/orders", params={"userId": user_id, "limit": 1})
            return [one["id"] for one in listed.json()["orders"]] == [last]

        await until(is_listed, what="the orders in the list")
        url = f"{running_platform.url}/"
        async with opened(browser, url, user_id=user_id, pair=_PAIR) as one:
            yield one
        await http.delete("/orders", params={"userId": user_id})


async def test_orders_that_the_chart_does_not_draw_are_counted_on_it(screen: Screen) -> None:
    folded = 1_000 - _DRAWN
    await expect(screen.part("folded-orders")).to_have_text(f"{folded}+ of your orders not drawn")


async def test_a_volume_has_no_eight_decimals(screen: Screen) -> None:
    legend = screen.part("chart-legend")
    await expect(legend).to_contain_text("Vol ")
    shown = (await legend.inner_text()).partition("Vol ")[2].split()[0]
    assert len(shown.partition(".")[2]) <= 5, shown


async def test_what_stands_beside_live_is_how_long_an_answer_takes(screen: Screen) -> None:
    await expect(screen.part("round-trip")).to_contain_text(" ms")
    assert "lag" not in await screen.part("connection").inner_text()


async def test_the_column_of_the_form_is_filled_to_its_foot(screen: Screen) -> None:
    form = await screen.part("order-form").bounding_box()
    trades = await screen.part("trades").bounding_box()
    assert form is not None
    assert trades is not None
    assert trades["y"] >= form["y"] + form["height"]
    assert trades["y"] + trades["height"] == pytest.approx(DESKTOP["height"], abs=8)


async def test_a_list_that_stops_at_a_thousand_says_so_and_leads_to_the_rest(
    screen: Screen,
) -> None:
    await expect(screen.part("tab-open")).to_have_text("Open orders (1,000+)")
    await expect(screen.part("tab-history")).to_have_text("Order history (0)")
    for shown in range(200, 1_001, 200):
        told = f"{shown:,} of 1,000+ shown"
        await expect(screen.part("more-count")).to_have_text(told)
        await screen.part("more").click()
    await expect(screen.part("tab-open")).to_have_text("Open orders (1,001)")
    await expect(screen.part("order-row")).to_have_count(_FAR + _NEAR)
    await expect(screen.part("more")).to_have_count(0)
    await expect(screen.part("folded-orders")).to_have_text(
        f"{_FAR + _NEAR - _DRAWN} of your orders not drawn"
    )
