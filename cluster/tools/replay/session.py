"""One replay from an empty book to its comparison."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from actors.book.market import Market
from actors.log.commands import KafkaCommandLog
from actors.platform.topology import Topology
from api.exchange.ids import IdGenerator
from api.exchange.storage.database import Database
from api.exchange.storage.positions import lease_worker_number
from cluster.data.state import RunState
from cluster.errors import ClusterError
from cluster.tools.replay.capture import read_events, read_trades
from cluster.tools.replay.collector import Collector
from cluster.tools.replay.comparison import Comparison, compare
from cluster.tools.replay.mapping import map_events
from cluster.tools.replay.player import Player, Script

_PENDING_COMMANDS = 10_000
_ORDERS_SHOWN = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What to play, where, and how fast (a factor of the exchange's speed, 0 for no limit)."""

    state: RunState
    topology: Topology
    market: Market
    events_file: Path
    trades_file: Path | None
    speed: float
    clear: bool


async def replay_once(request: Request, console: Console) -> Comparison:
    """Play the capture once. Raises ClusterError and LogError."""
    market, state = request.market, request.state
    console.print(f"Reading {request.events_file.name}", highlight=False)
    flow = map_events(read_events(request.events_file, market), market)
    exchange = read_trades(request.trades_file, market) if request.trades_file else []
    console.print(
        f"{len(flow.commands):,} commands; left out: {flow.outside} orders beyond the market's "
        f"limits, {flow.stale} stale rows of the snapshot",
        highlight=False,
    )
    async with AsyncExitStack() as stack:
        ids = IdGenerator(await _lease_worker(state))
        log = KafkaCommandLog(
            bootstrap=state.kafka_bootstrap,
            topology=request.topology,
            pending_commands=_PENDING_COMMANDS,
            client_id="forkast-replay",
        )
        await log.start()
        stack.push_async_callback(log.stop)
        collector = Collector(
            bootstrap=state.kafka_bootstrap, topology=request.topology, market=market
        )
        await collector.start()
        stack.push_async_callback(collector.stop)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=state.url, timeout=10))
        player = Player(log, market)
        if request.clear:
            await _clear(player, collector, http, ids, market)
        await _check_empty(http, market)
        script = Script(flow, ids, user_id=await _new_user(http))
        platform = asyncio.create_task(collector.trades(script))
        stack.callback(platform.cancel)
        with _progress(console) as bar:
            task = bar.add_task(market.pair, total=len(script))
            await player.play(
                script, speed=request.speed, progress=lambda sent: bar.advance(task, sent)
            )
        return compare(exchange, await platform)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )


async def _lease_worker(state: RunState) -> int:
    database = Database(state.postgres_url, size=1)
    await database.start()
    try:
        return await lease_worker_number(database)
    finally:
        await database.stop()


async def _new_user(http: httpx.AsyncClient) -> int:
    answer = await http.post("/users", json={"name": "Replay"})
    answer.raise_for_status()
    return int(answer.json()["id"])


async def _owners(http: httpx.AsyncClient, market: Market) -> set[int]:
    """Return the users with orders near the top of the book."""
    answer = await http.get(
        f"/market/{market.pair}/orderbook", params={"view": "orders", "depth": _ORDERS_SHOWN}
    )
    answer.raise_for_status()
    book = answer.json()
    return {int(order["userId"]) for side in ("bids", "asks") for order in book[side]}


async def _check_empty(http: httpx.AsyncClient, market: Market) -> None:
    if await _owners(http, market):
        raise ClusterError(
            f"{market.pair} has open orders, and a capture begins with an empty book: "
            "`--clear` cancels them"
        )


async def _clear(
    player: Player,
    collector: Collector,
    http: httpx.AsyncClient,
    ids: IdGenerator,
    market: Market,
) -> None:
    while owners := await _owners(http, market):
        for user_id in owners:
            await collector.answered(await player.clear(ids, user_id=user_id))
