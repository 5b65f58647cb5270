"""What the exchange refuses, and what it leaves open, as the page tells it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from actors.book.reasons import SENTENCES, Reason
from cluster.tools.platforms import RunningPlatform
from tests.browser.screen import Screen, opened

_PAIR = "MATIC-USD"


@dataclass(frozen=True, kw_only=True)
class Refused:
    """How the form is filled, and why the exchange will not have it."""

    reason: Reason
    side: str = "buy"
    kind: str = "limit"
    price: str = "5"
    amount: str = "1"
    tif: str = ""
    post_only: bool = False
    halted: bool = False


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def screen(browser: Browser, running_platform: RunningPlatform) -> AsyncIterator[Screen]:
    """A page on a market where one unit is for sale, at 5."""
    async with httpx.AsyncClient(base_url=running_platform.url, timeout=30) as http:
        user_ids = [(await http.post("/users", json={})).json()["id"] for _ in range(2)]
        order = {"tradingPair": _PAIR, "type": "SELL", "price": 5, "quantity": 1}
        placed = await http.post("/orders?wait=5000", json=order | {"userId": user_ids[0]})
        assert placed.json()["order"]["status"] == "OPEN"
        url = f"{running_platform.url}/"
        async with opened(browser, url, user_id=user_ids[1], pair=_PAIR) as one:
            await expect(one.row("ask", price="5")).to_have_count(1)
            yield one
        for user_id in user_ids:
            await http.delete("/orders", params={"userId": user_id})


@pytest.mark.parametrize(
    "case",
    [
        Refused(reason=Reason.ABOVE_MAXIMUM, amount="99999999999"),
        Refused(reason=Reason.WOULD_CROSS, post_only=True),
        Refused(reason=Reason.NOT_ENOUGH_TO_FILL, amount="2", tif="FOK"),
        Refused(reason=Reason.NOT_ENOUGH_TO_FILL, kind="market", amount="2", tif="FOK"),
        Refused(reason=Reason.NO_LIQUIDITY, kind="market", side="sell"),
        Refused(reason=Reason.UNFILLED_REMAINDER, side="sell", price="5", tif="IOC"),
        Refused(reason=Reason.HALTED, price="5", halted=True),
    ],
    ids=lambda case: f"{case.kind}-{case.reason.name}",
)
async def test_each_refusal_is_told_beside_the_form(
    screen: Screen, running_platform: RunningPlatform, case: Refused
) -> None:
    await screen.part(f"side-{case.side}").click()
    await screen.part(f"type-{case.kind}").click()
    if case.kind == "limit":
        await screen.part("order-price").fill(case.price)
        tif = case.tif or "GTC"
        await screen.part("order-tif").select_option(tif)
        if tif == "GTC":
            await screen.part("order-post-only").set_checked(case.post_only)
    else:
        await screen.part("order-tif").select_option(case.tif or "IOC")
    await screen.part("order-amount").fill(case.amount)
    operator = {"Authorization": f"Bearer {running_platform.operator_token}"}
    async with httpx.AsyncClient(
        base_url=running_platform.url, headers=operator, timeout=30
    ) as http:
        if case.halted:
            assert (await http.post(f"/markets/{_PAIR}/halt")).is_success
        await screen.part("order-submit").click()
        refusal = screen.part("order-error")
        await expect(refusal).to_have_attribute("data-code", case.reason.name)
        await expect(refusal).to_have_text(SENTENCES[case.reason])
        await expect(screen.part("order-amount")).to_have_value(case.amount)
        if case.halted:
            assert (await http.post(f"/markets/{_PAIR}/resume")).is_success


async def test_a_refused_amend_is_told_in_its_row(screen: Screen) -> None:
    await screen.part("order-tif").select_option("GTC")
    await screen.place("buy", price="4.9", amount="1")
    row = screen.order(price="4.9")
    order_id = await row.get_attribute("data-order-id")
    await screen.part(f"amend-{order_id}").click()
    await screen.part("amend-quantity").fill("0")
    await screen.part("amend-save").click()
    told = screen.page.locator(f'[data-order-id="{order_id}"] [role="alert"]')
    await expect(told).to_have_text(SENTENCES[Reason.NOT_POSITIVE])


@pytest.mark.parametrize("answer", ["none", "504"])
async def test_an_order_without_an_answer_is_placed_once(
    browser: Browser, running_platform: RunningPlatform, new_user: Callable[[], int], answer: str
) -> None:
    user_id = new_user()
    asked: list[str] = []

    async def answer_first_badly(route: Route) -> None:
        sent = route.request.post_data_json or {}
        asked.append(sent["clientOrderId"])
        if len(asked) > 1:
            await route.continue_()
            return
        placed = await (await route.fetch()).json()
        if answer == "none":
            await route.abort()
            return
        unknown = {"code": "UNKNOWN", "message": "Not known.", "orderId": placed["orderId"]}
        await route.fulfill(status=504, json=unknown)

    url = f"{running_platform.url}/"
    async with opened(browser, url, user_id=user_id, pair="DOT-USD") as screen:
        await screen.page.route("**/orders?wait=*", answer_first_badly)
        await screen.place("buy", price="1", amount="3")
        if answer == "none":
            await expect(screen.part("order-error")).to_have_attribute("data-code", "UNREACHABLE")
            await screen.part("order-submit").click()
        await expect(screen.part("order-amount")).to_have_value("")
        await expect(screen.part("order-error")).to_have_count(0)
        await expect(screen.order(price="1")).to_have_count(1)
        await screen.part("tab-history").click()
        await expect(screen.part("order-row")).to_have_count(0)
    assert len(set(asked)) == 1
    async with httpx.AsyncClient(base_url=running_platform.url, timeout=30) as http:
        listed = await http.get("/orders", params={"userId": user_id})
    assert [one["status"] for one in listed.json()["orders"]].count("OPEN") == 1
