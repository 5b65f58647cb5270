"""Where Ray comes in: the candle aggregator becomes a detached, named actor."""

from actors.platform.config import CandlesConfig
from actors.remote.handle import Handle
from actors.remote.make import standing_actor
from analytics.client import CANDLES_NAME
from analytics.ports import CandlesInterface
from analytics.worker import CandlesWorker


def candles_actor(config: CandlesConfig, *, namespace: str) -> Handle[CandlesInterface]:
    """Return the handle of a namespace's candle actor; see `standing_actor`.

    Its state comes back from Postgres and the log.
    """
    return standing_actor(
        CandlesWorker,
        config,
        name=CANDLES_NAME,
        namespace=namespace,
        num_cpus=0,
        max_concurrency=64,
    )
