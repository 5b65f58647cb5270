"""A trader's page in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    ViewportSize,
    expect,
)

from cluster.tools.browser import settings_script

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"
DESKTOP = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)


@dataclass(frozen=True)
class Screen:
    """One open page and what a trader does there."""

    page: Page

    def part(self, name: str) -> Locator:
        """Return the part with a test id."""
        return self.page.get_by_test_id(name)

    async def is_live(self) -> None:
        """Wait until the page follows the feed."""
        await expect(self.part("app")).to_have_attribute("data-connection", "live", timeout=60_000)

    async def fill(self, side: str, *, price: str, amount: str) -> None:
        """Fill the form of a limit order."""
        await self.part(f"side-{side}").click()
        await self.part("type-limit").click()
        await self.part("order-price").fill(price)
        await self.part("order-amount").fill(amount)

    async def place(self, side: str, *, price: str, amount: str) -> None:
        """Place a limit order near the market, where the form does not ask a second time."""
        await self.fill(side, price=price, amount=amount)
        await self.part("order-submit").click()

    def toast(self, kind: str) -> Locator:
        """Return the newest toast of a kind."""
        return self.page.locator(f'[data-testid="toast"][data-kind="{kind}"]').last

    def order(self, *, price: str) -> Locator:
        """Return the rows of orders at a price."""
        return self.page.locator(f'[data-testid="order-row"][data-price="{price}"]')

    def row(self, side: str, *, price: str) -> Locator:
        """Return the book's rows at a price."""
        return self.page.locator(f'[data-testid^="book-row-{side}"][data-price="{price}"]')

    async def faults(self) -> list[str]:
        """Return what axe finds wrong, a line each."""
        # Not through a script element: the page's own policy forbids that, as it should.
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run()")
        return [
            f"{fault['id']}: {fault['help']}: {fault['nodes'][0]['html'][:200]} "
            f"{fault['nodes'][0].get('failureSummary', '')[:300]}"
            for fault in found["violations"]
        ]


@asynccontextmanager
async def opened(
    browser: Browser,
    url: str,
    *,
    user_id: int,
    pair: str,
    theme: str = "dark",
    size: ViewportSize = DESKTOP,
) -> AsyncIterator[Screen]:
    """Open the page as a user; it must not log an error nor ask for anything elsewhere."""
    context = await browser.new_context(viewport=size, reduced_motion="reduce")
    await context.add_init_script(settings_script(pair=pair, userId=user_id, theme=theme))
    page = await context.new_page()
    page.set_default_timeout(20_000)
    elsewhere: list[str] = []
    broken: list[str] = []

    def note_request(asked: Request) -> None:
        if _outside(asked.url, url):
            elsewhere.append(asked.url)

    def note_message(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            broken.append(said.text)

    page.on("request", note_request)
    page.on("console", note_message)
    page.on("pageerror", lambda error: broken.append(str(error)))
    try:
        await page.goto(url)
        screen = Screen(page)
        await screen.is_live()
        yield screen
        assert not elsewhere, elsewhere
        assert not broken, broken
    finally:
        await context.close()


def _outside(asked: str, url: str) -> bool:
    host = url.partition("://")[2]
    return not asked.startswith((url, f"ws://{host}", "data:", "blob:"))
