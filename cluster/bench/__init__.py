"""`forkast bench`: load and pace, each figure with the mix that it was measured under."""

import typer

from cluster.bench.book import book
from cluster.bench.pipeline.command import pipeline
from cluster.bench.recovery import recovery
from cluster.bench.scale import scale
from cluster.bench.web.command import web

app = typer.Typer(name="bench", help="Measure this machine.", no_args_is_help=True)
app.command("book")(book)
app.command("pipeline")(pipeline)
app.command("recovery")(recovery)
app.command("scale")(scale)
app.command("web")(web)


@app.callback()
def bench() -> None:
    """Measure this machine."""
