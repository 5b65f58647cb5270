"""`forkast demo`: a living market in every pair of a running platform, until it is stopped."""

import asyncio
import signal
from typing import Annotated

import typer

from cluster.cli.options import DATA_DEFAULT, DataOption
from cluster.data.state import running_state
from cluster.markets import topology_of
from cluster.tools.replay.demo import Demo


def demo(
    speed: Annotated[
        float, typer.Option(min=0.1, max=1_000, help="How much faster than the exchange was.")
    ] = 4.0,
    data: DataOption = DATA_DEFAULT,
) -> None:
    """Let every market of a running platform live, until Ctrl-C."""
    state = running_state(data)
    asyncio.run(_until_signalled(Demo(state, topology_of(state.markets_file), speed=speed)))


async def _until_signalled(running: Demo) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await running.run(stop)
