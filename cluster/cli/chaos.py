"""`forkast chaos`: a campaign from a seed, against a platform of its own."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from cluster.tools.chaos.bed import BrokenPlatform, broken_platform
from cluster.tools.chaos.campaign import Campaign, CampaignError
from cluster.tools.chaos.plan import Plan, Target
from cluster.tools.chaos.report import print_summary
from cluster.tools.namespaces import Network

_LOGS = "logs"
_ROUNDS_MAX = 1_000_000

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def chaos(
    seed: Annotated[int, typer.Option(help="Everything random comes from it.")] = 1,
    minutes: Annotated[float, typer.Option(help="How long rounds are begun.")] = 10.0,
    rounds: Annotated[int, typer.Option(help="How many rounds at most.")] = _ROUNDS_MAX,
    faults: Annotated[int, typer.Option(help="How many faults a round has at most.")] = 3,
    only: Annotated[
        list[Target] | None, typer.Option(help="Hit nothing else; may be given again.")
    ] = None,
    brokers: Annotated[int, typer.Option(help="Kafka nodes: 1 or 3.")] = 1,
    nodes: Annotated[
        int, typer.Option(help="Ray nodes on machines of their own, whose links break; takes root.")
    ] = 0,
    evidence: Annotated[
        Path, typer.Option(help="Where data and logs are kept after a failure.")
    ] = Path("chaos-evidence"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Break a platform of its own at random, under load, and prove after each round that it held.

    Ends with 1 where a promise was broken.
    """
    if nodes and not Network.possible():
        _errors.print("--nodes takes root, and the programs ip and tc: give 0")
        raise typer.Exit(2)
    failure = ""
    with (
        tempfile.TemporaryDirectory(prefix="forkast-chaos-") as name,
        broken_platform(Path(name), brokers=brokers, nodes=nodes) as broken,
    ):
        plan = Plan(seed=seed, targets=tuple(only) if only else broken.targets, faults_max=faults)
        campaign = Campaign(broken, plan=plan, tell=_errors.print)
        try:
            asyncio.run(campaign.run(rounds=rounds, until_s=time.monotonic() + minutes * 60))
        except CampaignError as error:
            failure = str(error)
            _keep_stacks(broken, Path(name) / "stacks.txt")
            _keep(Path(name), evidence / f"seed-{seed}")
        except (KeyboardInterrupt, asyncio.CancelledError):
            _errors.print("stopped before its end")
    if as_json:
        sys.stdout.write(msgspec.json.encode(campaign.summary).decode() + "\n")
    else:
        print_summary(campaign.summary)
    if failure:
        _errors.print(f"[bold red]broken:[/] {failure}", markup=True)
        _errors.print(
            f"again: ./forkast chaos --rounds {campaign.summary.rounds + 1} --brokers {brokers} "
            f"--nodes {nodes} {plan.options}\nevidence: {evidence / f'seed-{seed}'}"
        )
        raise typer.Exit(1)


def _keep_stacks(broken: BrokenPlatform, path: Path) -> None:
    """Write down where each Python process of the platform is, if py-spy can be had."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if spy is None:
        return
    with path.open("w") as file:
        for process in broken.processes():
            dump = [spy, "dump", "--pid", str(process.pid)]
            # Processes that are no Python, or have just ended, are told of by py-spy itself.
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(dump, stdout=file, stderr=subprocess.STDOUT, timeout=30, check=False)


def _keep(folder: Path, evidence: Path) -> None:
    """Copy data and logs, as they are at the failure, away from the platform's end."""
    shutil.rmtree(evidence, ignore_errors=True)
    shutil.copytree(folder, evidence, ignore_dangling_symlinks=True)
