"""Time until the page is useful, and whether it keeps up with a busy market."""

import asyncio
import contextlib
import gzip
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from cluster.embedded.process import free_port
from cluster.errors import ClusterError
from cluster.platform.page import PageError, ready_page
from cluster.tools.bench.web.market import PAIR
from cluster.tools.browser import chromium, settings_script

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession, Page

_UPDATES_PER_SECOND = 200.0
_TRADES_PER_SECOND = 100.0
_STARTS = 5
_START_S = 60.0
_WARM_MS = 5_000
_PAGE_MS = 60_000
# A frame that took longer missed at least one of the screen's 60 a second.
_LONG_FRAME_MS = 25.0
# Notes the first frame with prices on the screen, and the first with the chart.
_SEEN = """
window.forkastSeen = new Promise((done) => {
  const seen = {};
  const look = () => {
    const there = {
      prices: document.querySelector('[data-testid^="book-row-bid"]')
        && document.querySelector('[data-testid="last-price"]')?.textContent.match(/[0-9]/),
      chart: document.querySelector('.chart-box canvas'),
    };
    for (const [name, found] of Object.entries(there))
      if (found && !(name in seen)) seen[name] = performance.now();
    if ('prices' in seen && 'chart' in seen) done(seen);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
"""
_FRAMES = """
async (ms) => {
  const took = [];
  await new Promise((done) => {
    let before = performance.now();
    const end = before + ms;
    const frame = () => {
      const now = performance.now();
      took.push(now - before);
      before = now;
      if (now < end) requestAnimationFrame(frame);
      else done();
    };
    requestAnimationFrame(frame);
  });
  return took;
}
"""


class Report(msgspec.Struct, kw_only=True):
    """How the page did. Paints are medians from a cold cache.

    `frames_per_second` and `long_frame_share` (frames over 25 ms) hold for the trace;
    `main_thread_share` is the processor time of the page's main thread over the same time, which
    does not depend on what else the machine does. Heaps are taken after a collection of garbage.
    """

    gzipped_kilobytes: float
    first_contentful_paint_ms: float
    first_useful_paint_ms: float
    chart_ms: float
    seconds: float
    book_updates_per_second: float
    trades_per_second: float
    frames_per_second: float
    long_frame_share: float
    longest_frame_ms: float
    main_thread_share: float
    heap_megabytes: float
    heap_growth_megabytes: float


def measure_page(*, seconds: float, tell: Callable[[str], None]) -> Report:
    """Build the page, feed it for `seconds`, and look at it in Chromium. Raises ClusterError."""
    try:
        folder = ready_page(tell)
    except PageError as error:
        raise ClusterError(f"no page to measure: {error}") from error
    with _venue(folder) as url:
        return asyncio.run(_measure(url, folder, seconds=seconds, tell=tell))


def gzipped_bytes(folder: Path) -> int:
    """Return how many bytes of the page's code, styles and document go over the wire."""
    return sum(
        len(gzip.compress(path.read_bytes(), 9))
        for path in folder.rglob("*")
        if path.suffix in (".js", ".css", ".html")
    )


async def _measure(
    url: str, folder: Path, *, seconds: float, tell: Callable[[str], None]
) -> Report:
    async with chromium("--enable-precise-memory-info") as browser:
        tell(f"{_STARTS} starts from a cold cache")
        starts = [await _start(browser, url) for _ in range(_STARTS)]
        tell(f"{seconds:g} s of the feed")
        held = await _hold(browser, url, seconds)
    paints = {
        name: round(statistics.median(start[name] for start in starts), 1) for name in starts[0]
    }
    return Report(gzipped_kilobytes=round(gzipped_bytes(folder) / 1e3, 1), **paints, **held)


async def _open(browser: "Browser", url: str) -> "Page":
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_init_script(settings_script(pair=PAIR, theme="dark", interval="1m"))
    await context.add_init_script(_SEEN)
    page = await context.new_page()
    page.set_default_timeout(_PAGE_MS)
    await page.goto(url)
    return page


async def _start(browser: "Browser", url: str) -> dict[str, float]:
    page = await _open(browser, url)
    seen = await page.evaluate("forkastSeen")
    painted = await page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
    )
    await page.context.close()
    return {
        "first_contentful_paint_ms": painted,
        "first_useful_paint_ms": seen["prices"],
        "chart_ms": seen["chart"],
    }


async def _hold(browser: "Browser", url: str, seconds: float) -> dict[str, float]:
    page = await _open(browser, url)
    await page.wait_for_timeout(_WARM_MS)
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    heap_before = await _heap_megabytes(session)
    async with httpx.AsyncClient(base_url=url) as http:
        sent_before = (await http.get("/sent")).json()
        busy_before = await _metrics(session)
        began_s = time.monotonic()
        took_ms = await page.evaluate(_FRAMES, seconds * 1_000)
        held_s = time.monotonic() - began_s
        busy_after = await _metrics(session)
        sent = (await http.get("/sent")).json()
    heap_after = await _heap_megabytes(session)
    await page.context.close()

    def rate(event: str) -> float:
        return float(round((sent.get(event, 0) - sent_before.get(event, 0)) / held_s, 1))

    return {
        "seconds": round(held_s, 1),
        "book_updates_per_second": rate("orderbook_update"),
        "trades_per_second": rate("new_trade"),
        "frames_per_second": round(len(took_ms) / held_s, 1),
        "long_frame_share": round(sum(ms > _LONG_FRAME_MS for ms in took_ms) / len(took_ms), 4),
        "longest_frame_ms": round(max(took_ms), 1),
        "main_thread_share": round(
            (busy_after["TaskDuration"] - busy_before["TaskDuration"]) / held_s, 3
        ),
        "heap_megabytes": round(heap_after, 2),
        "heap_growth_megabytes": round(heap_after - heap_before, 2),
    }


async def _metrics(session: "CDPSession") -> dict[str, float]:
    answer: dict[str, Any] = await session.send("Performance.getMetrics")
    return {metric["name"]: float(metric["value"]) for metric in answer["metrics"]}


async def _heap_megabytes(session: "CDPSession") -> float:
    await session.send("HeapProfiler.collectGarbage")
    metrics = await _metrics(session)
    return metrics["JSHeapUsedSize"] / 1e6


@contextlib.contextmanager
def _venue(folder: Path) -> Iterator[str]:
    port = free_port()
    rates = (str(_UPDATES_PER_SECOND), str(_TRADES_PER_SECOND))
    process = subprocess.Popen(
        [sys.executable, "-m", "cluster.tools.bench.web.venue", str(port), str(folder), *rates]
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _START_S
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ClusterError("the venue that feeds the page did not start")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/sent").is_success
    except httpx.TransportError:
        return False
