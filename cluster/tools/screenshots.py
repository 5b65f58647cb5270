"""Pictures of the trading screen with a living market on it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from cluster.errors import ClusterError
from cluster.tools.browser import chromium, settings_script

if TYPE_CHECKING:
    from playwright.async_api import Browser, ViewportSize

_PAIR = "BTC-USD"
_DESKTOP: "ViewportSize" = {"width": 1360, "height": 850}
_PHONE: "ViewportSize" = {"width": 390, "height": 844}
_ALIVE_S = 180.0
# Candles of ten seconds: a market that has just begun has some.
_TRADED_S = 90.0
_WAIT_MS = 60_000
_SETTLE_MS = 1_500


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One picture; `tab` is the panel that a phone shows."""

    name: str
    size: "ViewportSize"
    theme: str
    tab: str = ""
    indicators: tuple[str, ...] = ()
    scale: float = 1.0


SHOTS = (
    Shot(name="desktop-dark", size=_DESKTOP, theme="dark", indicators=("sma20", "bollinger20")),
    Shot(name="desktop-light", size=_DESKTOP, theme="light"),
    Shot(name="phone-dark", size=_PHONE, theme="dark", tab="chart", scale=1.5),
    Shot(name="phone-light", size=_PHONE, theme="light", tab="book", scale=1.5),
)


async def take_pictures(url: str, to: Path, tell: Callable[[str], None]) -> None:
    """Take every picture of the platform at `url` into a folder. Raises ClusterError."""
    to.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nobody waits meanwhile
    async with (
        chromium("--font-render-hinting=none") as browser,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        tell("waiting for a market with some history")
        await _until_alive(http)
        async with _trader(http) as user_id:
            for shot in SHOTS:
                path = to / f"{shot.name}.png"
                await _shoot(browser, url, shot, user_id=user_id, path=path)
                tell(f"{path}  {path.stat().st_size / 1_000:.0f} kB")


async def _shoot(browser: "Browser", url: str, shot: Shot, *, user_id: int, path: Path) -> None:
    context = await browser.new_context(
        viewport=shot.size, device_scale_factor=shot.scale, reduced_motion="reduce"
    )
    try:
        await context.add_init_script(
            settings_script(
                pair=_PAIR,
                userId=user_id,
                theme=shot.theme,
                interval="10s",
                indicators=shot.indicators,
            )
        )
        page = await context.new_page()
        page.set_default_timeout(_WAIT_MS)
        await page.goto(url)
        if shot.tab:
            await page.get_by_test_id(f"phone-tab-{shot.tab}").click()
        live = '[data-testid="app"][data-connection="live"]'
        await page.locator(f'{live} [data-testid="book"][data-best-bid]').wait_for(state="attached")
        await page.locator('[data-testid="order-row"]').first.wait_for(state="attached")
        await page.locator(".chart-box canvas").first.wait_for(state="attached")
        await page.wait_for_timeout(_SETTLE_MS)
        await page.screenshot(path=path)
    finally:
        await context.close()


async def _until_alive(http: httpx.AsyncClient) -> None:
    """Wait until the market has a book and trades of some time. Raises ClusterError."""
    deadline = time.monotonic() + _ALIVE_S
    while time.monotonic() < deadline:
        candles = await _asked(http, f"/charts/{_PAIR}/candles?interval=10s&limit=500")
        book = await _asked(http, f"/market/{_PAIR}/orderbook?depth=20")
        if len(candles) * 10 >= _TRADED_S and min(len(book["bids"]), len(book["asks"])) == 20:
            return
        await asyncio.sleep(1)
    raise ClusterError(f"{_PAIR} does not live: start the platform with `forkast up --demo`")


@contextlib.asynccontextmanager
async def _trader(http: httpx.AsyncClient) -> AsyncIterator[int]:
    """Let a new user have fills and open orders; cancel these at the end."""
    user_id: int = (await _asked(http, "/users", {"name": "A trader"}))["id"]
    book = await _asked(http, f"/market/{_PAIR}/orderbook?depth=20")
    common = {"tradingPair": _PAIR, "userId": user_id}
    orders: list[dict[str, Any]] = [
        *(
            {"orderType": "MARKET", "type": "BUY", "quantity": amount}
            for amount in ("0.02", "0.05")
        ),
        {"orderType": "MARKET", "type": "SELL", "quantity": "0.04"},
        *(
            {"type": "BUY", "price": book["bids"][at]["price"], "quantity": "0.25"}
            for at in (9, 19)
        ),
        *(
            {"type": "SELL", "price": book["asks"][at]["price"], "quantity": "0.2"}
            for at in (9, 19)
        ),
    ]
    try:
        for order in orders:
            await _asked(http, "/orders?wait=2000", common | order)
        yield user_id
    finally:
        await http.delete("/orders", params={"userId": user_id})


async def _asked(http: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = await (http.get(path) if body is None else http.post(path, json=body))
    if answer.is_error:
        raise ClusterError(f"{path} was answered with {answer.status_code}: {answer.text[:200]}")
    return answer.json()
