"""`forkast verify` as a person calls it: a platform that runs, one that is stopped, exit codes."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from actors.platform.config import Servers
from cluster.data.migrate import migrate
from cluster.markets import load_topology
from cluster.tools.markets_file import write_markets
from cluster.tools.platforms import RunningPlatform, forkast
from cluster.verify.run import CHECKS
from tests.beds.databases import own_database
from tests.beds.leases import MarketLeases


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """The servers of a platform of one market that does not run."""

    folder: Path
    environment: dict[str, str]
    postgres_url: str

    def verify(self, *options: str) -> tuple[int, str, str]:
        done = forkast(
            *("verify", "--data", self.folder, "--markets", self.folder / "markets.toml"),
            *options,
            environment=self.environment,
            timeout_s=120,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
async def stopped(servers: Servers, leases: MarketLeases, tmp_path: Path) -> AsyncIterator[Stopped]:
    """Give a test a database of its own; the log of its market is empty."""
    (market_id,) = await leases.ids(1)
    topology = load_topology(write_markets(tmp_path, ["VER-USD"], first_id=market_id))
    async with own_database(servers.postgres_url) as url:
        await migrate(url, topology)
        yield Stopped(
            folder=tmp_path,
            postgres_url=url,
            environment={
                "FORKAST_POSTGRES_URL": url,
                "FORKAST_REDIS_URL": servers.redis_url,
                "FORKAST_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
            },
        )


def test_a_running_platform_agrees_with_its_logs(running_platform: RunningPlatform) -> None:
    for side in ("SELL", "BUY"):
        order = {
            "tradingPair": "BTC-USD",
            "type": side,
            "price": 61000,
            "quantity": 0.5,
            "userId": 1,
        }
        answer = httpx.post(f"{running_platform.url}/orders", json=order, timeout=20)
        assert answer.status_code == 201, answer.text
    done = forkast("verify", "--data", running_platform.data, "--json", timeout_s=240)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert [check["name"] for check in report["checks"]] == list(CHECKS)
    by_name = {check["name"]: check for check in report["checks"]}
    assert set(by_name["books"]) == {"name", "checked", "differences", "first"}
    assert by_name["log"]["checked"] >= 2
    assert by_name["trades"]["checked"] >= 1
    assert (report["markets"], report["skipped"]) == (10, {})


async def test_a_wrong_row_on_a_stopped_platform_is_one_line_and_code_1(stopped: Stopped) -> None:
    connection = await asyncpg.connect(stopped.postgres_url)
    await connection.execute(
        "INSERT INTO trades SELECT market_id, 7, 3, 1, 1, 1, 1, 1, 2, 1, 2 FROM markets"
    )
    await connection.close()
    code, told, errors = stopped.verify()
    assert code == 1, errors
    lines = [line for line in told.splitlines() if line.startswith("trades ")]
    assert len(lines) == 1, told
    assert "VER-USD trade 7 has a row" in told
    assert "not all agree" in told
    assert "books: not checked, the platform is not running" in told


async def test_a_stopped_platform_that_agrees_is_code_0_and_servers_away_are_code_2(
    stopped: Stopped, unused_tcp_port: int
) -> None:
    code, told, errors = stopped.verify("--json")
    assert code == 0, errors
    assert json.loads(told)["ok"]
    stopped.environment["FORKAST_REDIS_URL"] = f"redis://127.0.0.1:{unused_tcp_port}/0"
    code, told, errors = stopped.verify("--json")
    assert (code, told) == (2, "")
    assert "could not be read" in errors


async def test_a_market_that_the_markets_file_does_not_know_is_code_2(stopped: Stopped) -> None:
    connection = await asyncpg.connect(stopped.postgres_url)
    await connection.execute("INSERT INTO markets VALUES (19, 'NEW-USD', 1, 1)")
    await connection.close()
    code, _, errors = stopped.verify()
    assert code == 2
    assert "market 19, NEW-USD" in errors
