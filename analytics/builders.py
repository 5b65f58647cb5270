"""Where Ray comes in: the candle aggregator becomes a detached, named actor."""

from typing import Any

import ray

from actors.config import Platform
from analytics.client import CANDLES_NAME
from analytics.worker import CandlesWorker


def candles_actor(platform: Platform) -> Any:
    """Create the candle actor of a platform and return its handle.

    Raises ValueError where an actor of this name lives already.
    """
    return (
        ray.remote(CandlesWorker)
        .options(
            name=CANDLES_NAME,
            namespace=platform.namespace,
            lifetime="detached",
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=64,
        )
        .remote(platform)
    )
