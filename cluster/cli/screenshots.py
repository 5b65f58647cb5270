"""`forkast screenshots`: pictures of the trading screen with a living market on it."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cluster.data.state import running_state
from cluster.tools.browser_setup import need_browser
from cluster.tools.platforms import own_platform
from cluster.tools.screenshots import take_pictures

_console = Console(highlight=False)


def screenshots(
    to: Annotated[Path, typer.Option(help="Folder of the pictures.")] = Path("docs/screenshots"),
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of a platform that runs with --demo; else one is started."),
    ] = None,
) -> None:
    """Take pictures of the trading screen: desktop and phone, dark and light."""
    need_browser()
    with contextlib.ExitStack() as stack:
        if data is None:
            _console.print("starting a platform")
            data = stack.enter_context(own_platform("--demo"))
        asyncio.run(take_pictures(running_state(data).url, to, _console.print))
