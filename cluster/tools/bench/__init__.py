"""`forkast bench`: load and pace, each figure with the mix that it was measured under."""

import typer

from cluster.tools.bench.book import book
from cluster.tools.bench.pipeline.command import pipeline
from cluster.tools.bench.recovery import recovery
from cluster.tools.bench.scale import scale
from cluster.tools.bench.web.command import web

app = typer.Typer(name="bench", help="Measure this machine.", no_args_is_help=True)
app.command("book")(book)
app.command("pipeline")(pipeline)
app.command("recovery")(recovery)
app.command("scale")(scale)
app.command("web")(web)


@app.callback()
def bench() -> None:
    """Measure this machine."""
