"""`forkast export`: a market's candles or trades as a file for analysts."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from analytics.exports import FileFormat, write_candles, write_trades
from analytics.intervals import Interval, UnknownIntervalError, parse_interval
from cluster.cli.options import DATA_DEFAULT, DataOption
from cluster.data.state import running_state
from cluster.errors import ClusterError, SettingsError
from cluster.markets import topology_of

_FORMATS: dict[str, FileFormat] = {".parquet": "parquet", ".csv": "csv"}
_END_S = 2**40


class What(StrEnum):
    """What can be exported."""

    CANDLES = "candles"
    TRADES = "trades"


def export(
    what: Annotated[What, typer.Argument(help="What to write.")],
    pair: Annotated[str, typer.Argument(help="The market, for example BTC-USD.")],
    file: Annotated[Path, typer.Argument(help="Where to: a .parquet or a .csv file.")],
    interval: Annotated[str, typer.Option(help="Of candles: 1s to 1w.")] = "1m",
    since: Annotated[str, typer.Option(help="From this time on (ISO 8601, UTC).")] = "",
    until: Annotated[str, typer.Option(help="Up to before this time (ISO 8601, UTC).")] = "",
    data: DataOption = DATA_DEFAULT,
) -> None:
    """Write a market's candles or trades to a file, with exact decimals and UTC times."""
    file_format = _FORMATS.get(file.suffix)
    if file_format is None:
        raise SettingsError(f"{file.name} must end in {' or '.join(_FORMATS)}")
    state = running_state(data)
    topology = topology_of(state.markets_file)
    if pair not in topology:
        raise ClusterError(f"there is no market {pair} here")
    market = topology.market(pair)
    first_s, until_s = _seconds(since, otherwise=0), _seconds(until, otherwise=_END_S)
    if what is What.CANDLES:
        writing = write_candles(
            state.postgres_url,
            market,
            _interval(interval),
            path=file,
            file_format=file_format,
            first_s=first_s,
            until_s=until_s,
        )
    else:
        writing = write_trades(
            state.postgres_url,
            market,
            path=file,
            file_format=file_format,
            first_us=first_s * 1_000_000,
            until_us=until_s * 1_000_000,
        )
    try:
        rows = asyncio.run(writing)
    except (OSError, asyncpg.PostgresError) as error:
        raise ClusterError(f"{pair} could not be exported: {error}") from error
    typer.echo(f"{rows:,} rows in {file}")


def _interval(text: str) -> Interval:
    try:
        return parse_interval(text)
    except UnknownIntervalError as error:
        raise SettingsError(str(error)) from error


def _seconds(text: str, *, otherwise: int) -> int:
    if not text:
        return otherwise
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text} is not a time: write 2026-01-31T12:00:00") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
