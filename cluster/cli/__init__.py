"""Command line: `forkast up`, `down`, `status`, `logs`, `halt`, `resume`, `test` and more."""

import sys
from importlib import import_module

import typer

from actors.platform.errors import ForkastError
from actors.platform.logs import quiet_libraries
from cluster.cli import check, doctor, openapi, operate, operate_cluster, prepare, up
from cluster.cli.options import tell

app = typer.Typer(
    name="forkast",
    help="An open exchange platform: one deterministic matching actor per trading pair.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("up")(up.up)
app.command("down")(operate.down)
app.command("status")(operate.status)
app.command("logs")(operate.logs)
app.command("doctor")(doctor.doctor)
app.command("migrate")(prepare.migrate)
app.command("nodes")(operate_cluster.nodes)
app.command("rebalance")(operate_cluster.rebalance)
app.command("openapi")(openapi.openapi)
app.command("halt")(operate.halt)
app.command("resume")(operate.resume)
# What pytest takes is pytest's to check.
app.command("test", context_settings={"ignore_unknown_options": True})(check.check)

# Commands that are loaded when asked for: their libraries would slow every other command down.
_LOADED_WHEN_ASKED = {
    "bench": "cluster.cli.bench",
    "replay": "cluster.cli.replay",
    "export": "cluster.cli.export",
    "demo": "cluster.cli.demo",
    "screenshots": "cluster.cli.screenshots",
    "verify": "cluster.cli.verify",
    "chaos": "cluster.cli.chaos",
}


def main() -> None:
    """Run the command line; an error of the platform or the system is one line and exit code 1."""
    quiet_libraries()
    asked = sys.argv[1] if len(sys.argv) > 1 else "--help"
    for name, module in _LOADED_WHEN_ASKED.items():
        if asked in (name, "--help"):
            _add(name, module)
    try:
        app(prog_name="forkast")
    except (ForkastError, OSError) as error:
        tell(error)
        sys.exit(1)


def _add(name: str, module: str) -> None:
    """Add the function of the command's name, or the group of commands in its place."""
    loaded = import_module(module)
    if isinstance(group := getattr(loaded, "app", None), typer.Typer):
        app.add_typer(group, name=name)
    else:
        app.command(name)(getattr(loaded, name))
