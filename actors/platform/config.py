"""Plain values that say where the servers are and how large the queues may grow.

Built once by the composition root and handed down by value; nothing below it reads the environment.
Each kind of process has a config of its own, which holds what it uses and nothing else: a password
or a token is where it is needed, and a change reaches those whom it concerns.
"""

from dataclasses import dataclass, field
from typing import Literal

from actors.book.market import Market
from actors.platform.topology import Topology

LogFormat = Literal["json", "console"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    """Addresses: Kafka `host:port[,host:port]`, Postgres and Redis as URLs."""

    kafka_bootstrap: str
    postgres_url: str
    redis_url: str


@dataclass(frozen=True, kw_only=True)
class PairLimits:
    """Bounds of what a pair's actor keeps."""

    snapshot_every_commands: int = 250_000
    snapshots_kept: int = 2


@dataclass(frozen=True, kw_only=True)
class RouterLimits:
    """Bounds of what a router has under way for each pair, and of the depth that it shows."""

    ranges_in_flight: int = 4
    range_bytes: int = 4 * 1024 * 1024
    depth_levels: int = 1_000
    depth_interval_ms: int = 100


@dataclass(frozen=True, kw_only=True)
class Limits(PairLimits, RouterLimits):
    """Bounds of every queue on the order path, in items unless the name says otherwise.

    `log_lag_commands` bounds what waits in the log of one pair before the gateway answers 503, and
    `order_delay_ms` how long those orders may take from a gateway to their event of which there
    are many at once.
    """

    produce_pending_commands: int = 20_000
    log_lag_commands: int = 2_000_000
    order_delay_ms: int = 200
    waiters: int = 50_000
    batch_orders: int = 1_000
    body_bytes: int = 1024 * 1024
    hub_client_messages: int = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotPlace:
    """Where books are kept: in Postgres where `postgres_url` names it, else in files of `folder`.

    `epoch` counts the logs that the data have had: each later one begins with books, the first
    with none.
    """

    folder: str = ""
    postgres_url: str = ""
    epoch: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PairConfig:
    """What the actor of some pairs needs to know: these pairs' markets and their snapshots.

    Routers show by `stream_token` that they are of this platform. `stream_ports` bounds the port
    at which those of other nodes find the actor; it is the system's choice where it is (0, 0).
    """

    markets: tuple[Market, ...]
    snapshots: SnapshotPlace
    stream_token: str = field(repr=False)
    stream_ports: tuple[int, int] = (0, 0)
    limits: PairLimits = field(default_factory=PairLimits)
    log_format: LogFormat = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class RouterConfig:
    """What the router of shard `shard` needs to know; `topology` holds that shard's markets.

    `trace` is where stamps go, `host:port`; empty where nobody measures.
    """

    kafka_bootstrap: str
    redis_url: str
    topology: Topology
    stream_token: str = field(repr=False)
    shard: int = 0
    namespace: str = "forkast"
    limits: RouterLimits = field(default_factory=RouterLimits)
    log_format: LogFormat = "json"
    trace: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class WriterConfig:
    """What the Postgres writer needs to know; with another `epoch` it has another log to follow."""

    kafka_bootstrap: str
    postgres_url: str
    topology: Topology
    epoch: int = 1
    log_format: LogFormat = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class CandlesConfig:
    """What the candle aggregator needs to know; with another `epoch` it has another log."""

    kafka_bootstrap: str
    postgres_url: str
    redis_url: str
    topology: Topology
    epoch: int = 1
    log_format: LogFormat = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExchangeConfig:
    """What a process needs that takes orders and answers questions."""

    servers: Servers
    topology: Topology
    namespace: str
    limits: Limits


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayConfig:
    """What a gateway needs beyond its exchange.

    `web_directory` holds the built page; empty where none is to be served. `loopback` says that
    the platform listens on this machine alone.
    """

    exchange: ExchangeConfig
    log_format: LogFormat = "json"
    allowed_origins: tuple[str, ...] = ()
    loopback: bool = False
    operator_token: str = ""
    web_directory: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class HubConfig:
    """What the realtime hub needs beyond its exchange; `trace` as the router's."""

    exchange: ExchangeConfig
    log_format: LogFormat = "json"
    allowed_origins: tuple[str, ...] = ()
    loopback: bool = False
    trace: str = ""
