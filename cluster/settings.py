"""Settings from outside, read once, from variables that start with `FORKAST_`.

FORKAST_POSTGRES_URL, FORKAST_REDIS_URL, FORKAST_KAFKA_BOOTSTRAP, FORKAST_RAY_ADDRESS
                              use this server instead of an embedded one
FORKAST_KAFKA_BROKERS         how many embedded brokers there are, 1 or 3; by default as many as the
                              data folder was made with, and 1 in a new one
FORKAST_SERVERS_HOST          the address that embedded servers are bound to, 127.0.0.1; nodes of a
                              cluster of Ray's reach them at another one. Kafka and Redis ask for
                              no password, so nobody else may reach it
FORKAST_MIN_NODES             nodes that must take pairs before `up` spreads them over a
                              cluster of Ray's, 1
FORKAST_PORT                  where REST and Socket.IO answer, 3001
FORKAST_HOST                  the address that they are bound to, 127.0.0.1
FORKAST_LOOPBACK              true where clients reach the platform at loopback alone, as by a port
                              of a container that is published there; by default what
                              FORKAST_HOST says
FORKAST_SNAPSHOTS             where books are kept: files (of the data folder) or postgres; by
                              default files on one machine, postgres where an address names Ray
FORKAST_LOG_FORMAT            json or console; by default console at a terminal, json elsewhere
FORKAST_GATEWAY_REPLICAS      processes that take orders, 1
FORKAST_ROUTER_SHARDS         processes that carry the log to the pairs, 1
FORKAST_ALLOWED_ORIGINS       origins of pages beside loopback ones, separated by commas
FORKAST_STREAM_TOKEN          what routers and pairs know each other by; made and kept in the data
                              folder
FORKAST_STREAM_PORTS          the ports at which routers of other nodes find pairs, as 31000-31099;
                              the system's choice by default
FORKAST_OPERATOR_TOKEN        what halt and resume need; made and kept in the data folder
FORKAST_OBJECT_STORE_MB       Ray's shared memory on this node
FORKAST_TRACE                 where routers and hub send stamps of single orders, host:port, for
                              `forkast bench latency`; by default they take none
FORKAST_LIMITS__WAITERS ...   every bound of actors/platform/config.py, by its name
"""

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from actors.platform.config import Limits, Servers
from actors.platform.topology import Topology
from cluster.errors import SettingsError
from cluster.plan import Platform


def _first_and_last(value: object) -> object:
    if not isinstance(value, str):
        return value
    first, _, last = value.partition("-")
    ports = int(first), int(last or first)
    if not 0 < ports[0] <= ports[1] <= 65_535:
        raise ValueError("give the first and the last port, as 31000-31099")
    return ports


SECRETS = frozenset(
    {
        "FORKAST_POSTGRES_URL",
        "FORKAST_REDIS_URL",
        "FORKAST_KAFKA_BOOTSTRAP",
        "FORKAST_OPERATOR_TOKEN",
        "FORKAST_STREAM_TOKEN",
    }
)


class Settings(BaseSettings):
    """The environment's say; addresses left empty mean an embedded server."""

    model_config = SettingsConfigDict(
        env_prefix="FORKAST_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    postgres_url: str = ""
    redis_url: str = ""
    kafka_bootstrap: str = ""
    kafka_brokers: Annotated[Literal[0, 1, 3], pydantic.BeforeValidator(int)] = 0
    servers_host: str = "127.0.0.1"
    ray_address: str = ""
    min_nodes: int = pydantic.Field(default=1, ge=1)
    port: int = pydantic.Field(default=3001, ge=1, le=65_535)
    host: str = "127.0.0.1"
    loopback: bool | None = None
    snapshots: Literal["", "files", "postgres"] = ""
    log_format: Literal["", "json", "console"] = ""
    gateway_replicas: int = pydantic.Field(default=1, ge=1, le=64)
    router_shards: int = pydantic.Field(default=1, ge=1, le=64)
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    operator_token: str = ""
    trace: Annotated[str, pydantic.StringConstraints(pattern=r"^([^:\s]+:[0-9]+)?$")] = ""
    stream_token: str = ""
    stream_ports: Annotated[
        tuple[int, int], NoDecode, pydantic.BeforeValidator(_first_and_last)
    ] = (0, 0)
    object_store_mb: int = pydantic.Field(default=256, ge=80)
    limits: Limits = Limits()

    @pydantic.field_validator("allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(origin.strip() for origin in value.split(",") if origin.strip())
        return value

    def platform(
        self, *, servers: Servers, topology: Topology, data: Path, page: Path | None = None
    ) -> Platform:
        """Return what the workers need to know; makes the platform's tokens on first use."""
        return Platform(
            servers=servers,
            topology=topology,
            data_directory=str(data.resolve()),
            limits=self.limits,
            snapshots=self.snapshots or ("postgres" if self.ray_address else "files"),
            log_format=self.log_format or "json",
            gateway_replicas=self.gateway_replicas,
            allowed_origins=self.allowed_origins,
            loopback=_is_loopback(self.host) if self.loopback is None else self.loopback,
            operator_token=self.operator_token or _kept_token(data / "operator.token"),
            stream_token=self.stream_token or _kept_token(data / "stream.token"),
            stream_ports=self.stream_ports,
            web_directory=str(page) if page else "",
            trace=self.trace,
        )


def load_settings(*, kafka_brokers: int | None = None) -> Settings:
    """Read the environment; what is given comes first.

    Raises SettingsError, naming the variable.
    """
    given: dict[str, Any] = {} if kafka_brokers is None else {"kafka_brokers": kafka_brokers}
    try:
        return Settings(**given)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        name = "__".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"FORKAST_{name}: {first['msg']}") from error


def forget_secrets() -> None:
    """Take passwords and the token out of the environment, once they have been read.

    Every process of the platform would inherit them; those that need one are told it.
    """
    for name in [name for name in os.environ if name.upper() in SECRETS]:
        del os.environ[name]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _kept_token(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Under another name first: a process killed half-way would leave an empty token for good.
        fresh = path.with_name(f"{path.name}.fresh")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(24))
        fresh.replace(path)
    return path.read_text().strip()
