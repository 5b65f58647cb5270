"""`forkast bench`: one command a file; what they measure with is in `cluster/tools/bench/`."""

import typer

from cluster.cli.bench.book import book
from cluster.cli.bench.fanout import fanout
from cluster.cli.bench.idle import idle
from cluster.cli.bench.latency import latency
from cluster.cli.bench.ledger import ledger
from cluster.cli.bench.locust import locust
from cluster.cli.bench.overload import overload
from cluster.cli.bench.pipeline import pipeline
from cluster.cli.bench.recovery import recovery
from cluster.cli.bench.scale import scale
from cluster.cli.bench.soak import soak
from cluster.cli.bench.transport import transport
from cluster.cli.bench.web import web

app = typer.Typer(name="bench", help="Measure this machine.", no_args_is_help=True)
app.command("book")(book)
app.command("fanout")(fanout)
app.command("idle")(idle)
app.command("latency")(latency)
app.command("ledger")(ledger)
app.command("locust")(locust)
app.command("overload")(overload)
app.command("pipeline")(pipeline)
app.command("recovery")(recovery)
app.command("scale")(scale)
app.command("soak")(soak)
app.command("transport")(transport)
app.command("web")(web)
