"""Logs as structured events: JSON where programs read them, columns where people do.

The words are the same everywhere: `pair` for a market, `sequence` for the engine's counter,
`offset` for a place in the log of commands; `why` says what went wrong.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO, cast

import msgspec
import structlog

# What aiokafka calls errors, many times a second, while a broker is away.
_TRIED_AGAIN = (
    "Unable connect to node",
    "Unable to update metadata",
    "Failed fetch messages",
    "Failed fetch offsets",
)


class _Lossy:
    """A text stream that loses what cannot be written; all else is the stream's own."""

    def __init__(self, stream: Callable[[], TextIO]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self._stream().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream().flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream(), name)


def lossy(stream: Callable[[], TextIO]) -> TextIO:
    """Return a stream that writes where `stream` says, and never raises OSError for it.

    A loop that tells of its troubles must not end because the disk under its log is full.
    """
    return cast("TextIO", _Lossy(stream))


def configure_logs(
    form: Literal["json", "console"], *, pairs: Mapping[int, str] | None = None
) -> None:
    """Set up this process's logs, to its standard output.

    `pairs` are the pairs by market id: lines that know only the id, or the partition that goes with
    it, name the pair too.
    """
    quiet_libraries()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_process,
        _pair_namer(pairs or {}),
    ]
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
        if form == "json"
        else [structlog.dev.ConsoleRenderer()]
    )
    structlog.configure(
        processors=shared + last,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(lossy(lambda: sys.stdout)),
    )


def _is_final(record: logging.LogRecord) -> bool:
    return not record.msg.startswith(_TRIED_AGAIN)


def quiet_libraries() -> None:
    """Keep what a library only tries again out of the logs; what comes of it reaches its caller."""
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    for name in ("aiokafka", "aiokafka.consumer.fetcher"):
        logging.getLogger(name).addFilter(_is_final)


def _json(event: dict[str, Any], **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def _pair_namer(pairs: Mapping[int, str]) -> structlog.typing.Processor:
    def name_pair(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        market_id = event.get("market_id", event.get("partition", -1) + 1)
        if market_id in pairs:
            event.setdefault("pair", pairs[market_id])
        return event

    return name_pair


def _name_process(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.setdefault("pid", os.getpid())
    return event
