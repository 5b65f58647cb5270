"""Logs as structured events: JSON where programs read them, columns where people do.

The words are the same everywhere: `pair` for a market, `sequence` for the engine's counter,
`offset` for a place in the log of commands; `why` says what went wrong.
"""

import logging
import os
from typing import Any, Literal

import msgspec
import structlog


def configure_logs(form: Literal["json", "console"]) -> None:
    """Set up this process's logs, to its standard output."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_process,
    ]
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
        if form == "json"
        else [structlog.dev.ConsoleRenderer()]
    )
    structlog.configure(
        processors=shared + last,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(),
    )


def _json(event: dict[str, Any], **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def _name_process(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.setdefault("pid", os.getpid())
    return event
