"""`forkast migrate`: make ready the servers that URLs name, before a platform starts on them."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from cluster.data import migrate as schema
from cluster.data.topics import make_topics
from cluster.errors import SettingsError
from cluster.markets import topology_of
from cluster.settings import load_settings

_console = Console(highlight=False)


def migrate(
    markets: Annotated[str, typer.Option(help="TOML file of markets.")] = "",
) -> None:
    """Bring Postgres' schema and Kafka's topics up to date; `up` does so too."""
    settings = load_settings()
    for variable, value in (
        ("FORKAST_POSTGRES_URL", settings.postgres_url),
        ("FORKAST_KAFKA_BOOTSTRAP", settings.kafka_bootstrap),
    ):
        if not value:
            raise SettingsError(f"{variable} is not set: it names the server to make ready")
    topology = topology_of(markets)
    applied = asyncio.run(schema.migrate(settings.postgres_url, topology))
    asyncio.run(make_topics(settings.kafka_bootstrap, topology))
    _console.print(f"schema: {', '.join(applied) or 'nothing to do'}; topics: made or in place")
