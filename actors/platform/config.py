"""Plain values that say where the servers are and how large the queues may grow.

Built once by the composition root and handed down by value; nothing below it reads the environment.
"""

from dataclasses import dataclass, field
from typing import Literal

from actors.platform.topology import Topology


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    """Addresses: Kafka `host:port[,host:port]`, Postgres and Redis as URLs."""

    kafka_bootstrap: str
    postgres_url: str
    redis_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of every queue on the order path, in items unless the name says otherwise.

    `log_lag_commands` bounds what waits in the log of one pair before the gateway answers 503.
    """

    produce_pending_commands: int = 20_000
    log_lag_commands: int = 2_000_000
    ranges_in_flight: int = 4
    range_bytes: int = 4 * 1024 * 1024
    waiters: int = 50_000
    batch_orders: int = 1_000
    body_bytes: int = 1024 * 1024
    snapshot_every_commands: int = 250_000
    snapshots_kept: int = 2
    depth_levels: int = 1_000
    depth_interval_ms: int = 100
    hub_client_messages: int = 512


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
    log_format: Literal["json", "console"] = "json"
    allowed_origins: tuple[str, ...] = ()
    loopback: bool = False
    operator_token: str = ""
    web_directory: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class HubConfig:
    """What the realtime hub needs beyond its exchange."""

    exchange: ExchangeConfig
    log_format: Literal["json", "console"] = "json"
    allowed_origins: tuple[str, ...] = ()
    loopback: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """All that a worker needs to know of the platform that it belongs to.

    `web_directory` holds the built page; empty where the gateway is to serve none. `epoch` counts
    the logs that the data have had: each later one begins with books, the first with none.
    `loopback` says that clients reach the platform at a loopback address alone.
    """

    servers: Servers
    topology: Topology
    data_directory: str
    epoch: int = 1
    namespace: str = "forkast"
    limits: Limits = field(default_factory=Limits)
    snapshots: Literal["files", "postgres"] = "files"
    log_format: Literal["json", "console"] = "json"
    gateway_replicas: int = 1
    allowed_origins: tuple[str, ...] = ()
    loopback: bool = False
    operator_token: str = ""
    web_directory: str = ""

    @property
    def exchange(self) -> ExchangeConfig:
        """Return what gateway and hub share."""
        return ExchangeConfig(
            servers=self.servers,
            topology=self.topology,
            namespace=self.namespace,
            limits=self.limits,
        )

    @property
    def gateway(self) -> GatewayConfig:
        """Return what each gateway is told."""
        return GatewayConfig(
            exchange=self.exchange,
            log_format=self.log_format,
            allowed_origins=self.allowed_origins,
            loopback=self.loopback,
            operator_token=self.operator_token,
            web_directory=self.web_directory,
        )

    @property
    def hub(self) -> HubConfig:
        """Return what the hub is told."""
        return HubConfig(
            exchange=self.exchange,
            log_format=self.log_format,
            allowed_origins=self.allowed_origins,
            loopback=self.loopback,
        )
