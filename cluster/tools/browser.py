"""Chromium without a window: the machine's own, else Playwright's, fetched where it is missing."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cluster.errors import ClusterError

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage")


async def _launch(playwright: "Playwright", arguments: tuple[str, ...]) -> "Browser":
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None and not os.path.exists(playwright.chromium.executable_path):  # noqa: ASYNC240
        fetch = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "playwright", "install", "chromium"
        )
        if await fetch.wait() != 0:
            raise ClusterError("no Chromium is here, and Playwright's could not be fetched")
    return await playwright.chromium.launch(executable_path=found, args=[*_ARGUMENTS, *arguments])


def need_playwright() -> None:
    """Raise ClusterError where Playwright, which only development needs, is not installed."""
    if find_spec("playwright") is None:
        raise ClusterError(
            "this needs Playwright, which `uv sync --group dev` installs, and Chromium"
        )


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator["Browser"]:
    """Run Chromium, with more command line arguments. Raises ClusterError."""
    need_playwright()
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await _launch(playwright, arguments)
        try:
            yield browser
        finally:
            await browser.close()


def settings_script(**chosen: object) -> str:
    """Return a script that gives a page its settings, where it holds none yet."""
    kept = json.dumps(json.dumps({"state": chosen, "version": 1}))
    return f"if (!localStorage.length) localStorage.setItem('forkast.settings', {kept})"
