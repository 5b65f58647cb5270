"""A real exchange's order flow through the running platform, and what became of it."""

import typer

from cluster.replay.command import replay

app = typer.Typer(name="replay", help="Play a captured order flow into a running platform.")
app.callback(invoke_without_command=True)(replay)
