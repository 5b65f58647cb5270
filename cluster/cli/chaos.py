"""`forkast chaos`: a campaign from a seed, against a platform of its own."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cluster.tools.chaos.bed import broken_platform
from cluster.tools.chaos.campaign import Campaign, CampaignError
from cluster.tools.chaos.evidence import keep_evidence
from cluster.tools.chaos.plan import Plan, Target
from cluster.tools.chaos.summary import Summary
from cluster.tools.namespaces import Network

_ROUNDS_MAX = 1_000_000

_console = Console(highlight=False)
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
            keep_evidence(broken, Path(name), evidence / f"seed-{seed}")
        except (KeyboardInterrupt, asyncio.CancelledError):
            _errors.print("stopped before its end")
    if as_json:
        sys.stdout.write(msgspec.json.encode(campaign.summary).decode() + "\n")
    else:
        _print(campaign.summary)
    if failure:
        _errors.print(f"[bold red]broken:[/] {failure}", markup=True)
        _errors.print(
            f"again: ./forkast chaos --rounds {campaign.summary.rounds + 1} --brokers {brokers} "
            f"--nodes {nodes} {plan.options}\nevidence: {evidence / f'seed-{seed}'}"
        )
        raise typer.Exit(1)


def _print(summary: Summary) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("fault")
    for name in ("times", "served again: p50 ms", "p99 ms"):
        table.add_column(name, justify="right")
    for kind, times in summary.by_kind.items():
        took = summary.recovery_ms[kind]
        table.add_row(kind, f"{times:,}", f"{took['p50']:,.0f}", f"{took['p99']:,.0f}")
    _console.print(table)
    if summary.others_ms:
        _console.print(
            "after a pair actor's kill, all but one pair served after "
            f"{summary.others_ms['p50']:,.0f} ms (p50), {summary.others_ms['p99']:,.0f} ms (p99)"
        )
    _console.print(
        f"seed {summary.seed}: {summary.faults:,} faults in {summary.rounds:,} rounds and "
        f"{summary.seconds:,.0f} s; {summary.accepted:,} orders accepted, {summary.resent:,} of "
        f"them sent again; {summary.lost} lost, {summary.doubled} doubled, "
        f"{summary.disagreed} answers that disagree, {summary.checks_failed} checks failed"
    )
