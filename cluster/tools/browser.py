"""Chromium without a window, as tests, screenshots and measurements drive it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cluster.errors import ClusterError
from cluster.tools.browser_setup import LAUNCH_ARGUMENTS, need_playwright, own_chromium

if TYPE_CHECKING:
    from playwright.async_api import Browser


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator["Browser"]:
    """Run Chromium, with more command line arguments. Raises ClusterError.

    Takes the machine's own, else Playwright's; `browser_setup.ready_browser` installs either.
    """
    need_playwright()
    from playwright.async_api import Error, async_playwright

    found = await asyncio.to_thread(own_chromium)
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=found, args=[*LAUNCH_ARGUMENTS, *arguments]
            )
        except Error as error:
            raise ClusterError(
                "no Chromium could be started here; `./forkast test` installs one"
            ) from error
        try:
            yield browser
        finally:
            await browser.close()


def settings_script(**chosen: object) -> str:
    """Return a script that gives a page its settings, where it holds none yet."""
    kept = json.dumps(json.dumps({"state": chosen, "version": 1}))
    return f"if (!localStorage.length) localStorage.setItem('forkast.settings', {kept})"
