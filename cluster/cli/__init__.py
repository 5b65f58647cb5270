"""The command line: `forkast up`, `down`, `status`, `logs`, `halt`, `resume`, `test` and more."""

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


def main() -> None:
    """Run the command line; an error of the platform is one line and exit code 1."""
    quiet_libraries()
    # These are loaded when asked for: their libraries would slow every other command down.
    wanted = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if wanted in ("bench", "--help"):
        app.add_typer(import_module("cluster.tools.bench").app, name="bench")
    if wanted in ("replay", "--help"):
        app.command("replay")(import_module("cluster.cli.replay").replay)
    if wanted in ("export", "--help"):
        app.command("export")(import_module("cluster.cli.export").export)
    if wanted in ("demo", "--help"):
        app.command("demo")(import_module("cluster.tools.replay.demo").demo)
    if wanted in ("screenshots", "--help"):
        app.command("screenshots")(import_module("cluster.tools.screenshots").screenshots)
    if wanted in ("verify", "--help"):
        app.command("verify")(import_module("cluster.cli.verify").verify_command)
    if wanted in ("chaos", "--help"):
        app.command("chaos")(import_module("cluster.cli.chaos").chaos)
    try:
        app(prog_name="forkast")
    except ForkastError as error:
        tell(error)
        sys.exit(1)
