"""Trading on the page, in a real browser, against the real platform."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from playwright.async_api import Browser, Route, expect

from cluster.tools.platforms import RunningPlatform
from tests.browser.screen import PHONE, opened

_SECOND_PAIR = "ADA-USD"
_TEST_PAIR = "AVAX-USD"
_THIRD_PAIR = "DOGE-USD"
_FOURTH_PAIR = "XRP-USD"


@pytest.fixture
def url(running_platform: RunningPlatform) -> str:
    """Where the page is."""
    return f"{running_platform.url}/"


async def test_an_order_is_seen_taken_from_a_second_page_and_both_change(
    browser: Browser, url: str, new_user: Callable[[], int]
) -> None:
    maker_id, taker_id = new_user(), new_user()
    async with (
        opened(browser, url, user_id=maker_id, pair=_TEST_PAIR) as maker,
        opened(browser, url, user_id=taker_id, pair=_TEST_PAIR) as taker,
    ):
        for side, other, shown, arrow in (
            ("sell", "buy", "ask", "▲"),
            ("buy", "sell", "bid", "▼"),
        ):
            await maker.place(side, price="20", amount="2")
            await expect(maker.toast("accepted")).to_contain_text(side.title())
            await expect(maker.order(price="20")).to_have_count(1)
            await expect(maker.row(shown, price="20")).to_have_attribute("data-own", "true")
            await expect(taker.row(shown, price="20")).to_have_attribute("data-own", "false")
            await taker.place(other, price="20", amount="2")
            await expect(taker.toast("filled")).to_contain_text(other.title())
            await expect(maker.toast("filled")).to_contain_text(side.title())
            for screen in (maker, taker):
                await expect(screen.row(shown, price="20")).to_have_count(0)
                newest = screen.part("trade-row").first
                await expect(newest).to_have_attribute("data-side", other.upper())
                await expect(newest).to_contain_text(arrow)
            await expect(maker.order(price="20")).to_have_count(0)
        colours = [
            await taker.page.locator(
                f'[data-testid="trade-row"][data-side="{side}"] td'
            ).first.evaluate("cell => getComputedStyle(cell).color")
            for side in ("BUY", "SELL")
        ]
        assert len(set(colours)) == 2


async def test_what_is_typed_while_an_order_is_on_its_way_is_kept_for_the_next(
    browser: Browser, url: str, new_user: Callable[[], int]
) -> None:
    typed = asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        await typed.wait()
        await route.fulfill(response=answer)

    async with opened(browser, url, user_id=new_user(), pair=_TEST_PAIR) as screen:
        await screen.page.route("**/orders", hold)
        await screen.place("buy", price="9", amount="1")
        await expect(screen.part("order-submit")).to_be_disabled()
        await screen.part("order-amount").fill("3")
        typed.set()
        await expect(screen.part("order-submit")).to_be_enabled()
        await expect(screen.part("order-amount")).to_have_value("3")
        await screen.part("order-submit").click()
        await expect(screen.order(price="9")).to_have_count(2)
        await expect(screen.part("order-amount")).to_have_value("")


async def test_a_share_that_is_chosen_while_an_order_is_on_its_way_is_kept_too(
    browser: Browser, url: str, new_user: Callable[[], int]
) -> None:
    chosen = asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        await chosen.wait()
        await route.fulfill(response=answer)

    async with opened(browser, url, user_id=new_user(), pair=_TEST_PAIR) as screen:
        await screen.place("sell", price="9.4", amount="4")
        await expect(screen.row("ask", price="9.4")).to_have_count(1)
        await screen.page.route("**/orders", hold)
        await screen.place("buy", price="9", amount="2")
        await expect(screen.part("order-submit")).to_be_disabled()
        await screen.part("percent-25").click()
        await expect(screen.part("order-amount")).to_have_value("1")
        chosen.set()
        await expect(screen.part("order-submit")).to_be_enabled()
        await expect(screen.part("order-amount")).to_have_value("1")


async def test_an_order_is_cancelled_where_it_stands(
    browser: Browser, url: str, new_user: Callable[[], int]
) -> None:
    async with opened(browser, url, user_id=new_user(), pair=_TEST_PAIR) as screen:
        await screen.place("buy", price="9", amount="1")
        row = screen.order(price="9")
        await expect(row).to_have_count(1)
        order_id = await row.get_attribute("data-order-id")
        await screen.part(f"cancel-{order_id}").click()
        await expect(screen.toast("cancelled")).to_be_visible()
        await expect(row).to_have_count(0)
        await expect(screen.row("bid", price="9")).to_have_count(0)


async def test_all_orders_of_a_side_are_cancelled_after_a_second_click(
    browser: Browser, url: str, new_user: Callable[[], int]
) -> None:
    async with opened(browser, url, user_id=new_user(), pair=_TEST_PAIR) as screen:
        for side, price in (("buy", "9"), ("buy", "9.1"), ("sell", "9.4")):
            await screen.place(side, price=price, amount="1")
            await expect(screen.order(price=price)).to_have_count(1)
        await screen.part("filter-side").select_option("BUY")
        await screen.part("cancel-all").click()
        await expect(screen.part("cancel-all")).to_have_text("Cancel all 2?")
        await screen.part("cancel-all").click()
        await expect(screen.part("order-row")).to_have_count(0)
        await screen.part("filter-side").select_option("")
        await expect(screen.part("order-row")).to_have_count(1)
        await expect(screen.order(price="9.4")).to_have_count(1)


async def test_an_old_open_order_and_an_old_fill_are_there_when_the_page_is_opened(
    browser: Browser, url: str, new_user: Callable[[], int]
) -> None:
    user_id, other_id = new_user(), new_user()

    def order(owner: int, side: str, price: float, quantity: int, **more: str) -> dict[str, object]:
        market = {"tradingPair": _FOURTH_PAIR, "type": side, "userId": owner}
        return market | {"price": price, "quantity": quantity} | more

    old = [
        order(user_id, "BUY", 3, 1),
        order(user_id, "SELL", 20, 1),
        order(other_id, "BUY", 20, 1),
    ]
    # More than the page reads of one account's orders, or of one market's trades.
    newer = [order(user_id, "BUY", 4, 1, timeInForce="IOC") for _ in range(600)]
    trades = [order(other_id, "SELL", 20, 1_000), *[order(other_id, "BUY", 20, 1)] * 999]
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for batch in (old, newer, trades, [order(other_id, "BUY", 20, 1)]):
            answer = await client.post("/orders/batch", json={"orders": batch})
            assert answer.is_success, answer.text
        last = answer.json()["results"][-1]["orderId"]
        newest: dict[str, object] = {}
        while newest.get("orderId") != last:
            listed = await client.get("/fills", params={"userId": other_id, "limit": 1})
            (newest,) = listed.json()["fills"] or [{}]
    async with opened(browser, url, user_id=user_id, pair=_FOURTH_PAIR) as screen:
        await expect(screen.order(price="3")).to_have_count(1)
        await screen.part("tab-fills").click()
        await expect(screen.part("fill-row")).to_have_count(1)
        await expect(screen.part("fill-row")).to_have_attribute("data-side", "SELL")


async def test_a_refusal_is_shown_in_the_servers_own_words(browser: Browser, url: str) -> None:
    async with opened(browser, url, user_id=999_999, pair=_TEST_PAIR) as screen:
        await screen.place("buy", price="9", amount="1")
        order = {"tradingPair": _TEST_PAIR, "type": "BUY", "price": 9, "quantity": 1}
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.post(f"{url}orders", json=order | {"userId": 999_999})
        assert answer.is_client_error
        refusal = screen.part("order-error")
        await expect(refusal).to_contain_text(answer.json()["message"])
        await expect(refusal).to_have_attribute("data-code", answer.json()["code"])


async def test_another_pair_is_found_by_search_and_kept_over_a_reload(
    browser: Browser, url: str
) -> None:
    async with opened(browser, url, user_id=1, pair=_TEST_PAIR) as screen:
        await screen.page.keyboard.press("/")
        await screen.part("pair-search").fill(_SECOND_PAIR[:3])
        await screen.page.keyboard.press("Enter")
        await expect(screen.part("app")).to_have_attribute("data-pair", _SECOND_PAIR)
        await screen.page.reload()
        await screen.is_live()
        await expect(screen.part("app")).to_have_attribute("data-pair", _SECOND_PAIR)


async def test_a_search_entered_before_the_markets_are_here_is_kept(
    browser: Browser, url: str
) -> None:
    entered = asyncio.Event()

    async def hold(route: Route) -> None:
        await entered.wait()
        await route.continue_()

    async with opened(browser, url, user_id=1, pair=_TEST_PAIR) as screen:
        await screen.page.route("**/markets", hold)
        await screen.page.reload()
        await screen.is_live()
        await screen.page.keyboard.press("/")
        await screen.part("pair-search").fill(_SECOND_PAIR[:3])
        await screen.page.keyboard.press("Enter")
        await expect(screen.part("app")).to_have_attribute("data-pair", _TEST_PAIR)
        entered.set()
        await expect(screen.part("app")).to_have_attribute("data-pair", _SECOND_PAIR)


async def test_the_page_comes_back_after_the_server_was_killed(
    browser: Browser, url: str, running_platform: RunningPlatform, new_user: Callable[[], int]
) -> None:
    async with opened(browser, url, user_id=new_user(), pair=_TEST_PAIR) as screen:
        killed = [
            process
            for process in running_platform.family()
            if "ServeReplica:hub" in " ".join(process.cmdline())
        ]
        assert killed
        for process in killed:
            process.kill()
        await expect(screen.part("frozen-banner")).to_contain_text("since")
        await screen.is_live()
        await screen.place("buy", price="8", amount="1")
        await expect(screen.row("bid", price="8")).to_have_attribute("data-own", "true")


async def test_a_phone_has_tabs_and_a_form_behind_two_buttons(
    browser: Browser, url: str, new_user: Callable[[], int]
) -> None:
    async with opened(browser, url, user_id=new_user(), pair=_TEST_PAIR, size=PHONE) as screen:
        await screen.part("phone-tab-book").click()
        await expect(screen.part("book")).to_be_visible()
        await screen.part("phone-buy").click()
        await screen.part("order-price").fill("7")
        await screen.part("order-amount").fill("1")
        await screen.part("order-submit").click()
        await expect(screen.toast("accepted")).to_be_visible()
        wide = await screen.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"]


async def test_an_order_is_placed_and_cancelled_by_keyboard_alone(
    browser: Browser, url: str, new_user: Callable[[], int]
) -> None:
    async with opened(browser, url, user_id=new_user(), pair=_TEST_PAIR) as screen:
        keyboard = screen.page.keyboard

        async def tab_to(test_id: str) -> None:
            while await screen.page.evaluate("document.activeElement.dataset.testid") != test_id:
                await keyboard.press("Tab")

        await keyboard.press("s")
        await expect(screen.part("side-sell")).to_have_attribute("aria-pressed", "true")
        await keyboard.press("Escape")
        await keyboard.press("b")
        await expect(screen.part("side-buy")).to_have_attribute("aria-pressed", "true")
        await expect(screen.part("order-price")).to_be_focused()
        await keyboard.type("5.999")
        await keyboard.press("ArrowUp")
        await tab_to("order-amount")
        await keyboard.type("1")
        await keyboard.press("Control+Enter")
        row = screen.order(price="6")
        await expect(row).to_have_count(1)
        await tab_to(f"cancel-{await row.get_attribute('data-order-id')}")
        await keyboard.press("Enter")
        await expect(row).to_have_count(0)


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_axe_finds_nothing_wrong_in_either_theme(
    browser: Browser, url: str, new_user: Callable[[], int], theme: str
) -> None:
    user_id = new_user()
    orders = [
        {"tradingPair": _THIRD_PAIR, "type": side, "price": price, "quantity": 1, "userId": user_id}
        for side, first in (("BUY", 0.10), ("SELL", 0.12))
        for price in (round(first + step / 1_000, 3) for step in range(10))
    ]
    async with httpx.AsyncClient(timeout=10) as client:
        assert (await client.post(f"{url}orders/batch", json={"orders": orders})).is_success
    async with opened(browser, url, user_id=user_id, pair=_THIRD_PAIR, theme=theme) as screen:
        await expect(screen.part("app")).to_have_attribute("data-theme", theme)
        await expect(screen.order(price="0.12")).to_have_count(1)
        assert await screen.faults() == []
        await screen.page.keyboard.press("?")
        await expect(screen.part("help-dialog")).to_be_visible()
        assert await screen.faults() == []
        await screen.page.keyboard.press("Escape")
        await screen.place("buy", price="0.2", amount="1")
        await expect(screen.part("confirm-dialog")).to_be_visible()
        assert await screen.faults() == []


async def test_axe_finds_nothing_wrong_on_a_phone(browser: Browser, url: str) -> None:
    async with opened(browser, url, user_id=1, pair=_TEST_PAIR, size=PHONE) as screen:
        assert await screen.faults() == []
        await screen.part("phone-sell").click()
        await expect(screen.part("order-form")).to_be_visible()
        assert await screen.faults() == []
