"""aiokafka's consumers as they are used here: without groups, paced, and closed for sure."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer

from actors.log.fetching import pack_fetches
from actors.log.pacing import pace

_log = structlog.get_logger(__name__)
_CLOSE_S = 5.0


def new_consumer(*, bootstrap: str, client_id: str, **more: Any) -> AIOKafkaConsumer:
    """Return a consumer that is not started, without a group; it must be given its offsets."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        request_timeout_ms=10_000,
        retry_backoff_ms=50,
        metadata_max_age_ms=60_000,
        **more,
    )
    pace(consumer._client)
    pack_fetches(consumer._client)
    return consumer


async def close_consumer(consumer: AIOKafkaConsumer) -> None:
    """Disconnect within a bound, whatever the brokers do.

    While a broker is away, `stop` may raise a CancelledError that nobody asked for
    (aio-libs/aiokafka#647): the caller's task would end with it, without a word, and the
    connections would stay open. They are closed here then.
    """
    if not await _ends(consumer.stop()):
        _log.warning("consumer_cut_off", client_id=consumer._client._client_id)
        await _ends(consumer._client.close())


async def _ends(closing: Coroutine[Any, Any, None]) -> bool:
    """Wait for a step of its own; say whether it came to its own end."""
    step = asyncio.ensure_future(closing)
    try:
        await asyncio.wait([step], timeout=_CLOSE_S)
    except asyncio.CancelledError:
        step.cancel()
        raise
    if step.done() and not step.cancelled():
        if error := step.exception():
            _log.warning("consumer_not_closed_well", why=repr(error))
        return True
    step.cancel()
    return False
