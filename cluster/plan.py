"""One platform as a whole, and what of it each kind of process is told.

Only the composition root holds the whole: a password or a token goes where it is used.
"""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from actors.book.market import Market
from actors.fold.snapshots import FileSnapshotStore
from actors.fold.snapshots_postgres import PostgresSnapshotStore
from actors.fold.stores import snapshot_store
from actors.platform.config import (
    CandlesConfig,
    ExchangeConfig,
    GatewayConfig,
    HubConfig,
    Limits,
    LogFormat,
    PairConfig,
    PairLimits,
    RouterConfig,
    RouterLimits,
    Servers,
    SnapshotPlace,
    WriterConfig,
)
from actors.platform.topology import Topology


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """All that is known of one platform.

    `web_directory` holds the built page; empty where the gateway is to serve none. `epoch` counts
    the logs that the data have had: each later one begins with books, the first with none.
    `loopback` says that clients reach the platform at a loopback address alone. `trace` is where
    routers and hub send stamps of what passes, `host:port`; empty where nobody measures.
    `stream_token` is what routers and pairs know each other by, `stream_ports` where routers of
    other nodes find pairs.
    """

    servers: Servers
    topology: Topology
    data_directory: str
    epoch: int = 1
    namespace: str = "forkast"
    limits: Limits = field(default_factory=Limits)
    snapshots: Literal["files", "postgres"] = "files"
    log_format: LogFormat = "json"
    gateway_replicas: int = 1
    allowed_origins: tuple[str, ...] = ()
    loopback: bool = False
    operator_token: str = ""
    web_directory: str = ""
    trace: str = ""
    stream_token: str = field(default="", repr=False)
    stream_ports: tuple[int, int] = (0, 0)

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
            trace=self.trace,
        )

    def pair(self, actor: str) -> PairConfig:
        """Return what one of `topology.actors` is told."""
        return PairConfig(
            markets=self.topology.actors[actor],
            snapshots=self._snapshot_place,
            stream_token=self.stream_token,
            stream_ports=self.stream_ports,
            limits=PairLimits(**_of(self.limits, PairLimits)),
            log_format=self.log_format,
        )

    def router(self, *, shard: int = 0, shards: int = 1) -> RouterConfig:
        """Return what the router of one shard is told."""
        return RouterConfig(
            kafka_bootstrap=self.servers.kafka_bootstrap,
            redis_url=self.servers.redis_url,
            topology=self.topology.shard(shard, shards=shards),
            stream_token=self.stream_token,
            shard=shard,
            namespace=self.namespace,
            limits=RouterLimits(**_of(self.limits, RouterLimits)),
            log_format=self.log_format,
            trace=self.trace,
        )

    @property
    def writer(self) -> WriterConfig:
        """Return what the Postgres writer is told."""
        return WriterConfig(
            kafka_bootstrap=self.servers.kafka_bootstrap,
            postgres_url=self.servers.postgres_url,
            topology=self.topology,
            epoch=self.epoch,
            log_format=self.log_format,
        )

    @property
    def candles(self) -> CandlesConfig:
        """Return what the candle aggregator is told."""
        return CandlesConfig(
            kafka_bootstrap=self.servers.kafka_bootstrap,
            postgres_url=self.servers.postgres_url,
            redis_url=self.servers.redis_url,
            topology=self.topology,
            epoch=self.epoch,
            log_format=self.log_format,
        )

    @property
    def snapshot_folder(self) -> Path:
        """Return the folder of the first epoch's snapshots; later ones lie beside it."""
        return Path(self.data_directory) / "snapshots"

    def snapshots_of(self, market: Market) -> FileSnapshotStore | PostgresSnapshotStore:
        """Return the store of a market's snapshots."""
        return snapshot_store(self._snapshot_place, market, kept=self.limits.snapshots_kept)

    @property
    def _snapshot_place(self) -> SnapshotPlace:
        if self.snapshots == "postgres":
            return SnapshotPlace(postgres_url=self.servers.postgres_url, epoch=self.epoch)
        return SnapshotPlace(folder=str(self.snapshot_folder), epoch=self.epoch)


def _of(limits: Limits, part: type[PairLimits] | type[RouterLimits]) -> dict[str, int]:
    """Return the bounds that one kind of process keeps."""
    return {one.name: getattr(limits, one.name) for one in fields(part)}
