"""Campaign: rounds of load, faults, recovery, and proof that nothing was lost or doubled."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from actors.platform.errors import ForkastError
from cluster.tools.chaos.audit import Auditor, Findings
from cluster.tools.chaos.bed import BrokenPlatform
from cluster.tools.chaos.clients import BatchClient, Client, RestClient, SocketClient, clients
from cluster.tools.chaos.inject import inject
from cluster.tools.chaos.plan import Action, Fault, Plan, Target
from cluster.tools.chaos.probe import Probe
from cluster.tools.chaos.summary import Summary, Tally
from cluster.tools.chaos.workers import Workers
from cluster.verify import HttpBooks, verify

_BACK_S = 120.0
_SETTLED_S = 60.0
# A proof from the log's start takes ever longer; most begin at the oldest snapshot that is kept.
_ROUNDS_A_WHOLE_PROOF = 20

Tell = Callable[[str], None]


class CampaignError(ForkastError):
    """Report a promise that a round has broken."""


class Campaign:
    """One campaign against one running platform; `summary` holds what it has come to so far."""

    def __init__(
        self,
        broken: BrokenPlatform,
        *,
        plan: Plan,
        tell: Tell,
    ) -> None:
        self.summary = Summary(seed=plan.seed)
        self._broken = broken
        self._running = broken.running
        self._platform = broken.platform
        self._plan = plan
        self._tell = tell
        self._tally = Tally()
        self._auditor = Auditor(broken.platform)
        self._pairs = [market.pair for market in broken.platform.topology]
        self._books = HttpBooks(
            url=broken.running.url, operator_token=broken.running.operator_token
        )

    async def run(self, *, rounds: int, until_s: float) -> Summary:
        """Play rounds until there were enough or the monotonic clock says `until_s`.

        Raises CampaignError at the first promise that is broken; the summary has it.
        """
        began_s = time.monotonic()
        summary = self.summary
        async with (
            _watched(self._broken.workers),
            clients(self._running.url, seed=summary.seed, pairs=self._pairs) as doors,
        ):
            probe = Probe(
                url=self._running.url,
                postgres_url=self._running.servers.postgres_url,
                socket=doors[2],
            )
            try:
                while summary.rounds < rounds and time.monotonic() < until_s:
                    await self._round(doors, probe)
                    summary.rounds += 1
                    summary.seconds = round(time.monotonic() - began_s, 1)
                    self._tally.into(summary)
                await self._prove(doors, whole=True)
            finally:
                await self._auditor.stop()
        return summary

    async def _round(
        self, doors: tuple[RestClient, BatchClient, SocketClient], probe: Probe
    ) -> None:
        faults = self._plan.round(self.summary.rounds)
        async with _trading(doors):
            ended = await asyncio.gather(*(self._inject(fault) for fault in faults))
            served = await asyncio.gather(
                *(probe.recovered_s(pair, within_s=_BACK_S) for pair in self._pairs)
            )
        hit = [(fault, at) for fault, at in zip(faults, ended, strict=True) if at is not None]
        words = ", ".join(fault.kind for fault, _ in hit) or "nothing to hit"
        late = [pair for pair, at in zip(self._pairs, served, strict=True) if at is None]
        if late:
            self.summary.checks_failed += len(late)
            raise CampaignError(
                f"after {words}: {', '.join(late)} did not serve within {_BACK_S:g} s; "
                f"{late[0]}: {probe.last[late[0]]}"
            )
        back = sorted(at for at in served if at is not None)
        self._note(hit, back)
        await self._prove(doors, whole=self.summary.rounds % _ROUNDS_A_WHOLE_PROOF == 0)
        after_s = back[-1] - max((at for _, at in hit), default=back[-1])
        self._tell(f"round {self.summary.rounds}: {words}; served again after {after_s:.1f} s")

    async def _inject(self, fault: Fault) -> float | None:
        """Return the monotonic time of a fault's end, None where there was nothing to hit."""
        return time.monotonic() if await inject(self._broken, fault) else None

    def _note(self, hit: list[tuple[Fault, float]], back: list[float]) -> None:
        for fault, ended_s in hit:
            self._tally.note(fault, back[-1] - ended_s)
        if len(hit) == 1 and len(back) > 1:
            fault, ended_s = hit[0]
            if (fault.target, fault.action) == (Target.PAIR, Action.KILL):
                self._tally.note_others(back[-2] - ended_s)

    async def _prove(self, doors: tuple[Client, ...], *, whole: bool) -> None:
        """Hold records and platform against each other. Raises CampaignError."""
        try:
            async with asyncio.timeout(_SETTLED_S):
                await asyncio.gather(*(door.settle() for door in doors))
        except TimeoutError:
            self.summary.checks_failed += 1
            raise CampaignError(f"orders were still unsure after {_SETTLED_S:g} s") from None
        report = await verify(self._platform, books=self._books, from_snapshot=not whole)
        orders = [order for door in doors for order in door.sent]
        findings = await self._auditor.judge(orders)
        summary = self.summary
        summary.accepted = sum(order.order_id > 0 for order in orders)
        summary.resent = sum(order.attempts > 1 for order in orders)
        summary.lost += len(findings.lost)
        summary.doubled += len(findings.doubled)
        summary.disagreed += len(findings.disagreed)
        failed = [check for check in report.checks if check.differences]
        summary.checks_failed += len(failed)
        if failed or len(findings):
            told = [f"{check.name}: {check.first}" for check in failed]
            raise CampaignError("; ".join([*told, *_first(findings)]))


@contextlib.asynccontextmanager
async def _watched(workers: Workers | None) -> AsyncIterator[None]:
    """Start nodes again that have ended, meanwhile."""
    if workers is None:
        yield
        return
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(workers.watch())
        yield
        watch.cancel()


@contextlib.asynccontextmanager
async def _trading(doors: tuple[Client, ...]) -> AsyncIterator[None]:
    """Let the clients trade; wait for their last answers at the end."""
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for door in doors:
            group.create_task(door.trade(enough))
        try:
            yield
        finally:
            enough.set()


def _first(findings: Findings) -> list[str]:
    return [
        *(f"lost: {sentence}" for sentence in findings.lost[:3]),
        *(f"doubled: {sentence}" for sentence in findings.doubled[:3]),
        *(f"disagreed: {sentence}" for sentence in findings.disagreed[:3]),
    ]
