"""Living markets in every pair of a running platform, until they are stopped.

BTC-USD plays the sample capture again and again, the other pairs a flow of their own making. The
demo's orders are one user's; only those are cancelled, at each beginning and at the end, so that
whoever tries the exchange meanwhile keeps theirs.
"""

import asyncio
import contextlib
from decimal import Decimal

import httpx
import structlog

from actors.book.market import Market
from actors.log.commands import KafkaCommandLog
from actors.platform.errors import LogError
from actors.platform.topology import Topology
from api.exchange.ids import IdGenerator
from api.exchange.storage.database import Database
from api.exchange.storage.positions import lease_worker_number
from cluster.data.state import RunState
from cluster.errors import ClusterError
from cluster.tools.replay.capture import read_events
from cluster.tools.replay.living import living_flow
from cluster.tools.replay.mapping import Flow, map_events
from cluster.tools.replay.player import Player, Script
from cluster.tools.replay.sample import sample

_CAPTURED_PAIR = "BTC-USD"
_USER_NAME = "Forkast demo"
_PENDING_COMMANDS = 10_000
_SLICE_MS = 100.0
_RETRY_S = 2.0
# Where a market begins that has never traded, in its quote currency.
_FIRST_PRICES = {
    "BTC-USD": "78000",
    "ETH-USD": "2300",
    "SOL-USD": "84",
    "BNB-USD": "620",
    "XRP-USD": "1.40",
    "ADA-USD": "0.25",
    "DOGE-USD": "0.11",
    "AVAX-USD": "9.20",
    "MATIC-USD": "0.20",
    "DOT-USD": "1.25",
}
_ANY_PRICE = "100"
# A last price farther off than this factor was somebody's experiment.
_FARTHEST = 2

_log = structlog.get_logger()


class Demo:
    """Flows into all markets of one platform; `speed` is a factor of the capture's own."""

    def __init__(self, state: RunState, topology: Topology, *, speed: float) -> None:
        self._state = state
        self._topology = topology
        self._speed = speed

    async def run(self, stop: asyncio.Event) -> None:
        """Play until `stop` is set, then cancel what is open. Raises ForkastError at the start."""
        worker, user_id = await self._sign_up()
        ids = IdGenerator(worker)
        log = KafkaCommandLog(
            bootstrap=self._state.kafka_bootstrap,
            topology=self._topology,
            pending_commands=_PENDING_COMMANDS,
            client_id="forkast-demo",
        )
        await log.start()
        players = [Player(log, market, slice_ms=_SLICE_MS) for market in self._topology]
        playing = [
            asyncio.create_task(self._play(player, ids, user_id=user_id)) for player in players
        ]
        try:
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({stopped, *playing}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
        finally:
            for task in playing:
                task.cancel()
            ended = await asyncio.gather(*playing, return_exceptions=True)
            for player in players:
                with contextlib.suppress(LogError):
                    await player.clear(ids, user_id=user_id)
            await log.stop()
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    async def _sign_up(self) -> tuple[int, int]:
        """Return a worker number and the demo's user, the same one as last time."""
        database = Database(self._state.postgres_url, size=1)
        await database.start()
        try:
            worker = await lease_worker_number(database)
            known = await database.fetch(
                "SELECT min(user_id) AS user_id FROM users WHERE name = $1", _USER_NAME
            )
        finally:
            await database.stop()
        if (user_id := known[0]["user_id"]) is not None:
            return worker, user_id
        async with httpx.AsyncClient(base_url=self._state.url, timeout=30) as http:
            answer = await http.post("/users", json={"name": _USER_NAME})
            answer.raise_for_status()
            return worker, int(answer.json()["id"])

    async def _play(self, player: Player, ids: IdGenerator, *, user_id: int) -> None:
        market = player.market
        captured = await asyncio.to_thread(_capture, market)
        seed = 0
        while True:
            seed += 1
            flow = captured or living_flow(
                market,
                mid_ticks=await self._mid_ticks(market),
                seed=seed * 1_000 + market.market_id,
            )
            try:
                await player.clear(ids, user_id=user_id)
                await player.play(
                    Script(flow, ids, user_id=user_id),
                    speed=self._speed if captured else 1.0,
                    progress=lambda _: None,
                )
            except LogError as error:
                _log.warning("demo_interrupted", pair=market.pair, why=str(error))
                await asyncio.sleep(_RETRY_S)

    async def _mid_ticks(self, market: Market) -> int:
        """Return where the market stands, or where it begins."""
        tick = Decimal(market.tick_size)
        highest = market.max_price_ticks // 4
        first = min(int(Decimal(_FIRST_PRICES.get(market.pair, _ANY_PRICE)) / tick), highest)
        try:
            async with httpx.AsyncClient(base_url=self._state.url, timeout=10) as http:
                answer = await http.get(f"/market/{market.pair}/ticker")
                answer.raise_for_status()
        except httpx.HTTPError:
            return first
        last = int(Decimal(answer.json()["lastPrice"] or 0) / tick)
        return last if first // _FARTHEST <= last <= first * _FARTHEST else first


def _capture(market: Market) -> Flow | None:
    """Return the sample's flow where it is of this market and can be had."""
    if market.pair != _CAPTURED_PAIR:
        return None
    try:
        return map_events(read_events(sample().orders, market), market)
    except ClusterError as error:
        _log.warning("capture_unavailable", pair=market.pair, why=str(error))
        return None
