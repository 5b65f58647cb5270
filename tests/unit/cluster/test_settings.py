import errno
from pathlib import Path

import pytest

from actors.platform.config import Limits, Servers
from cluster.errors import SettingsError
from cluster.markets import default_topology
from cluster.settings import load_settings

_SERVERS = Servers(kafka_bootstrap="k:1", postgres_url="postgresql://p", redis_url="redis://r")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POSTGRES_URL", "REDIS_URL", "KAFKA_BOOTSTRAP", "RAY_ADDRESS", "PORT"):
        monkeypatch.delenv(f"FORKAST_{name}", raising=False)


def test_nothing_set_means_embedded_servers_and_port_3001() -> None:
    settings = load_settings()
    assert (settings.postgres_url, settings.redis_url, settings.kafka_bootstrap) == ("", "", "")
    assert settings.ray_address == ""
    assert settings.port == 3001
    assert settings.limits == Limits()


def test_every_setting_reaches_the_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORKAST_GATEWAY_REPLICAS", "2")
    monkeypatch.setenv("FORKAST_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("FORKAST_OPERATOR_TOKEN", "a token")
    monkeypatch.setenv("FORKAST_STREAM_TOKEN", "a stream's")
    monkeypatch.setenv("FORKAST_STREAM_PORTS", "31000-31099")
    monkeypatch.setenv("FORKAST_LIMITS__WAITERS", "7")
    monkeypatch.setenv("FORKAST_TRACE", "127.0.0.1:9")
    topology = default_topology()
    platform = load_settings().platform(servers=_SERVERS, topology=topology, data=tmp_path)
    assert platform.servers == _SERVERS
    assert platform.gateway_replicas == 2
    assert platform.allowed_origins == ("https://a.example", "https://b.example")
    assert platform.operator_token == "a token"
    assert platform.stream_token == "a stream's"
    assert platform.stream_ports == (31_000, 31_099)
    assert platform.limits.waiters == 7
    assert platform.router().trace == platform.hub.trace == "127.0.0.1:9"
    assert platform.limits.body_bytes == Limits().body_bytes
    assert not list(tmp_path.glob("*.token"))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        (None, True),
        ("127.0.0.1", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - said to be reachable
        ("::", False),
        ("10.1.2.3", False),
        ("exchange.example", False),
    ],
)
def test_the_platform_knows_whether_it_listens_on_loopback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str | None, loopback: bool
) -> None:
    monkeypatch.delenv("FORKAST_HOST", raising=False)
    if host is not None:
        monkeypatch.setenv("FORKAST_HOST", host)
    platform = load_settings().platform(
        servers=_SERVERS, topology=default_topology(), data=tmp_path
    )
    assert platform.loopback is loopback


def test_a_port_that_is_published_on_loopback_can_be_said_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORKAST_HOST", "0.0.0.0")  # noqa: S104 - as in a container
    monkeypatch.setenv("FORKAST_LOOPBACK", "true")
    platform = load_settings().platform(
        servers=_SERVERS, topology=default_topology(), data=tmp_path
    )
    assert platform.loopback is True


@pytest.mark.parametrize("name", ["operator", "stream"])
def test_a_token_is_made_once_and_kept_private(tmp_path: Path, name: str) -> None:
    def token() -> str:
        settings = load_settings()
        platform = settings.platform(
            servers=_SERVERS, topology=default_topology(), data=tmp_path / "data"
        )
        kept: str = getattr(platform, f"{name}_token")
        return kept

    first = token()
    assert len(first) >= 32
    assert token() == first
    assert (tmp_path / "data" / f"{name}.token").stat().st_mode & 0o777 == 0o600


def test_a_token_that_could_not_be_written_is_made_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def tokens() -> tuple[str, str]:
        platform = load_settings().platform(
            servers=_SERVERS, topology=default_topology(), data=tmp_path
        )
        return platform.operator_token, platform.stream_token

    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            tokens()
    assert all(len(token) >= 32 for token in tokens())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["operator.token", "stream.token"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", "many"), ("PORT", "70000"), ("GATEWAY_REPLICAS", "0")),
        *(("KAFKA_BROKERS", "2"), ("LIMITS__WAITERS", "x")),
        *(("STREAM_PORTS", "some"), ("STREAM_PORTS", "31099-31000"), ("STREAM_PORTS", "1-70000")),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"FORKAST_{name}", value)
    with pytest.raises(SettingsError, match=f"FORKAST_{name}"):
        load_settings()


@pytest.mark.parametrize("address", ["a host", "9000", "host:port"])
def test_an_address_for_stamps_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("FORKAST_TRACE", address)
    with pytest.raises(SettingsError, match="FORKAST_TRACE"):
        load_settings()
