"""Where Ray comes in: the candle aggregator becomes a detached, named actor."""

from typing import Any

import ray

from actors.platform.config import Platform
from analytics.client import CANDLES_NAME
from analytics.worker import CandlesWorker


def candles_actor(platform: Platform) -> Any:
    """Return the handle of a platform's candle actor, making the actor where there is none.

    One supervisor alone may call this. The actor outlives its creator and is restarted for ever;
    its state comes back from Postgres and the log.
    """
    try:
        return ray.get_actor(CANDLES_NAME, namespace=platform.namespace)
    except ValueError:
        pass
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
